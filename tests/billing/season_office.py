"""A house without a meter that is billed for a season ahead, and the tariffs of both ways."""

import json
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.billing.property_terms.terms import Terms, load_property_terms
from chamberlain.billing.rebilling.operations import RuleTerms
from chamberlain.billing.running import run
from chamberlain.billing.switching import NewMeter, Switch
from chamberlain.identity.actors import program_actor
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.models import BusinessDay
from chamberlain.registry.models import Property, PropertyType, ServicePoint
from chamberlain.tariffs.models import Component, Tariff
from chamberlain.tariffs.shapes import USAGES
from tests.billing.rebilling_scenes import load_limits
from tests.office import NOW
from tests.web import scenes

SINCE, FROM, TO = date(2020, 1, 1), date(2025, 11, 1), date(2026, 5, 1)
DAYS = (TO - FROM).days
HOSE_CENTS = 12_000
METER = NewMeter("M-700", '5/8"', "kgal", register=40)
NUMBER = "N00001"


@dataclass(frozen=True)
class House:
    """The house, its service point and agreement, and the revenue office's open day."""

    property_id: int
    point_id: int
    account_id: int
    agreement: ServiceAgreement
    day: BusinessDay

    def switch(self, on: date, **other: object) -> Switch:
        """What is asked for to switch it on a day."""
        values: dict[str, object] = {"meter": METER, "reason_code": "read_wrong", **other}
        return Switch(self.point_id, on, **values)  # type: ignore[arg-type]

    def bill_season(self, key: str = "season", from_on: date = FROM, to_on: date = TO) -> None:
        """A bill run of a season."""
        plan = RunPlan(
            "Season", "chicago-non-metered", self.day.pk, date(2026, 3, 26), TO,
            is_metered=False, season_from_on=from_on, season_to_on=to_on,
        )  # fmt: skip
        run(plan_bill_run(program_actor(), plan, NOW, key))

    def bill_reads(self, key: str = "reads") -> None:
        """A bill run of all reads."""
        plan = RunPlan("Reads", "chicago-metered", self.day.pk, date(2026, 3, 26), TO)
        run(plan_bill_run(program_actor(), plan, NOW, key))


def non_metered_tariff() -> Tariff:
    """$120.00 a season of six months for each hose, and as much for sewer."""
    chart.ensure_basic_chart()
    chart.ensure_charge_kind("fixtures", "Fixtures", 15)
    chart.ensure_charge_kind("sewer", "Sewer", 20)
    tariff = Tariff.objects.create(
        code="chicago-non-metered", name="Non-metered water and sewer", kind="city", unit="kgal",
        proration="by_day", source="chosen for the test",
    )  # fmt: skip
    parts = (
        ("hose", "Hoses", "fixtures", {
            "type": "fixtures", "count": "hoses", "season_starts": [5, 11],
            "versions": [{"effective": "2015-01-01", "rate": "120.00"}],
        }),
        ("sewer", "Sewer", "sewer", {
            "type": "percent", "of": ["hose"],
            "versions": [{"effective": "2015-01-01", "percent": "100"}],
        }),
    )  # fmt: skip
    for position, (code, label, kind, terms) in enumerate(parts, 1):
        Component.objects.create(
            tariff=tariff, position=position, code=code, label=label, charge_kind=kind,
            formula="Number of them × rate for a season", terms=terms, source="chosen for the test",
        )  # fmt: skip
    return tariff


def usage_of(from_on: date, to_on: date, hoses: int) -> pl.DataFrame:
    """A period of a house with so many hoses, as rating takes it."""
    row = {
        "row": 0, "rate_class": "residential", "meter_size": "", "dwelling_units": 1,
        "exemptions": [], "attributes": json.dumps({"hoses": str(hoses)}), "from_on": from_on,
        "to_on": to_on, "usage_thousandths": 0, "unit": None,
    }  # fmt: skip
    return pl.DataFrame([row], schema=USAGES)


def make_house(approval_cents: int = 50_000) -> House:
    """One hose; nothing is billed yet."""
    _, day = scenes.revenue_office()
    scenes.water_tariff()
    tariff = non_metered_tariff()
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, approval_cents, 24, "chosen", False))
    house = PropertyType.objects.create(code="house", name="House")
    load_property_terms(program_actor(), [
        Terms("house", 0, None, date(2010, 1, 1), "residential", "chicago-metered", 1,
              "chicago-non-metered", 6, (), "chosen", False)
    ])  # fmt: skip
    [account_id] = ledger.open_accounts([NUMBER], SINCE)
    place = Property.objects.create(
        parcel_number="P1", address="12 Main St", postal_code="60601", property_type=house,
        dwelling_units=1,
    )  # fmt: skip
    point = ServicePoint.objects.create(property=place, code="SP-1")
    agreement = ServiceAgreement.objects.create(
        account_id=account_id, service_point=point, tariff=tariff, rate_class="residential",
        is_metered=False, attributes={"hoses": "1"}, cycle_months=6,
        period=DateRange(SINCE, None),
    )  # fmt: skip
    return House(place.pk, point.pk, account_id, agreement, day)


def standing(account_id: int) -> list[Bill]:
    """Bills that stand, by their first day."""
    return list(
        Bill.objects.filter(account_id=account_id, replaced_by=None, entry__reversed_by=None)
        .exclude(total_cents=0)
        .order_by("from_on", "pk")
    )

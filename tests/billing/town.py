"""A town for bill runs: metered accounts with one read each under the water tariff."""

from dataclasses import dataclass, field
from datetime import date

from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.identity.actors import program_actor
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.models import BusinessDay
from chamberlain.metering.models import Read
from chamberlain.registry.models import Property, PropertyType, ServicePoint
from tests.office import NOW
from tests.web import scenes

FROM, TO, SINCE = date(2026, 1, 1), date(2026, 3, 1), date(2020, 1, 1)


@dataclass
class Town:
    """The town's agreements, in the order of their accounts, and the revenue office's day."""

    day: BusinessDay
    agreements: list[ServiceAgreement] = field(default_factory=list)


def make_town(accounts: int, *, reads: bool = True) -> Town:
    """So many accounts; account i used i + 1 thousand gallons from FROM to TO."""
    _, day = scenes.revenue_office()
    tariff = scenes.water_tariff()
    house = PropertyType.objects.create(code="house", name="House")
    numbers = [f"T{i:05d}" for i in range(accounts)]
    town = Town(day)
    for i, account_id in enumerate(ledger.open_accounts(numbers, SINCE)):
        place = Property.objects.create(
            parcel_number=f"P{i}", address=f"{i} Main St", postal_code="60601", property_type=house
        )
        point = ServicePoint.objects.create(property=place, code=f"SP{i}")
        agreement = ServiceAgreement.objects.create(
            account_id=account_id,
            service_point=point,
            tariff=tariff,
            rate_class="residential",
            period=DateRange(SINCE, None),
        )
        town.agreements.append(agreement)
        if reads:
            make_read(agreement, 1000 * (i + 1))
    return town


def make_read(agreement: ServiceAgreement, usage_thousandths: int, **other: object) -> Read:
    """A read of the agreement's service point."""
    values: dict[str, object] = {
        "from_on": FROM,
        "to_on": TO,
        "unit": "kgal",
        "quality": "actual",
        "source": f"read-{agreement.pk}-{usage_thousandths}",
        **other,
    }
    return Read.objects.create(
        service_point_id=agreement.service_point_id, usage_thousandths=usage_thousandths, **values
    )


def plan(town: Town, key: str = "run-1", **other: object) -> int:
    """A run over the town's reads, in chunks of ten bills."""
    values: dict[str, object] = {"chunk_bills": 10, **other}
    return plan_bill_run(
        program_actor(),
        RunPlan(
            name="March",
            tariff_code="chicago-metered",
            business_day_id=town.day.pk,
            due_on=date(2026, 3, 26),
            reads_up_to=TO,
            **values,  # type: ignore[arg-type]
        ),
        NOW,
        key,
    )

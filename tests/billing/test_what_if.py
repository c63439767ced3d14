"""What if: nothing changed changes nothing, and what is imagined is what an oracle finds."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chamberlain.billing.models import Bill, BillLine, ServiceAgreement
from chamberlain.billing.what_if.results import ACCOUNTS, summarize
from chamberlain.billing.what_if.running import (
    Scope,
    account_numbers,
    imagine,
    rate_classes,
    sampling,
    what_if,
)
from chamberlain.billing.what_if.scenarios import Scenario, imagined_schedule
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import Invalid, NotFound, NotPermitted
from chamberlain.kernel.money import round_half_up
from chamberlain.ledger.models import Entry
from chamberlain.tariffs.models import Component, Tariff
from chamberlain.tariffs.parsing import parse
from chamberlain.tariffs.schedule import Component as Line
from chamberlain.tariffs.schedule import Schedule, Version
from tests import office
from tests.billing.test_comparing import published
from tests.office import DAY
from tests.tariffs.oracle import Account, CannotRate
from tests.tariffs.schedules import CLASSES, frame, schedules, usages
from tests.web import scenes

PLENTY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WHOLE = Scope(date(2024, 1, 1), date(2027, 1, 1))


class ImaginedAccount(Account):
    """Rates with figures scaled as they are looked up, and with one more waiver."""

    def __init__(self, schedule: Schedule, usage: dict, scenario: Scenario) -> None:
        self.scenario = scenario
        super().__init__(schedule, usage)

    def is_meant(self, component: Line) -> bool:
        return self.scenario.component in ("", component.code)

    def figure(self, component: Line, version: Version) -> object:
        found = super().figure(component, version)
        if self.scenario.change_percent is None or not self.is_meant(component):
            return found

        def scaled(micros: int) -> int:
            return round_half_up(int(micros * (100 + self.scenario.change_percent) * 100), 10_000)

        if isinstance(found, int):
            return scaled(found)
        return tuple(replace(tier, rate_micros=scaled(tier.rate_micros)) for tier in found)

    def kept(self, component: Line, day: date) -> Fraction:
        found = super().kept(component, day)
        is_exempt = self.scenario.rate_class in ("", self.usage["rate_class"])
        if not (self.scenario.exempt_percent and is_exempt and self.is_meant(component)):
            return found
        return min(found, 1 - Fraction(self.scenario.exempt_percent) / 100)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    percent = st.integers(-10_000, 20_000).map(lambda points: Decimal(points) / 100)
    component = draw(st.sampled_from(["", "line0"]))
    return Scenario(
        tariff="random",
        component=component,
        change_percent=draw(st.none() | percent) if component else None,
        exempt_percent=draw(st.none() | st.integers(0, 10_000).map(lambda p: Decimal(p) / 100)),
        rate_class=draw(st.sampled_from(["", *CLASSES])),
    )


@given(schedules(), usages(), scenarios())
@PLENTY
def test_what_is_imagined_is_what_the_oracle_finds(
    schedule: Schedule, rows: list[dict], scenario: Scenario
) -> None:
    bills = frame(rows).with_columns(account_id=pl.col("row"), before_cents=pl.lit(1)).drop("row")
    accounts, refused = imagine(imagined_schedule(schedule, scenario), bills, scenario)
    found = {row["account_id"]: row["after_cents"] for row in accounts.to_dicts()}
    expected = {}
    for row in rows:
        try:
            lines = ImaginedAccount(schedule, row, scenario).lines
            expected[row["row"]] = sum(lines.values())
        except CannotRate:
            pass
    assert found == expected
    assert sum(refused.values()) == len(rows) - len(expected)


accounts_frame = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.sampled_from(CLASSES),
        st.integers(1, 3),
        st.integers(0, 200_000),
        st.integers(0, 200_000),
    ),
    max_size=40,
    unique_by=lambda row: (row[0], row[1]),
).map(lambda rows: pl.DataFrame(rows, schema=ACCOUNTS, orient="row"))


@given(accounts_frame)
@PLENTY
def test_classes_bands_and_winners_each_add_up_to_the_whole(accounts: pl.DataFrame) -> None:
    result = summarize(accounts, {})
    change: dict[int, int] = {}
    for account_id, _, _, before, after in accounts.iter_rows():
        change[account_id] = change.get(account_id, 0) + after - before
    assert result.total.before_cents == accounts["before_cents"].sum()
    assert result.total.change_cents == sum(change.values())
    assert sum(band.change_cents for band in result.bands) == sum(change.values())
    assert sum(band.accounts for band in result.bands) == len(change)
    assert result.winners == sum(cents < 0 for cents in change.values())
    assert result.losers == sum(cents > 0 for cents in change.values())
    assert result.winners + result.losers + result.unchanged == len(change)
    least = min([0, *change.values()])
    assert [each.change_cents for each in result.largest_savings[:1]] == ([least] if least else [])
    most = max([0, *change.values()])
    assert [each.change_cents for each in result.largest_increases[:1]] == ([most] if most else [])


def test_bands_are_named_by_what_an_account_pays_more_or_less() -> None:
    rows = [(1, "a", 1, 0, 0), (2, "a", 1, 0, 500), (3, "a", 1, 0, 501), (4, "a", 1, 90_000, 0)]
    bands = summarize(pl.DataFrame(rows, schema=ACCOUNTS, orient="row"), {}).bands
    counted = {band.label: band.accounts for band in bands if band.accounts}
    assert counted == {"−$500 or more": 1, "No change": 1, "+$5 or less": 1, "+$5 to +$20": 1}


# --- Over the books ---------------------------------------------------------------------------


def right_place() -> scenes.Office:
    """An account with three bills at the rates in force."""
    return scenes.furnished_office()


@pytest.mark.django_db
def test_nothing_imagined_changes_nothing() -> None:
    right_place()
    result = what_if(program_actor(), Scenario("chicago-metered"), Scope(date(2025, 6, 2), DAY))
    assert (result.total.bills, result.total.change_cents) == (3, 0)
    assert (result.winners, result.losers, result.unchanged) == (0, 0, 1)


@pytest.mark.django_db
def test_a_dearer_rate_is_seen_by_class_and_posts_nothing() -> None:
    place = right_place()
    entries, bills = Entry.objects.count(), Bill.objects.count()
    said: list[tuple[int, int]] = []
    scenario = Scenario("chicago-metered", component="water", new_rate=Decimal("9.38"))
    result = what_if(program_actor(), scenario, WHOLE, lambda done, of: said.append((done, of)))
    [only] = result.classes
    water = sum(line.cents for line in BillLine.objects.filter(position=1))
    assert only.rate_class == "residential"
    assert abs(only.after_cents - 4 * water) <= 2 * 3
    assert [each.account_id for each in result.largest_increases] == [place.account.pk]
    assert said == [(1, 1)]
    assert (Entry.objects.count(), Bill.objects.count()) == (entries, bills)
    assert account_numbers([place.account.pk]) == {place.account.pk: place.number}


@pytest.mark.django_db
def test_an_exemption_of_half_halves_the_lines_of_its_class_only() -> None:
    right_place()
    half = Scenario("chicago-metered", exempt_percent=Decimal(50), component="sewer")
    for rate_class, is_less in (("residential", True), ("commercial", False)):
        result = what_if(program_actor(), replace(half, rate_class=rate_class), WHOLE)
        assert (result.total.change_cents < 0) is is_less
    assert rate_classes() == ["residential"]


@pytest.mark.django_db
def test_another_tariff_that_cannot_rate_a_bill_says_how_many_and_why() -> None:
    place = right_place()
    other = Tariff.objects.create(
        code="new", name="New", kind="city", unit="kgal", proration="by_day", source="A draft"
    )
    Component.objects.create(
        tariff=other, position=1, code="water", label="Water", charge_kind="water",
        formula="By class", source="A draft",
        terms={"type": "flat_rate", "unit": "kgal", "by": ["rate_class"],
               "versions": [{"effective": "2020-01-01", "rates": {"residential": "1"}}]},
    )  # fmt: skip
    scenario = Scenario("chicago-metered", other_tariff="new")
    result = what_if(program_actor(), scenario, replace(WHOLE, account=place.number))
    assert result.winners == 1
    ServiceAgreement.objects.update(rate_class="harbor")
    result = what_if(program_actor(), scenario, WHOLE)
    assert result.total.bills == 0
    [(sentence, bills)] = result.not_rated
    assert bills == 3
    assert "harbor" in sentence


@pytest.mark.django_db
def test_a_sample_takes_every_so_many_th_account() -> None:
    place = right_place()
    assert sampling("chicago-metered", 10) == 1
    every = place.account.pk + 1
    result = what_if(program_actor(), Scenario("chicago-metered"), replace(WHOLE, every=every))
    assert (result.total.bills, result.every) == (0, every)
    [one] = what_if(
        program_actor(), Scenario("chicago-metered"), replace(WHOLE, every=place.account.pk)
    ).classes
    assert one.accounts == 1


@pytest.mark.django_db
def test_a_tariff_without_agreements_has_an_empty_result() -> None:
    scenes.water_tariff()
    result = what_if(program_actor(), Scenario("chicago-metered"), WHOLE)
    assert result.classes == ()
    assert result.bands == ()


@pytest.mark.django_db
def test_who_may_not_see_billing_is_refused() -> None:
    right_place()
    cashier = office.make_actor("pat", Role.CASHIER)
    with pytest.raises(NotPermitted):
        what_if(cashier, Scenario("chicago-metered"), WHOLE)
    with pytest.raises(NotFound):
        what_if(program_actor(), Scenario("chicago-metered"), replace(WHOLE, account="none"))
    with pytest.raises(NotFound):
        what_if(program_actor(), Scenario("unknown"), WHOLE)


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(Invalid, match="give a later end"):
        Scope(DAY, DAY)


@pytest.mark.parametrize(
    ("given_values", "field"),
    [
        ({"change_percent": Decimal(5)}, "component"),
        ({"component": "a", "change_percent": Decimal(5), "new_rate": Decimal(1)}, "new_rate"),
        ({"component": "a", "change_percent": Decimal(-101)}, "change_percent"),
        ({"component": "a", "change_percent": Decimal("1.005")}, "change_percent"),
        ({"exempt_percent": Decimal(101)}, "exempt_percent"),
        ({"component": "a", "new_rate": Decimal(-1)}, "new_rate"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused_beside_its_field(
    given_values: dict, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Scenario("t", **given_values)
    assert refused.value.field == field


def tiered() -> Schedule:
    terms = {
        "type": "tiers",
        "unit": "ccf",
        "versions": [
            {"effective": "2020-01-01", "tiers": [{"up_to": "10", "rate": "2"}, {"rate": "4"}]}
        ],
    }
    return parse({"code": "t", "name": "T", "unit": "ccf", "proration": "by_day", "source": "S",
        "components": [{"code": "water", "label": "Water", "charge_kind": "water",
            "formula": "By tiers", "source": "S", "terms": terms}]})  # fmt: skip


def test_a_line_with_tiers_has_no_single_new_rate_and_an_unknown_line_is_named() -> None:
    with pytest.raises(Invalid, match="change it by a percentage"):
        imagined_schedule(tiered(), Scenario("t", component="water", new_rate=Decimal(3)))
    with pytest.raises(Invalid, match="choose one of water"):
        imagined_schedule(tiered(), Scenario("t", component="sewer", new_rate=Decimal(3)))


def test_a_scenario_says_whether_it_changes_anything() -> None:
    assert not Scenario("t").changes_something
    assert Scenario("t", component="water", new_rate=Decimal(0)).changes_something
    assert Scenario("t", other_tariff="u").changes_something


def test_a_published_formula_is_compared_with_another_tariff_only() -> None:
    with pytest.raises(Invalid, match="compare it with another tariff"):
        imagined_schedule(published(), Scenario("sm", exempt_percent=Decimal(5)))
    assert imagined_schedule(published(), Scenario("sm")) == published()

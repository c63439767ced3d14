"""A property's type and units decide how it is billed: found, agreed anew, or rebilled."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.occupancy import move_in, move_out
from chamberlain.billing.property_terms import operations, queries
from chamberlain.billing.property_terms.terms import Terms, load_property_terms
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.rebilling.operations import (
    ReasonTerms,
    RuleTerms,
    load_rules,
    post_rebill,
)
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, NotFound, NotPermitted, Refused
from chamberlain.ledger.proof import prove
from chamberlain.registry import documents, findings
from chamberlain.registry.models import PropertyType
from chamberlain.registry.operations import NewCustomer
from chamberlain.registry.queries import account_summary
from tests import office
from tests.office import DAY, NOW
from tests.registry import papers
from tests.web.scenes import Office, furnished_office

pytestmark = pytest.mark.django_db

HOUSE = Terms(
    property_type="house",
    least_units=0,
    most_units=4,
    starts_on=date(2010, 1, 1),
    rate_class="residential",
    metered_tariff="chicago-metered",
    metered_months=2,
    unmetered_tariff="",
    unmetered_months=None,
    exemptions=(),
    source="chosen for the tests",
    is_verified=False,
)
SHOP = replace(
    HOUSE, property_type="shop", most_units=None, rate_class="commercial", metered_months=1,
    exemptions=("city_owned",),
)  # fmt: skip


@pytest.fixture
def place() -> Office:
    made = furnished_office()
    PropertyType.objects.create(code="shop", name="Shop")
    load_property_terms(program_actor(), [HOUSE, SHOP])
    chosen = ("chosen for the tests", False)
    load_rules(
        program_actor(),
        [RuleTerms(date(2010, 1, 1), 24, 60, 50_000, 24, *chosen)],
        [ReasonTerms("class_wrong", "Class was wrong", False, *chosen)],
    )
    return made


@pytest.fixture
def clerk() -> Actor:
    return office.make_actor("robin", Role.CLERK)


@pytest.fixture
def supervisor() -> Actor:
    return office.make_actor("sam", Role.ACCOUNTS_SUPERVISOR)


def home_of(place: Office) -> int:
    found = account_summary(place.number).property_id
    assert found is not None
    return found


def becomes(
    place: Office, clerk: Actor, supervisor: Actor, code: str, units: int, on: date
) -> None:
    """A document proves what the property is from a day on; another person applies it."""
    document = documents.keep_document(
        clerk, home_of(place), "tax_bill", "bill.pdf", papers.pdf(), NOW
    )
    finding = findings.find_use(clerk, document, code, units, on, NOW, DAY)
    findings.decide_use(supervisor, finding, True, NOW)


def test_an_agreement_that_says_what_its_property_is_is_left_alone(place: Office) -> None:
    assert queries.disagreements(DAY) == []
    assert queries.count_disagreements(DAY) == 0
    assert queries.disagreements_at(home_of(place)) == []


def test_a_change_of_type_shows_old_against_right_terms(
    place: Office, clerk: Actor, supervisor: Actor
) -> None:
    on = DAY - timedelta(days=50)
    becomes(place, clerk, supervisor, "shop", 3, on)
    [found] = queries.disagreements_at(home_of(place))
    assert (found.account, found.from_on, found.type_name) == (place.number, on, "Shop")
    assert found.differences == (
        ("Rate class", "residential", "commercial"),
        ("Dwelling units", "2", "3"),
        ("Exemptions", "senior", "city owned, senior"),
        ("Billed every", "2 months", "month"),
    )
    assert found.changes_money
    assert [each.account for each in queries.disagreements(DAY)] == [place.number]
    assert queries.count_disagreements(DAY) == 1
    assert queries.count_disagreements(on - timedelta(days=1)) == 0


def test_exemptions_that_only_another_type_gives_end_and_a_persons_stay(place: Office) -> None:
    ServiceAgreement.objects.update(exemptions=["senior", "city_owned"])
    [found] = queries.disagreements(DAY)
    assert found.differences == (("Exemptions", "city owned, senior", "senior"),)


def test_terms_without_a_value_leave_the_agreement_as_it_is(place: Office) -> None:
    load_property_terms(
        program_actor(), [replace(HOUSE, rate_class="", metered_tariff="", metered_months=None)]
    )
    ServiceAgreement.objects.update(rate_class="odd", cycle_months=3)
    assert queries.disagreements(DAY) == []
    ServiceAgreement.objects.update(is_metered=False)
    load_property_terms(program_actor(), [HOUSE])
    [found] = queries.disagreements(DAY)
    assert found.differences == (("Rate class", "odd", "residential"),)


def test_later_terms_and_other_units_hold_from_their_day(place: Office) -> None:
    later = replace(HOUSE, starts_on=date(2026, 1, 1), metered_months=1)
    load_property_terms(program_actor(), [later])
    assert queries.count_disagreements(date(2025, 12, 31)) == 0
    [found] = queries.disagreements(date(2026, 1, 1))
    assert found.differences == (("Billed every", "2 months", "month"),)
    assert not found.changes_money


def test_agreements_go_on_anew_from_a_day_that_nothing_is_billed_for(
    place: Office, clerk: Actor, supervisor: Actor
) -> None:
    becomes(place, clerk, supervisor, "shop", 3, DAY)
    home = home_of(place)
    with pytest.raises(NotPermitted):
        operations.agree_anew(clerk, place.number, home, DAY, DAY)
    with pytest.raises(AlreadyDone, match="as its property's type says"):
        operations.agree_anew(supervisor, place.number, home, DAY - timedelta(days=9), DAY)
    [changed] = operations.agree_anew(supervisor, place.number, home, DAY, DAY)
    old, new = ServiceAgreement.objects.order_by("pk")
    assert changed.agreement_id == old.pk
    assert (old.period.upper, old.rate_class, old.dwelling_units) == (DAY, "residential", 2)
    assert new.period == DateRange(DAY, None)
    assert (new.rate_class, new.dwelling_units, new.cycle_months) == ("commercial", 3, 1)
    assert new.exemptions == ["city_owned", "senior"]
    assert queries.disagreements(DAY) == []
    with pytest.raises(AlreadyDone):
        operations.agree_anew(supervisor, place.number, home, DAY, DAY)


def test_billed_days_are_rebilled_and_not_agreed_anew(
    place: Office, clerk: Actor, supervisor: Actor
) -> None:
    on = DAY - timedelta(days=60)
    becomes(place, clerk, supervisor, "shop", 2, on)
    with pytest.raises(Refused, match="Bill 88-203412 covers days"):
        operations.agree_anew(supervisor, place.number, home_of(place), on, DAY)
    assert ServiceAgreement.objects.count() == 1


def test_only_the_cycle_may_change_under_bills(place: Office, supervisor: Actor) -> None:
    load_property_terms(program_actor(), [replace(HOUSE, metered_months=1)])
    on = DAY - timedelta(days=60)
    operations.agree_anew(supervisor, place.number, home_of(place), on, DAY)
    assert ServiceAgreement.objects.order_by("pk").last().cycle_months == 1  # type: ignore[union-attr]


def test_an_agreement_that_begins_that_day_is_changed_itself(
    place: Office, supervisor: Actor
) -> None:
    agreement = ServiceAgreement.objects.get()
    agreement.cycle_months = 3
    agreement.save()
    operations.agree_anew(supervisor, place.number, home_of(place), date(2020, 1, 1), DAY)
    assert ServiceAgreement.objects.get().cycle_months == 2


def test_the_bills_that_a_change_touches_are_rebilled_by_the_rules_of_rebilling(
    place: Office, clerk: Actor, supervisor: Actor
) -> None:
    on = DAY - timedelta(days=60)
    becomes(place, clerk, supervisor, "shop", 3, on)
    arguments = (place.number, home_of(place), on, "class_wrong", DAY, NOW)
    rebill_id = operations.draft_rebill_to_terms(clerk, *arguments, "one")
    rebill = Rebill.objects.get(pk=rebill_id)
    assert rebill.status == "draft"
    assert rebill.corrections["rate_class"] == "commercial"
    assert rebill.corrections["dwelling_units"] == 3
    assert rebill.corrections["tariff_code"] is None
    assert "Shop with 3 dwelling units" in rebill.note
    post_rebill(supervisor, rebill_id, place.day.pk, DAY, NOW)
    assert queries.disagreements(DAY)[0].differences == (("Billed every", "2 months", "month"),)
    with pytest.raises(AlreadyDone):
        operations.draft_rebill_to_terms(clerk, *arguments, "two")
    assert prove(program_actor()).holds


def test_services_that_need_different_terms_are_rebilled_apart(
    place: Office, clerk: Actor, supervisor: Actor
) -> None:
    first = ServiceAgreement.objects.get()
    from chamberlain.registry.operations import add_service_point

    point = add_service_point(program_actor(), home_of(place), "SP-9")
    ServiceAgreement.objects.create(
        account=first.account, service_point_id=point, tariff=first.tariff,
        rate_class="residential", dwelling_units=5, period=first.period,
    )  # fmt: skip
    becomes(place, clerk, supervisor, "shop", 2, DAY - timedelta(days=60))
    with pytest.raises(Refused, match="different terms"):
        operations.draft_rebill_to_terms(
            clerk, place.number, home_of(place), DAY - timedelta(days=60), "class_wrong", DAY,
            NOW, "x",
        )  # fmt: skip


def test_who_moves_in_is_billed_by_the_type(place: Office, clerk: Actor, supervisor: Actor) -> None:
    becomes(place, clerk, supervisor, "shop", 3, DAY)
    move_out(clerk, place.account.pk, DAY, DAY)
    made = move_in(clerk, home_of(place), NewCustomer("Ines Ruiz"), DAY, DAY)
    agreement = ServiceAgreement.objects.get(account_id=made.account_id)
    assert (agreement.rate_class, agreement.cycle_months) == ("commercial", 1)
    assert agreement.exemptions == ["city_owned"]
    assert made.from_type == (
        "rate class commercial", "exemptions city owned", "billed every month",
    )  # fmt: skip


def test_a_tariff_that_is_not_loaded_is_named(place: Office, supervisor: Actor) -> None:
    load_property_terms(program_actor(), [replace(HOUSE, metered_tariff="no-such")])
    with pytest.raises(NotFound, match="no tariff no-such"):
        operations.agree_anew(supervisor, place.number, home_of(place), DAY, DAY)
    assert ServiceAgreement.objects.count() == 1

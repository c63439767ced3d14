"""A service without a meter gets one in the middle of a season that was billed ahead."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.property_terms.models import PropertyTerms
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.rebilling.operations import Changed, draft_rebill, post_rebill
from chamberlain.billing.switching import (
    Outcome,
    Switch,
    non_metered_accounts,
    non_metered_points,
    show_switch,
    switch_to_metered,
)
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import round_half_up
from chamberlain.ledger.models import Balance, Entry
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.proof import prove
from chamberlain.metering import operations as metering
from chamberlain.metering.models import Installation, Read
from chamberlain.tariffs.models import Tariff
from tests.billing.rebilling_scenes import new
from tests.billing.season_office import (
    DAYS,
    FROM,
    HOSE_CENTS,
    NUMBER,
    TO,
    House,
    make_house,
    standing,
)
from tests.office import DAY, NOW, make_actor

pytestmark = pytest.mark.django_db

ON = date(2026, 1, 20)


@pytest.fixture
def house() -> House:
    return make_house()


@pytest.fixture
def billed(house: House) -> House:
    house.bill_season()
    return house


def season_cents(days: int, hoses: int = 1) -> int:
    """Hoses for so many days of the season, and as much for sewer: rounded once, by hand."""
    return 2 * round_half_up(hoses * HOSE_CENTS * days, DAYS)


def switch(house: House, asked: Switch, key: str = "switch", seen: str = "") -> Outcome:
    return switch_to_metered(program_actor(), asked, house.day.pk, DAY, NOW, key, seen)


def owed(house: House) -> int:
    found = Balance.objects.get(account_id=house.account_id)
    return int(found.owed_cents - found.credit_cents)


def test_a_season_is_billed_by_fixtures_and_whole(billed: House) -> None:
    [bill] = standing(billed.account_id)
    assert (bill.from_on, bill.to_on, bill.total_cents) == (FROM, TO, 2 * HOSE_CENTS)
    billed.bill_season("again")
    assert len(standing(billed.account_id)) == 1
    assert prove(program_actor()).holds


def test_who_began_within_a_season_pays_the_days_from_then(house: House) -> None:
    ServiceAgreement.objects.update(period=DateRange(date(2026, 2, 1), None))
    house.bill_season()
    [bill] = standing(house.account_id)
    assert bill.total_cents == season_cents((TO - date(2026, 2, 1)).days)


def test_another_hose_within_the_season_is_charged_from_its_day_on_by_a_rebill(
    billed: House,
) -> None:
    agreement = billed.agreement
    ServiceAgreement.objects.filter(pk=agreement.pk).update(period=DateRange(date(2020, 1, 1), ON))
    agreement.pk = None
    agreement.attributes, agreement.period = {"hoses": "3"}, DateRange(ON, None)
    agreement.save()
    asked = new(billed.account_id, Corrections(), from_on=ON)
    rebill_id = draft_rebill(program_actor(), asked, DAY, NOW, "fixtures")
    boss = make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    post_rebill(boss, rebill_id, billed.day.pk, DAY, NOW)
    first, second = standing(billed.account_id)
    assert first.total_cents == season_cents((ON - FROM).days)
    assert second.total_cents == season_cents((TO - ON).days, hoses=3)
    assert prove(program_actor()).holds


def test_a_switch_is_shown_before_anything_is_kept(billed: House) -> None:
    shown = show_switch(program_actor(), billed.switch(ON), DAY, NOW)
    right = season_cents((ON - FROM).days)
    assert (shown.old_cents, shown.new_cents) == (2 * HOSE_CENTS, right)
    assert shown.difference_cents == right - 2 * HOSE_CENTS
    assert (shown.account_number, shown.cycle_months) == (NUMBER, 1)
    assert (shown.tariff, shown.rate_class) == ("Metered water and sewer", "residential")
    assert not Installation.objects.exists()
    assert not Rebill.objects.exists()
    assert ServiceAgreement.objects.get().period.upper is None
    assert owed(billed) == 2 * HOSE_CENTS


def test_the_days_from_the_switch_on_are_credited_and_billed_by_the_meter(billed: House) -> None:
    shown = show_switch(program_actor(), billed.switch(ON), DAY, NOW)
    done = switch(billed, billed.switch(ON), seen=shown.seen)
    assert (done.rebill_status, done.difference_cents) == ("posted", shown.difference_cents)
    old, metered = ServiceAgreement.objects.order_by("pk")
    assert (old.is_metered, old.period.upper) == (False, ON)
    assert (metered.is_metered, metered.period.lower) == (True, ON)
    assert (metered.tariff.code, metered.meter_size) == ("chicago-metered", '5/8"')
    assert Installation.objects.get().register_at_start == 40
    assert owed(billed) == season_cents((ON - FROM).days)
    metering.record_read(program_actor(), "M-700", date(2026, 2, 20), 50, DAY)
    billed.bill_reads()
    billed.bill_season("again")
    billed.bill_season("next", TO, date(2026, 11, 1))
    season, reads = standing(billed.account_id)
    assert (season.to_on, reads.from_on, reads.to_on) == (ON, ON, date(2026, 2, 20))
    assert reads.total_cents == 2 * 46_90
    assert prove(program_actor()).holds


@settings(max_examples=8, deadline=None)
@given(back=st.integers(min_value=0, max_value=(DAY - FROM).days))
def test_whatever_the_day_each_day_is_billed_once(back: int) -> None:
    with transaction.atomic():
        _each_day_once(make_house(), DAY - timedelta(days=back))
        transaction.set_rollback(True)


def _each_day_once(house: House, on: date) -> None:
    house.bill_season()
    switch(house, house.switch(on))
    for key in ("once", "twice"):
        house.bill_season(f"season {key}")
        house.bill_reads(f"reads {key}")
    days = (on - FROM).days
    bills = standing(house.account_id)
    assert sum(bill.total_cents for bill in bills) == owed(house) == season_cents(days)
    assert [(bill.from_on, bill.to_on) for bill in bills] == ([(FROM, on)] if days else [])
    if on < DAY:
        metering.record_read(program_actor(), "M-700", DAY, 45, DAY)
        for key in ("later", "latest"):
            house.bill_reads(key)
            house.bill_season(f"season {key}")
        assert owed(house) == season_cents(days) + 2 * round_half_up(5 * 469, 1)
        assert standing(house.account_id)[-1].from_on == on
    assert prove(program_actor()).holds


def test_a_season_not_billed_yet_is_billed_until_the_switch(house: House) -> None:
    done = switch(house, house.switch(ON))
    assert (done.rebill_id, done.rebill_status, done.bills) == (None, "", ())
    house.bill_season()
    [bill] = standing(house.account_id)
    assert (bill.to_on, bill.total_cents) == (ON, season_cents((ON - FROM).days))


def test_what_was_paid_for_later_days_becomes_credit(billed: House) -> None:
    payment = NewPayment(NUMBER, 2 * HOSE_CENTS, "lockbox", "LB-1")
    post_payment(program_actor(), billed.day.center_id, payment, NOW, "paid")
    switch(billed, billed.switch(ON))
    found = Balance.objects.get(account_id=billed.account_id)
    assert found.owed_cents == 0
    assert found.credit_cents == 2 * HOSE_CENTS - season_cents((ON - FROM).days)


def test_a_second_person_posts_a_large_credit() -> None:
    house = make_house(approval_cents=1_000)
    house.bill_season()
    clerk = make_actor("robin", Role.CLERK)
    done = switch_to_metered(clerk, house.switch(ON), None, DAY, NOW, "switch")
    assert (done.needs_approval, done.rebill_status) == (True, "asked")
    assert done.rebill_id is not None
    assert owed(house) == 2 * HOSE_CENTS
    with pytest.raises(NotPermitted):
        post_rebill(clerk, done.rebill_id, house.day.pk, DAY, NOW)
    boss = make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    post_rebill(boss, done.rebill_id, house.day.pk, DAY, NOW)
    assert owed(house) == season_cents((ON - FROM).days)
    assert prove(program_actor()).holds


def test_the_same_key_switches_once(billed: House) -> None:
    first = switch(billed, billed.switch(ON))
    assert switch(billed, billed.switch(ON)) == first
    assert ServiceAgreement.objects.count() == 2
    with pytest.raises(AlreadyDone, match="billed by a meter on January 20, 2026 already"):
        switch(billed, billed.switch(ON), key="another")
    with pytest.raises(AlreadyDone, match="sent before for another switch"):
        switch(billed, replace(billed.switch(ON), service_point_id=0))


def moved_in_later(house: House) -> Switch:
    ServiceAgreement.objects.update(period=DateRange(ON + timedelta(days=1), None))
    return house.switch(ON)


def terms_change_later(house: House) -> Switch:
    ServiceAgreement.objects.update(period=DateRange(FROM, date(2026, 2, 1)))
    later = ServiceAgreement.objects.get()
    later.pk, later.period = None, DateRange(date(2026, 2, 1), None)
    later.save()
    return house.switch(ON)


def two_tariffs(house: House) -> Switch:
    other = ServiceAgreement.objects.get()
    other.pk, other.tariff = None, Tariff.objects.get(code="chicago-metered")
    other.save()
    return house.switch(ON)


def read_later(house: House) -> Switch:
    Read.objects.create(
        service_point_id=house.point_id, from_on=FROM, to_on=date(2026, 2, 3), unit="kgal",
        usage_thousandths=1000, quality="actual", source="an old meter",
    )  # fmt: skip
    return house.switch(ON)


def without_terms(house: House) -> Switch:
    PropertyTerms.objects.all().delete()
    return house.switch(ON)


@pytest.mark.parametrize(
    ("asked", "refusal", "said"),
    [
        (moved_in_later, Refused, "Nobody is billed for this service on January 20, 2026"),
        (terms_change_later, Refused, "changes on February 1, 2026; give that day or a later"),
        (two_tariffs, Refused, "2 tariffs bill this service"),
        (read_later, Refused, "was read on February 3, 2026; give that day or a later one"),
        (without_terms, Invalid, "no terms for meters"),
        (lambda h: h.switch(DAY + timedelta(days=1)), Invalid, "March 3, 2026 has not come yet"),
        (lambda h: h.switch(ON, tariff_code="none"), NotFound, "There is no tariff none"),
        (lambda h: h.switch(ON, reason_code="none"), NotFound, "There is no reason none"),
    ],
)
def test_a_refused_switch_changes_nothing(
    billed: House, asked: Callable[[House], Switch], refusal: type[Refused], said: str
) -> None:
    switching = asked(billed)
    before = list(ServiceAgreement.objects.order_by("pk").values())
    with pytest.raises(refusal, match=said):
        switch(billed, switching)
    assert list(ServiceAgreement.objects.order_by("pk").values()) == before
    assert not Installation.objects.exists()
    assert not Entry.objects.exclude(reverses=None).exists()


def test_a_bill_that_changed_since_it_was_shown_is_not_touched(billed: House) -> None:
    shown = show_switch(program_actor(), billed.switch(ON), DAY, NOW)
    with pytest.raises(Changed, match="Look at it again"):
        switch(billed, billed.switch(ON + timedelta(days=1)), seen=shown.seen)
    assert Bill.objects.count() == 1


def test_a_season_is_set_right_on_an_open_day(billed: House) -> None:
    with pytest.raises(Refused, match="no open day"):
        switch_to_metered(program_actor(), billed.switch(ON), None, DAY, NOW, "switch")
    assert not Installation.objects.exists()


def test_a_place_with_a_metered_agreement_is_not_offered_for_switching(house: House) -> None:
    assert non_metered_points(house.property_id, ON) == {house.point_id}
    switch(house, house.switch(ON))
    assert non_metered_points(house.property_id, ON) == set()
    assert non_metered_points(house.property_id, FROM) == {house.point_id}


def test_tariff_and_class_that_were_chosen_stand(house: House) -> None:
    asked = house.switch(ON, tariff_code="chicago-metered", rate_class="commercial")
    done = switch(house, asked)
    assert (done.rate_class, done.cycle_months) == ("commercial", 1)
    assert non_metered_accounts(house.point_id, ON) == []
    assert non_metered_accounts(house.point_id, FROM) == [NUMBER]


def test_without_terms_of_the_city_the_choice_is_all_that_is_needed(house: House) -> None:
    PropertyTerms.objects.all().delete()
    done = switch(house, house.switch(ON, tariff_code="chicago-metered"))
    assert (done.rate_class, done.cycle_months) == ("residential", 2)


def test_a_meter_that_was_put_in_on_that_day_before_is_taken(billed: House) -> None:
    asked = billed.switch(ON)
    metering.install_meter(
        program_actor(), "M-700", billed.point_id, ON, size='5/8"', unit="kgal", register=40
    )
    other = replace(asked, meter=replace(asked.meter, serial="M-701"))
    with pytest.raises(AlreadyDone, match="Another meter is at this service point"):
        switch(billed, other)
    switch(billed, asked)
    assert Installation.objects.count() == 1


def test_an_agreement_that_began_that_day_leaves_no_day_without_a_meter(house: House) -> None:
    ServiceAgreement.objects.update(period=DateRange(ON, None))
    switch(house, house.switch(ON))
    assert ServiceAgreement.objects.order_by("pk")[0].period.isempty


def test_a_cashier_switches_nothing(billed: House) -> None:
    carl = make_actor("carl", Role.CASHIER)
    with pytest.raises(NotPermitted):
        show_switch(carl, billed.switch(ON), DAY, NOW)

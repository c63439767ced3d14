"""A holder moves out: read, billed for the days until then, credit used, balance carried."""

from datetime import date, timedelta

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chamberlain.billing.adjusting.operations import approve_adjustment, refuse_adjustment
from chamberlain.billing.certificates import unbilled as payoff
from chamberlain.billing.estimating.due import due
from chamberlain.billing.estimating.terms import load_estimate_terms
from chamberlain.billing.estimating.true_up import look_at_true_ups, post_true_ups
from chamberlain.billing.finals import carrying, queries, reading
from chamberlain.billing.finals.models import FinalRead, FinalTerms, MoveOut
from chamberlain.billing.finals.operations import Leaving, ask_final_bill, make_final_bill
from chamberlain.billing.finals.showing import shown_bills
from chamberlain.billing.finals.terms import load_final_terms, terms_on
from chamberlain.billing.finals.unbilled import NotBillable, unbilled
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.occupancy import Forwarding, move_in, move_out
from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.billing.rebilling.models import CorrectedRead, Reason, Rebill
from chamberlain.billing.rebilling.operations import post_rebill
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance, open_charges
from chamberlain.metering.models import Installation, Read
from chamberlain.metering.operations import ImplausibleRead, record_estimate, record_read
from chamberlain.registry.queries import account_summary
from chamberlain.tariffs.models import Component
from tests import office
from tests.billing.estimating_scenes import TERMS as ESTIMATE_TERMS
from tests.billing.final_office import LEFT, TERMS, Home, asked, home, register_after
from tests.billing.plan_office import load_terms as load_plan_terms
from tests.billing.rebilling_scenes import load_limits
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Home:
    return home()


def read(place: Home, move_out_id: int, on: date = LEFT, thousands: int = 9) -> int:
    order = queries.final_reads(move_out_id)[0].order_id
    return reading.take_final_read(place.clerk, order, on, register_after(thousands), on)


def test_moving_out_ends_service_and_asks_for_a_final_read(place: Home) -> None:
    forwarding = Forwarding("1 New St, Austin TX", "78701")
    move_out_id = asked(place, forwarding=forwarding)
    assert asked(place) == move_out_id
    row = queries.move_out_row(move_out_id)
    assert (row.state, row.reads_wanted, row.left_on) == ("to_read", 1, LEFT)
    assert (row.holder, row.forwarding) == ("Maria Kowalski", "1 New St, Austin TX, 78701")
    assert account_summary(place.number).held_until == LEFT
    assert ServiceAgreement.objects.get().period.upper == LEFT
    [wanted] = queries.final_reads(move_out_id)
    assert (wanted.serial, wanted.last_on, wanted.read_on) == ("M-77120", date(2026, 3, 2), None)
    assert queries.count_move_outs("to_read") == len(queries.move_outs("to_read")) == 1
    assert [each.move_out_id for each in queries.move_outs_of_account(place.account_id)] == [
        move_out_id
    ]


def test_a_holder_who_was_entered_as_moved_out_before_is_asked_for_too(place: Home) -> None:
    move_out(place.clerk, place.account_id, LEFT, DAY)
    move_out_id = asked(place, left_on=date(2026, 5, 1))
    assert queries.move_out_row(move_out_id).left_on == LEFT


def test_the_final_bill_is_for_the_days_until_the_move(place: Home) -> None:
    move_out_id = asked(place)
    with pytest.raises(NotBillable, match="final read is still to be taken"):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    read(place, move_out_id)
    row = queries.move_out_row(move_out_id)
    assert (row.state, row.reads_wanted) == ("to_bill", 0)
    before = balance(place.account_id).owed_cents
    [shown] = shown_bills(move_out_id)
    assert (shown.from_on, shown.to_on, shown.unit) == (date(2026, 3, 2), LEFT, "kgal")
    assert shown.lines == (("Water", 9 * 469), ("Sewer", 9 * 469))
    assert shown.cents == 2 * 9 * 469
    made = make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    assert made.cents == 2 * 9 * 469
    bill = Bill.objects.get(number=made.bill_numbers[0])
    assert (bill.from_on, bill.to_on, bill.run_id) == (date(2026, 3, 2), LEFT, None)
    assert (bill.due_on - bill.issued_on).days == 24
    assert balance(place.account_id).owed_cents == before + made.cents
    assert queries.final_bills(move_out_id) == [bill.pk]
    assert queries.move_out_row(move_out_id).state == "billed"
    assert shown_bills(move_out_id) == ()
    assert queries.move_outs("billed")[0].billed_by == "Robin"
    with pytest.raises(AlreadyDone):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    assert prove(program_actor()).holds


def test_a_read_after_the_move_is_shared_by_days_with_the_next_holder(place: Home) -> None:
    move_out_id = asked(place)
    summary = account_summary(place.number)
    assert summary.property_id is not None
    other = office.make_actor("casey", Role.ACCOUNTS_SUPERVISOR)
    from chamberlain.registry.operations import NewCustomer

    move_in(other, summary.property_id, NewCustomer(name="Ines Ruiz", kind="person"), LEFT, DAY)
    read(place, move_out_id, date(2026, 4, 10), thousands=39)
    made = make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    assert made.cents == 2 * 30 * 469
    plan = RunPlan(
        name="April",
        tariff_code="chicago-metered",
        business_day_id=place.office.day.pk,
        due_on=date(2026, 5, 4),
        reads_up_to=date(2026, 4, 10),
    )
    rest = run(plan_bill_run(program_actor(), plan, NOW, "april"))
    assert (rest.bills, rest.cents) == (1, 2 * 9 * 469)


def test_a_read_before_the_move_leaves_days_that_are_estimated(place: Home) -> None:
    move_out_id = asked(place)
    read(place, move_out_id, date(2026, 3, 21), thousands=4)
    assert queries.move_out_row(move_out_id).reads_wanted == 1
    order = FinalRead.objects.get().pk
    with pytest.raises(Invalid, match="wait for that day"):
        reading.estimate_final_read(place.clerk, order, date(2026, 3, 31))
    reading.estimate_final_read(place.clerk, order, LEFT)
    [row] = queries.final_reads(move_out_id)
    assert (row.read_on, row.quality) == (LEFT, "estimate")
    made = make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    assert len(made.bill_numbers) == 2
    with pytest.raises(AlreadyDone, match="was taken on April 1"):
        reading.estimate_final_read(place.clerk, order, LEFT)


def test_a_read_that_was_corrected_counts_once_towards_an_estimate(place: Home) -> None:
    load_limits()
    wrong = Read.objects.order_by("-to_on")[0]
    usage = wrong.usage_thousandths
    Read.objects.filter(pk=wrong.pk).update(usage_thousandths=usage * 100)
    right = Read.objects.create(
        service_point_id=wrong.service_point_id, meter_id=wrong.meter_id, from_on=wrong.from_on,
        to_on=wrong.to_on, usage_thousandths=usage, unit=wrong.unit, quality=wrong.quality,
        is_verified=True, source="rebill",
    )  # fmt: skip
    asked_for = Rebill.objects.create(
        account_id=place.account_id, from_on=wrong.from_on, to_on=wrong.to_on,
        reason=Reason.objects.get(code="read_wrong"), note="A digit too many", corrections={},
        shown=[], seen="", difference_cents=0, moved_cents=0, needs_approval=False,
        asked_by_id=place.clerk.user_id, asked_at=NOW, idempotency_key="rebill",
    )  # fmt: skip
    CorrectedRead.objects.create(root=wrong, old=wrong, new=right, rebill=asked_for)
    reads = Read.objects.exclude(pk=wrong.pk).filter(to_on__gt=LEFT - timedelta(days=366))
    days = sum((each.to_on - each.from_on).days for each in reads)
    used = sum(each.usage_thousandths for each in reads)
    asked(place)
    made = reading.estimate_final_read(place.clerk, FinalRead.objects.get().pk, LEFT)
    wanted = [payoff.Wanted(place.account_id, LEFT, TERMS.usage_days)]
    found = Read.objects.get(pk=made)
    assert abs(found.usage_thousandths - used * (found.to_on - found.from_on).days / days) < 1000
    Read.objects.filter(pk=made).delete()
    [named] = payoff.unread_services(connection.connection, wanted)["usage_thousandths"]
    assert named == found.usage_thousandths


def test_a_service_that_nothing_is_known_of_is_not_estimated(place: Home) -> None:
    move_out_id = asked(place)
    Read.objects.all().update(usage_thousandths=-1000)
    with pytest.raises(NotBillable, match="Nothing is known"):
        reading.estimate_final_read(place.clerk, FinalRead.objects.get().pk, LEFT)
    assert queries.move_out_row(move_out_id).state == "to_read"


def test_a_service_without_a_meter_in_place_cannot_be_read(place: Home) -> None:
    move_out_id = asked(place)
    Installation.objects.all().delete()
    with pytest.raises(NotFound, match="No meter is installed"):
        read(place, move_out_id)


def test_credit_is_used_for_the_final_bill(place: Home) -> None:
    owed = balance(place.account_id).owed_cents
    payment = NewPayment(place.number, owed + 5_000, "lockbox", "LB-2")
    post_payment(program_actor(), place.office.center.pk, payment, NOW, "over")
    move_out_id = asked(place)
    read(place, move_out_id)
    made = make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    after = balance(place.account_id)
    assert (after.owed_cents, after.credit_cents) == (made.cents - 5_000, 0)
    assert prove(program_actor()).holds


def test_nothing_used_makes_no_charge_and_credit_may_be_carried(place: Home) -> None:
    owed = balance(place.account_id).owed_cents
    payment = NewPayment(place.number, owed + 5_000, "lockbox", "LB-2")
    post_payment(program_actor(), place.office.center.pk, payment, NOW, "over")
    move_out_id = asked(place, next_account=place.next_number)
    read(place, move_out_id, thousands=0)
    assert make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW).cents == 0
    [number] = carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)
    approve_adjustment(place.supervisor, number, place.office.day.pk, NOW)
    assert balance(place.account_id).credit_cents == 0
    next_id = account_summary(place.next_number).account_id
    assert balance(next_id).credit_cents == 5_000


def test_what_is_owed_is_carried_to_the_holders_next_account_by_approval(place: Home) -> None:
    move_out_id = asked(place)
    read(place, move_out_id)
    with pytest.raises(Refused, match="final bill comes first"):
        carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)
    make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    with pytest.raises(Invalid, match="next account"):
        carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)
    owed = balance(place.account_id).owed_cents
    [number] = carrying.carry_balance(place.clerk, move_out_id, place.next_number, DAY, NOW)
    assert balance(place.account_id).owed_cents == owed
    with pytest.raises(NotPermitted):
        approve_adjustment(place.clerk, number, place.office.day.pk, NOW)
    approve_adjustment(place.supervisor, number, place.office.day.pk, NOW)
    assert balance(place.account_id).owed_cents == 0
    assert balance(account_summary(place.next_number).account_id).owed_cents == owed
    with pytest.raises(AlreadyDone, match=number):
        carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)
    assert prove(program_actor()).holds


def test_a_balance_whose_carrying_was_refused_may_be_carried_elsewhere(place: Home) -> None:
    move_out_id = asked(place)
    read(place, move_out_id)
    make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    owed = balance(place.account_id).owed_cents
    [first] = carrying.carry_balance(place.clerk, move_out_id, place.next_number, DAY, NOW)
    with pytest.raises(AlreadyDone, match=first):
        carrying.carry_balance(place.clerk, move_out_id, place.next_number, DAY, NOW)
    refuse_adjustment(place.supervisor, first, "wrong account", NOW)
    [second] = carrying.carry_balance(place.clerk, move_out_id, place.next_number, DAY, NOW)
    assert second != first
    approve_adjustment(place.supervisor, second, place.office.day.pk, NOW)
    assert balance(account_summary(place.next_number).account_id).owed_cents == owed


def test_nothing_is_carried_where_nothing_is_left_or_a_plan_runs(place: Home) -> None:
    from tests.billing.plan_office import offered
    from tests.office import Owed

    move_out_id = asked(place, next_account=place.next_number)
    read(place, move_out_id)
    make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    load_plan_terms(charge_kinds=("water", "sewer"))
    charges = [c.charge_id for c in open_charges([place.account_id])
               if c.kind in ("water", "sewer")]  # fmt: skip
    plan = offered(place.clerk, Owed(place.account_id, charges))
    with pytest.raises(Refused, match=plan.number):
        carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)
    owed = balance(place.account_id).owed_cents
    payment = NewPayment(place.number, owed, "lockbox", "LB-3")
    post_payment(program_actor(), place.office.center.pk, payment, NOW, "all")
    plan.status = "kept"
    plan.save()
    with pytest.raises(Refused, match="nothing to carry"):
        carrying.carry_balance(place.clerk, move_out_id, "", DAY, NOW)


@pytest.mark.parametrize("number", ["1004220817", "OTHER-1", "NONE-1"])
def test_a_balance_is_carried_to_another_account_of_the_holder_only(
    place: Home, number: str
) -> None:
    office.owe(place.office.day, "OTHER-1")
    with pytest.raises(Invalid) as refused:
        asked(place, next_account=number)
    assert refused.value.field == "next_account"
    assert not MoveOut.objects.exists()


def test_a_bill_beyond_the_move_is_rebilled_first(place: Home) -> None:
    left_on = date(2026, 2, 20)
    move_out_id = asked(place, left_on=left_on)
    assert queries.bills_after(place.account_id, left_on) == ["88-203412"]
    with pytest.raises(NotBillable, match="Bill 88-203412 covers days after February 20"):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)


def test_days_without_a_rate_are_not_billed(place: Home) -> None:
    late = [{"effective": "2026-03-20", "rate": "4.69"}]
    terms = {"type": "flat_rate", "unit": "kgal", "versions": late}
    Component.objects.filter(code="water").update(terms=terms)
    move_out_id = asked(place)
    read(place, move_out_id)
    with pytest.raises(NotBillable, match="has no figure before"):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)


def test_usage_that_a_bill_run_would_hold_back_is_looked_at_first(place: Home) -> None:
    ServiceAgreement.objects.update(normal_daily_thousandths=1)
    move_out_id = asked(place)
    read(place, move_out_id, thousands=900)
    with pytest.raises(NotBillable, match="20 times"):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)


def bill_season(from_on: date, to_on: date) -> None:
    agreement = ServiceAgreement.objects.get()
    Bill.objects.create(
        number=f"S-{from_on}",
        account_id=agreement.account_id,
        agreement=agreement,
        from_on=from_on,
        to_on=to_on,
        issued_on=DAY,
        due_on=DAY,
        total_cents=0,
        previous_balance_cents=0,
    )


def test_a_service_without_meter_is_billed_from_its_last_season(place: Home) -> None:
    ServiceAgreement.objects.update(is_metered=False)
    versions = [{"effective": "2016-01-01", "amount": "9.50"}]
    terms = {"type": "per_dwelling_unit", "per": "month", "versions": versions}
    Component.objects.filter(code="water").update(terms=terms)
    bill_season(date(2026, 1, 1), date(2026, 3, 10))
    move_out_id = asked(place)
    assert queries.final_reads(move_out_id) == []
    found = unbilled(MoveOut.objects.get(pk=move_out_id))
    assert found.usages.select("from_on", "to_on").rows() == [(date(2026, 3, 10), LEFT)]
    assert found.cents > 0
    bill_season(date(2026, 3, 10), date(2026, 6, 1))
    assert unbilled(MoveOut.objects.get(pk=move_out_id)).lines.is_empty()


def test_final_bills_are_made_on_an_open_day(place: Home) -> None:
    move_out_id = asked(place)
    read(place, move_out_id)
    ledger.seal_business_day(program_actor(), place.office.day.pk, NOW)
    with pytest.raises(DayClosed):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)


def test_what_is_not_there_is_not_found(place: Home) -> None:
    office.owe(place.office.day, "EMPTY-1")
    with pytest.raises(Refused, match="Nobody ever held"):
        ask_final_bill(place.clerk, Leaving("EMPTY-1", LEFT), DAY, NOW)
    with pytest.raises(NotFound):
        queries.move_out_row(0)
    with pytest.raises(NotFound):
        make_final_bill(place.clerk, 0, place.office.day.pk, NOW)
    with pytest.raises(NotFound):
        reading.estimate_final_read(place.clerk, 0, LEFT)
    with pytest.raises(NotPermitted):
        ask_final_bill(office.make_actor("casey", Role.CASHIER), Leaving("x", LEFT), DAY, NOW)
    assert queries.next_accounts(place.account_id) == ["NEXT-1"]


def test_terms_are_loaded_twice_without_harm(place: Home) -> None:
    load_final_terms(program_actor(), [TERMS])
    assert FinalTerms.objects.count() == 1
    with pytest.raises(NotFound):
        terms_on(date(2000, 1, 1))


class PayoffAndFinalBill(TestCase):
    """The payoff that a certificate would name is what the final bill then charges."""

    @settings(max_examples=15)
    @given(
        days=st.integers(1, 60),
        reads=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 15)), max_size=3),
    )
    def test_the_payoff_equals_what_the_final_bill_charges(
        self, days: int, reads: list[tuple[int, int]]
    ) -> None:
        chart.forget()
        place = home()
        left_on = date(2026, 3, 2) + timedelta(days=days)
        on = date(2026, 3, 2)
        for after, thousands in reads:
            on += timedelta(days=after)
            if on <= left_on:
                register = register_after(thousands)
                record_read(place.clerk, "M-77120", on, register, left_on)
        wanted = [payoff.Wanted(place.account_id, left_on, TERMS.usage_days)]
        named = payoff.unbilled(connection.connection, wanted).cents
        move_out_id = asked(place, left_on=left_on)
        for row in queries.final_reads(move_out_id):
            if row.read_on is None:
                reading.estimate_final_read(place.clerk, row.order_id, left_on)
        made = make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
        assert made.cents == named


def test_a_final_read_below_an_estimate_is_trued_up_before_the_bill(place: Home) -> None:
    load_limits()
    load_estimate_terms(program_actor(), [ESTIMATE_TERMS])
    last = Read.objects.order_by("-to_on")[0]
    assert last.register is not None
    record_estimate(
        program_actor(), last.service_point_id, last.to_on, date(2026, 3, 20), 40_000, last.unit,
        "nobody was in",
    )  # fmt: skip
    move_out_id = asked(place)
    order = FinalRead.objects.get().pk
    with pytest.raises(ImplausibleRead):
        reading.take_final_read(place.clerk, order, LEFT, last.register - 1, LEFT)
    reading.take_final_read(place.clerk, order, LEFT, last.register + 12, LEFT)
    assert queries.final_reads(move_out_id)[0].read_on == LEFT
    with pytest.raises(NotBillable, match="true it up"):
        make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    ids = due().runs["run_id"].to_list()
    looked = look_at_true_ups(program_actor(), ids, LEFT)
    post_true_ups(program_actor(), ids, looked.seen, place.office.day.pk, LEFT, NOW)
    for rebill in Rebill.objects.filter(status=Rebill.Status.ASKED):
        post_rebill(place.supervisor, rebill.pk, place.office.day.pk, LEFT, NOW)
    made = make_final_bill(place.clerk, move_out_id, place.office.day.pk, NOW)
    bills = Bill.objects.filter(number__in=made.bill_numbers).select_related("read")
    assert sum(bill.read.usage_thousandths for bill in bills if bill.read) == 12_000
    assert prove(program_actor()).holds

"""The safe: counted by two, change for tills, drawers handed over, days that need the counts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from chamberlain.cashiering.operations import (
    TenderLine,
    close_center_day,
    close_till,
    make_drop,
    open_till,
    verify_till,
)
from chamberlain.cashiering.safe import queries
from chamberlain.cashiering.safe.models import ChangeOrder, Handover, SafeCount
from chamberlain.cashiering.safe.operations import (
    count_safe,
    fill_change,
    hand_over,
    order_change,
    set_fund,
)
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotPermitted, Refused
from chamberlain.ledger import chart, proof
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.models import Deposit
from chamberlain.reconciliation.operations import (
    enter_bank_receipt,
    hand_to_courier,
    make_deposit,
)
from chamberlain.reconciliation.queries import bags_in_safe, deposit, reconciliation
from tests.cashiering.counter import FLOAT, FLOAT_CENTS, Counter, cash, make_counter, pay
from tests.cashiering.test_payments import in_account
from tests.office import DAY, NOW, make_actor, make_center, open_day, owe

pytestmark = pytest.mark.django_db

FUND = 50_000
ALL = {5000: FUND // 5000}


@pytest.fixture
def keeper() -> Counter:
    """A counter whose tills are closed again, with a change fund."""
    counter = make_counter()
    for session_id, cashier in (
        (counter.session_id, counter.cashier),
        (counter.second_session_id, counter.second_cashier),
    ):
        close_till(cashier, session_id, FLOAT, 0, NOW)
        verify_till(counter.supervisor, session_id, NOW)
    close_center_day(counter.supervisor, counter.day.pk, NOW)
    coordinator = make_actor("cora", Role.COORDINATOR)
    set_fund(coordinator, counter.center.pk, FUND, "as in the rules", NOW)
    return counter


@pytest.fixture
def day(keeper) -> BusinessDay:
    return open_day(keeper.center, DAY + timedelta(days=1))


def count(keeper: Counter, day: BusinessDay, moment: str, counts=None, note: str = "") -> int:
    return count_safe(keeper.supervisor, keeper.cashier, day.pk, moment, counts or ALL, note, NOW)


def test_no_till_opens_before_two_people_counted_the_safe(keeper, day):
    till = keeper.till_ids[0]
    with pytest.raises(Refused, match="counted by two people before the first till opens"):
        open_till(keeper.cashier, till, FLOAT, NOW)
    count(keeper, day, "start")
    open_till(keeper.cashier, till, FLOAT, NOW)
    [row] = queries.counts_of_day(day.pk)
    assert (row.counted_cents, row.difference_cents) == (FUND, 0)
    assert row.counted_by != row.witnessed_by


def test_a_whole_day_of_the_safe_adds_up(keeper, day):
    count(keeper, day, "start")
    session = open_till(keeper.cashier, keeper.till_ids[0], FLOAT, NOW)
    owed = owe(day, "A9", 30_000)
    at_till = replace(keeper, session_id=session)
    pay(at_till, owed.account_id, [(owed.charge_ids[0], 30_000)], cash(30_000))
    expect = FUND - FLOAT_CENTS
    assert_counts(keeper, day, expect)
    make_drop(keeper.supervisor, session, 20_000, "DROP-1", NOW)
    assert_counts(keeper, day, expect + 20_000)
    close_till(keeper.cashier, session, {**FLOAT, 10_000: 1}, 0, NOW)
    assert_counts(keeper, day, expect + 20_000)
    verify_till(keeper.supervisor, session, NOW)
    assert_counts(keeper, day, FUND + 30_000)
    with pytest.raises(Refused, match="sealed by two people"):
        make_deposit(keeper.supervisor, day.pk, "cash", "B1", NOW)
    with pytest.raises(Refused, match="sealed by two people"):
        make_deposit(keeper.supervisor, day.pk, "cash", "B1", NOW, keeper.supervisor)
    make_deposit(keeper.supervisor, day.pk, "cash", "B1", NOW, keeper.cashier)
    with pytest.raises(Refused, match="counted by two people before the day closes"):
        close_center_day(keeper.supervisor, day.pk, NOW)
    count(keeper, day, "end")
    close_center_day(keeper.supervisor, day.pk, NOW)
    log = queries.log_of_day(day.pk)
    assert [row.what for row in log if row.what != "Counted"] != []
    moved = sum(row.cents for row in log if row.what != "Counted")
    assert moved == 0
    assert proof.prove(program_actor()).differences == ()


def assert_counts(keeper: Counter, day: BusinessDay, cents: int) -> None:
    """Two people who count so much in between find nothing over or short."""
    counts = {100: cents // 100, 1: cents % 100}
    count(keeper, day, "between", counts)
    assert queries.counts_of_day(day.pk)[-1].difference_cents == 0


def test_what_is_missing_needs_a_note_and_goes_against_over_and_short(keeper, day):
    short = {5000: 9, 1000: 4}
    with pytest.raises(Invalid, match="differs from the books"):
        count(keeper, day, "start", short)
    assert SafeCount.objects.count() == 0
    count(keeper, day, "start", short, "a ten is missing")
    assert in_account(chart.over_short_code("CH")) == 1000
    assert in_account(chart.change_fund_code("CH")) == -1000
    count(keeper, day, "end", short)
    close_center_day(keeper.supervisor, day.pk, NOW)
    after = open_day(keeper.center, DAY + timedelta(days=2))
    count(keeper, after, "start", short)
    count(keeper, after, "between", ALL, "the ten lay behind the drawer")
    assert in_account(chart.over_short_code("CH")) == 0
    assert proof.prove(program_actor()).differences == ()


def test_who_may_count_and_when(keeper, day):
    with pytest.raises(NotPermitted, match="another one signs in"):
        count_safe(keeper.supervisor, keeper.supervisor, day.pk, "start", ALL, "", NOW)
    stranger = make_actor("stan", Role.CASHIER, make_center("WE"))
    with pytest.raises(NotPermitted):
        count_safe(keeper.supervisor, stranger, day.pk, "start", ALL, "", NOW)
    with pytest.raises(NotPermitted):
        count_safe(keeper.cashier, keeper.supervisor, day.pk, "start", ALL, "", NOW)
    count(keeper, day, "start")
    with pytest.raises(AlreadyDone, match="counted at the start"):
        count(keeper, day, "start")
    session = open_till(keeper.cashier, keeper.till_ids[0], FLOAT, NOW)
    with pytest.raises(Refused, match="is not verified yet"):
        count(keeper, day, "end")
    with pytest.raises(Refused, match="float out"):
        set_fund(make_actor("cory", Role.COORDINATOR), keeper.center.pk, 1, "less", NOW)
    assert session


def test_a_till_gets_change_worth_the_same_from_another_person(keeper, day):
    count(keeper, day, "start")
    session = open_till(keeper.cashier, keeper.till_ids[0], FLOAT, NOW)
    with pytest.raises(Invalid, match="which coins"):
        order_change(keeper.cashier, session, {}, NOW)
    with pytest.raises(Refused, match="not yours"):
        order_change(keeper.second_cashier, session, {25: 40}, NOW)
    order = order_change(keeper.cashier, session, {25: 40}, NOW)
    with pytest.raises(AlreadyDone, match="waits already"):
        order_change(keeper.cashier, session, {10: 50}, NOW)
    [row] = queries.waiting_orders(keeper.center.pk)
    assert (row.order_id, row.cents, row.pieces) == (order, 1000, ((25, 40),))
    with pytest.raises(NotPermitted):
        fill_change(keeper.cashier, order, {1000: 1}, NOW)
    with pytest.raises(Invalid, match=r"gives \$5.00 for \$10.00"):
        fill_change(keeper.supervisor, order, {500: 1}, NOW)
    fill_change(keeper.supervisor, order, {1000: 1}, NOW)
    with pytest.raises(AlreadyDone):
        fill_change(keeper.supervisor, order, {1000: 1}, NOW)
    assert queries.waiting_order(session) is None


def test_a_till_is_handed_to_the_next_cashier(keeper, day):
    count(keeper, day, "start")
    session = open_till(keeper.cashier, keeper.till_ids[0], FLOAT, NOW)
    drawer = {**FLOAT, 100: 7}
    with pytest.raises(Invalid, match="pieces stay, but"):
        hand_over(keeper.cashier, keeper.second_cashier, session, drawer, 0, {5000: 1}, NOW)
    with pytest.raises(NotPermitted, match="another cashier"):
        hand_over(keeper.cashier, keeper.cashier, session, drawer, 0, FLOAT, NOW)
    with pytest.raises(NotPermitted, match="its own cashier"):
        hand_over(keeper.second_cashier, keeper.cashier, session, drawer, 0, FLOAT, NOW)
    taken = hand_over(keeper.cashier, keeper.second_cashier, session, FLOAT, 0, FLOAT, NOW)
    made = Handover.objects.get()
    assert (made.given_id, made.taken_id) == (session, taken)
    with pytest.raises(AlreadyDone):
        hand_over(keeper.cashier, keeper.second_cashier, session, FLOAT, 0, FLOAT, NOW)


@pytest.fixture
def bagged(keeper, day) -> Deposit:
    count(keeper, day, "start")
    session = open_till(keeper.cashier, keeper.till_ids[0], FLOAT, NOW)
    owed = owe(day, "A9", 30_000)
    at_till = replace(keeper, session_id=session)
    pay(at_till, owed.account_id, [(owed.charge_ids[0], 30_000)], cash(30_000))
    other = owe(day, "A8", 500)
    by_card = TenderLine("card", 500, "77")
    pay(at_till, other.account_id, [(other.charge_ids[0], 500)], by_card)
    close_till(keeper.cashier, session, {**FLOAT, 10_000: 3}, 0, NOW)
    verify_till(keeper.supervisor, session, NOW)
    make_deposit(keeper.supervisor, day.pk, "card", "BATCH-9", NOW)
    made = make_deposit(keeper.supervisor, day.pk, "cash", "B1", NOW, keeper.cashier)
    return Deposit.objects.get(pk=made)


def test_a_bag_goes_to_the_courier_and_the_bank_acknowledges_it(keeper, day, bagged):
    assert [row.bag_number for row in bags_in_safe(keeper.center.pk)] == ["B1"]
    to_courier = keeper.supervisor, keeper.center.pk, [bagged.pk]
    with pytest.raises(Invalid, match="courier's name"):
        hand_to_courier(*to_courier, " ", "77", NOW)
    with pytest.raises(Invalid, match="Tick the bags"):
        hand_to_courier(keeper.supervisor, keeper.center.pk, [], "Brinks", "77", NOW)
    hand_to_courier(*to_courier, "Carrier One", "77", NOW)
    with pytest.raises(AlreadyDone, match="took bag B1 before"):
        hand_to_courier(*to_courier, "Carrier One", "78", NOW)
    assert bags_in_safe(keeper.center.pk) == []
    with pytest.raises(Refused, match="before its day"):
        enter_bank_receipt(keeper.supervisor, bagged.pk, "R1", 29_900, DAY, NOW)
    enter_bank_receipt(keeper.supervisor, bagged.pk, "R1", 29_900, day.day, NOW)
    with pytest.raises(AlreadyDone):
        enter_bank_receipt(keeper.supervisor, bagged.pk, "R2", 30_000, day.day, NOW)
    row = deposit(bagged.pk)
    assert (row.courier, row.receipt_number, row.receipt_cents) == ("Carrier One", "R1", 29_900)
    assert row.sealed_with
    sentences = [each.sentence for each in reconciliation(day.pk).differences]
    assert any("says $299.00, and the bag was $300.00" in sentence for sentence in sentences)


REFUSED = {
    "a count by one": """
        INSERT INTO safe_safecount (business_day_id, moment, pieces, counted_cents, expected_cents,
            note, counted_by_id, witnessed_by_id, counted_at)
        SELECT business_day_id, 'between', '{}', 1, 1, '', counted_by_id, counted_by_id, now()
        FROM safe_safecount LIMIT 1""",
    "a difference that is not posted": """
        INSERT INTO safe_safecount (business_day_id, moment, pieces, counted_cents, expected_cents,
            note, counted_by_id, witnessed_by_id, counted_at)
        SELECT business_day_id, 'between', '{}', 1, 2, '', counted_by_id, witnessed_by_id, now()
        FROM safe_safecount LIMIT 1""",
    "a count changed": "UPDATE safe_safecount SET note = 'x'",
    "a count taken away": "DELETE FROM safe_safecount",
    "a bag sealed by its maker": """
        INSERT INTO reconciliation_seal (deposit_id, sealed_with_id, sealed_at)
        SELECT id, made_by_id, now() FROM reconciliation_deposit
        WHERE id NOT IN (SELECT deposit_id FROM reconciliation_seal)""",
    "a seal broken": "DELETE FROM reconciliation_seal",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_the_database_refuses(keeper, day, bagged, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_order_is_not_filled_by_its_cashier_in_the_database_either(keeper, day):
    count(keeper, day, "start")
    session = open_till(keeper.cashier, keeper.till_ids[0], FLOAT, NOW)
    order_change(keeper.cashier, session, {25: 40}, NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        ChangeOrder.objects.update(
            given={"1000": 1}, filled_by_id=keeper.cashier.user_id, filled_at=NOW
        )

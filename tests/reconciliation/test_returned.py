"""Returned checks and charged-back cards: what was paid is owed again, to the cent, in any case."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from chamberlain.casework.returned_payments import return_and_tell
from chamberlain.cashiering.checks.bank_line import read
from chamberlain.cashiering.checks.models import Hold
from chamberlain.cashiering.checks.terms import Terms, load_check_terms
from chamberlain.cashiering.models import Tender
from chamberlain.cashiering.operations import TenderLine, close_till
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart, proof
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import Leg, NewCharge, NewEntry, post, raise_charges
from chamberlain.ledger.queries import balance, open_charges
from chamberlain.reconciliation.operations import ensure_bank_account, read_bank_file
from chamberlain.reconciliation.returned import queries
from chamberlain.reconciliation.returned.operations import find_at_bank, return_tender
from chamberlain.revenue.operations import FeeTerms, load_fee
from tests.cashiering.counter import FLOAT, Counter, cash, check, make_counter, pay
from tests.office import DAY, NOW, make_actor, owe
from tests.reconciliation.bank import ACCOUNT, Line, statement

pytestmark = pytest.mark.django_db
FEE = 2_500
_RETURNED = "555"


@pytest.fixture
def counter(db) -> Counter:
    chart.ensure_charge_kind("fee", "Other fee", 50)
    price = ((date(2012, 1, 1), FEE, "for the tests", False),)
    load_fee(program_actor(), FeeTerms("fee.returned", "fee", "Returned check", "fee", price))
    terms = Terms(date(2020, 1, 1), 10**9, 10**9, "CITY", "tests", False, "fee.returned")
    load_check_terms(program_actor(), [terms])
    return make_counter()


@pytest.fixture
def coordinator(counter):
    return make_actor("cora", Role.COORDINATOR)


def closed(counter: Counter) -> None:
    taken = Tender.objects.filter(kind="check").values_list("cents", flat=True)
    spent = Tender.objects.filter(kind="cash").values_list("cents", flat=True)
    close_till(counter.cashier, counter.session_id, {**FLOAT, 1: sum(spent)}, sum(taken), NOW)


def tender(kind: str = "check", nth: int = 0) -> Tender:
    return Tender.objects.filter(kind=kind).order_by("pk")[nth]


def scanned(cents: int, number: str = "1001") -> TenderLine:
    line = read(f"t021000021t123456700o{number}")
    return TenderLine("check", cents, line.number, line)


def give_back(actor, counter: Counter, which: Tender, reason: str = "funds") -> int:
    return return_tender(actor, which.pk, reason, "", counter.day.pk, NOW)


def test_a_returned_check_opens_what_it_paid_costs_the_fee_and_holds_checks(counter, coordinator):
    owed = owe(counter.day, "A1", 6_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], scanned(4_000), cash(2_000))
    with pytest.raises(Refused, match="is open; void the receipt instead"):
        give_back(coordinator, counter, tender())
    closed(counter)
    give_back(coordinator, counter, tender())
    assert balance(owed.account_id).owed_cents == 4_000 + FEE
    assert {c.open_cents for c in open_charges([owed.account_id])} == {4_000, FEE}
    hold = Hold.objects.get()
    assert (hold.account.number, hold.bank_account) == ("A1", "123456700")
    assert "came back (not enough funds)" in hold.reason
    [row] = queries.returned_items(10)
    assert (row.cents, row.reason_label, row.line_on) == (4_000, "Not enough funds", None)
    with pytest.raises(AlreadyDone, match="was entered before"):
        give_back(coordinator, counter, tender())
    assert proof.prove(program_actor()).holds


def test_of_two_checks_the_one_that_came_back_opens_its_own_part(counter, coordinator):
    owed = owe(counter.day, "A1", 3_000, 5_000)
    items = list(zip(owed.charge_ids, (3_000, 5_000), strict=True))
    pay(counter, owed.account_id, items, check(2_000, "1"), check(6_000, "2"))
    closed(counter)
    give_back(coordinator, counter, tender(nth=1))
    opened = {c.charge_id: c.open_cents for c in open_charges([owed.account_id])}
    assert [opened[charge] for charge in owed.charge_ids] == [1_000, 5_000]
    give_back(coordinator, counter, tender(nth=0))
    opened = {c.charge_id: c.open_cents for c in open_charges([owed.account_id])}
    assert [opened[charge] for charge in owed.charge_ids] == [3_000, 5_000]
    assert balance(owed.account_id).owed_cents == 8_000 + 2 * FEE


def test_credit_that_was_used_is_charged_as_a_returned_payment(counter, coordinator):
    owed = owe(counter.day, "A1", 1_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 1_000)], check(5_000), keep_as_credit=True)
    kind = chart.charge_kinds()["water"]
    bill = NewEntry(counter.day.pk, "bill", coordinator.user_id, NOW, "B2", [])
    new = NewCharge(
        owed.account_id, kind.id, kind.receivable_id, kind.revenue_id, 3_000, DAY, DAY, "B2"
    )
    _, [charge_id] = raise_charges(bill, [new])
    credits_id = chart.ledger_account_id(chart.CREDITS)
    use = Leg(credits_id, kind.receivable_id, 3_000, "settle", owed.account_id, charge_id)
    post(NewEntry(counter.day.pk, "use_credit", coordinator.user_id, NOW, "B2", [use]))
    assert balance(owed.account_id).credit_cents == 1_000
    closed(counter)
    give_back(coordinator, counter, tender())
    found = balance(owed.account_id)
    assert (found.owed_cents, found.credit_cents) == (1_000 + 3_000 + FEE, 0)
    kinds = {c.kind_name: c.open_cents for c in open_charges([owed.account_id])}
    assert kinds["Returned payment"] == 3_000
    assert proof.prove(program_actor()).holds


def test_a_card_is_charged_back_without_fee_or_hold(counter, coordinator):
    owed = owe(counter.day, "A1", 6_000)
    card = TenderLine("card", 6_000, "88")
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], card)
    closed(counter)
    with pytest.raises(Invalid, match="A card is charged back"):
        give_back(coordinator, counter, tender("card"))
    give_back(coordinator, counter, tender("card"), "chargeback")
    assert balance(owed.account_id).owed_cents == 6_000
    assert not Hold.objects.exists()


def test_what_cannot_come_back_is_said(counter, coordinator):
    owed = owe(counter.day, "A1", 6_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], check(4_000), cash(2_000))
    closed(counter)
    with pytest.raises(Refused, match="Only a check or a card"):
        give_back(coordinator, counter, tender("cash"))
    with pytest.raises(Invalid, match="Choose why"):
        give_back(coordinator, counter, tender(), "weather")
    with pytest.raises(NotFound):
        return_tender(coordinator, 0, "funds", "", counter.day.pk, NOW)
    for role in (Role.CASHIER, Role.CLERK, Role.CENTER_SUPERVISOR, Role.AUDITOR):
        with pytest.raises(NotPermitted):
            give_back(make_actor(f"x{role}", role), counter, tender())


def test_the_bank_takes_it_and_the_line_is_used_once(counter, coordinator):
    ensure_bank_account(ACCOUNT, "General fund")
    owed = owe(counter.day, "A1", 6_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], check(4_000), check(2_000, "7"))
    closed(counter)
    first = give_back(coordinator, counter, tender())
    second = give_back(coordinator, counter, tender(nth=1))
    lines = (Line(4_000, _RETURNED), Line(4_000, _RETURNED))
    read_bank_file(counter.supervisor, "bank", statement(*lines), NOW)
    (line_id, on, _), (other, _, _) = queries.lines_for(4_000)
    with pytest.raises(Refused, match="equal amounts only"):
        find_at_bank(coordinator, second, line_id, counter.day.pk, NOW)
    find_at_bank(coordinator, first, line_id, counter.day.pk, NOW)
    assert [row.line_on for row in queries.returned_items(10) if row.item_id == first] == [on]
    assert [line for line, _, _ in queries.lines_for(4_000)] == [other]
    with pytest.raises(AlreadyDone):
        find_at_bank(coordinator, first, other, counter.day.pk, NOW)
    with pytest.raises(Refused, match="matched already"):
        find_at_bank(coordinator, second, line_id, counter.day.pk, NOW)
    assert proof.prove(program_actor()).holds


def test_without_an_address_it_comes_back_all_the_same_and_says_why(counter, coordinator):
    owed = owe(counter.day, "A1", 6_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], check(6_000))
    closed(counter)
    told = return_and_tell(coordinator, tender().pk, "closed", "", counter.day.pk, DAY, NOW)
    assert (told.letter, bool(told.why_not)) == ("", True)
    assert balance(owed.account_id).owed_cents == 6_000 + FEE


def test_what_is_paid_again_is_paid(counter, coordinator):
    owed = owe(counter.day, "A1", 6_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], check(6_000))
    closed(counter)
    give_back(coordinator, counter, tender())
    post_payment(
        program_actor(), counter.center.pk, NewPayment("A1", 6_000 + FEE, "lockbox", "1", None),
        NOW + timedelta(minutes=1), "again",
    )  # fmt: skip
    assert balance(owed.account_id).owed_cents == 0


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM returned_returneditem",
        "UPDATE returned_returneditem SET reason = 'closed'",
        "UPDATE returned_returneditem SET line_id = 1",
    ],
)
def test_the_database_itself_refuses(counter, coordinator, change):
    owed = owe(counter.day, "A1", 6_000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 6_000)], check(6_000))
    closed(counter)
    give_back(coordinator, counter, tender())
    with (
        pytest.raises((DatabaseError, IntegrityError)),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)

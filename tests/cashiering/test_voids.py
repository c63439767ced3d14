"""Undoing a receipt: one person asks, another decides, before the drawer is counted."""

import pytest
from django.db import IntegrityError, transaction

from chamberlain.billing.adjusting.operations import approve_adjustment
from chamberlain.billing.adjusting.undoing import reverse_adjustment
from chamberlain.cashiering import queries
from chamberlain.cashiering.days import day_of_center
from chamberlain.cashiering.models import Receipt, VoidRequest
from chamberlain.cashiering.operations import (
    ask_for_void,
    close_till,
    decline_void,
    ensure_till,
    make_drop,
    open_till,
    take_payment,
    void_receipt,
)
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart, proof
from chamberlain.ledger import queries as ledger
from chamberlain.ledger.posting import Leg, NewEntry, NotEnoughCredit, post
from tests.billing.adjust_scenes import make_adjusting_office
from tests.cashiering.counter import FLOAT, Counter, cash, check, make_counter, pay
from tests.office import NOW, owe

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return make_counter()


@pytest.fixture
def owed(counter):
    return owe(counter.day, "A1", 5000)


@pytest.fixture
def receipt(counter, owed):
    return pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], check(2000), cash(4000))


def test_a_voided_payment_opens_its_charge_again_and_its_cash_leaves_the_drawer(
    counter, owed, receipt
):
    ask_for_void(counter.cashier, receipt.receipt_id, " keyed to the wrong account ", NOW)
    assert queries.receipt(receipt.receipt_id).is_void_asked
    [waiting] = queries.void_requests(counter.center.pk)
    assert (waiting.receipt_number, waiting.asked_by) == (receipt.number, "Ana-Ch")
    void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    voided = queries.receipt(receipt.receipt_id)
    assert (voided.is_voided, voided.void_approved_by) == (True, "Sue-Ch")
    assert voided.void_reason == "keyed to the wrong account"
    assert voided.lines == receipt.lines
    assert ledger.balance(owed.account_id).owed_cents == 5000
    assert queries.void_requests(counter.center.pk) == []
    assert proof.prove(program_actor()).differences == ()
    again = pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000))
    assert again.number.endswith("-0002")
    closed = close_till(counter.cashier, counter.session_id, {2000: 5, 5000: 1}, 0, NOW)
    assert closed.over_short_cents == 0
    day = day_of_center(counter.day.pk)
    assert (day.receipts, day.voided_receipts, day.receipts_cents) == (2, 1, 5000)


def test_a_void_needs_a_reason_and_is_asked_once(counter, receipt):
    for reason in ("  ", "x" * 201):
        with pytest.raises(Invalid, match="Say why"):
            ask_for_void(counter.cashier, receipt.receipt_id, reason, NOW)
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    with pytest.raises(AlreadyDone, match="asked for before"):
        ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)


def test_a_receipt_is_voided_once(counter, receipt):
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    with pytest.raises(AlreadyDone, match="was voided before"):
        void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    with pytest.raises(AlreadyDone, match="was voided before"):
        ask_for_void(counter.cashier, receipt.receipt_id, "again", NOW)


def test_nobody_voids_what_nobody_asked_for(counter, receipt):
    with pytest.raises(NotFound, match="Nobody asked"):
        void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    with pytest.raises(NotFound, match="no such receipt"):
        void_receipt(counter.supervisor, 10**9, NOW)
    with pytest.raises(NotPermitted):
        void_receipt(counter.cashier, receipt.receipt_id, NOW)


def test_who_asked_does_not_decide(counter, receipt):
    ask_for_void(counter.supervisor, receipt.receipt_id, "wrong", NOW)
    with pytest.raises(NotPermitted, match="another person"):
        void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        VoidRequest.objects.update(
            decided_by_id=counter.supervisor.user_id, decided_at=NOW, is_approved=True
        )
    void_receipt(counter.second_supervisor, receipt.receipt_id, NOW)


def test_a_supervisor_does_not_decide_over_the_own_drawer(counter, owed):
    till = ensure_till(counter.center, "CH-3")
    session_id = open_till(counter.supervisor, till, FLOAT, NOW)
    mine = take_payment(
        counter.supervisor,
        session_id,
        owed.account_id,
        [(owed.charge_ids[0], 100)],
        [cash(100)],
        NOW,
        "k",
    )
    ask_for_void(counter.cashier, mine.receipt_id, "wrong", NOW)
    with pytest.raises(NotPermitted, match="another person"):
        void_receipt(counter.supervisor, mine.receipt_id, NOW)


def test_a_declined_void_leaves_the_receipt_and_may_be_asked_again(counter, owed, receipt):
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    decline_void(counter.supervisor, receipt.receipt_id, NOW)
    view = queries.receipt(receipt.receipt_id)
    assert (view.is_voided, view.is_void_asked) == (False, False)
    assert ledger.balance(owed.account_id).owed_cents == 0
    ask_for_void(counter.cashier, receipt.receipt_id, "really", NOW)


def test_a_till_does_not_close_over_an_undecided_void(counter, receipt):
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    with pytest.raises(Refused, match=f"void of receipt {receipt.number} is not decided"):
        close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)


def test_a_void_after_closing_needs_a_refund_instead(counter, receipt):
    close_till(counter.cashier, counter.session_id, FLOAT, 2000, NOW)
    with pytest.raises(Refused, match="needs a refund"):
        ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)


def test_a_void_is_refused_when_the_drawer_cannot_give_the_cash_back(counter, owed):
    receipt = pay(counter, owed.account_id, [], cash(50_000), on_account_cents=50_000)
    make_drop(counter.supervisor, counter.session_id, 50_000, "B", NOW)
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    with pytest.raises(Refused, match=r"does not hold the \$500.00"):
        void_receipt(counter.supervisor, receipt.receipt_id, NOW)


def test_credit_that_was_used_cannot_be_voided_away(counter, owed):
    receipt = pay(counter, owed.account_id, [], cash(500), keep_as_credit=True)
    kind = chart.charge_kinds()["water"]
    use = Leg(
        chart.ledger_account_id(chart.CREDITS),
        kind.receivable_id,
        500,
        "settle",
        owed.account_id,
        owed.charge_ids[0],
    )
    post(NewEntry(counter.day.pk, "use_credit", program_actor().user_id, NOW, "C", [use]))
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    with pytest.raises(NotEnoughCredit), transaction.atomic():
        void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    assert not queries.receipt(receipt.receipt_id).is_voided


def test_a_receipt_whose_payment_was_moved_is_not_voided_until_that_is_undone(counter):
    place = make_adjusting_office()
    owed, other = owe(counter.day, "A1", 5000), owe(counter.day, "B1", 3000)
    receipt = pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000))
    moved = place.ask(
        "A1",
        "wrong_account",
        3000,
        other_account="B1",
        payment_id=Receipt.objects.get(pk=receipt.receipt_id).entry_id,
    )
    approve_adjustment(place.supervisor, moved, place.day.pk, NOW)
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong", NOW)
    with pytest.raises(Refused, match=f"{moved} moved its payment to another account"):
        void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    assert ledger.balance(other.account_id).owed_cents == 0
    reverse_adjustment(place.coordinator, moved, place.day.pk, NOW, "Undone")
    void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    assert ledger.balance(owed.account_id).owed_cents == 5000
    assert proof.prove(program_actor()).differences == ()

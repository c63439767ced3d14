"""A payment traced from whatever the customer has, from the counter to the bank."""

import io
from datetime import timedelta

import pypdf
import pytest

from chamberlain.cashiering.operations import ask_for_void, void_receipt
from chamberlain.cashiering.stock.selling import Order, sell
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.reconciliation import tracing
from chamberlain.reconciliation.operations import (
    match_deposits,
    prepare_reconciliation,
    read_bank_file,
    sign_reconciliation,
)
from chamberlain.reconciliation.tracing_paper import steps, way_pdf
from chamberlain.revenue.queries import open_charges_of
from tests.cashiering import stock_office
from tests.cashiering.counter import cash, check, make_counter, pay
from tests.office import DAY, NOW, open_day, owe
from tests.reconciliation.bank import Line, statement
from tests.reconciliation.evening import CARDS, CASH, CHECKS, make_evening

pytestmark = pytest.mark.django_db


def found(text, days=1):
    return tracing.find_payments(text, DAY - timedelta(days=days), DAY + timedelta(days=days))


@pytest.fixture
def counter():
    return make_counter()


@pytest.fixture
def paid(counter):
    owed = owe(counter.day, "A1", 6_400)
    return pay(counter, owed.account_id, [(owed.charge_ids[0], 6_400)], check(4_400), cash(2_000))


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("CH-1-", "the receipt's number"),
        ("1001", "the number of a check or the like"),
        ("$64.00", "the amount"),
        ("44.00", "the amount"),
        ("A1", "the account or paper A1"),
    ],
)
def test_a_payment_is_found_by_what_the_customer_has(paid, text, because):
    [row] = found(text)
    assert (row.receipt_id, row.because, row.total_cents) == (paid.receipt_id, because, 6_400)


def test_a_payment_is_found_by_the_plate_it_was_for(counter):
    stock_office.load()
    owed = owe(counter.day, "A1", 100)
    order = Order(owed.account_id, "license.dog", "Bella")
    sold = sell(counter.cashier, counter.session_id, order, NOW, "sold")
    [(charge_id, cents)] = open_charges_of(sold.obligation_id)
    receipt = pay(counter, owed.account_id, [(charge_id, cents)], cash(cents))
    [row] = found("bella")
    assert (row.receipt_id, row.because) == (
        receipt.receipt_id, f"{sold.number}, which is about bella",
    )  # fmt: skip


def test_what_does_not_fit_is_not_found(paid):
    assert found("9.99") == []
    assert found("nobody at all") == []
    assert tracing.find_payments("1001", DAY + timedelta(days=1), DAY + timedelta(days=2)) == []
    with pytest.raises(Invalid, match="Type what is known"):
        found(" ")
    with pytest.raises(Invalid, match="last day is before"):
        found("1001", days=-1)
    with pytest.raises(NotFound):
        tracing.way_of_payment(paid.receipt_id + 1)


def test_the_whole_way_of_a_payment_to_the_bank_and_the_signature():
    evening = make_evening()
    evening.deposit_and_close()
    [row] = found(f"{(CASH + CHECKS + CARDS) / 100:.2f}")
    way = tracing.way_of_payment(row.receipt_id)
    assert [each.deposits[0].bag_number for each in way.tenders] == ["B-cash", "B-check", "B-card"]
    assert not way.is_at_the_bank
    day = open_day(evening.center, DAY + timedelta(days=1))
    lines = (Line(CASH), Line(CHECKS), Line(CARDS))
    read_bank_file(evening.supervisor, "bank", statement(*lines), NOW)
    match_deposits(evening.supervisor, day.pk, NOW)
    prepare_reconciliation(evening.supervisor, evening.day.pk, "", NOW)
    sign_reconciliation(evening.second_supervisor, evening.day.pk, NOW)
    way = tracing.way_of_payment(row.receipt_id)
    assert (way.is_at_the_bank, way.signed_by) == (True, "Tom-Ch")
    assert [step.split(" on ")[0] for step in steps(way)] == [
        "Taken",
        "The day was closed and sealed",
        "Receipts, deposits and bank of the day were signed as agreeing",
    ]
    assert sum(t.cents for t in way.transfers if t.kind == "payment") == CASH + CHECKS + CARDS
    pages = pypdf.PdfReader(io.BytesIO(way_pdf(way, DAY))).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "Sue" not in text
    assert f"What became of the payment {row.number}" in text


def test_a_voided_payment_says_so(counter, paid):
    ask_for_void(counter.cashier, paid.receipt_id, "paid twice", NOW)
    void_receipt(counter.supervisor, paid.receipt_id, NOW)
    way = tracing.way_of_payment(paid.receipt_id)
    assert (way.receipt.is_voided, way.void_asked_by) == (True, "Ana-Ch")
    assert "paid twice" in steps(way)[-1]
    assert [row.is_voided for row in found("1001")] == [True]

"""What an account's pages and the books show, from the transfers."""

from datetime import date, timedelta

import pytest

from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger import statements
from chamberlain.ledger.operations import reverse_entry
from chamberlain.ledger.payments import NewPayment, post_payment
from tests import office
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed() -> office.Owed:
    center = office.make_center()
    return office.owe(office.open_day(center), "A-1", 5000, 3000, due_on=DAY)


def _pay(cents: int, key: str = "k-1") -> int:
    from chamberlain.identity.models import Center

    center = Center.objects.get(code="CH")
    payment = NewPayment("A-1", cents, "lockbox", key)
    return post_payment(program_actor(), center.pk, payment, NOW, key)[0].payment_id


def test_a_charge_is_past_due_from_the_day_after_its_due_date(owed: office.Owed) -> None:
    on_the_day = statements.standing(owed.account_id, DAY)
    assert (on_the_day.owed_cents, on_the_day.past_due_cents) == (8000, 0)
    assert on_the_day.next_due_on == DAY
    after = statements.standing(owed.account_id, DAY + timedelta(days=1))
    assert (after.past_due_cents, after.past_due_since) == (8000, DAY)
    assert after.charges == 2


def test_a_payment_shows_what_it_settled_and_what_became_credit(owed: office.Owed) -> None:
    _pay(9000)
    [row] = statements.payments_of_account(owed.account_id)
    assert (row.cents, row.settled_cents, row.credit_cents) == (9000, 8000, 1000)
    assert statements.count_payments(owed.account_id) == 1
    standing = statements.standing(owed.account_id, DAY)
    assert (standing.owed_cents, standing.credit_cents) == (0, 1000)


def test_open_items_keep_the_charges_of_a_document_together(owed: office.Owed) -> None:
    items = statements.open_items(owed.account_id, DAY + timedelta(days=1))
    assert [(item.document, item.open_cents) for item in items] == [
        ("A-1-0", 5000),
        ("A-1-1", 3000),
    ]
    assert all(item.is_past_due for item in items)


def test_the_moves_of_a_charge_are_listed_from_raising_to_settling(owed: office.Owed) -> None:
    _pay(5000)
    moved = statements.transfers_of_charges(owed.charge_ids)
    assert [row.effect for row in moved[owed.charge_ids[0]]] == ["raise", "settle"]
    assert [row.effect for row in moved[owed.charge_ids[1]]] == ["raise"]


def test_a_reversed_payment_is_marked_and_its_reversal_listed(owed: office.Owed) -> None:
    payment = _pay(5000)
    day_id = office.BusinessDay.objects.get().pk
    reversal = reverse_entry(
        program_actor(), payment, day_id, NOW, kind="void", reason="Wrong account"
    )
    [row] = statements.payments_of_account(owed.account_id)
    assert row.is_reversed
    [back] = statements.reversals_of_account(owed.account_id)
    assert (back.entry_id, back.reason, back.cents) == (reversal, "Wrong account", 5000)
    entry = statements.entry(payment)
    assert entry.reversed_by_id == reversal
    assert entry.account_numbers == ("A-1",)
    assert statements.entry(reversal).reverses_id == payment


def test_the_general_ledger_sums_to_the_same_on_both_sides(owed: office.Owed) -> None:
    _pay(6000)
    rows = {row.code: row for row in statements.general_ledger()}
    assert sum(r.debit_cents for r in rows.values()) == sum(r.credit_cents for r in rows.values())
    assert rows["1200-water"].balance_cents == 2000
    assert rows["4000-water"].balance_cents == 8000
    assert rows["1040-lockbox"].balance_cents == 6000


def test_a_ledger_account_is_read_a_page_at_a_time(owed: office.Owed) -> None:
    _pay(1000, "k-1")
    _pay(1000, "k-2")
    [row] = [row for row in statements.general_ledger() if row.code == "1200-water"]
    newest = statements.transfers_of_ledger_account(row.ledger_account_id, 2)
    older = statements.transfers_of_ledger_account(row.ledger_account_id, 9, newest[-1].transfer_id)
    ids = [move.transfer_id for move in [*newest, *older]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 4
    assert statements.ledger_account_name(row.ledger_account_id) == (
        "1200-water",
        "Receivable: Water",
    )


def test_what_the_city_is_owed_is_the_sum_over_its_accounts(owed: office.Owed) -> None:
    _pay(3000)
    found = statements.city_owed(DAY + timedelta(days=1))
    assert (found.owed_cents, found.past_due_cents, found.accounts_past_due) == (5000, 5000, 1)
    assert statements.city_owed(date(2026, 1, 1)).past_due_cents == 0


def test_what_is_not_there_is_said(owed: office.Owed) -> None:
    with pytest.raises(NotFound, match="There is no entry 999"):
        statements.entry(999)
    with pytest.raises(NotFound, match="no such ledger account"):
        statements.ledger_account_name(999_999)

"""What a cashier sees before a payment is taken, held against what the payment then does."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.cashiering.baskets import (
    BasketAccount,
    BasketDocument,
    account_of_paper,
    allot,
    basket_accounts,
    basket_figures,
)
from chamberlain.cashiering.tendering import TenderLine
from chamberlain.ledger.queries import OpenCharge
from tests import office

TODAY = office.DAY


def charge(charge_id: int, priority: int, due_on: date, open_cents: int) -> OpenCharge:
    """An open charge of account 1."""
    return OpenCharge(
        charge_id, 1, "1", "kind", "Kind", priority, "paper", due_on, due_on, open_cents, open_cents
    )


def account_of(*charges: OpenCharge) -> BasketAccount:
    """Account 1 with one paper."""
    paper = BasketDocument("paper", TODAY, TODAY, False, 0, tuple(charges))
    return BasketAccount(1, "1", "Holder", "", 0, 0, 0, (paper,))


def cash(cents: int) -> list[TenderLine]:
    """Cash handed over."""
    return [TenderLine("cash", cents)]


def test_what_is_handed_over_above_is_change_and_below_is_missing() -> None:
    over = basket_figures({7: 8640}, cash(10000))
    assert (over.total_cents, over.change_cents, over.missing_cents) == (8640, 1360, 0)
    assert over.is_ready
    under = basket_figures({7: 8640}, cash(5000))
    assert (under.change_cents, under.missing_cents) == (0, 3640)
    assert not under.is_ready


def test_change_that_is_kept_becomes_credit() -> None:
    kept = basket_figures({7: 8640}, cash(10000), keep_as_credit=True)
    assert (kept.change_cents, kept.credit_cents) == (0, 1360)


def test_an_empty_basket_is_not_ready() -> None:
    assert not basket_figures({}, cash(100)).is_ready
    assert not basket_figures({7: 100}, []).is_ready


CHARGES = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.dates(date(2026, 1, 1), date(2026, 3, 1)),
        st.integers(1, 5000),
    ),
    max_size=6,
)


@given(CHARGES, st.integers(1, 20000), st.sets(st.integers(1, 6)))
def test_money_on_account_is_allotted_as_a_clerk_would_by_hand(
    owed: list[tuple[int, date, int]], cents: int, named: set[int]
) -> None:
    charges = [charge(number, *fields) for number, fields in enumerate(owed, start=1)]
    left, expected = cents, []
    for one in sorted(charges, key=lambda c: (c.priority, c.due_on, c.charge_id)):
        part = min(left, one.open_cents)
        if one.charge_id not in named and part:
            expected.append((one.charge_id, part))
            left -= part
    if left:
        expected.append((None, left))
    found = allot(account_of(*charges), dict.fromkeys(named, 1), cents)
    assert [(p.charge.charge_id if p.charge else None, p.cents) for p in found] == expected


@pytest.mark.django_db
def test_papers_are_listed_by_due_date_and_past_due_ones_are_marked() -> None:
    day = office.open_day(office.make_center())
    owed = office.owe(day, "100", 500, 700, due_on=TODAY)
    late = office.owe(day, "200", 900, due_on=TODAY - timedelta(days=3))
    found = basket_accounts([late.account_id, owed.account_id, 0, late.account_id], TODAY)
    assert [account.number for account in found] == ["200", "100"]
    assert [account.past_due_cents for account in found] == [900, 0]
    assert [account.owed_cents for account in found] == [900, 1200]
    assert [paper.is_past_due for paper in found[0].documents] == [True]
    assert [c.charge_id for c in found[1].charges] == owed.charge_ids


@pytest.mark.django_db
def test_a_number_leads_to_its_account_and_anything_else_to_none() -> None:
    day = office.open_day(office.make_center())
    owed = office.owe(day, "A-100", 500)
    assert account_of_paper(" a-100 ") == owed.account_id
    assert account_of_paper("A-101") is None
    assert account_of_paper("") is None

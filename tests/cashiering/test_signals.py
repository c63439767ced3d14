"""What may be worth a look at the tills: the arithmetic against plain oracles."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.cashiering.models import Till
from chamberlain.cashiering.operations import ask_for_void, close_till, void_receipt
from chamberlain.cashiering.safe.models import SurpriseCount
from chamberlain.cashiering.safe.operations import count_by_surprise
from chamberlain.cashiering.signals import benford, compared, signals
from chamberlain.cashiering.tills import no_sale
from chamberlain.kernel.errors import Invalid, NotPermitted, Refused
from tests.cashiering.counter import FLOAT, FLOAT_CENTS, cash, make_counter, pay
from tests.office import DAY, NOW, owe


def test_a_figure_is_held_against_the_median_of_the_peers():
    found = compared(Fraction(12), [Fraction(n) for n in (1, 2, 3, 4)])
    assert (found.median, found.mad) == (Decimal("2.50"), Decimal("1.00"))
    assert found.score == Decimal("6.41")
    assert found.stands_out
    assert compared(Fraction(12), [Fraction(1), Fraction(2)]).score is None
    alike = compared(Fraction(12), [Fraction(2)] * 4)
    assert (alike.score, alike.stands_out) == (None, False)


@given(st.integers(0, 50), st.lists(st.integers(0, 50), min_size=3, max_size=9))
def test_who_is_like_the_peers_never_stands_out(value, peers):
    found = compared(Fraction(value), [Fraction(each) for each in peers])
    if value <= sorted(peers)[len(peers) // 2]:
        assert not found.stands_out


def test_first_digits_by_benford():
    exact = {1: 301, 2: 176, 3: 125, 4: 97, 5: 79, 6: 67, 7: 58, 8: 51, 9: 46}
    found = benford(exact)
    assert [row.expected for row in found.digits][:3] == [
        Decimal("301.0"),
        Decimal("176.1"),
        Decimal("124.9"),
    ]
    assert found.chi_square < Decimal("0.1")
    assert not found.stands_out
    assert benford({9: 1000}).stands_out
    assert benford({9: 499}).chi_square is None


@pytest.mark.django_db
def test_a_quiet_day_shows_its_figures_and_nothing_else():
    counter = make_counter()
    owed = owe(counter.day, "A1", 900, 900)
    receipt = pay(counter, owed.account_id, [(owed.charge_ids[0], 900)], cash(900))
    pay(counter, owed.account_id, [(owed.charge_ids[1], 900)], cash(900))
    ask_for_void(counter.cashier, receipt.receipt_id, "twice", NOW)
    void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    no_sale(counter.cashier, counter.session_id, "change for the parking meter", NOW)
    found = signals(DAY, DAY)
    [row] = found.cashiers
    assert (row.receipts, row.voided, row.opened, row.short_cents) == (2, 1, 1, 0)
    assert (row.voids.value, row.voids.score, row.stands_out) == (Decimal(500), None, False)
    assert (found.gaps, found.split_cash) == ((), ())
    assert signals(DAY + timedelta(days=1), DAY + timedelta(days=2)).cashiers == ()
    with pytest.raises(Invalid, match="swap them"):
        signals(DAY, DAY - timedelta(days=1))
    with pytest.raises(Invalid, match="no more than 400"):
        signals(DAY, DAY + timedelta(days=401))


@pytest.mark.django_db
def test_cash_in_parts_above_what_is_reported_is_listed():
    counter = make_counter()
    Till.objects.update(cash_limit_cents=10**9)
    owed = owe(counter.day, "A1", 600_000, 500_000)
    other = owe(counter.day, "A2", 600_000)
    for charge, cents in zip(owed.charge_ids, (600_000, 500_000), strict=True):
        pay(counter, owed.account_id, [(charge, cents)], cash(cents))
    pay(counter, other.account_id, [(other.charge_ids[0], 600_000)], cash(600_000))
    [row] = signals(DAY, DAY).split_cash
    assert (row.account, row.payments, row.cents) == ("A1", 2, 1_100_000)


@pytest.mark.django_db
def test_a_drawer_is_counted_by_surprise_by_another_person():
    counter = make_counter()
    with pytest.raises(NotPermitted):
        count_by_surprise(counter.second_cashier, counter.session_id, FLOAT, "", NOW)
    found = count_by_surprise(counter.supervisor, counter.session_id, {2000: 4}, "x", NOW)
    assert (found.counted_cents, found.expected_cents) == (8000, FLOAT_CENTS)
    with pytest.raises(DatabaseError), transaction.atomic():
        SurpriseCount.objects.create(
            session_id=counter.session_id,
            pieces={},
            counted_cents=1,
            expected_cents=1,
            counted_by_id=counter.cashier.user_id,
            counted_at=NOW,
        )
    with pytest.raises(DatabaseError), transaction.atomic():
        SurpriseCount.objects.all().delete()
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(Refused, match="verify it instead"):
        count_by_surprise(counter.supervisor, counter.session_id, FLOAT, "", NOW)

"""Interest on deposits against a walk over each day, and what the city's rule asks of whom."""

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.billing.deposits.accruing import EVENTS, RATES, interest
from chamberlain.billing.deposits.terms import Requirement

FIRST = date(2024, 1, 1)
_day = st.integers(0, 900).map(lambda days: FIRST + timedelta(days))
_event = st.tuples(st.integers(1, 3), _day, st.integers(-20_000, 50_000))
_rates = st.dictionaries(
    st.integers(-100, 900).map(lambda days: FIRST + timedelta(days)),
    st.integers(0, 150_000),
    max_size=4,
)


def day_by_day(
    events: list[tuple[int, date, int]], rates: dict[date, int], until: date, year_days: int
) -> dict[int, int]:
    """Interest as one would work it out on paper: each day by itself, rounded at the end."""
    found = {}
    for deposit_id in {event[0] for event in events}:
        total, day = Fraction(0), min(on for each, on, _ in events if each == deposit_id)
        while day < until:
            held = sum(cents for each, on, cents in events if each == deposit_id and on <= day)
            begun = [start for start in rates if start <= day]
            rate = rates[max(begun)] if begun else 0
            total += Fraction(max(held, 0) * rate, 1_000_000 * year_days)
            day += timedelta(1)
        found[deposit_id] = int(total + Fraction(1, 2))
    return found


@given(st.lists(_event, max_size=12), _rates, _day, st.sampled_from([360, 365]))
def test_interest_is_the_sum_over_all_days(
    events: list[tuple[int, date, int]], rates: dict[date, int], until: date, year_days: int
) -> None:
    found = interest(
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame(list(rates.items()), schema=RATES, orient="row"),
        until,
        year_days,
    )
    assert dict(found.iter_rows()) == day_by_day(events, rates, until, year_days)


def test_a_year_at_one_and_a_quarter_percent() -> None:
    found = interest(
        pl.DataFrame([(7, FIRST, 15_000)], schema=EVENTS, orient="row"),
        pl.DataFrame([(FIRST, 12_500)], schema=RATES, orient="row"),
        FIRST + timedelta(365),
        365,
    )
    assert found.rows() == [(7, 188)]


def test_the_first_requirement_that_fits_decides() -> None:
    tenants = Requirement(("two_flat",), "tenant", 7_500, is_per_unit=True)
    assert tenants.fits("two_flat", is_owner=False)
    assert not tenants.fits("two_flat", is_owner=True)
    assert not tenants.fits("commercial", is_owner=False)
    assert (tenants.amount(2), tenants.amount(0)) == (15_000, 7_500)
    all_owners = Requirement((), "owner", 9_000, is_per_unit=False)
    assert all_owners.fits("commercial", is_owner=True)
    assert not all_owners.fits("commercial", is_owner=False)
    assert all_owners.amount(4) == 9_000

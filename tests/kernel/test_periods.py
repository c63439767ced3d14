"""Periods are closed-open: the first day belongs to them, the last does not."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.periods import Period, add_months, whole_months

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = draw(DAYS)
    end = draw(st.none() | st.integers(1, 800).map(lambda days: start + timedelta(days=days)))
    return Period(start, end)


def _day_by_day(period: Period) -> set[date]:
    end = period.end or date(2070, 1, 1)
    return {period.start + timedelta(days=i) for i in range((end - period.start).days)}


@given(periods(), periods())
def test_what_two_periods_share_are_the_days_in_both(one: Period, other: Period) -> None:
    shared = one.intersect(other)
    expected = _day_by_day(one) & _day_by_day(other)
    assert (_day_by_day(shared) if shared else set()) == expected


@given(periods(), DAYS)
def test_a_day_is_in_a_period_from_its_start_up_to_its_end(period: Period, day: date) -> None:
    assert (day in period) == (day in _day_by_day(period))


@given(periods())
def test_a_period_counts_its_days(period: Period) -> None:
    assert period.days == (None if period.end is None else len(_day_by_day(period)))


@pytest.mark.parametrize("days", [0, -1])
def test_a_period_that_ends_before_it_began_is_refused(days: int) -> None:
    start = date(2026, 3, 1)
    with pytest.raises(Invalid, match="not after its start"):
        Period(start, start + timedelta(days=days))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 11, 15), 2, date(2027, 1, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(
    day: date, months: int, later: date
) -> None:
    assert add_months(day, months) == later


@given(DAYS.filter(lambda day: day.day <= 28), st.integers(1, 60))
def test_whole_months_are_counted(start: date, months: int) -> None:
    assert whole_months(Period(start, add_months(start, months))) == months


def test_a_period_without_end_or_with_odd_days_is_no_whole_number_of_months() -> None:
    assert whole_months(Period(date(2026, 1, 1))) is None
    assert whole_months(Period(date(2026, 1, 1), date(2026, 1, 20))) is None
    assert whole_months(Period(date(2026, 1, 1), date(2026, 2, 2))) is None

"""A rate for a season, and what a part of a season comes to."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.kernel.money import round_half_up
from chamberlain.tariffs import queries
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.seasons import season_parts, season_whole
from tests.billing.season_office import non_metered_tariff, usage_of

pytestmark = pytest.mark.django_db

HALVES = (5, 11)


def share(start: date, end: date) -> Fraction:
    """Day by day: each day is one of the days of its season."""
    found, day = Fraction(0), start
    while day < end:
        begins_in_may = 5 <= day.month < 11
        year = day.year if begins_in_may or day.month >= 11 else day.year - 1
        first = date(year, 5 if begins_in_may else 11, 1)
        until = date(year, 11, 1) if begins_in_may else date(year + 1, 5, 1)
        found += Fraction(1, (until - first).days)
        day += timedelta(days=1)
    return found


@settings(max_examples=60, deadline=None)
@given(
    start=st.dates(date(2015, 1, 1), date(2032, 12, 31)),
    days=st.integers(min_value=1, max_value=800),
)
def test_a_period_is_the_share_of_days_of_each_season(start: date, days: int) -> None:
    end = start + timedelta(days=days)
    parts = season_parts(start, end, HALVES)
    assert Fraction(parts, season_whole(HALVES)) == share(start, end)


@pytest.mark.parametrize("starts", [(1,), (1, 7), (5, 11), (1, 4, 7, 10), tuple(range(1, 13))])
def test_a_whole_season_counts_once_in_leap_years_too(starts: tuple[int, ...]) -> None:
    whole = season_whole(starts)
    firsts = [date(year, month, 1) for year in range(2019, 2026) for month in starts]
    for first, until in pairwise(firsts):
        assert season_parts(first, until, starts) == whole


def test_a_part_of_a_season_is_charged_by_its_days() -> None:
    schedule = queries.schedule(non_metered_tariff().pk)
    whole = usage_of(date(2026, 5, 1), date(2026, 11, 1), hoses=2)
    begun = usage_of(date(2026, 5, 1), date(2026, 7, 10), hoses=2)
    for usage, days in ((whole, 184), (begun, 70)):
        found = rate(schedule, usage)
        assert found.refusals.is_empty()
        hose = round_half_up(24_000 * days, 184)
        assert found.lines["cents"].to_list() == [hose, hose]

"""Seasons, and what share of them a period is.

A season begins on the first of certain months and ends where the next begins. A period is each
season's share of days: with seasons from May and November, 1 May to 1 August is 92 of the 184 days
up to 1 November, half a season.
"""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from math import lcm

_FOUR_YEARS = range(2000, 2005)


def season_whole(starts: tuple[int, ...]) -> int:
    """The parts of a season: the least common multiple of the lengths that seasons have."""
    return lcm(*((end - start).days for start, end in _seasons(starts, _FOUR_YEARS)))


def season_parts(start: date, end: date, starts: tuple[int, ...]) -> int:
    """A period in seasons, times `season_whole`. starts: the first months, 1 to 12."""
    whole = season_whole(starts)
    return sum(
        (min(end, until) - max(start, begin)).days * (whole // (until - begin).days)
        for begin, until in _seasons(starts, range(start.year - 1, end.year + 2))
        if begin < end and until > start
    )


def _seasons(starts: tuple[int, ...], years: range) -> Iterator[tuple[date, date]]:
    return pairwise(date(year, month, 1) for year in years for month in sorted(starts))

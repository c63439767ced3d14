"""On which days a route is read, and from which day on a read counts for it: plain dates.

A route with work day 3 of a cycle of two months from January is read on the third work day of
January, March, May and so on. With seven early days a read up to a week before that day counts
for it already; what was read before counts for the time before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.kernel.periods import add_months


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a route is read; see `models.ReadCycle`."""

    months: int
    first_month: int
    early_days: int
    work_day: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One time that a route is read.

    Reads after the day reads_after and up to the day counts_until count for it.
    """

    due_on: date
    reads_after: date
    counts_until: date
    next_due_on: date


def turn_of(rhythm: Rhythm, calendar: BusinessCalendar, day: date) -> Turn:
    """The time to read that a day belongs to: the last one whose reads count by then."""
    days = list(_due_days(rhythm, calendar, add_months(day.replace(day=1), -rhythm.months - 12)))
    begun = [each for each in days if each - timedelta(days=rhythm.early_days) <= day]
    due_on, following = begun[-1], days[len(begun)]
    early = timedelta(days=rhythm.early_days + 1)
    return Turn(due_on, due_on - early, following - early, following)


def turn_due_by(rhythm: Rhythm, calendar: BusinessCalendar, day: date) -> Turn:
    """The last time to read whose due day is not after a day."""
    turn = turn_of(rhythm, calendar, day)
    return turn if turn.due_on <= day else turn_of(rhythm, calendar, turn.reads_after)


def _due_days(rhythm: Rhythm, calendar: BusinessCalendar, since: date) -> Iterator[date]:
    """The due days of five years from a month on, the earliest first."""
    for months in range(60):
        first = add_months(since, months)
        if (first.month - rhythm.first_month) % rhythm.months == 0:
            yield _work_day(calendar, first, rhythm.work_day)


def _work_day(calendar: BusinessCalendar, first: date, number: int) -> date:
    """The work day of a month with that number, or its last one."""
    found = list(islice(calendar.business_days(first, add_months(first, 1)), number))
    return found[-1]

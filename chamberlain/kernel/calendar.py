"""The city's business calendar: weekends, public holidays, and the city's own closed days."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import holidays


@cache
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Which days the city works.

    closed_weekdays: 0 is Monday. closed_days: days that this city closes on its own.
    """

    country: str = "US"
    subdivision: str | None = None
    closed_weekdays: frozenset[int] = frozenset({5, 6})
    closed_days: frozenset[date] = field(default_factory=frozenset)

    def is_business_day(self, day: date) -> bool:
        """Whether the city works on that day."""
        return (
            day.weekday() not in self.closed_weekdays
            and day not in self.closed_days
            and day not in _public_holidays(self.country, self.subdivision, day.year)
        )

    def on_or_after(self, day: date) -> date:
        """The first business day that is not before the day."""
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def business_days(self, start: date, end: date) -> Iterable[date]:
        """Business days of the closed-open period."""
        days = (start + timedelta(days=offset) for offset in range((end - start).days))
        return (day for day in days if self.is_business_day(day))

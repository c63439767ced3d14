"""Closed-open periods of days: the first day belongs to the period, the last does not."""

from dataclasses import dataclass
from datetime import date, timedelta

from chamberlain.kernel.errors import Invalid


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days from `start` up to, but not with, `end`; `end` None means still going on."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise Invalid(
                f"The period ends on {self.end}, not after its start on {self.start}; "
                "give an end after the start.",
                field="end",
            )

    @property
    def days(self) -> int | None:
        """Number of days, or None when the period has no end."""
        return None if self.end is None else (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    def intersect(self, other: "Period") -> "Period | None":
        """The days in both periods, or None."""
        start = max(self.start, other.start)
        ends = [end for end in (self.end, other.end) if end is not None]
        end = min(ends) if ends else None
        return None if end is not None and end <= start else Period(start, end)


def add_months(day: date, months: int) -> date:
    """The same day of the month, months later; the month's last day when it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return min(
        date(year, month, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1)
    )


def whole_months(period: Period) -> int | None:
    """How many whole months the period is, or None when it is not a whole number of them."""
    if period.end is None:
        return None
    months = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
    return months if months > 0 and add_months(period.start, months) == period.end else None


def day_in_words(day: date) -> str:
    """`March 1, 2026`."""
    return f"{day:%B} {day.day}, {day.year}"

"""How far back bills may be set right, and when a second person decides.

A bill lies beyond the limit when its last day is further back than so many months. A customer is
charged more within one limit and less within another; a reason that the city names may reach
beyond both. The figures are the city's (`rebilling.yaml`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.kernel.errors import Refused
from chamberlain.kernel.periods import add_months


class BeyondLimit(Refused):
    """A bill lies further back than the city allows for this reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The city's figures on a day. Cents and whole months."""

    charge_months: int
    credit_months: int
    approval_cents: int
    due_days: int
    source: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What a bill changes by. number: of the old bill, "" for one that was not billed before."""

    number: str
    to_on: date
    cents: int


def earliest(limits: Limits, today: date, cents: int) -> date:
    """The first last day of a bill that may still be changed by so many cents."""
    months = limits.charge_months if cents > 0 else limits.credit_months
    return add_months(today, -months)


def refuse_beyond(
    changes: Sequence[Change], limits: Limits, today: date, *, is_beyond_limit: bool
) -> None:
    """Raises BeyondLimit, naming the first bill and the day that the city's rule reaches to."""
    if is_beyond_limit:
        return
    for change in sorted(changes, key=lambda each: each.to_on):
        reach = earliest(limits, today, change.cents)
        if change.cents and change.to_on < reach:
            what = f"Bill {change.number}" if change.number else "A bill not made before"
            way = "raised" if change.cents > 0 else "lowered"
            raise BeyondLimit(
                f"{what} ends before {reach:%B %-d, %Y} and cannot be {way} for this reason; begin "
                "later or give a reason that reaches further back.",
                field="from_on",
            )


def within(
    changes: pl.DataFrame, limits: Limits, today: date, *, is_beyond_limit: bool
) -> pl.DataFrame:
    """The changes that the city's rule allows, for many accounts at once.

    changes: to_on (Date), cents (Int64) and any other columns, which are kept.
    """
    if is_beyond_limit:
        return changes
    reach = (
        pl.when(pl.col("cents") > 0)
        .then(pl.lit(earliest(limits, today, 1)))
        .otherwise(pl.lit(earliest(limits, today, -1)))
    )
    return changes.filter((pl.col("cents") == 0) | (pl.col("to_on") >= reach))


def needs_second_person(changes: Sequence[Change], besides_cents: int, limits: Limits) -> bool:
    """Whether what the bills change by, added up whichever way, is the city's amount or more.

    besides_cents: penalties that go with them, and what one person changed before.
    """
    moved = sum(abs(change.cents) for change in changes)
    return moved + besides_cents >= limits.approval_cents

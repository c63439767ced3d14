"""What a fee comes to on a day, for a term.

A price is for a number of months or is paid once. A term of other length is prorated by month:
an annual price of $100.17 sold for 7 months is $100.17 x 7 / 12 = $58.43, rounded half up once.
Source: the City Clerk's general pricing, as the city's file names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import Cents, round_half_up

LONGEST_TERM_MONTHS = 36


class NoPrice(Refused):
    """A fee has no price on the day."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in cents from a day on."""

    starts_on: date
    cents: int


def price_on(prices: Sequence[Price], on: date, name: str) -> Price:
    """The price in force on a day; raises NoPrice when none had started."""
    started = [price for price in prices if price.starts_on <= on]
    if not started:
        raise NoPrice(f"{name} has no price on {on:%B %-d, %Y}; add it to the city's file.")
    return max(started, key=lambda price: price.starts_on)


def prorated(cents: int, months: int, term_months: int) -> Cents:
    """The part of a price for `term_months` that is for `months`, half up to the cent."""
    return Cents(round_half_up(cents * months, term_months))

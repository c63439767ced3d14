"""Usage priced by tiers.

A tier's start names the first unit charged at its price, so tier i ends one unit below the next
start; with starts 0 and 15 the first 14 units are in tier 1. Under a Budget a start is rounded to
whole units, a half to the even one, and is itself the last unit of the tier below. The first start
plays no part: tier 1 begins with the first unit. Usage below zero counts as none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic

import polars as pl

from chamberlain.tariffs.owrs.arithmetic import A, Arithmetic


@dataclass(frozen=True, slots=True)
class Side(Generic[A]):
    """Starts or prices. case: which of `lists` holds for a row, or None when there is only one.

    lists: None stands for a list that no row of the frame uses.
    """

    case: pl.Expr | None
    lists: Sequence[Sequence[A] | None]
    sizes: tuple[int, ...]

    def entry(self, position: int, arithmetic: Arithmetic[A]) -> A:
        """The start or price of the tier at a position, null where a row's list is shorter."""
        options = [
            each[position] if each is not None and position < len(each) else None
            for each in self.lists
        ]
        if self.case is None and options[0] is not None:
            return options[0]
        return arithmetic.choose(pl.lit(0) if self.case is None else self.case, options)

    def count(self) -> pl.Expr:
        """How many tiers a row has."""
        if self.case is None:
            return pl.lit(self.sizes[0], dtype=pl.UInt32)
        return pl.lit(pl.Series(self.sizes, dtype=pl.UInt32)).gather(self.case)


@dataclass(frozen=True, slots=True)
class Step(Generic[A]):
    """One tier of a bill: its units, its price and their product."""

    units: A
    price: A
    money: A


Keep = Callable[[A, str], A]


def price(
    arithmetic: Arithmetic[A],
    usage: A,
    starts: Side[A],
    prices: Side[A],
    *,
    is_budget: bool,
    keep: Keep[A],
) -> tuple[list[Step[A]], A]:
    """The steps of a charge, lowest tier first, and their total.

    keep: stores an amount under a name and gives it back as stored.
    """
    zero = arithmetic.number(Decimal(0))
    most = max(set(starts.sizes) & set(prices.sizes))
    count = _count(starts, prices)
    steps: list[Step[A]] = []
    below = total = zero
    for number in range(1, most + 1):
        rest = arithmetic.positive(arithmetic.subtract(usage, below))
        units = rest
        if number < most:
            end = _end(arithmetic, starts.entry(number, arithmetic), is_budget)
            to_end = arithmetic.lesser(usage, end)
            units = arithmetic.positive(arithmetic.subtract(to_end, below))
        if count is not None:
            units = arithmetic.when(count == number, rest, units)
            units = arithmetic.when(count >= number, units, None)
        units = keep(units, f"units {number}")
        rate = prices.entry(number - 1, arithmetic)
        money = keep(arithmetic.multiply(units, rate), f"money {number}")
        steps.append(Step(units, rate, money))
        if count is not None:
            units = arithmetic.when(count < number, zero, units)
            money = arithmetic.when(count < number, zero, money)
        below = keep(arithmetic.add(below, units), f"below {number}")
        total = keep(arithmetic.add(total, money), f"total {number}")
    return steps, total


def _end(arithmetic: Arithmetic[A], next_start: A, is_budget: bool) -> A:
    """The last unit of a tier, from the start of the next one."""
    if is_budget:
        return arithmetic.whole(next_start)
    return arithmetic.subtract(next_start, arithmetic.number(Decimal(1)))


def _count(starts: Side[A], prices: Side[A]) -> pl.Expr | None:
    """Tiers of each row, null where its starts and prices do not fit; None when all are alike."""
    if len({*starts.sizes, *prices.sizes}) == 1:
        return None
    return pl.when(starts.count() == prices.count()).then(starts.count())

"""Usage by tiers: what lies above each limit, and what each more expensive unit adds."""

from fractions import Fraction
from functools import partial
from math import lcm

import polars as pl

from chamberlain.tariffs.figures import (
    MICROS_IN_A_CENT,
    NARROW,
    Addend,
    Amount,
    Coefficient,
    Figures,
    TierPart,
    into_whole,
    tiers_of,
    times_of,
)
from chamberlain.tariffs.rows import Rows
from chamberlain.tariffs.schedule import Tiered, Value
from chamberlain.tariffs.units import factor


def tiered(terms: Tiered, rows: Rows, figures: Figures) -> Amount:
    """What tiers of usage come to."""
    into = factor(rows.unit or terms.unit, terms.unit)
    allowance, whole, most = _allowance(terms, rows)
    per_limit = (Fraction(1, 100) if terms.budget else Fraction(1000)) / whole
    limits = {limit for number in figures.numbers for limit in figures.limits(number)}
    fine = lcm(into.denominator, *((limit * per_limit).denominator for limit in limits))
    usage = into_whole(pl.col("usage"), rows.usage_max, int(into * fine))
    above = _Above(rows, usage, rows.usage_max * int(into * fine), allowance, most)
    addends, parts = above.split(figures, per_limit * fine)
    rates = tuple(figures.of(number, partial(_tier_rate, 0)) for number in figures.numbers)
    return Amount(
        addends,
        fine * 1000 * MICROS_IN_A_CENT,
        usage,
        fine,
        rows.usage_max * int(into * fine),
        terms.unit,
        tuple(rate.value for rate in rates),
        parts,
    )


def _allowance(terms: Tiered, rows: Rows) -> tuple[pl.Expr | None, int, int]:
    """What tier limits are multiplied by (None for 1), its denominator, its most."""
    times, whole, most = times_of(rows, terms.per)
    allowance = None if terms.per == "period" else times
    each: tuple[pl.Expr, int] | None = None
    if terms.budget:
        each = rows.budget(terms.budget)
    elif terms.per_dwelling_unit:
        each = rows.whole_number("dwelling_units")
    if each is not None:
        column, largest = each
        most *= largest
        column = column.cast(pl.Int128) if most >= NARROW else column
        allowance = column if allowance is None else allowance * column
    return allowance, whole, most


class _Above:
    """Usage above the limits of tiers, each limit computed once however many segments share it."""

    def __init__(
        self, rows: Rows, usage: pl.Expr, usage_max: int, allowance: pl.Expr | None, most: int
    ) -> None:
        self.rows = rows
        self.usage = usage
        self.usage_max = usage_max
        self.allowance = allowance
        self.most = most

    def split(
        self, figures: Figures, scale: Fraction
    ) -> tuple[tuple[Addend, ...], tuple[tuple[TierPart, ...], ...]]:
        """The addends of all segments, and the usage in each tier of each segment."""
        first = {n: figures.of(n, partial(_tier_rate, 0)) for n in figures.numbers}
        shared: dict[tuple[int, ...], tuple[pl.Expr, dict[int, Coefficient]]] = {}
        parts: list[tuple[TierPart, ...]] = []
        for number in figures.numbers:
            above: list[pl.Expr] = [self.usage]
            for tier in range(1, figures.tier_count(number)):
                limits = figures.table(number, partial(_limit, tier, scale))
                if limits not in shared:
                    shared[limits] = (self._above(figures.column(limits)), {})
                usage, coefficients = shared[limits]
                step = figures.of(number, partial(_step, tier))
                coefficients[number] = step
                has = figures.of(number, partial(_has, tier))
                above.append(usage * has.value if isinstance(has.value, pl.Expr) else usage)
            parts.append(_parts(figures, number, above))
        addends = [Addend(self.usage, self.usage_max, first)]
        addends += [Addend(usage, self.usage_max, each) for usage, each in shared.values()]
        return tuple(addends), tuple(parts)

    def _above(self, limit: Coefficient) -> pl.Expr:
        top = limit.value
        if self.allowance is not None:
            wide = self.most * limit.largest >= NARROW
            top = (self.allowance.cast(pl.Int128) if wide else self.allowance) * top
        return pl.when(self.usage > top).then(self.usage - top).otherwise(0)


def _parts(figures: Figures, number: int, above: list[pl.Expr]) -> tuple[TierPart, ...]:
    found: list[TierPart] = []
    for tier, usage in enumerate(above):
        within = usage - above[tier + 1] if tier + 1 < len(above) else usage
        rate = figures.of(number, partial(_tier_rate, tier))
        found.append(TierPart(within, rate.value))
    return tuple(found)


def _limit(tier: int, scale: Fraction, value: Value) -> int:
    """Where a tier begins; a key with fewer tiers has no such place and gives its last one."""
    tiers = tiers_of(value)[: tier + 1]
    return int((tiers[-2].up_to or 0) * scale) if len(tiers) > 1 else 0


def _step(tier: int, value: Value) -> int:
    """How much more a unit costs in a tier than in the one before; 0 where there is no such."""
    tiers = tiers_of(value)
    return tiers[tier].rate_micros - tiers[tier - 1].rate_micros if tier < len(tiers) else 0


def _has(tier: int, value: Value) -> int:
    return int(tier < len(tiers_of(value)))


def _tier_rate(tier: int, value: Value) -> int:
    tiers = tiers_of(value)
    return tiers[min(tier, len(tiers) - 1)].rate_micros

"""Figures of a component and the sums they make: whole-number columns, aligned with the rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from chamberlain.kernel.money import MICROS
from chamberlain.tariffs.proration import Segment
from chamberlain.tariffs.rows import MONTH_PARTS, Rows
from chamberlain.tariffs.schedule import Component, Tier, Value

MICROS_IN_A_CENT = MICROS // 100
NARROW = 2**60
"""Numbers below it are computed in Int64, with room for rounding."""
WIDE = 2**125
"""Numbers below it are computed in Int128."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A whole number for each row: a constant, or a column. largest: its size at most."""

    value: pl.Expr | int
    largest: int


@dataclass(frozen=True, slots=True)
class Addend:
    """base × coefficient, where the coefficient is given for some segments (by number).

    base: Int64 or Int128, >= 0, at most `largest`.
    """

    base: pl.Expr
    largest: int
    by_segment: Mapping[int, Coefficient]


@dataclass(frozen=True, slots=True)
class Amount:
    """Sum of addends over `denominator`, in cents.

    quantity: thousandths × `quantity_whole`, at most `quantity_largest`. rates: micros for each
    segment. tiers: for each segment its tiers' usage; empty when there are none.
    """

    addends: tuple[Addend, ...]
    denominator: int
    quantity: pl.Expr
    quantity_whole: int
    quantity_largest: int
    unit: str
    rates: tuple[pl.Expr | int, ...]
    tiers: tuple[tuple["TierPart", ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TierPart:
    """Usage in one tier (thousandths × the amount's quantity_whole) and its rate in micros."""

    usage: pl.Expr
    rate_micros: pl.Expr | int


class Figures:
    """Figures of a component for each row, plain or by key. `missing` marks rows without one."""

    def __init__(self, component: Component, rows: Rows, segments: Sequence[Segment]) -> None:
        self.rows = rows
        self.segments = segments
        self.index: pl.Series | None = None
        self.keys: list[str] = []
        self._columns: dict[tuple[int, ...], pl.Expr] = {}
        self.missing: list[pl.Series | None] = [None] * len(segments)
        if component.by:
            values = [s.version.values for s in segments if s.version is not None]
            self.keys = list(dict.fromkeys(key for each in values for key in each))
            self.key = rows.key(component.by)
            self.index = self.key.replace_strict(
                self.keys, range(len(self.keys)), default=None, return_dtype=pl.UInt32
            )
            for number, segment in enumerate(segments):
                has = [key in _values(segment) for key in self.keys]
                found = pl.Series(has, dtype=pl.Boolean).gather(self.index).fill_null(False)
                self.missing[number] = None if found.all() else ~found

    @property
    def numbers(self) -> range:
        """The numbers of the segments."""
        return range(len(self.segments))

    def of(self, number: int, pick: Callable[[Value], int]) -> Coefficient:
        """What `pick` takes from each figure of a segment."""
        return self.column(self.table(number, pick))

    def table(self, number: int, pick: Callable[[Value], int]) -> tuple[int, ...]:
        """What `pick` takes from each figure of a segment: for each key, or the only one."""
        values = _values(self.segments[number])
        if self.index is None:
            return (pick(values[""]),)
        return tuple(pick(values[key]) if key in values else 0 for key in self.keys)

    def column(self, table: tuple[int, ...]) -> Coefficient:
        """A table's entry for each row."""
        largest = max(map(abs, table), default=0)
        if self.index is None or len(set(table)) == 1:
            return Coefficient(table[0], largest)
        if table not in self._columns:
            dtype = pl.Int64 if largest < NARROW else pl.Int128
            column = pl.Series(table, dtype=dtype).gather(self.index).fill_null(0)
            self._columns[table] = self.rows.add(column)
        return Coefficient(self._columns[table], largest)

    def limits(self, number: int) -> list[Fraction]:
        """The ends of all tiers of a segment."""
        values = _values(self.segments[number]).values()
        return [tier.up_to for each in values for tier in tiers_of(each) if tier.up_to is not None]

    def tier_count(self, number: int) -> int:
        """The most tiers of a key in a segment."""
        return max(len(tiers_of(each)) for each in _values(self.segments[number]).values())


def _values(segment: Segment) -> Mapping[str, Value]:
    assert segment.version is not None
    return segment.version.values


def tiers_of(value: Value) -> tuple[Tier, ...]:
    """The tiers that a figure is."""
    assert isinstance(value, tuple)
    return value


def times_of(rows: Rows, per: str) -> tuple[pl.Expr, int, int]:
    """How many periods, months or days a row has: an expression, its denominator, its most."""
    if per == "month":
        months, most = rows.months()
        return months, MONTH_PARTS, most
    if per == "day":
        return pl.col("days"), 1, rows.days_max
    return rows.ones(), 1, 1


def into_whole(column: pl.Expr, largest: int, times: int) -> pl.Expr:
    """column × times, in Int128 where Int64 is too narrow."""
    if times == 1:
        return column
    wide = largest * times >= NARROW
    return (column.cast(pl.Int128) if wide else column) * pl.lit(
        times, dtype=pl.Int128 if wide else pl.Int64
    )


def rate_of(value: Value) -> int:
    """The rate or amount that a figure is, in micros."""
    assert isinstance(value, int)
    return value

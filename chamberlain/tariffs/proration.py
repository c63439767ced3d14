"""Which figures of a component count for how many days of a period.

The time that the usages span is cut where the component has a new version or an exemption begins
or ends. Within a **segment** nothing changes. A segment's weight in a row is, by the tariff's
proration: the days of the period that lie in it (`by_day`); all of them for the segment with the
last day (`by_read_date`) or the first day (`none`), and none for the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

import polars as pl

from chamberlain.tariffs.columns import as_column
from chamberlain.tariffs.rows import Rows, day_number
from chamberlain.tariffs.schedule import Component, Exemption, Version


@dataclass(frozen=True, slots=True)
class Segment:
    """Days from `start` up to `end`. version: None before the first one."""

    start: int
    end: int
    version: Version | None


@dataclass(frozen=True, slots=True)
class Weights:
    """Segments with a version, the weight of each in a row, and what the weights are shares of.

    weights: Int64 expressions, or the number 1 when one segment covers every row. whole: their
    sum where the component is in force all the time; an expression, or 1. before: weight of the
    days before the first version, None when no row has such days.
    """

    segments: tuple[Segment, ...]
    weights: tuple[pl.Expr | int, ...]
    whole: pl.Expr | int
    before: pl.Expr | None

    @property
    def covered(self) -> pl.Expr:
        """The sum of the weights."""
        total: pl.Expr = pl.lit(0, dtype=pl.Int64)
        for weight in self.weights:
            total = total + weight
        return total

    @property
    def is_simple(self) -> bool:
        """Whether one segment covers every row."""
        return len(self.weights) == 1 and isinstance(self.weights[0], int)

    def computed(self, rows: Rows) -> "Weights":
        """The same with every weight in a column, since all that follows reads them."""
        if self.is_simple:
            return self
        named = [as_column(weight).alias(f"{number}") for number, weight in enumerate(self.weights)]
        if self.before is not None:
            named.append(self.before.alias("before"))
        found = rows.compute([pl.col("row"), *named])
        columns = [
            rows.add(found[f"{number}"], follows=True) for number in range(len(self.weights))
        ]
        before = None if self.before is None else rows.add(found["before"])
        return Weights(self.segments, tuple(columns), self.whole, before)


def weigh(component: Component, rows: Rows, proration: str, until: int | None = None) -> Weights:
    """The weights of a component's segments. until: counts only days before this one."""
    segments = _segments(component, rows)
    if len(segments) == 1 and segments[0].version is not None and until is None:
        return Weights(segments, (1,), 1, None)
    if proration == "by_day":
        found: list[pl.Expr] = [_days(segment, rows, until) for segment in segments]
        whole: pl.Expr | int = pl.col("days")
    else:
        day = pl.col("to") - 1 if proration == "by_read_date" else pl.col("from")
        found = [
            ((day >= segment.start) & (day < segment.end)).cast(pl.Int64) for segment in segments
        ]
        whole = 1
    before = None
    if segments[0].version is None:
        before, segments, found = found[0], segments[1:], found[1:]
    return Weights(segments, tuple(found), whole, before)


def _days(segment: Segment, rows: Rows, until: int | None) -> pl.Expr:
    end = segment.end if until is None else min(segment.end, until)
    last = pl.col("to") if end >= rows.last else pl.min_horizontal("to", pl.lit(end))
    first = pl.col("from")
    if segment.start > rows.first:
        first = pl.max_horizontal("from", pl.lit(segment.start))
    days = last - first
    needs_clip = end < rows.last or segment.start > rows.first
    return days.clip(lower_bound=0) if needs_clip else days


def _segments(component: Component, rows: Rows) -> tuple[Segment, ...]:
    """The segments that the rows' periods can touch, in order."""
    starts = [day_number(version.effective) for version in component.versions]
    cuts = {day for day in starts if rows.first < day < rows.last}
    if rows.any_exempt:
        for exemption in component.exemptions:
            for day in (exemption.from_on, exemption.to_on):
                if day is not None and rows.first < day_number(day) < rows.last:
                    cuts.add(day_number(day))
    edges = [rows.first, *sorted(cuts), rows.last]
    found: list[Segment] = []
    for start, end in pairwise(edges):
        begun = [
            version for version, day in zip(component.versions, starts, strict=True) if day <= start
        ]
        found.append(Segment(start, end, begun[-1] if begun else None))
    return tuple(_joined(found))


def _joined(segments: Sequence[Segment]) -> list[Segment]:
    """Segments before the first version as one."""
    before = [segment for segment in segments if segment.version is None]
    after = [segment for segment in segments if segment.version is not None]
    return [Segment(before[0].start, before[-1].end, None), *after] if before else after


@dataclass(frozen=True, slots=True)
class Kept:
    """What exemptions leave of a component: for each segment `parts` out of `whole`."""

    parts: tuple[pl.Expr | int, ...]
    whole: int


def kept(component: Component, rows: Rows, segments: Sequence[Segment]) -> Kept:
    """What exemptions leave in each segment; of several the largest counts."""
    if not rows.any_exempt or not component.exemptions:
        return Kept((1,) * len(segments), 1)
    waived = [Fraction(exemption.percent, 100) for exemption in component.exemptions]
    whole = lcm(*(share.denominator for share in waived))
    parts: list[pl.Expr | int] = []
    for segment in segments:
        here = [
            rows.has_exemption(exemption.code) * int(share * whole)
            for exemption, share in zip(component.exemptions, waived, strict=True)
            if _covers(exemption, segment)
        ]
        parts.append(whole - pl.max_horizontal(here) if here else whole)
    return Kept(tuple(parts), whole)


def _covers(exemption: Exemption, segment: Segment) -> bool:
    from_on, to_on = exemption.from_on, exemption.to_on
    return (from_on is None or day_number(from_on) <= segment.start) and (
        to_on is None or segment.end <= day_number(to_on)
    )

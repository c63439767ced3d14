"""The steps of a printed line that several rates made, as JSON, for whoever explains the bill.

Each step is an object with some of: `from_on`, `to_on`, `days` (when figures change inside the
period), `tier`, `quantity_thousandths`, `rate_micros`, `waived_micros` (the part of one that an
exemption waives).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from chamberlain.kernel.money import MICROS
from chamberlain.tariffs.rows import date_of

_REPEATED = 10_000
_FROM, _TO = "\x00from", "\x00to"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as expressions over the rows' frame. is_there: None for always.

    quantity is in thousandths. dates: its first day at the earliest, its end at the latest (days
    since 1970; the period may be shorter), and its days.
    """

    is_there: pl.Expr | None
    quantity: pl.Expr
    rate_micros: pl.Expr | int
    tier: int | None = None
    dates: tuple[int, int, pl.Expr] | None = None
    waived: pl.Expr | None = None
    """Waived micros; 0 is left out."""


def as_json(
    frame: pl.DataFrame, steps: list[Step], following: AbstractSet[str] = frozenset()
) -> pl.Series:
    """The steps of each row of the frame, as a JSON array (String).

    Rows that are alike are written once: cities bill many accounts the same usage and days.
    following: columns that need no comparing, since they follow from the period (`from`, `to`),
    the `usage` and the others.
    """
    text = _array(steps)
    read = sorted({*text.meta.root_names()} - {_FROM, _TO})
    if frame.height < _REPEATED:
        return _with_texts(frame).select(text.alias("steps"))["steps"]
    compared = [name for name in read if name not in following]
    if len(compared) < len(read):
        compared = sorted({*compared, "from", "to", "usage"})
    distinct = frame.select(set(read) | set(compared)).unique(compared)
    written = _with_texts(distinct).select(*compared, text.alias("\x00steps"))
    joined = frame.select(compared).join(
        written, on=compared, how="left", maintain_order="left", nulls_equal=True
    )
    return joined["\x00steps"].alias("steps")


def _array(steps: list[Step]) -> pl.Expr:
    objects: list[pl.Expr] = []
    for step in steps:
        text = _object(step)
        objects.append(text if step.is_there is None else pl.when(step.is_there).then(text))
    joined = pl.concat_str(objects, separator=",", ignore_nulls=True)
    return pl.concat_str(pl.lit("["), joined, pl.lit("]"))


def _object(step: Step) -> pl.Expr:
    """The object as text; `pieces` are constant texts and columns in turn."""
    pieces: list[str | pl.Expr] = []
    if step.dates is not None:
        start, end, days = step.dates
        from_on = (
            pl.when(pl.col("from") > start).then(pl.col(_FROM)).otherwise(pl.lit(_text(start)))
        )
        to_on = pl.when(pl.col("to") < end).then(pl.col(_TO)).otherwise(pl.lit(_text(end)))
        pieces += ['"from_on":"', from_on, '","to_on":"', to_on, '","days":', days, ","]
    if step.tier is not None:
        pieces.append(f'"tier":{step.tier},')
    pieces += ['"quantity_thousandths":', step.quantity.cast(pl.Int64), ',"rate_micros":']
    pieces.append(str(step.rate_micros) if isinstance(step.rate_micros, int) else step.rate_micros)
    if step.waived is not None:
        some = pl.concat_str(pl.lit(',"waived_micros":'), step.waived.cast(pl.String))
        pieces.append(pl.when(step.waived > 0).then(some).otherwise(pl.lit("")))
    texts = [pl.lit(each) if isinstance(each, str) else each for each in ["{", *pieces, "}"]]
    return pl.concat_str([each.cast(pl.String) for each in texts])


def _text(day: int) -> str:
    return date_of(day).isoformat()


def _with_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its periods written out, once for all steps."""
    return frame.with_columns(
        pl.col(day).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d").alias(text)
        for day, text in (("from", _FROM), ("to", _TO))
        if day in frame.columns
    )


def waived_micros(parts: pl.Expr | int, whole: int) -> pl.Expr | None:
    """What an exemption waives, in micros; None where none can."""
    return None if isinstance(parts, int) else (whole - parts) * MICROS // whole

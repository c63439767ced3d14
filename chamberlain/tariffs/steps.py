"""The steps of a printed line that several rates made, as JSON, for whoever explains the bill.

Each step is an object with some of: `from_on`, `to_on`, `days` (when figures change inside the
period), `tier`, `quantity_thousandths`, `rate_micros`, `waived_micros` (the part of one that an
exemption waives).
"""

from dataclasses import dataclass

import polars as pl

from chamberlain.kernel.money import MICROS

_REPEATED = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as expressions over the rows' frame. is_there: None for always.

    quantity is in thousandths. from_on, to_on: days since 1970.
    """

    is_there: pl.Expr | None
    quantity: pl.Expr
    rate_micros: pl.Expr | int
    tier: int | None = None
    dates: tuple[pl.Expr, pl.Expr, pl.Expr] | None = None
    waived: pl.Expr | int = 0
    """Waived micros; 0 is left out."""


def as_json(frame: pl.DataFrame, steps: list[Step]) -> pl.Series:
    """The steps of each row of the frame, as a JSON array (String).

    Rows that are alike are written once: cities bill many accounts the same usage and days.
    """
    text = _array(steps)
    if frame.height < _REPEATED:
        return frame.select(text.alias("steps"))["steps"]
    inputs = sorted(set(text.meta.root_names()))
    alike = frame.select(inputs)
    distinct = alike.unique()
    written = distinct.with_columns(text.alias("\x00steps"))
    joined = alike.join(written, on=inputs, how="left", maintain_order="left", nulls_equal=True)
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
        from_on, to_on, days = step.dates
        pieces += ['"from_on":"', _date(from_on), '","to_on":"', _date(to_on), '","days":', days]
        pieces.append(",")
    if step.tier is not None:
        pieces.append(f'"tier":{step.tier},')
    pieces += ['"quantity_thousandths":', step.quantity.cast(pl.Int64), ',"rate_micros":']
    pieces.append(str(step.rate_micros) if isinstance(step.rate_micros, int) else step.rate_micros)
    if isinstance(step.waived, pl.Expr):
        some = pl.concat_str(pl.lit(',"waived_micros":'), step.waived.cast(pl.String))
        pieces.append(pl.when(step.waived > 0).then(some).otherwise(pl.lit("")))
    elif step.waived:
        pieces.append(f',"waived_micros":{step.waived}')
    texts = [pl.lit(each) if isinstance(each, str) else each for each in ["{", *pieces, "}"]]
    return pl.concat_str([each.cast(pl.String) for each in texts])


def _date(days: pl.Expr) -> pl.Expr:
    return days.cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")


def waived_micros(parts: pl.Expr | int, whole: int) -> pl.Expr | int:
    """What an exemption waives, in micros."""
    return (whole - parts) * MICROS // whole

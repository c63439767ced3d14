"""Which entry of a table holds for each row of a frame.

A key is the text of the column's value, or of several values joined with `|`. The text that was
written in the file is tried first. Only then comes a reading that overlooks how it was written:
capitals, spaces, `1` or `1.0`, `yes` or `true`, and the ways to write a size (`1 1/2"`, `1|1/2"`,
`1-1/2"`, `1.5`); it counts only when one entry alone fits.
"""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

import polars as pl

_MIXED = re.compile(r"(\d)[ |-]+(\d+/[1-9]\d*)")
_SIZE = re.compile(
    r"^(\d+(?:\.\d*)?|\.\d+)?(?: ?(?<![\d.])(\d+/[1-9]\d*))?\s*(?:\"|″|''|in\.?|inch|inches)?$"
)
_YES = {"true", "yes"}
_NO = {"false", "no"}


def cases(frame: pl.DataFrame, columns: Sequence[str], keys: Iterable[str]) -> pl.Series:
    """For each row the position of its key among `keys` (UInt32), null when none fits."""
    attributes = frame.select(columns)
    distinct = attributes.unique()
    find = _Finder(list(keys))
    found = pl.Series("case", [find(row) for row in distinct.rows()], dtype=pl.UInt32)
    return attributes.join(
        distinct.with_columns(found.alias("\x00case")),
        on=list(columns),
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )["\x00case"]


class _Finder:
    """Positions of keys, as written and as read loosely."""

    def __init__(self, keys: list[str]) -> None:
        self.written = {key: position for position, key in enumerate(keys)}
        self.loose: dict[str, list[int]] = {}
        for position, key in enumerate(keys):
            self.loose.setdefault(loosely(key), []).append(position)

    def __call__(self, row: Sequence[object]) -> int | None:
        if any(value is None for value in row):
            return None
        key = "|".join(text_of(value) for value in row)
        if key in self.written:
            return self.written[key]
        fitting = self.loose.get(loosely(key), [])
        return fitting[0] if len(fitting) == 1 else None


def text_of(value: object) -> str:
    """A value as a key is written: whole floats without decimals."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def loosely(key: str) -> str:
    """A key without what does not distinguish it."""
    joined = _MIXED.sub(r"\1 \2", key.casefold())
    return "|".join(_loose_part(" ".join(part.split())) for part in joined.split("|"))


def _loose_part(part: str) -> str:
    if part in _YES:
        return "yes"
    if part in _NO:
        return "no"
    size = _SIZE.match(part)
    if size and (size[1] or size[2]):
        return str(Fraction(size[1] or 0) + Fraction(size[2] or 0))
    return part

"""Arithmetic of what is a column here and a constant there, so that constants cost nothing."""

from collections.abc import Iterable

import polars as pl


def times(left: pl.Expr | int, right: pl.Expr | int, dtype: type[pl.DataType]) -> pl.Expr | int:
    """A product in a type wide enough for it; 0 and 1 cost nothing."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int) and one == 1:
            return other
    return typed(left, dtype) * typed(right, dtype)


def typed(value: pl.Expr | int, dtype: type[pl.DataType]) -> pl.Expr:
    """A column or constant in a type."""
    return pl.lit(value, dtype=dtype) if isinstance(value, int) else value.cast(dtype)


def total_of(values: Iterable[pl.Expr | int]) -> pl.Expr | int:
    """A sum; of nothing it is 0."""
    total: pl.Expr | int = 0
    for value in values:
        total = value if isinstance(total, int) and total == 0 else total + value
    return total


def as_column(value: pl.Expr | int) -> pl.Expr:
    """A column, or a constant as one."""
    return pl.lit(value, dtype=pl.Int64) if isinstance(value, int) else value

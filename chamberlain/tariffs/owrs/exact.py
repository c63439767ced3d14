"""What an exact rating shows: whole cents, micro-dollars and thousandths of a unit."""

import polars as pl

from chamberlain.tariffs.owrs.arithmetic import Exact, Fractions
from chamberlain.tariffs.owrs.faults import CannotCompute, Flaw
from chamberlain.tariffs.owrs.rating import Rating

CENTS = 100
THOUSANDTHS = 1_000
MICROS = 1_000_000

_REST = "\x00owrs rest"


def columns(rating: Rating[Exact]) -> list[pl.Series]:
    """The columns that `Schedule.rate_exact` adds. Raises CannotCompute."""
    found: list[pl.Series] = []
    for name, column in rating.shown():
        suffix = rating.tier_columns(name)
        for number, step in enumerate(rating.steps.get(name, ()), 1):
            units = f"X{number}{suffix}_thousandths"
            found += [
                _scaled(rating, step.units, THOUSANDTHS, units, must_be_whole=True),
                _scaled(rating, step.price, MICROS, f"P{number}{suffix}_micros"),
                _scaled(rating, step.money, MICROS, f"XR{number}{suffix}_micros"),
            ]
        found.append(_scaled(rating, rating.amounts[name], MICROS, f"{column}_micros"))
        found.append(_scaled(rating, rating.amounts[name], CENTS, f"{column}_cents"))
    return found


def _scaled(
    rating: Rating[Exact], amount: Exact, per_unit: int, name: str, *, must_be_whole: bool = False
) -> pl.Series:
    """An amount in parts of a unit (Int64); the rest is rounded half up, away from zero."""
    sentence = f"{rating.path}: class {rating.customer.name}: {name} "
    try:
        rounded, left_over = Fractions().scaled(amount, per_unit)
    except Flaw:
        raise CannotCompute(sentence + "is too large.", field=name) from None
    both = rating.work.with_columns(rounded.alias(name), left_over.alias(_REST))
    if must_be_whole and both[_REST].any():
        raise CannotCompute(sentence + "has more than three decimals.", field=name)
    try:
        return both[name].cast(pl.Int64)
    except pl.exceptions.InvalidOperationError:
        raise CannotCompute(sentence + "is too large.", field=name) from None

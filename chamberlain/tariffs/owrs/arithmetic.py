"""Two arithmetics for the same formulas: floats, and exact fractions over whole numbers.

An amount is a column of a frame, or a constant. `Floats` computes as the format's reference program
does. `Fractions` keeps each amount as a whole-number column times a constant fraction, so that
prices, percentages and even `1/748` stay exact, and watches that no product outgrows 127 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import Protocol, TypeVar

import polars as pl

from chamberlain.kernel.money import round_half_up
from chamberlain.tariffs.owrs.faults import Flaw

A = TypeVar("A")

_NARROW = 2**62
_WIDE = 2**125
_POWER_MAX = 8


class Arithmetic(Protocol[A]):
    """What the rating of a class needs to do with amounts."""

    def number(self, value: Decimal) -> A: ...
    def column(self, name: str, frame: pl.DataFrame) -> A: ...
    def add(self, left: A, right: A) -> A: ...
    def subtract(self, left: A, right: A) -> A: ...
    def multiply(self, left: A, right: A) -> A: ...
    def divide(self, left: A, right: A) -> A: ...
    def power(self, left: A, right: A) -> A: ...
    def whole(self, amount: A) -> A: ...
    def lesser(self, left: A, right: A) -> A: ...
    def positive(self, amount: A) -> A: ...
    def when(self, condition: pl.Expr, then: A, otherwise: A | None) -> A: ...
    def choose(self, case: pl.Expr, options: Sequence[A | None]) -> A: ...
    def kept(self, amount: A, name: str) -> tuple[pl.Expr, A]: ...
    def percent(self, share: Decimal, of: A) -> A: ...
    def as_float(self, amount: A) -> pl.Expr: ...


@dataclass(frozen=True, slots=True)
class Floating:
    """A float column, or a constant when `constant` is not None."""

    expr: pl.Expr
    constant: float | None = None


def _constant(value: float) -> Floating:
    return Floating(pl.lit(value, dtype=pl.Float64), value)


class Floats:
    """Arithmetic in Float64; what is not finite becomes null."""

    def number(self, value: Decimal) -> Floating:
        return _constant(float(value))

    def column(self, name: str, frame: pl.DataFrame) -> Floating:
        del frame
        return Floating(_finite(pl.col(name).cast(pl.Float64)))

    def add(self, left: Floating, right: Floating) -> Floating:
        if left.constant is not None and right.constant is not None:
            return _constant(left.constant + right.constant)
        return Floating(left.expr + right.expr)

    def subtract(self, left: Floating, right: Floating) -> Floating:
        if left.constant is not None and right.constant is not None:
            return _constant(left.constant - right.constant)
        return Floating(left.expr - right.expr)

    def multiply(self, left: Floating, right: Floating) -> Floating:
        if left.constant is not None and right.constant is not None:
            return _constant(left.constant * right.constant)
        return Floating(left.expr * right.expr)

    def divide(self, left: Floating, right: Floating) -> Floating:
        if right.constant == 0:
            raise Flaw("divides by zero")
        if left.constant is not None and right.constant is not None:
            return _constant(left.constant / right.constant)
        return Floating(_finite(left.expr / right.expr))

    def power(self, left: Floating, right: Floating) -> Floating:
        return Floating(_finite(left.expr.pow(right.expr)))

    def whole(self, amount: Floating) -> Floating:
        return Floating(amount.expr.round(0, mode="half_to_even"))

    def lesser(self, left: Floating, right: Floating) -> Floating:
        smaller = pl.when(left.expr < right.expr).then(left.expr)
        return Floating(smaller.when(left.expr >= right.expr).then(right.expr))

    def positive(self, amount: Floating) -> Floating:
        return Floating(amount.expr.clip(0.0))

    def when(self, condition: pl.Expr, then: Floating, otherwise: Floating | None) -> Floating:
        rest = pl.lit(None, dtype=pl.Float64) if otherwise is None else otherwise.expr
        return Floating(pl.when(condition).then(then.expr).otherwise(rest))

    def choose(self, case: pl.Expr, options: Sequence[Floating | None]) -> Floating:
        constants = [None if option is None else option.constant for option in options]
        if all(o is None or o.constant is not None for o in options):
            return Floating(pl.lit(pl.Series(constants, dtype=pl.Float64)).gather(case))
        chain: pl.Expr = pl.lit(None, dtype=pl.Float64)
        for index, option in enumerate(options):
            if option is not None:
                chain = pl.when(case == index).then(option.expr).otherwise(chain)
        return Floating(chain)

    def kept(self, amount: Floating, name: str) -> tuple[pl.Expr, Floating]:
        return amount.expr.alias(name), Floating(pl.col(name), amount.constant)

    def percent(self, share: Decimal, of: Floating) -> Floating:
        # As the reference program computes it: first the share, then times the budget.
        return self.multiply(_constant(float(share) / 100), of)

    def as_float(self, amount: Floating) -> pl.Expr:
        return amount.expr


def _finite(expr: pl.Expr) -> pl.Expr:
    return pl.when(expr.is_finite()).then(expr)


@dataclass(frozen=True, slots=True)
class Exact:
    """whole * factor, where |whole| <= bound; a constant is its factor alone, with whole = 1."""

    whole: pl.Expr | None
    factor: Fraction
    bound: int

    def units(self, of: Fraction) -> "Exact":
        """The same amount with `of` as its factor, of which the present one is a multiple."""
        times = self.factor / of
        whole = _ones() if self.whole is None else self.whole
        bound = self.bound * abs(times.numerator)
        return Exact(_wide(whole, bound) * _literal(times.numerator, bound), of, bound)


def _ones() -> pl.Expr:
    return pl.lit(1, dtype=pl.Int64)


def _literal(value: int, bound: int) -> pl.Expr:
    wide = max(bound, abs(value)) >= _NARROW
    return pl.lit(value, dtype=pl.Int128 if wide else pl.Int64)


def _wide(whole: pl.Expr, bound: int) -> pl.Expr:
    """The column in a type that holds numbers up to the bound."""
    if bound >= _WIDE:
        raise Flaw("the figures grow too large to be computed exactly")
    return whole.cast(pl.Int128) if bound >= _NARROW else whole


def _common(amounts: Sequence[Exact]) -> Fraction:
    """The largest fraction of which every amount's factor is a whole multiple."""
    numerator, denominator = 0, 1
    for amount in amounts:
        factor = amount.factor
        numerator = gcd(numerator * factor.denominator, factor.numerator * denominator)
        denominator *= factor.denominator
        shared = gcd(numerator, denominator)
        numerator, denominator = numerator // shared, denominator // shared
    return Fraction(numerator, denominator) if numerator else Fraction(1)


class Fractions:
    """Exact arithmetic; raises Flaw for what has no exact result."""

    def number(self, value: Decimal) -> Exact:
        return Exact(None, Fraction(value), 1)

    def column(self, name: str, frame: pl.DataFrame) -> Exact:
        return whole_column(name, frame)

    def add(self, left: Exact, right: Exact) -> Exact:
        if left.whole is None and right.whole is None:
            return Exact(None, left.factor + right.factor, 1)
        unit = _common([left, right])
        a, b = left.units(unit), right.units(unit)
        bound = a.bound + b.bound
        return Exact(_wide(_expr(a), bound) + _wide(_expr(b), bound), unit, bound)

    def subtract(self, left: Exact, right: Exact) -> Exact:
        return self.add(left, Exact(right.whole, -right.factor, right.bound))

    def multiply(self, left: Exact, right: Exact) -> Exact:
        factor = left.factor * right.factor
        if left.whole is None or right.whole is None:
            kept = right if left.whole is None else left
            return Exact(kept.whole, factor, kept.bound)
        bound = left.bound * right.bound
        return Exact(_wide(left.whole, bound) * _wide(right.whole, bound), factor, bound)

    def divide(self, left: Exact, right: Exact) -> Exact:
        if right.whole is not None:
            raise Flaw("divides by a column, which has no exact result")
        if right.factor == 0:
            raise Flaw("divides by zero")
        return Exact(left.whole, left.factor / right.factor, left.bound)

    def power(self, left: Exact, right: Exact) -> Exact:
        exponent = right.factor
        if right.whole is not None or exponent.denominator != 1 or not 0 <= exponent <= _POWER_MAX:
            raise Flaw("raises to a power that has no exact result")
        result = self.number(Decimal(1))
        for _ in range(int(exponent)):
            result = self.multiply(result, left)
        return result

    def whole(self, amount: Exact) -> Exact:
        if amount.whole is None:
            return Exact(None, Fraction(round(amount.factor)), 1)
        bottom = amount.factor.denominator
        scaled = amount.units(Fraction(1, bottom))
        bound = max(scaled.bound, 2 * bottom) * 2
        top = _wide(_expr(scaled), bound)
        quotient = top // _literal(bottom, bound)
        twice = (top - quotient * _literal(bottom, bound)) * _literal(2, bound)
        odd = (quotient % _literal(2, bound)) == 1
        half = _literal(bottom, bound)
        up = (twice > half) | ((twice == half) & odd)
        rounded = pl.when(up).then(quotient + 1).when(quotient.is_not_null()).then(quotient)
        return Exact(rounded, Fraction(1), scaled.bound // bottom + 1)

    def lesser(self, left: Exact, right: Exact) -> Exact:
        unit = _common([left, right])
        a, b = left.units(unit), right.units(unit)
        first, second = _expr(a), _expr(b)
        smaller = pl.when(first < second).then(first).when(first >= second).then(second)
        return Exact(smaller, unit, max(a.bound, b.bound))

    def positive(self, amount: Exact) -> Exact:
        same = amount.units(abs(amount.factor) or Fraction(1))
        return Exact(_expr(same).clip(lower_bound=0), same.factor, same.bound)

    def when(self, condition: pl.Expr, then: Exact, otherwise: Exact | None) -> Exact:
        if otherwise is None:
            whole = _ones() if then.whole is None else then.whole
            return Exact(pl.when(condition).then(whole), then.factor, then.bound)
        unit = _common([then, otherwise])
        a, b = then.units(unit), otherwise.units(unit)
        bound = max(a.bound, b.bound)
        chosen = pl.when(condition).then(_wide(_expr(a), bound)).otherwise(_wide(_expr(b), bound))
        return Exact(chosen, unit, bound)

    def choose(self, case: pl.Expr, options: Sequence[Exact | None]) -> Exact:
        present = [option for option in options if option is not None]
        unit = _common(present)
        in_units = [None if option is None else option.units(unit) for option in options]
        bound = max((option.bound for option in in_units if option is not None), default=0)
        if all(option.whole is None for option in present):
            wholes = [None if o is None else int(o.factor / unit) for o in options]
            dtype = pl.Int128 if bound >= _NARROW else pl.Int64
            return Exact(pl.lit(pl.Series(wholes, dtype=dtype)).gather(case), unit, bound)
        chain: pl.Expr = pl.lit(None, dtype=pl.Int64)
        for index, option in enumerate(in_units):
            if option is not None:
                chain = pl.when(case == index).then(_expr(option)).otherwise(chain)
        return Exact(chain, unit, bound)

    def kept(self, amount: Exact, name: str) -> tuple[pl.Expr, Exact]:
        if amount.whole is None:
            return _ones().alias(name), amount
        return amount.whole.alias(name), Exact(pl.col(name), amount.factor, amount.bound)

    def percent(self, share: Decimal, of: Exact) -> Exact:
        return self.multiply(Exact(None, Fraction(share) / 100, 1), of)

    def as_float(self, amount: Exact) -> pl.Expr:
        # Dividing last gives the float nearest to the decimal, 30.4 and not 30.400000000000002.
        top = _expr(amount).cast(pl.Float64) * amount.factor.numerator
        return top / amount.factor.denominator

    def scaled(self, amount: Exact, per_unit: int) -> tuple[pl.Expr, pl.Expr]:
        """The amount in parts of a unit, a half away from zero, and whether that rounded it."""
        ratio = amount.factor * per_unit
        bottom = ratio.denominator
        if amount.whole is None:
            rounded = round_half_up(ratio.numerator, bottom)
            return pl.lit(rounded, dtype=pl.Int64), pl.lit(bottom != 1)
        scaled = amount.units(Fraction(1, bottom * per_unit))
        bound = 2 * scaled.bound + 2 * bottom
        top = _wide(_expr(scaled), bound)
        size = (top.abs() * _literal(2, bound) + _literal(bottom, bound)) // _literal(
            2 * bottom, bound
        )
        return pl.when(top < 0).then(-size).otherwise(size), (top % _literal(bottom, bound)) != 0


def _expr(amount: Exact) -> pl.Expr:
    return _ones() if amount.whole is None else amount.whole


DECIMALS_MAX = 6


def whole_column(name: str, frame: pl.DataFrame) -> Exact:
    """A column as whole numbers times 1, 1/10 … 1/1,000,000. Raises Flaw when it has more decimals.

    A float stands for the shortest decimal that it prints as.
    """
    series = frame[name]
    dtype = series.dtype
    if dtype.is_float():
        series, places = _float_as_whole(name, series)
    elif isinstance(dtype, pl.Decimal):
        places = dtype.scale
        series = series.to_physical().cast(pl.Int64)
    else:
        series, places = series.cast(pl.Int64), 0
    largest = max(abs(int(series.min() or 0)), abs(int(series.max() or 0)), 1)  # type: ignore[arg-type]
    return Exact(pl.lit(series), Fraction(1, 10**places), largest)


def _float_as_whole(name: str, series: pl.Series) -> tuple[pl.Series, int]:
    finite = series.to_frame("n").select(_finite(pl.col("n").cast(pl.Float64)))["n"]
    if (finite.abs() > 1e12).any():
        raise Flaw(f"the column {name} holds figures too large to be computed exactly")
    for places in range(DECIMALS_MAX + 1):
        scaled = finite * 10.0**places
        whole = scaled.round(0)
        # A written decimal times a power of ten misses its whole number by rounding only.
        if ((scaled - whole).abs() <= whole.abs() * 4e-16 + 1e-12 * (places > 0)).all():
            return whole.cast(pl.Int64), places
    raise Flaw(f"the column {name} has more than {DECIMALS_MAX} decimals")

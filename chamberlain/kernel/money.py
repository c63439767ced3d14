"""Money in whole cents, rates as exact decimals, and the one place where both are rounded.

Inside frames money is `Int64` cents and a rate is `Int64` micros (millionths of a dollar, or of
a unit), so that rating is integer arithmetic; outside frames money is `Cents` and a rate is
`Decimal`. A float is never accepted.
"""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NewType

import polars as pl

from chamberlain.kernel.errors import Invalid

Cents = NewType("Cents", int)

MICROS = 1_000_000
LARGEST_CENTS = 10**15

_DOLLARS = re.compile(r"^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$")


def round_half_up(numerator: int, denominator: int) -> int:
    """The whole number nearest to numerator / denominator; a half goes away from zero.

    denominator: > 0.
    """
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def round_half_up_column(numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """`round_half_up` over Int64 or Int128 columns.

    Numerators stay under 4.6e18 in size in Int64, under 8.5e37 in Int128.
    """
    rounded = (2 * numerator.abs() + denominator) // (2 * denominator)
    return pl.when(numerator < 0).then(0 - rounded).otherwise(rounded)


def cents_of(dollars: Decimal) -> Cents:
    """Dollars as whole cents, half up."""
    if not isinstance(dollars, Decimal):
        raise TypeError("money comes as Decimal, never as a float")
    return Cents(int((dollars * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def parse_cents(text: str, *, field: str = "amount") -> Cents:
    """Cents of what a person typed: `12`, `12.5`, `$1,234.56`. Never negative.

    Raises Invalid when the text is not an amount of dollars with at most two decimals.
    """
    match = _DOLLARS.match(text.strip())
    if not match or match.group(0).strip("$ ") == "":
        raise Invalid(
            f"“{text.strip()[:40]}” is not an amount; type dollars and cents such as 48.50.",
            field=field,
        )
    whole = int((match.group(1) or "0").replace(",", ""))
    cents = whole * 100 + int((match.group(2) or "0").ljust(2, "0"))
    if cents > LARGEST_CENTS:
        raise Invalid("The amount is larger than the program keeps; check it.", field=field)
    return Cents(cents)


def show_cents(cents: int) -> str:
    """`-123456` as `-$1,234.56`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def micros_of(value: object, *, field: str = "rate") -> int:
    """A decimal number (int, Decimal or its text) as whole millionths.

    Raises Invalid for a float, for what is not a number, and for more than six decimals.
    """
    if isinstance(value, float | bool):
        raise Invalid(f"{field}: write {value!r} as text, so that it stays exact.", field=field)
    try:
        scaled = Decimal(str(value)) * MICROS
    except InvalidOperation:
        raise Invalid(f"{field}: {value!r} is not a number.", field=field) from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise Invalid(f"{field}: {value!r} has more than six decimals.", field=field)
    return int(scaled)


def decimal_of_micros(micros: int) -> Decimal:
    """Millionths as the shortest exact decimal: 36510000 as 36.51."""
    return Decimal(micros).scaleb(-6).normalize() + Decimal(0)

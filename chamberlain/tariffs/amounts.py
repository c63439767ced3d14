"""What a component comes to, as exact whole-number columns over one denominator.

An amount is a sum of **addends**: a column (usage, months, the usage above a tier's end) times a
coefficient that may differ by segment and by key. Tiers become such a sum because a bill that
grows with rate r1 up to a limit and r2 above it is r1 × usage + (r2 - r1) × usage above the limit.
Splitting usage and allowances by the days of each version only scales that sum, so an amount is
computed for the whole period under each version and then weighted by its days.
"""

from dataclasses import replace
from math import gcd

import polars as pl

from chamberlain.kernel.money import MICROS
from chamberlain.tariffs import tiering
from chamberlain.tariffs.figures import (
    MICROS_IN_A_CENT,
    Addend,
    Amount,
    Figures,
    into_whole,
    rate_of,
    times_of,
)
from chamberlain.tariffs.rows import Rows
from chamberlain.tariffs.schedule import Component, Fixed, FlatRate, Minimum, Percent, Tiered
from chamberlain.tariffs.units import factor


def amount_of(
    component: Component, rows: Rows, figures: Figures, base: tuple[pl.Expr, int] | None
) -> Amount:
    """The amount of a component.

    base: cents of the lines that a percent or minimum is of, and the most that they are.
    """
    match component.terms:
        case Fixed() as terms:
            return _fixed(terms, rows, figures)
        case FlatRate(unit):
            return _flat_rate(unit, rows, figures)
        case Tiered() as terms:
            return tiering.tiered(terms, rows, figures)
        case Percent():
            assert base is not None
            return _percent(*base, figures)
        case Minimum(_, per):
            assert base is not None
            floor = _fixed(Fixed(per), rows, figures)
            return replace(
                _percent(*base, figures), addends=floor.addends, denominator=floor.denominator
            )


def _fixed(terms: Fixed, rows: Rows, figures: Figures) -> Amount:
    times, whole, most = (
        rows.seasons(terms.season_starts) if terms.season_starts else times_of(rows, terms.per)
    )
    unit = terms.per
    if terms.per_dwelling_unit or terms.count:
        count, largest = rows.whole_number(terms.count or "dwelling_units")
        times, most = times * count, most * largest
        unit = "fixture" if terms.count else f"unit-{terms.per}"
    rates = [figures.of(number, rate_of) for number in figures.numbers]
    addend = Addend(times, most, dict(enumerate(rates)))
    return Amount(
        (addend,),
        whole * MICROS_IN_A_CENT,
        times * 1000,
        whole,
        most * 1000,
        unit,
        tuple(rate.value for rate in rates),
    )


def _flat_rate(unit: str, rows: Rows, figures: Figures) -> Amount:
    # Rows without a unit are refused; they are computed with the others all the same.
    into = factor(rows.unit or unit, unit)
    rates = [figures.of(number, rate_of) for number in figures.numbers]
    tables = [figures.table(number, rate_of) for number in figures.numbers]
    # What all rates have in common is taken out, so that products stay small.
    shared = gcd(*(micros for table in tables for micros in table)) or 1
    scale = into * shared / (1000 * MICROS_IN_A_CENT)
    coefficients = {
        number: figures.column(tuple(micros // shared * scale.numerator for micros in table))
        for number, table in enumerate(tables)
    }
    return Amount(
        (Addend(pl.col("usage"), rows.usage_max, coefficients),),
        scale.denominator,
        into_whole(pl.col("usage"), rows.usage_max, into.numerator),
        into.denominator,
        rows.usage_max * into.numerator,
        unit,
        tuple(rate.value for rate in rates),
    )


def _percent(base: pl.Expr, largest: int, figures: Figures) -> Amount:
    rates = [figures.of(number, rate_of) for number in figures.numbers]
    addend = Addend(base, largest, dict(enumerate(rates)))
    micros = tuple(rate.value for rate in rates)
    return Amount((addend,), MICROS, base * 10, 1, largest * 10, "dollar", micros)

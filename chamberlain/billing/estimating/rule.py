"""What a service used that nobody read, from the same days of last year or from its class.

First by the same days of last year of the service itself: usage per day × days. For example, 60
days of last year of which 50 were read, with 12.000 mcf in them, and 61 days to estimate:

    12.000 × 61 / 50 = 14.640 mcf, on a register of whole units 15.000

When too few of those days were read, by the average a day of every service of the same class and
meter size over the last period. When these are too few as well, or the service was estimated too
often since its last read, nothing is estimated and the sentence says why. A register shows whole
units, so an estimate of it is rounded to them, half up, and the register counts on from there.
"""

from dataclasses import dataclass

import polars as pl

from chamberlain.kernel.money import round_half_up_column

THOUSAND = 1000

SERVICES = {
    "agreement_id": pl.Int64,
    "account_number": pl.String,
    "service_point_id": pl.Int64,
    "service_point": pl.String,
    "rate_class": pl.String,
    "meter_size": pl.String,
    "meter_id": pl.Int64,
    "serial": pl.String,
    "dials": pl.Int64,
    "meters": pl.Int64,
    "last_register": pl.Int64,
    "unit": pl.String,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "in_row": pl.Int64,
    "year_thousandths": pl.Int64,
    "year_days": pl.Int64,
}
CLASSES = {
    "rate_class": pl.String,
    "meter_size": pl.String,
    "unit": pl.String,
    "class_thousandths": pl.Int64,
    "class_days": pl.Int64,
    "class_services": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The city's figures; see `models.EstimateTerms`."""

    in_row: int
    covered_percent: int
    class_services: int


def estimates(services: pl.DataFrame, classes: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Estimated usage of services from their last read up to a day.

    services: columns SERVICES, one row for each; from_on before to_on, year_days of the same days
    of last year were read, with year_thousandths in them. classes: columns CLASSES, one row for a
    class, meter size and unit.
    Returns services with how ("last_year", "class_average"), basis_thousandths, basis_days,
    basis_services, usage_thousandths (all null when refused), register (null without a meter) and
    refusal (a sentence, null when estimated).
    """
    keys = ["rate_class", "meter_size", "unit"]
    known = services.join(
        classes, on=keys, how="left", maintain_order="left", nulls_equal=True
    ).with_columns(_how(terms))
    is_year = pl.col("how") == "last_year"
    known = known.with_columns(
        basis_thousandths=_of(is_year, "year_thousandths", "class_thousandths"),
        basis_days=_of(is_year, "year_days", "class_days"),
        basis_services=pl.when(is_year).then(pl.lit(1, dtype=pl.Int64)).when(
            pl.col("how").is_not_null()
        ).then("class_services"),
    )  # fmt: skip
    return (
        _counted(known)
        .with_columns(refusal=_refusal(terms))
        .drop("class_thousandths", "class_days", "class_services")
    )


def days() -> pl.Expr:
    """How many days are estimated."""
    return (pl.col("to_on") - pl.col("from_on")).dt.total_days()


def _how(terms: Terms) -> pl.Expr:
    may_be = (pl.col("in_row") < terms.in_row) & (pl.col("meters") <= 1) & (
        pl.col("unit").is_not_null()
    )  # fmt: skip
    is_covered = pl.col("year_days") * 100 >= days() * terms.covered_percent
    is_covered &= pl.col("year_days") > 0
    is_class = (pl.col("class_services") >= terms.class_services).fill_null(False)
    return (
        pl.when(~may_be)
        .then(pl.lit(None, dtype=pl.String))
        .when(is_covered)
        .then(pl.lit("last_year"))
        .when(is_class)
        .then(pl.lit("class_average"))
        .alias("how")
    )


def _of(is_year: pl.Expr, year: str, of_class: str) -> pl.Expr:
    return pl.when(is_year).then(year).when(pl.col("how").is_not_null()).then(of_class)


def _counted(known: pl.DataFrame) -> pl.DataFrame:
    has_register = pl.col("meter_id").is_not_null()
    product = pl.col("basis_thousandths").cast(pl.Int128) * days()
    exact = round_half_up_column(product, pl.col("basis_days").cast(pl.Int128))
    whole = (
        round_half_up_column(product, pl.col("basis_days").cast(pl.Int128) * THOUSAND) * THOUSAND
    )
    counted = known.with_columns(
        usage_thousandths=pl.when(has_register).then(whole).otherwise(exact).cast(pl.Int64)
    )
    shown = pl.col("last_register") + pl.col("usage_thousandths") // THOUSAND
    return counted.with_columns(
        register=pl.when(has_register).then(shown % pl.lit(10, dtype=pl.Int64).pow(pl.col("dials")))
    )


def _refusal(terms: Terms) -> pl.Expr:
    return (
        pl.when(pl.col("how").is_not_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(pl.col("in_row") >= terms.in_row)
        .then(
            pl.format(
                "Estimated {} times since its last read, which is as often as the city allows; "
                "order a read or an inspection of the meter.",
                "in_row",
            )
        )
        .when(pl.col("meters") > 1)
        .then(pl.format("{} meters serve this place; each has to be read, order a read.", "meters"))
        .otherwise(
            pl.lit("Too little is known of last year's usage here and of this class; order a read.")
        )
    )

"""What usage somebody should look at. Pure functions: reads in, findings out.

Each rule takes reads as `comparing.looked_at` gives them, with property_type, account_id (of the
holder on the last day; null without one) and class_usual (thousandths of a gallon a day for the
property; null where its class is unknown), and gives those that it finds with `compared`, what
they were held against. The thresholds are the city's (`watching.yaml`). A read that somebody
verified is not questioned again; what it says about the meter (stopped, estimated) or about a
leak still is.
"""

from collections.abc import Callable

import polars as pl

from chamberlain.metering.dials import usage_column
from chamberlain.metering.watching.comparing import POINT, in_gallons, looked_at, standing, steady
from chamberlain.metering.watching.terms import Rule, Terms

PLACES = {
    POINT: pl.Int64,
    "property_type": pl.String,
    "dwelling_units": pl.Int64,
}
HOLDERS = {POINT: pl.Int64, "account_id": pl.Int64, "since": pl.Date, "until": pl.Date}
CLASSES = {"property_type": pl.String, "class_daily": pl.Int64}
SHOWN = (
    "read_id", POINT, "property_type", "account_id", "from_on", "to_on", "days", "daily",
    "last_year", "usual", "class_usual", "register", "register_before", "zero_reads", "zero_days",
    "daily_before", "estimates", "estimated_since",
)  # fmt: skip
GALLON = 1000


def found(
    reads: pl.DataFrame,
    places: pl.DataFrame,
    holders: pl.DataFrame,
    classes: pl.DataFrame,
    terms: Terms,
) -> pl.DataFrame:
    """What the rules find in the new ones of all reads of some service points.

    reads: as `comparing` describes. places: PLACES, a row for each service point. holders: who
    holds an account there, from `since` (closed) to `until` (open; null is for ever). classes:
    thousandths of a gallon a day for a dwelling unit, by property type.
    Returns SHOWN, with rule, severity, holds_bill, compared, least and most (for a leak).
    A stopped meter is not said to measure nothing too, nor one that went back to measure little.
    """
    history = in_gallons(standing(reads))
    looked = _placed(looked_at(history, terms.usual_days), places, holders, classes)
    parts = []
    for rule in terms.rules:
        asked = looked.filter(pl.col("property_type").is_in(list(rule.except_types)).not_())
        if rule.code == "leak":
            runs = steady(history, rule.figures["reads"], terms.usual_days)
            shown = leak(asked.join(runs.rename({"usual": "usual_before"}), on="read_id"), rule)
        else:
            shown = RULES[rule.code](asked, rule)
        parts.append(
            shown.select(
                pl.col("^(" + "|".join(SHOWN) + "|compared|least|most)$"),
                rule=pl.lit(rule.code),
                severity=pl.lit(rule.severity, dtype=pl.Int64),
                holds_bill=pl.lit(rule.holds_bill),
            )
        )
    if not parts:
        return looked.select(SHOWN).clear().with_columns(rule=pl.lit("", dtype=pl.String))
    return _said_once(pl.concat(parts, how="diagonal")).sort("read_id", "rule")


def _placed(
    looked: pl.DataFrame, places: pl.DataFrame, holders: pl.DataFrame, classes: pl.DataFrame
) -> pl.DataFrame:
    last = pl.col("to_on") - pl.duration(days=1)
    holding = (
        looked.select("read_id", POINT, "to_on")
        .join(holders, on=POINT)
        .filter((pl.col("since") <= last) & (last < pl.col("until")).fill_null(True))
        .group_by("read_id")
        .agg(pl.col("account_id").min())
    )
    units = pl.max_horizontal(pl.col("dwelling_units"), pl.lit(1, dtype=pl.Int64))
    return (
        looked.join(places, on=POINT)
        .join(holding, on="read_id", how="left")
        .join(classes, on="property_type", how="left")
        .with_columns(class_usual=pl.col("class_daily") * units)
    )


def _said_once(findings: pl.DataFrame) -> pl.DataFrame:
    def shown_by(rule: str) -> pl.Expr:
        return (pl.col("rule") == rule).any().over("read_id")

    is_zero, is_low = pl.col("rule") == "zero", pl.col("rule") == "low"
    said = (is_zero & shown_by("stopped")) | ((is_zero | is_low) & shown_by("reversed"))
    return findings.filter(said.not_())


def _questioned() -> pl.Expr:
    return pl.col("is_measured") & pl.col("is_verified").not_()


def high(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """More than usual: by the percents of last year and of the own usual, as far as each is known.

    Where neither is, by percent_of_class. Never by less than least_more_gallons a day.
    """
    figures = rule.figures
    more = pl.lit(figures["least_more_gallons"] * GALLON, dtype=pl.Int64)

    def above(column: str, percent: str) -> pl.Expr:
        base = pl.col(column)
        share = pl.col("daily") * 100 >= base * figures[percent]
        return share & (pl.col("daily") - base >= more)

    is_known = pl.any_horizontal(pl.col("last_year", "usual").is_not_null())
    by_history = pl.all_horizontal(
        above("last_year", "percent_of_last_year").fill_null(True),
        above("usual", "percent_of_usual").fill_null(True),
    )
    by_class = above("class_usual", "percent_of_class").fill_null(False)
    return looked.filter(
        _questioned() & pl.when(is_known).then(by_history).otherwise(by_class)
    ).with_columns(compared=pl.coalesce("last_year", "usual", "class_usual"))


def low(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Some usage, but little: at most the percents of last year and of the own usual.

    Only where each that is known was at least least_before_gallons a day.
    """
    figures = rule.figures
    least = figures["least_before_gallons"] * GALLON

    def below(column: str, percent: str) -> pl.Expr:
        share = pl.col("daily") * 100 <= pl.col(column) * figures[percent]
        return (share & (pl.col(column) >= least)).fill_null(True)

    return looked.filter(
        _questioned()
        & (pl.col("gallons") > 0)
        & pl.any_horizontal(pl.col("last_year", "usual").is_not_null())
        & below("last_year", "percent_of_last_year")
        & below("usual", "percent_of_usual")
    ).with_columns(compared=pl.coalesce("last_year", "usual"))


def zero(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """No usage in at least least_days, though somebody holds an account there."""
    return looked.filter(
        _questioned()
        & (pl.col("gallons") == 0)
        & pl.col("account_id").is_not_null()
        & (pl.col("days") >= rule.figures["least_days"])
    ).with_columns(compared=pl.col("daily_before"))


def reversed_(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """A register lower than at the last measured read, which no rollover explains.

    Where a register is not known, usage below zero. (After an estimate that was too high, usage
    may be below zero although the meter counted on.)
    """
    before, now = pl.col("register_before"), pl.col("register")
    went_back = (now < before) & usage_column(before, now, pl.col("dials")).is_null()
    is_known = before.is_not_null() & now.is_not_null() & pl.col("dials").is_not_null()
    return looked.filter(
        _questioned() & pl.when(is_known).then(went_back).otherwise(pl.col("gallons") < 0)
    ).with_columns(compared=pl.lit(None, dtype=pl.Int64))


def stopped(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """At least `reads` measured reads in a row without usage, after there was some."""
    return looked.filter(
        pl.col("is_measured")
        & (pl.col("zero_reads") >= rule.figures["reads"]).fill_null(False)
        & pl.col("daily_before").is_not_null()
    ).with_columns(compared=pl.col("daily_before"))


def estimated(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """At least `reads` estimates in a row."""
    return looked.filter(
        (pl.col("estimates") >= rule.figures["reads"]).fill_null(False)
    ).with_columns(compared=pl.lit(None, dtype=pl.Int64))


def leak(looked: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """A constant flow above what was usual before, as a leak makes it.

    looked: also least and most (gallons a day of the last `reads` reads) and usual_before. Each of
    them is at least percent_of_usual and least_more_gallons above what was usual before; the most
    is at most spread_percent above the least. Nor was last year as high, where it is known.
    """
    figures = rule.figures
    share = figures["percent_of_usual"]
    usual, least = pl.col("usual_before"), pl.col("least")
    return looked.filter(
        (least * 100 >= usual * share)
        & (least - usual >= figures["least_more_gallons"] * GALLON)
        & (pl.col("most") * 100 <= least * (100 + figures["spread_percent"]))
        & (pl.col("daily") * 100 >= pl.col("last_year") * share).fill_null(True)
    ).with_columns(compared=usual)


RULES: dict[str, Callable[[pl.DataFrame, Rule], pl.DataFrame]] = {
    "high": high,
    "low": low,
    "zero": zero,
    "reversed": reversed_,
    "stopped": stopped,
    "estimated": estimated,
}

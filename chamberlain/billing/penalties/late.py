"""Which penalties fall due: the rule, over frames.

A charge may be paid until the last of its days: its due date, or `grace_days` after it was raised
where that is later. A penalty falls due when that day ends, and again on the same day of each
month after (the last of a shorter month), for as long as something is open then:

    raised Jan 7, 24 days of grace        may be paid until Jan 31
    open when Jan 31 ends      $100.00    penalty   $1.25
    open when Feb 28 ends       $60.00    penalty   $0.75
    held on Mar 31                        none
    paid on Apr 2                         none on Apr 30

A penalty draws none itself. What a hold or an exemption passed over is not made up for later.
Source: Municipal Code of Chicago 11-12-420, for a city that has this rule.
"""

from datetime import date

import polars as pl

from chamberlain.kernel.money import MICROS, round_half_up_column

CHARGES = {
    "charge_id": pl.Int64,
    "account_id": pl.Int64,
    "document": pl.String,
    "raised_on": pl.Date,
    "due_on": pl.Date,
    "grace_days": pl.Int64,
    "open_cents": pl.Int64,
}
MOVES = {"charge_id": pl.Int64, "day": pl.Date, "cents": pl.Int64}
HELD = {"charge_id": pl.Int64, "from_on": pl.Date, "until_on": pl.Date}
SPARED = {"account_id": pl.Int64, "from_on": pl.Date, "until_on": pl.Date}
RATES = {"starts_on": pl.Date, "rate_micros": pl.Int64}
DONE = {"charge_id": pl.Int64, "falls_on": pl.Date}


def falling_due(charges: pl.DataFrame, since: date, on: date) -> pl.DataFrame:
    """Days on which penalties of charges fall due, from `since` up to the day before `on`.

    charges: CHARGES. Returns charges with falls_on, a row for each day; charges without one are
    left out.
    """
    last = pl.max_horizontal(
        pl.col("due_on"),
        pl.col("raised_on") + pl.duration(days=pl.col("grace_days")),
    )
    dated = charges.with_columns(last_day=last).filter(pl.col("last_day") < on)
    months = (pl.lit(on).dt.year() - pl.col("last_day").dt.year()).cast(pl.Int64) * 12 + (
        pl.lit(on).dt.month().cast(pl.Int64) - pl.col("last_day").dt.month().cast(pl.Int64)
    )
    span = (on.year - since.year) * 12 + on.month - since.month
    first = (months - span).clip(0)
    return (
        dated.with_columns(month=pl.int_ranges(first, months + 1))
        .explode("month")
        .with_columns(falls_on=pl.col("last_day").dt.offset_by(pl.format("{}mo", pl.col("month"))))
        .filter((pl.col("falls_on") >= since) & (pl.col("falls_on") < on))
        .drop("month", "last_day")
    )


def late_penalties(
    due: pl.DataFrame,
    moves: pl.DataFrame,
    held: pl.DataFrame,
    spared: pl.DataFrame,
    done: pl.DataFrame,
    rates: pl.DataFrame,
) -> pl.DataFrame:
    """The penalties of the days that fall due.

    due: what `falling_due` returns, open_cents being what is open now. moves: MOVES, what settled
    a charge on a day (negative where it was opened again), at least on all days after the
    earliest falls_on. held, spared: HELD and SPARED, days in which a charge, or all charges of an
    account, draw none (until_on: the first day after, null when it goes on). done: DONE, penalties
    that were raised before. rates: RATES by starts_on.
    Returns charge_id, account_id, document, falls_on, open_cents (at the end of that day, > 0),
    penalty_cents (> 0), ordered by account, document, charge and day.
    """
    pending = due.join(done, on=["charge_id", "falls_on"], how="anti")
    pending = _without(_without(pending, held, "charge_id"), spared, "account_id")
    rated = (
        _as_of(pending, moves)
        .sort("falls_on")
        .join_asof(rates.sort("starts_on"), left_on="falls_on", right_on="starts_on")
    )
    penalty = round_half_up_column(pl.col("open_cents") * pl.col("rate_micros"), MICROS)
    return (
        rated.with_columns(penalty_cents=penalty)
        .filter((pl.col("open_cents") > 0) & (pl.col("penalty_cents") > 0))
        .select("charge_id", "account_id", "document", "falls_on", "open_cents", "penalty_cents")
        .sort("account_id", "document", "charge_id", "falls_on")
    )


def _without(pending: pl.DataFrame, ranges: pl.DataFrame, key: str) -> pl.DataFrame:
    """Leaves out the days that a range of the same key holds."""
    if ranges.is_empty():
        return pending
    inside = (pl.col("from_on") <= pl.col("falls_on")) & (
        pl.col("until_on").is_null() | (pl.col("falls_on") < pl.col("until_on"))
    )
    out = pending.join(ranges, on=key).filter(inside).select("charge_id", "falls_on").unique()
    return pending.join(out, on=["charge_id", "falls_on"], how="anti")


def _as_of(pending: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """Puts what was open when the day ended in the place of what is open now."""
    if moves.is_empty():
        return pending
    later = (
        pending.select("charge_id", "falls_on")
        .join(moves, on="charge_id")
        .filter(pl.col("day") > pl.col("falls_on"))
        .group_by("charge_id", "falls_on")
        .agg(since=pl.col("cents").sum())
    )
    return (
        pending.join(later, on=["charge_id", "falls_on"], how="left")
        .with_columns(open_cents=pl.col("open_cents") + pl.col("since").fill_null(0))
        .drop("since")
    )

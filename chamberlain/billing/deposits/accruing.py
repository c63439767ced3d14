"""Interest on what is held: simple, by days, exact in whole numbers, rounded once."""

from datetime import date

import polars as pl

from chamberlain.kernel.money import MICROS, round_half_up_column

EVENTS = {"deposit_id": pl.Int64, "on": pl.Date, "cents": pl.Int64}
RATES = {"starts_on": pl.Date, "rate_micros": pl.Int64}


def interest(
    events: pl.DataFrame, rates: pl.DataFrame, until: date, year_days: int
) -> pl.DataFrame:
    """Interest on deposits from the first day that anything is held until before a day.

    events: EVENTS, what is held rises (or falls) by from that day on. rates: RATES, of a year of
    year_days; before the first there is none. Each day bears the rate in force on what is held on
    it; the sum over all days is rounded half up, once.
    Returns deposit_id (as in events, once each), interest_cents (>= 0).
    """
    held = (
        events.group_by("deposit_id", "on")
        .agg(pl.col("cents").sum())
        .sort("deposit_id", "on")
        .with_columns(
            held=pl.col("cents").cum_sum().over("deposit_id"),
            end=pl.col("on").shift(-1).over("deposit_id").fill_null(until),
        )
    )
    dated = rates.sort("starts_on").with_columns(
        ends_on=pl.col("starts_on").shift(-1).fill_null(date.max)
    )
    weighted = held.join(dated, how="cross").with_columns(
        days=(
            pl.min_horizontal("end", "ends_on", pl.lit(until))
            - pl.max_horizontal("on", "starts_on")
        )
        .dt.total_days()
        .clip(0)
    )
    borne = weighted.group_by("deposit_id").agg(
        borne=(
            pl.col("held").cast(pl.Int128).clip(0) * pl.col("days") * pl.col("rate_micros")
        ).sum()
    )
    return (
        events.select("deposit_id")
        .unique(maintain_order=True)
        .join(borne, on="deposit_id", how="left", maintain_order="left")
        .select(
            "deposit_id",
            interest_cents=round_half_up_column(
                pl.col("borne").fill_null(0), MICROS * year_days
            ).cast(pl.Int64),
        )
    )

"""What was really used between two actual reads, spread over the periods in between by days.

    reads      from        to          days   estimated   trued up
    estimate   2026-01-01  2026-03-02  60     12.000      8.926
    actual     2026-03-02  2026-05-02  61     6.000       9.074
                                       121    18.000      18.000   (registers 100 and 118)

The sum is what the registers differ by, to the thousandth: the share of a period is the
difference of two rounded running sums.
"""

import polars as pl


def spread(reads: pl.DataFrame) -> pl.DataFrame:
    """The usage of reads once each run's total is spread over its days.

    reads: run_id, read_id, from_on, to_on (Date, one after the other within a run),
    total_thousandths (Int64, >= 0, of the whole run).
    Returns the reads in the order of their runs and days, with trued_thousandths (Int64).
    """
    days = (pl.col("to_on") - pl.col("from_on")).dt.total_days()
    total = pl.col("total_thousandths").cast(pl.Int128)
    up_to = (2 * total * pl.col("passed") + pl.col("days")) // (2 * pl.col("days"))
    return (
        reads.sort("run_id", "from_on", "read_id")
        .with_columns(passed=days.cum_sum().over("run_id"), days=days.sum().over("run_id"))
        .with_columns(up_to=up_to.cast(pl.Int64))
        .with_columns(
            trued_thousandths=pl.col("up_to") - pl.col("up_to").shift(1).over("run_id").fill_null(0)
        )
        .drop("passed", "days", "up_to")
    )

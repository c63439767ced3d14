"""Which open charges a payment settles.

A payment settles charges in the order of the city's priority of their kind, then due date, then
charge id, until it is used up; what is left becomes credit of the account. For example, with
$50.00 paid:

    charge  priority  due on      open      settled
    7       1         2026-03-01  $30.00    $30.00
    4       2         2026-01-01  $40.00    $20.00

The method is a running sum: in that order, a charge gets what is left of the payment after the
charges before it, at most its own open amount. No loop over payments or charges is needed, so
one payment and a million are the same function. Several payments of one account are first added
up by the caller: an account appears once in `payments`.
"""

import polars as pl

ORDER = ("priority", "due_on", "charge_id")


def allocate(payments: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """What each payment settles.

    payments: account_id (unique), cents (Int64, > 0).
    charges: charge_id, account_id, open_cents (Int64, > 0), priority, due_on.
    Returns account_id, charge_id, cents (Int64, > 0), in the order of settling.
    """
    before = pl.col("open_cents").cum_sum().over("account_id") - pl.col("open_cents")
    return (
        charges.sort("account_id", *ORDER)
        .with_columns(before=before)
        .join(payments.select("account_id", paid="cents"), on="account_id", maintain_order="left")
        .with_columns(
            cents=pl.min_horizontal(pl.col("open_cents"), pl.col("paid") - pl.col("before"))
        )
        .filter(pl.col("cents") > 0)
        .select("account_id", "charge_id", "cents")
    )


def left_over(payments: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """What is left of each payment: account_id, cents (> 0)."""
    used = settled.group_by("account_id").agg(used=pl.col("cents").sum())
    return (
        payments.join(used, on="account_id", how="left")
        .with_columns(cents=pl.col("cents") - pl.col("used").fill_null(0))
        .filter(pl.col("cents") > 0)
        .select("account_id", "cents")
    )

"""What an adjustment does to the charges of an account: the rule, over frames.

An adjustment settles charges in the order in which a payment would, until its amount is used up;
what is left becomes credit of the account where its kind allows that. For example, a leak credit
of $50.00 on an account with two charges open:

    charge  kind   due on      open      settled
    4       water  2026-01-01  $20.00    $20.00
    7       sewer  2026-03-01  $18.00    $18.00
    left, which becomes credit           $12.00
"""

import polars as pl

from chamberlain.kernel.money import show_cents
from chamberlain.ledger.allocation import allocate

WANTED = {"account_id": pl.Int64, "cents": pl.Int64}
CHARGES = {
    "charge_id": pl.Int64,
    "account_id": pl.Int64,
    "open_cents": pl.Int64,
    "priority": pl.Int64,
    "due_on": pl.Date,
    "receivable_id": pl.Int64,
}
STANDINGS = {"account_id": pl.Int64, "owed_cents": pl.Int64, "credit_cents": pl.Int64}


def settled_by(wanted: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """What each adjustment settles.

    wanted: WANTED (an account once, cents > 0); charges: CHARGES (open_cents > 0), only those
    that the adjustment may settle.
    Returns account_id, charge_id, cents (> 0), receivable_id.
    """
    return allocate(wanted, charges.drop("receivable_id")).join(
        charges.select("charge_id", "receivable_id"), on="charge_id", maintain_order="left"
    )


def left_by(wanted: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """What is left of each adjustment, 0 included: account_id, cents, settled_cents, left_cents."""
    used = settled.group_by("account_id").agg(settled_cents=pl.col("cents").sum())
    return (
        wanted.select("account_id", "cents")
        .join(used, on="account_id", how="left", maintain_order="left")
        .with_columns(pl.col("settled_cents").fill_null(0))
        .with_columns(left_cents=pl.col("cents") - pl.col("settled_cents"))
    )


def settling_faults(
    left: pl.DataFrame, standings: pl.DataFrame, largest_credit_cents: int | None
) -> dict[int, str]:
    """Why adjustments may not be posted, by account id; those that may are left out.

    left: what `left_by` returns; standings: STANDINGS. largest_credit_cents: the most credit
    that an account may have afterwards; None when nothing may be left over.
    """
    after = left.join(standings, on="account_id", how="left", maintain_order="left").filter(
        pl.col("left_cents") > 0
    )
    if largest_credit_cents is None:
        return {
            row["account_id"]: (
                f"Only {show_cents(row['settled_cents'])} is open for this, and "
                f"{show_cents(row['cents'])} was asked for; ask for what is open."
            )
            for row in after.iter_rows(named=True)
        }
    return {
        row["account_id"]: (
            f"It would leave {show_cents(row['credit_cents'] + row['left_cents'])} of credit on "
            f"the account, and {show_cents(largest_credit_cents)} is allowed; ask for at most "
            f"{show_cents(_most(row, largest_credit_cents))}."
        )
        for row in after.iter_rows(named=True)
        if row["credit_cents"] + row["left_cents"] > largest_credit_cents
    }


def _most(row: dict[str, int], largest_credit_cents: int) -> int:
    return row["settled_cents"] + max(0, largest_credit_cents - row["credit_cents"])


def refund_faults(
    wanted: pl.DataFrame, standings: pl.DataFrame, *, needs_nothing_owed: bool
) -> dict[int, str]:
    """Why credit may not be paid back, by account id. wanted: WANTED; standings: STANDINGS."""
    faults = {}
    joined = wanted.join(standings, on="account_id", how="left", maintain_order="left")
    for row in joined.iter_rows(named=True):
        if row["cents"] > row["credit_cents"]:
            faults[row["account_id"]] = (
                f"The account has {show_cents(row['credit_cents'])} of credit, and "
                f"{show_cents(row['cents'])} was asked for; ask for at most its credit."
            )
        elif needs_nothing_owed and row["owed_cents"] > 0:
            faults[row["account_id"]] = (
                f"The account owes {show_cents(row['owed_cents'])}; settle that from the credit "
                "before any is paid back."
            )
    return faults

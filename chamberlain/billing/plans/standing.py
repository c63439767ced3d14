"""How plans stand on a day: what is due, what is late, and the sentence for a default.

A plan's **obligations** are its instalments and, where the terms ask that new bills are paid, the
charges raised on the account since it began. What was **paid** is what settled the plan's charges
since it was offered, and what settled those new charges. The counter settles the oldest charge
first, so money meant for a new bill may settle the plan's charges; a customer who paid all that
was due is never in default for it, because both are held against one sum. In the order of due
dates, money covers the first obligation first:

    instalment 1   due Mar 2    $50.00    paid $50.00
    bill 1041      due Mar 20   $30.00    paid $20.00, $10.00 missing
    instalment 2   due Apr 2    $50.00    not due yet

A plan is late when something is missing on an obligation whose due date is more than the days of
grace ago.
"""

from datetime import date

import polars as pl

from chamberlain.kernel.money import show_cents

OBLIGATIONS = {
    "plan": pl.Int64,
    "label": pl.String,
    "due_on": pl.Date,
    "cents": pl.Int64,
}

PLANS = {
    "plan": pl.Int64,
    "paid_cents": pl.Int64,
    "open_cents": pl.Int64,
    "grace_days": pl.Int64,
}


def stand(plans: pl.DataFrame, obligations: pl.DataFrame, today: date) -> pl.DataFrame:
    """How each plan stands.

    plans: PLANS (open_cents: what is still open on the plan's own charges); obligations:
    OBLIGATIONS.
    Returns plan, due_cents (due by today and not covered), late_cents (of it past the grace),
    label, missed_on, missed_cents, missing_cents (the first late one: its due date, amount, what
    is missing of it; null when none is), next_due_on and next_cents (the first not covered that
    is due after today; null when none is), is_paid_off.
    """
    order = ["plan", "due_on", "label"]
    each = (
        obligations.sort(order)
        .join(plans, on="plan", maintain_order="left")
        .with_columns(up_to=pl.col("cents").cum_sum().over("plan"))
        .with_columns(
            missing=pl.min_horizontal("cents", (pl.col("up_to") - pl.col("paid_cents")).clip(0))
        )
        .with_columns(
            is_due=pl.col("due_on") <= today,
            is_late=pl.col("due_on").dt.offset_by(pl.format("{}d", "grace_days")) < today,
        )
        .filter(pl.col("missing") > 0)
    )
    due, late = each.filter("is_due"), each.filter("is_late")
    ahead = each.filter(~pl.col("is_due"))
    return (
        plans.select("plan", is_paid_off=pl.col("open_cents") == 0)
        .join(_sum(due, "due_cents"), on="plan", how="left", maintain_order="left")
        .join(_sum(late, "late_cents"), on="plan", how="left", maintain_order="left")
        .join(
            late.unique("plan", keep="first", maintain_order=True).select(
                "plan",
                "label",
                missed_on="due_on",
                missed_cents="cents",
                missing_cents="missing",
            ),
            on="plan",
            how="left",
            maintain_order="left",
        )
        .join(
            ahead.unique("plan", keep="first", maintain_order=True).select(
                "plan", next_due_on="due_on", next_cents="missing"
            ),
            on="plan",
            how="left",
            maintain_order="left",
        )
        .with_columns(pl.col("due_cents", "late_cents").fill_null(0))
    )


def _sum(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.group_by("plan").agg(pl.col("missing").sum().alias(name))


def default_sentences(late: pl.DataFrame) -> list[str]:
    """Why plans are in default, in one sentence each.

    late: columns of `stand` with late_cents > 0, and grace_days.
    """
    return [
        f"{row['label']} of {show_cents(row['missed_cents'])}, due "
        f"{row['missed_on']:%B %-d, %Y}, was not paid within {row['grace_days']} days of its due "
        f"date: {show_cents(row['missing_cents'])} of it is missing, "
        f"{show_cents(row['late_cents'])} in all."
        for row in late.iter_rows(named=True)
    ]

"""Which applications will miss their closing date.

An application still has some steps before it, and each usually takes some days. For example, on 2
March, with 1 day to accept, 5 for a final read, 1 for the payoff, 3 to pay and 1 to issue:

    stage      still to do                       ready on   closing    misses
    received   accept read payoff payment issue  13 March   12 March   yes
    payable    payment issue                     6 March    12 March   no

Days are calendar days. Those that miss come first, by how much they miss; then the others by age.
"""

from datetime import date

import polars as pl

ROWS = {
    "application_id": pl.Int64(),
    "stage": pl.String(),
    "received_on": pl.Date(),
    "closing_on": pl.Date(),
    "is_metered": pl.Boolean(),
    "reads_waiting": pl.Int64(),
    "is_reviewed": pl.Boolean(),
    "open_cents": pl.Int64(),
    **{f"{step}_days": pl.Int64() for step in ("accept", "read", "review", "payoff", "payment",
                                               "issue")},
}  # fmt: skip


def deadlines(applications: pl.DataFrame, today: date) -> pl.DataFrame:
    """When each application will be ready, the most urgent first.

    applications: columns ROWS; stage received, accepted or payable; open_cents of what the
    certificate covers. Returns application_id, age_days, ready_on (Date), misses (Boolean).
    """
    is_received = pl.col("stage") == "received"
    is_before_payoff = pl.col("stage").is_in(["received", "accepted"])
    needs_read = pl.col("is_metered") & (is_received | (pl.col("reads_waiting") > 0))
    needs_review = pl.col("is_metered").not_() & pl.col("is_reviewed").not_()
    needs_payment = is_before_payoff | (pl.col("open_cents") > 0)
    steps = (
        (is_received, "accept"),
        (is_before_payoff & needs_read, "read"),
        (is_before_payoff & needs_review, "review"),
        (is_before_payoff, "payoff"),
        (needs_payment, "payment"),
        (pl.lit(True), "issue"),
    )
    days = pl.sum_horizontal(
        pl.when(condition).then(pl.col(f"{step}_days")).otherwise(0) for condition, step in steps
    )
    ready_on = pl.lit(today) + pl.duration(days=days)
    late_by = (pl.col("ready_on") - pl.col("closing_on")).dt.total_days()
    return (
        applications.with_columns(
            age_days=(pl.lit(today) - pl.col("received_on")).dt.total_days(),
            ready_on=ready_on.cast(pl.Date),
        )
        .with_columns(misses=pl.col("ready_on") > pl.col("closing_on"))
        .sort(
            pl.col("misses").not_(),
            pl.when("misses").then(late_by.neg()).otherwise(0),
            pl.col("age_days").neg(),
            "application_id",
        )
        .select("application_id", "age_days", "ready_on", "misses")
    )

"""What a plan's instalments are: the calculator's rule, over a frame of plans.

$1,000.01 with 25% down in 3 monthly instalments from 31 January:

    down payment   Jan 31    $250.00
    1              Feb 28    $250.01
    2              Mar 31    $250.00
    3              Apr 30    $250.00

The down payment is rounded half up to the cent and due on the first day; the rest is divided
evenly, and the cents that do not divide go one each to the first instalments, so that all of
them add up to the plan. Without a percent down the first instalment is due on the first day.
"""

import polars as pl

from chamberlain.kernel.money import round_half_up, round_half_up_column

WHOLE = 10_000

SCHEDULE = {
    "plan": pl.Int64,
    "number": pl.Int64,
    "due_on": pl.Date,
    "cents": pl.Int64,
}


def schedule(plans: pl.DataFrame) -> pl.DataFrame:
    """The instalments of plans.

    plans: plan (Int64), total_cents (Int64, > 0), down_basis_points (Int64, 0 to 9999),
    instalments (Int64, > 0), interval_months (Int64, > 0), starts_on (Date).
    Returns SCHEDULE in the order of plans and dates; those of no cents are left out. Number 0 is
    a down payment.
    """
    down = round_half_up_column(pl.col("total_cents") * pl.col("down_basis_points"), WHOLE)
    rest, count = pl.col("total_cents") - pl.col("down"), pl.col("instalments")
    number = pl.col("number")
    months = (number - (pl.col("down_basis_points") == 0).cast(pl.Int64)).clip(0)
    return (
        plans.with_columns(down=down)
        .with_columns(number=pl.int_ranges(0, count + 1, dtype=pl.Int64))
        .explode("number")
        .select(
            "plan",
            "number",
            due_on=pl.col("starts_on").dt.offset_by(
                pl.format("{}mo", months * pl.col("interval_months"))
            ),
            cents=pl.when(number == 0)
            .then(pl.col("down"))
            .otherwise(rest // count + (number <= rest % count).cast(pl.Int64)),
        )
        .filter(pl.col("cents") > 0)
        .cast(SCHEDULE)  # type: ignore[arg-type]
    )


def most_instalments(total_cents: int, down_basis_points: int, longest: int,
                     longer: int | None, longer_above_cents: int | None) -> int:  # fmt: skip
    """How many instalments a plan of so many cents may have.

    The longer number holds where `longest` even instalments would each be above
    longer_above_cents.
    """
    rest = total_cents - round_half_up(total_cents * down_basis_points, WHOLE)
    if (
        longer is not None
        and longer_above_cents is not None
        and rest > longest * longer_above_cents
    ):
        return longer
    return longest

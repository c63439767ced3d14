"""What a meter's register says was used since the read before.

A register shows a fixed number of dials and starts again at zero after the last figure. A lower
figure than before is therefore either a rollover or an error. For example, with four dials:

    before  now   used  why
    1200    1234  34    counted on
    9990    0012  22    rolled over: 22 units are little for this meter
    5000    4990  -10   not plausible: a rollover would mean 9990 units

It is taken for a rollover when what was then used is at most a tenth of all that the register
can show; whoever reads a meter that seldom must verify it by hand.
"""

import polars as pl

ROLLOVER_SHARE = 10


def usage_of(before: int, now: int, dials: int) -> int | None:
    """Whole units used between two registers; None when `now` is lower without a rollover."""
    if now >= before:
        return now - before
    rolled = now + 10**dials - before
    return rolled if rolled * ROLLOVER_SHARE <= 10**dials else None


def usage_column(before: pl.Expr, now: pl.Expr, dials: pl.Expr) -> pl.Expr:
    """`usage_of` over Int64 columns."""
    range_of_dials = pl.lit(10, dtype=pl.Int64).pow(dials)
    rolled = now + range_of_dials - before
    return (
        pl.when(now >= before)
        .then(now - before)
        .when(rolled * ROLLOVER_SHARE <= range_of_dials)
        .then(rolled)
    )

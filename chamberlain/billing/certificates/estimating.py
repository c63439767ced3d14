"""Usage that nobody has read yet, estimated from the usage before it.

From the last read up to the closing a service is taken to use as much a day as it did over the
reads of the last `usage_days` before the closing. For example, with 366 days looked back:

    reads      from        to          usage        days
               2026-01-01  2026-03-02  12.000 mcf   60
    estimate   2026-03-02  2026-03-12   2.000 mcf   10     (12.000 × 10 / 60)

A meter shows whole units, so where it has a register the estimate is a whole number of them, half
up: the next read of the meter then counts on from the estimate, and no unit is billed twice or
lost. A service without any read goes by the usual usage of its agreement.
"""

import polars as pl

from chamberlain.kernel.money import round_half_up_column

THOUSAND = 1000


def estimates(services: pl.DataFrame) -> pl.DataFrame:
    """Estimated usage of services from the day after their last read up to the closing.

    services: agreement_id, last_on, closing_on (Date, after last_on), used_thousandths and
    used_days over the reads looked back at (0 without any), normal_daily_thousandths (Int64, null
    when not known), has_register (Boolean).
    Returns agreement_id, usage_thousandths (Int64, null where nothing is known to go by).
    """
    days = (pl.col("closing_on") - pl.col("last_on")).dt.total_days()
    by_reads = round_half_up_column(pl.col("used_thousandths") * days, pl.col("used_days").clip(1))
    usage = (
        pl.when(pl.col("used_days") > 0)
        .then(by_reads)
        .otherwise(pl.col("normal_daily_thousandths") * days)
    )
    whole = round_half_up_column(usage, THOUSAND) * THOUSAND
    return services.select(
        "agreement_id",
        usage_thousandths=pl.when("has_register").then(whole).otherwise(usage).cast(pl.Int64),
    )

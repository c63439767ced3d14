"""What a chunk has to bill: reads (or a season) of its agreements that have no bill yet.

A read belongs to each agreement in force in its period, by days: when the holder changes inside
it, both are billed, and their shares of the usage add up to the read. The share of the days from
`s` to `e` out of `t` is `round(u*e/t) - round(u*s/t)`, so that no thousandth is lost or billed
twice whatever the number of holders.
"""

from typing import Any

import polars as pl
import psycopg

from chamberlain.billing.models import BillRun
from chamberlain.kernel.frames import read_frame

SCHEMA = {
    "agreement_id": pl.Int64,
    "account_id": pl.Int64,
    "read_id": pl.Int64,
    "rate_class": pl.String,
    "meter_size": pl.String,
    "dwelling_units": pl.Int64,
    "exemptions": pl.String,
    "attributes": pl.String,
    "normal_daily_thousandths": pl.Int64,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "days_before": pl.Int64,
    "days_of_read": pl.Int64,
    "usage_thousandths": pl.Int64,
    "unit": pl.String,
    "is_verified": pl.String,
}

_AGREEMENT = """
    a.id, a.account_id, {read}, a.rate_class, a.meter_size, a.dwelling_units,
    nullif(array_to_string(a.exemptions, ','), ''), nullif(a.attributes::text, '{{}}'),
    a.normal_daily_thousandths
"""

# Billed is billed, under whichever agreement those days stood when the bill was made: rebilling
# may have put others in their place.
_BILLED = """
    JOIN billing_serviceagreement g ON g.id = b.agreement_id
    WHERE b.read_id = r.id AND g.tariff_id = a.tariff_id
        AND b.from_on < least(r.to_on, upper(a.period))
        AND b.to_on > greatest(r.from_on, lower(a.period))
"""

BILLED_BEFORE = """
    SELECT 1 FROM rebilling_correctedread n
    JOIN rebilling_correctedread o ON o.root_id = n.root_id
    JOIN billing_bill b ON b.read_id = o.old_id
    JOIN billing_serviceagreement g ON g.id = b.agreement_id
    WHERE n.new_id = r.id AND g.tariff_id = a.tariff_id
        AND b.from_on < least(r.to_on, upper(a.period))
        AND b.to_on > greatest(r.from_on, lower(a.period))
"""
"""Bills of days of an agreement a, made of a read that r stands in for. The rebill that corrected
it billed them; where their bill had been taken back, nothing is due until they are billed again."""

_READS = f"""
    SELECT {_AGREEMENT.format(read="r.id")}, greatest(r.from_on, lower(a.period)),
        least(r.to_on, upper(a.period)),
        greatest(r.from_on, lower(a.period)) - r.from_on, r.to_on - r.from_on,
        r.usage_thousandths, r.unit, r.is_verified
    FROM billing_serviceagreement a
    JOIN metering_read r ON r.service_point_id = a.service_point_id
        AND r.to_on <= %(reads_up_to)s AND a.period && daterange(r.from_on, r.to_on)
    WHERE a.tariff_id = %(tariff)s AND a.is_metered AND a.id BETWEEN %(first)s AND %(last)s
        AND (%(cycle)s::int IS NULL OR a.cycle_months = %(cycle)s)
        AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
        AND NOT EXISTS (SELECT 1 FROM billing_bill b {_BILLED} AND b.replaces_id IS NULL)
        AND NOT EXISTS (SELECT 1 FROM billing_bill b {_BILLED} AND b.replaces_id IS NOT NULL)
        AND NOT EXISTS ({BILLED_BEFORE})
    ORDER BY a.account_id, r.to_on, r.id
"""

_SEASON = f"""
    SELECT {_AGREEMENT.format(read="NULL")}, greatest(%(from_on)s::date, lower(a.period)),
        least(%(to_on)s::date, upper(a.period)), 0, 1, 0, NULL, true
    FROM billing_serviceagreement a
    WHERE a.tariff_id = %(tariff)s AND NOT a.is_metered AND a.id BETWEEN %(first)s AND %(last)s
        AND a.period && daterange(%(from_on)s::date, %(to_on)s::date)
        AND (%(cycle)s::int IS NULL OR a.cycle_months = %(cycle)s)
        AND NOT EXISTS (SELECT 1 FROM billing_serviceagreement g
            JOIN billing_bill b ON b.account_id = g.account_id AND b.agreement_id = g.id
            WHERE g.service_point_id = a.service_point_id AND g.tariff_id = a.tariff_id
                AND b.read_id IS NULL AND b.from_on < least(%(to_on)s::date, upper(a.period))
                AND b.to_on > greatest(%(from_on)s::date, lower(a.period)))
    ORDER BY a.account_id
"""

UNREAD = """
    a.tariff_id = %(tariff)s AND a.is_metered
        AND (%(cycle)s::int IS NULL OR a.cycle_months = %(cycle)s)
        AND a.period @> %(reads_after)s::date AND a.period @> %(reads_up_to)s::date - 1
        AND NOT EXISTS (SELECT 1 FROM metering_read r
            WHERE r.service_point_id = a.service_point_id
            AND r.to_on > %(reads_after)s AND r.to_on <= %(reads_up_to)s)
"""
"""Agreements a that should have had a read between two days and have none."""

_UNREAD = f"""
    SELECT a.id FROM billing_serviceagreement a
    WHERE {UNREAD} AND a.id BETWEEN %(first)s AND %(last)s
"""


def candidates(
    database: psycopg.Connection[Any], run: BillRun, first: int, last: int
) -> pl.DataFrame:
    """What is to be billed in a range of agreements, as `rating.rate` takes it, with `row`."""
    frame = read_frame(
        database, _READS if run.is_metered else _SEASON, SCHEMA, _params(run, first, last)
    )
    return (
        shared_by_days(frame)
        .with_row_index("row")
        .with_columns(
            row=pl.col("row").cast(pl.Int64),
            exemptions=pl.col("exemptions").fill_null("").str.split(",").list.drop_nulls(),
            is_verified=pl.col("is_verified") == "t",
        )
    )


def unread_agreements(
    database: psycopg.Connection[Any], run: BillRun, first: int, last: int
) -> list[int]:
    """Agreements of the run's cycle that should have had a read and have none."""
    if not run.is_metered or run.reads_after is None:
        return []
    return [int(row[0]) for row in database.execute(_UNREAD, _params(run, first, last)).fetchall()]


def _params(run: BillRun, first: int, last: int) -> dict[str, Any]:
    return {
        "tariff": run.tariff_id,
        "cycle": run.cycle_months,
        "reads_after": run.reads_after,
        "reads_up_to": run.reads_up_to,
        "from_on": run.season_from_on,
        "to_on": run.season_to_on,
        "first": first,
        "last": last,
    }


def shared_by_days(frame: pl.DataFrame) -> pl.DataFrame:
    """Each row's share of its read's usage, by days; rows without a read stay as they are.

    frame: from_on, to_on, read_id, usage_thousandths of the whole read, days_before (from the
    read's first day), days_of_read. Returns the frame without the last two.
    """
    days = (pl.col("to_on") - pl.col("from_on")).dt.total_days()
    usage, total = pl.col("usage_thousandths"), pl.col("days_of_read")

    def up_to(day: pl.Expr) -> pl.Expr:
        return (2 * usage * day + total) // (2 * total)

    is_whole = days >= total
    return frame.with_columns(
        usage_thousandths=pl.when(is_whole | (pl.col("read_id").is_null()))
        .then(usage)
        .otherwise(up_to(pl.col("days_before") + days) - up_to(pl.col("days_before")))
    ).drop("days_before", "days_of_read")

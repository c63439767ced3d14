"""Which estimates an actual read has ended and are still to be trued up: a few queries for all.

A **run** is the estimates of a meter between two actual reads, with the read that ends them. An
estimate to the day on which a holder left or sold is none of them: it stays as it was billed, and
the next holder counts from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from django.db import connection

from chamberlain.billing.estimating.finding import STANDING
from chamberlain.billing.estimating.spreading import spread
from chamberlain.kernel.frames import read_frame
from chamberlain.metering.dials import usage_column
from chamberlain.metering.routes.low_reads import COUNTS_FROM

THOUSAND = 1000

_RUNS = {
    "run_id": pl.Int64,
    "service_point_id": pl.Int64,
    "service_point": pl.String,
    "meter_id": pl.Int64,
    "serial": pl.String,
    "dials": pl.Int64,
    "unit": pl.String,
    "first_on": pl.Date,
    "read_on": pl.Date,
    "estimates": pl.Int64,
    "counted_thousandths": pl.Int64,
    "start_register": pl.Int64,
    "end_register": pl.Int64,
    "others_thousandths": pl.Int64,
    "is_by_hand": pl.Int64,
    "accounts": pl.Int64,
    "account_id": pl.Int64,
    "account_number": pl.String,
}
_READS = {
    "run_id": pl.Int64,
    "read_id": pl.Int64,
    "service_point_id": pl.Int64,
    "meter_id": pl.Int64,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "usage_thousandths": pl.Int64,
    "unit": pl.String,
    "quality": pl.String,
}

_ENDED = f"""
    WITH ended AS (
        SELECT r.id, r.service_point_id, r.meter_id, r.from_on, r.to_on, r.usage_thousandths,
            r.unit, r.quality, x.id AS run_id, x.from_on AS last_from, x.to_on AS read_on,
            x.usage_thousandths AS last_thousandths, x.register AS end_register
        FROM metering_read r
        CROSS JOIN LATERAL (SELECT n.id, n.from_on, n.to_on, n.register, n.usage_thousandths,
                n.quality
            FROM (SELECT r.* FROM metering_read r WHERE {COUNTS_FROM}) n
            WHERE n.service_point_id = r.service_point_id AND n.meter_id = r.meter_id
                AND n.register IS NOT NULL AND n.to_on > r.to_on
            ORDER BY n.to_on, n.id LIMIT 1) x
        WHERE r.quality = 'estimate' AND NOT {COUNTS_FROM} AND x.quality <> 'estimate'
            AND r.meter_id IS NOT NULL AND r.register IS NOT NULL
            AND {STANDING}
            AND (%(points)s::bigint[] IS NULL OR r.service_point_id = ANY(%(points)s::bigint[]))
            AND (%(runs)s::bigint[] IS NULL OR x.id = ANY(%(runs)s::bigint[]))
            AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = x.id)
            AND NOT EXISTS (SELECT 1 FROM estimating_trueup t
                LEFT JOIN rebilling_rebill b ON b.id = t.rebill_id
                WHERE t.read_id = x.id
                    AND (b.id IS NULL OR b.status IN ('asked', 'posted')))
    )
"""

_RUNS_SQL = f"""
    {_ENDED}, runs AS (
        SELECT run_id, service_point_id, meter_id, unit, min(from_on) AS first_on, read_on,
            count(*) AS estimates, sum(usage_thousandths) + last_thousandths AS counted,
            end_register
        FROM ended
        GROUP BY run_id, service_point_id, meter_id, unit, read_on, last_thousandths, end_register
    )
    SELECT u.run_id, u.service_point_id, p.code, u.meter_id, m.serial, m.dials, u.unit,
        u.first_on, u.read_on, u.estimates, u.counted::bigint,
        coalesce(s.register, i.register_at_start), u.end_register,
        (SELECT coalesce(sum(CASE q.role WHEN 'deduct' THEN -q.usage_thousandths
                ELSE q.usage_thousandths END), 0)::bigint
            FROM metering_readpart q JOIN metering_read r ON r.id = q.read_id
            WHERE q.service_point_id = u.service_point_id AND q.meter_id <> u.meter_id
                AND r.to_on > u.first_on AND r.to_on <= u.read_on),
        (SELECT count(*) FROM metering_read r JOIN rebilling_correctedread k ON k.old_id = r.id
            WHERE r.service_point_id = u.service_point_id AND r.meter_id = u.meter_id
                AND r.to_on > coalesce(s.to_on, lower(i.period)) AND r.to_on <= u.read_on),
        a.accounts, a.account_id, n.number
    FROM runs u
    JOIN registry_servicepoint p ON p.id = u.service_point_id
    JOIN metering_meter m ON m.id = u.meter_id
    LEFT JOIN LATERAL (SELECT period, register_at_start FROM metering_installation
        WHERE service_point_id = u.service_point_id AND meter_id = u.meter_id
            AND lower(period) < u.read_on
        ORDER BY lower(period) DESC LIMIT 1) i ON true
    LEFT JOIN LATERAL (SELECT r.to_on, r.register FROM metering_read r
        WHERE r.service_point_id = u.service_point_id AND r.meter_id = u.meter_id
            AND {COUNTS_FROM} AND r.register IS NOT NULL
            AND r.to_on <= u.first_on AND r.to_on > lower(i.period)
        ORDER BY r.to_on DESC LIMIT 1) s ON true
    CROSS JOIN LATERAL (SELECT count(DISTINCT account_id) AS accounts,
            max(account_id) AS account_id
        FROM billing_serviceagreement
        WHERE service_point_id = u.service_point_id AND is_metered
            AND period && daterange(u.first_on, u.read_on)) a
    LEFT JOIN ledger_account n ON n.id = a.account_id
    ORDER BY u.read_on, u.run_id
"""

_READS_SQL = f"""
    {_ENDED}
    SELECT run_id, id, service_point_id, meter_id, from_on, to_on, usage_thousandths, unit, quality
    FROM ended
    UNION ALL
    SELECT DISTINCT e.run_id, r.id, r.service_point_id, r.meter_id, r.from_on, r.to_on,
        r.usage_thousandths, r.unit, r.quality
    FROM ended e JOIN metering_read r ON r.id = e.run_id
"""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be trued up.

    runs: columns _RUNS, total_thousandths (what the registers differ by, null when they cannot)
    and refusal (a sentence, null when it can be trued up). reads: columns _READS of the runs
    that can be, and trued_thousandths.
    """

    runs: pl.DataFrame
    reads: pl.DataFrame


def due(points: Sequence[int] | None = None, run_ids: Sequence[int] | None = None) -> Due:
    """Estimates that an actual read has ended: everywhere, at some points, or some runs.

    run_ids: ids of the actual reads that end them.
    """
    connection.ensure_connection()
    database = connection.connection
    params = {
        "points": None if points is None else list(points),
        "runs": None if run_ids is None else list(run_ids),
    }
    found = judged(read_frame(database, _RUNS_SQL, _RUNS, params))
    able = found.filter(pl.col("refusal").is_null())
    reads = read_frame(database, _READS_SQL, _READS, params).join(
        able.select("run_id", "total_thousandths"), on="run_id"
    )
    return Due(found, spread(reads))


def judged(runs: pl.DataFrame) -> pl.DataFrame:
    """Which runs can be trued up: `runs` with total_thousandths and refusal."""
    used = usage_column(pl.col("start_register"), pl.col("end_register"), pl.col("dials"))
    sentence = (
        pl.when(pl.col("is_by_hand") > 0)
        .then(pl.lit("A read among these was corrected by hand; rebill the others by hand too."))
        .when(pl.col("accounts") > 1)
        .then(
            pl.lit(
                "The holder changed within these estimates; rebill each account by hand, from "
                "its page."
            )
        )
        .when(pl.col("accounts") == 0)
        .then(pl.lit("Nobody is billed for these days; nothing is to be trued up."))
        .when(pl.col("total_thousandths").is_null())
        .then(
            pl.format(
                "The register shows {}, less than {} at the last actual read; read it again or "
                "exchange the meter.",
                "end_register",
                "start_register",
            )
        )
    )
    return runs.with_columns(
        total_thousandths=used * THOUSAND + pl.col("others_thousandths")
    ).with_columns(refusal=sentence)

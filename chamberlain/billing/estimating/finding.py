"""Which services have no read, and what is known to estimate them by: a few queries for all."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from django.db import connection

from chamberlain.billing.candidates import UNREAD
from chamberlain.billing.estimating.rule import CLASSES, SERVICES, Terms, estimates
from chamberlain.billing.estimating.terms import terms_on
from chamberlain.billing.models import BillRun
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.kernel.frames import read_frame
from chamberlain.tariffs.models import Tariff


@dataclass(frozen=True, slots=True)
class Wanted:
    """Services of a tariff and cycle that have no read after a day and up to another.

    cycle_months: None is every cycle. points: these service points only; None is all of them.
    run_id: the bill run that asked, None without one.
    """

    tariff_code: str
    reads_after: date
    reads_up_to: date
    cycle_months: int | None = None
    points: tuple[int, ...] | None = None
    run_id: int | None = None


def wanted_by_run(run_id: int) -> Wanted:
    """What a bill run found unread. Raises NotFound, Invalid (a run that asks for no reads)."""
    run = BillRun.objects.select_related("tariff").filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"There is no bill run {run_id}; look at the list of runs.")
    if not run.is_metered or run.reads_after is None:
        raise Invalid("This run says no day after which reads were wanted, so nothing is unread.")
    return Wanted(
        run.tariff.code, run.reads_after, run.reads_up_to, run.cycle_months, run_id=run.pk
    )


STANDING = """NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)"""
"""A read that no other stands in for."""

_KNOWN = f"""r.usage_thousandths >= 0 AND {STANDING} AND (r.quality <> 'estimate'
    OR EXISTS (SELECT 1 FROM rebilling_correctedread c WHERE c.new_id = r.id))"""

_SERVICES_SQL = f"""
    WITH due AS (
        SELECT DISTINCT ON (a.service_point_id) a.id, a.account_id, a.service_point_id,
            a.rate_class, a.meter_size, lower(a.period) AS since
        FROM billing_serviceagreement a
        WHERE {UNREAD}
            AND (%(points)s::bigint[] IS NULL OR a.service_point_id = ANY(%(points)s::bigint[]))
        ORDER BY a.service_point_id, a.id
    ), dated AS (
        SELECT d.*, m.id AS meter_id, m.serial, m.dials::bigint, coalesce(i.meters, 0)
                + (SELECT count(*) FROM metering_sidemeter x
                    WHERE x.service_point_id = d.service_point_id AND upper_inf(x.period))
                + (SELECT count(*) FROM metering_readpart x
                    WHERE x.service_point_id = d.service_point_id AND x.read_id IS NULL) AS meters,
            coalesce(g.register, i.register_at_start) AS last_register,
            coalesce(m.unit, l.unit) AS unit, l.actual_on,
            coalesce(l.last_on, lower(i.period), d.since) AS from_on
        FROM due d
        LEFT JOIN LATERAL (SELECT meter_id, register_at_start, period, count(*) OVER () AS meters
            FROM metering_installation
            WHERE service_point_id = d.service_point_id AND upper_inf(period)
            ORDER BY lower(period) DESC LIMIT 1) i ON true
        LEFT JOIN metering_meter m ON m.id = i.meter_id
        LEFT JOIN LATERAL (SELECT max(r.to_on) AS last_on,
                max(r.to_on) FILTER (WHERE r.quality <> 'estimate') AS actual_on,
                (array_agg(r.unit ORDER BY r.to_on DESC))[1] AS unit
            FROM metering_read r WHERE r.service_point_id = d.service_point_id) l ON true
        LEFT JOIN LATERAL (SELECT r.register FROM metering_read r
            WHERE r.service_point_id = d.service_point_id AND r.meter_id = m.id
                AND r.register IS NOT NULL AND r.to_on > lower(i.period)
            ORDER BY r.to_on DESC LIMIT 1) g ON true
    )
    SELECT d.id, n.number, d.service_point_id, p.code, d.rate_class, d.meter_size, d.meter_id,
        d.serial, d.dials, d.meters, d.last_register, d.unit, d.from_on, %(reads_up_to)s::date,
        (SELECT count(*) FROM metering_read r WHERE r.service_point_id = d.service_point_id
            AND r.quality = 'estimate' AND {STANDING}
            AND r.to_on > coalesce(d.actual_on, '-infinity')),
        coalesce(y.thousandths, 0), coalesce(y.days, 0)
    FROM dated d
    JOIN ledger_account n ON n.id = d.account_id
    JOIN registry_servicepoint p ON p.id = d.service_point_id
    LEFT JOIN LATERAL (
        SELECT sum((2 * r.usage_thousandths * o.days + (r.to_on - r.from_on))
                / (2 * (r.to_on - r.from_on)))::bigint AS thousandths, sum(o.days) AS days
        FROM metering_read r
        CROSS JOIN LATERAL (SELECT
            least(r.to_on, (%(reads_up_to)s::date - interval '1 year')::date)
            - greatest(r.from_on, (d.from_on - interval '1 year')::date) AS days) o
        WHERE r.service_point_id = d.service_point_id AND r.unit = d.unit AND o.days > 0
            AND {_KNOWN}) y ON true
    WHERE d.from_on < %(reads_up_to)s
    ORDER BY d.service_point_id
"""

_CLASSES_SQL = f"""
    SELECT a.rate_class, a.meter_size, r.unit, sum(r.usage_thousandths)::bigint,
        sum(r.to_on - r.from_on)::bigint, count(DISTINCT r.service_point_id)
    FROM billing_serviceagreement a
    JOIN metering_read r ON r.service_point_id = a.service_point_id
        AND r.to_on > %(reads_up_to)s::date - %(class_days)s::int
        AND r.to_on <= %(reads_up_to)s AND a.period @> r.to_on - 1
    WHERE a.tariff_id = %(tariff)s AND a.is_metered AND {_KNOWN}
    GROUP BY 1, 2, 3
"""


def reckoned(wanted: Wanted) -> pl.DataFrame:
    """What the unread services would be estimated at: what `rule.estimates` returns.

    Raises NotFound (tariff, terms), Invalid (days).
    """
    if wanted.reads_up_to <= wanted.reads_after:
        raise Invalid("The days end before they start; swap them.", field="reads_up_to")
    tariff = Tariff.objects.filter(code=wanted.tariff_code).first()
    if tariff is None:
        raise NotFound(f"There is no tariff {wanted.tariff_code[:40]}.", field="tariff")
    terms = terms_on(wanted.reads_up_to)
    params: dict[str, Any] = {
        "tariff": tariff.pk,
        "cycle": wanted.cycle_months,
        "reads_after": wanted.reads_after,
        "reads_up_to": wanted.reads_up_to,
        "points": None if wanted.points is None else list(wanted.points),
        "class_days": terms.class_days,
    }
    database = connection.connection
    return estimates(
        read_frame(database, _SERVICES_SQL, SERVICES, params),
        read_frame(database, _CLASSES_SQL, CLASSES, params),
        Terms(terms.in_row, terms.covered_percent, terms.class_services),
    )

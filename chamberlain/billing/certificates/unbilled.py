"""What accounts used up to their closing days and was not billed yet.

Reads that end by the closing are billed as a bill run bills them, each read a bill. From the last
read to the closing a metered service is estimated (see `estimating`). A service without a meter is
billed from the end of its last season that was billed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import psycopg

from chamberlain.billing.candidates import BILLED_BEFORE, SCHEMA, shared_by_days
from chamberlain.billing.certificates.estimating import estimates
from chamberlain.billing.holds import implausible
from chamberlain.billing.posting import Unbilled
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.frames import read_frame
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.shapes import LINES

USAGES_SCHEMA = {"tariff_id": pl.Int64, **SCHEMA}


class NotPayable(Refused):
    """Something must be settled before a payoff can be computed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account and the first day that is not its holder's any more."""

    account_id: int
    closing_on: date
    usage_days: int


_WANTED = """
    (SELECT * FROM unnest(%(accounts)s::bigint[], %(closings)s::date[], %(days)s::int[])
        AS w(account_id, closing_on, usage_days)) w
    JOIN billing_serviceagreement a ON a.account_id = w.account_id
        AND lower(a.period) < w.closing_on
"""

_AGREEMENT = """
    a.tariff_id, a.id, a.account_id, {read}, a.rate_class, a.meter_size, a.dwelling_units,
    nullif(array_to_string(a.exemptions, ','), ''), nullif(a.attributes::text, '{{}}'),
    a.normal_daily_thousandths
"""

_READS = f"""
    SELECT {_AGREEMENT.format(read="r.id")}, greatest(r.from_on, lower(a.period)),
        least(r.to_on, upper(a.period)),
        greatest(r.from_on, lower(a.period)) - r.from_on, r.to_on - r.from_on,
        r.usage_thousandths, r.unit, r.is_verified
    FROM {_WANTED}
    JOIN metering_read r ON r.service_point_id = a.service_point_id
        AND r.to_on <= w.closing_on AND a.period && daterange(r.from_on, r.to_on)
    WHERE a.is_metered AND NOT EXISTS (
        SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
    AND NOT EXISTS (
        SELECT 1 FROM billing_bill b
        JOIN billing_serviceagreement g ON g.id = b.agreement_id
        WHERE b.read_id = r.id AND g.tariff_id = a.tariff_id
            AND b.from_on < least(r.to_on, upper(a.period))
            AND b.to_on > greatest(r.from_on, lower(a.period)))
    AND NOT EXISTS ({BILLED_BEFORE})
    ORDER BY a.account_id, r.to_on, r.id
"""

_SEASONS = f"""
    SELECT {_AGREEMENT.format(read="NULL")},
        greatest(lower(a.period), coalesce(s.billed_up_to, lower(a.period))),
        least(w.closing_on, upper(a.period)), 0, 1, 0, NULL, true
    FROM {_WANTED}
    LEFT JOIN LATERAL (
        SELECT max(b.to_on) AS billed_up_to FROM billing_bill b
        JOIN billing_serviceagreement g ON g.id = b.agreement_id
        WHERE g.service_point_id = a.service_point_id AND g.tariff_id = a.tariff_id
            AND b.read_id IS NULL) s ON true
    WHERE NOT a.is_metered AND coalesce(s.billed_up_to, lower(a.period))
        < least(w.closing_on, upper(a.period))
    ORDER BY a.account_id, a.id
"""

_SERVICES = f"""
    SELECT {_AGREEMENT.format(read="NULL")}, a.service_point_id, w.closing_on,
        coalesce(l.to_on, lower(a.period)), coalesce(u.thousandths, 0), coalesce(u.days, 0),
        m.id IS NOT NULL, coalesce(m.unit, l.unit), lower(a.period)
    FROM {_WANTED}
    LEFT JOIN LATERAL (
        SELECT r.to_on, r.unit FROM metering_read r
        WHERE r.service_point_id = a.service_point_id
        ORDER BY r.to_on DESC, r.id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (
        SELECT sum(r.usage_thousandths) AS thousandths, sum(r.to_on - r.from_on) AS days
        FROM metering_read r WHERE r.service_point_id = a.service_point_id
            AND r.to_on > w.closing_on - w.usage_days AND r.usage_thousandths >= 0
            AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
        ) u ON true
    LEFT JOIN LATERAL (
        SELECT i.meter_id FROM metering_installation i
        WHERE i.service_point_id = a.service_point_id AND upper_inf(i.period)
        ORDER BY lower(i.period) DESC LIMIT 1) i ON true
    LEFT JOIN metering_meter m ON m.id = i.meter_id
    WHERE a.is_metered AND a.period @> (w.closing_on - 1)
    ORDER BY a.account_id, a.id
"""

SERVICES_SCHEMA = {
    **{name: USAGES_SCHEMA[name] for name in list(USAGES_SCHEMA)[:10]},
    "service_point_id": pl.Int64,
    "closing_on": pl.Date,
    "last_on": pl.Date,
    "used_thousandths": pl.Int64,
    "used_days": pl.Int64,
    "has_register": pl.String,
    "unit": pl.String,
    "starts_on": pl.Date,
}


def _params(wanted: Sequence[Wanted]) -> dict[str, Any]:
    return {
        "accounts": [each.account_id for each in wanted],
        "closings": [each.closing_on for each in wanted],
        "days": [each.usage_days for each in wanted],
    }


def unread_services(database: psycopg.Connection[Any], wanted: Sequence[Wanted]) -> pl.DataFrame:
    """Metered services whose last read is before the closing, with the usage estimated since.

    Returns SERVICES_SCHEMA and usage_thousandths (Int64). Raises NotPayable when a meter was read
    after the closing, or when nothing is known to estimate from.
    """
    services = read_frame(database, _SERVICES, SERVICES_SCHEMA, _params(wanted)).with_columns(
        has_register=pl.col("has_register") == "t"
    )
    late = services.filter(pl.col("last_on") > pl.col("closing_on"))
    if late.height:
        raise NotPayable(
            f"The meter was read on {late['last_on'][0]:%B %-d, %Y}, after the closing; move the "
            "closing date to that day or a later one."
        )
    unread = services.filter(pl.col("last_on") < pl.col("closing_on"))
    found = unread.join(estimates(unread), on="agreement_id", maintain_order="left")
    if found["usage_thousandths"].null_count() or found["unit"].null_count():
        raise NotPayable(
            "Nothing is known about the usage of a metered service; take a read of it first."
        )
    return found


def unbilled(
    database: psycopg.Connection[Any], wanted: Sequence[Wanted], *, estimated: bool = True
) -> Unbilled:
    """What is to be billed up to the closing days, rated at the rates in force.

    estimated: False leaves out what is only estimated. Raises NotPayable for a usage that a bill
    run would hold back, with its sentence.
    """
    params = _params(wanted)
    parts = [
        shared_by_days(read_frame(database, query, {**USAGES_SCHEMA}, params))
        for query in (_READS, _SEASONS)
    ]
    if estimated:
        parts.append(_as_usages(unread_services(database, wanted), parts[0]))
    usages = (
        pl.concat(parts)
        .with_row_index("row")
        .with_columns(
            row=pl.col("row").cast(pl.Int64),
            exemptions=pl.col("exemptions").fill_null("").str.split(",").list.drop_nulls(),
            is_verified=pl.col("is_verified") == "t",
        )
    )
    held = implausible(usages)
    if held.height:
        raise NotPayable(str(held["sentence"][0]))
    return Unbilled(usages, _rated(usages))


def _as_usages(services: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """Estimates as rows of usage: an agreement that began after the last read has its days."""
    from_on = pl.max_horizontal("last_on", "starts_on")
    shared = shared_by_days(
        services.with_columns(
            from_on=from_on,
            to_on=pl.col("closing_on"),
            read_id=pl.lit(0),
            days_before=(from_on - pl.col("last_on")).dt.total_days(),
            days_of_read=(pl.col("closing_on") - pl.col("last_on")).dt.total_days(),
        )
    ).with_columns(read_id=pl.lit(None), is_verified=pl.lit("t"))
    return shared.select(pl.col(name).cast(dtype) for name, dtype in like.schema.items())


def _rated(usages: pl.DataFrame) -> pl.DataFrame:
    lines = [pl.DataFrame(schema=LINES)]
    for (tariff_id,), part in usages.group_by(["tariff_id"], maintain_order=True):
        rated = rate(tariffs.schedule(int(str(tariff_id))), part)
        if rated.refusals.height:
            raise NotPayable(str(rated.refusals["sentence"][0]))
        lines.append(rated.lines)
    return pl.concat(lines).sort("row", "position", maintain_order=True)

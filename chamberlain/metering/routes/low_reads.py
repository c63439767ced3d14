"""Actual reads below what was estimated: no fault of the reader, but of the estimate.

An estimate counts the register on. When the meter then shows less than that, but not less than at
the last actual read, the read is kept with a usage below zero: what was estimated too much. No
bill is made of it as it stands; the true-up spreads what was really used over the periods.

    actual     register 100
    estimate            120    20 used
    actual              113    7 less than estimated; 13 used in all
"""

from datetime import date, datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.metering.dials import usage_column
from chamberlain.metering.models import Read
from chamberlain.metering.operations import THOUSAND, record_read, wait_for_imports

COUNTS_FROM = """(r.quality <> 'estimate' OR starts_with(r.source, 'closing ')
    OR starts_with(r.source, 'move-out '))"""
"""Reads r that nothing before them is set right by: actual ones, and estimates to the day on which
a holder left or sold, which stay as they were billed."""

_METERS_SQL = f"""
    SELECT m.serial, m.id, m.dials, m.unit, i.service_point_id, l.to_on,
        coalesce(s.register, i.register_at_start), e.thousandths::bigint
    FROM metering_meter m
    CROSS JOIN LATERAL (SELECT service_point_id, period, register_at_start
        FROM metering_installation WHERE meter_id = m.id AND upper_inf(period)
        ORDER BY lower(period) DESC LIMIT 1) i
    CROSS JOIN LATERAL (SELECT r.to_on, {COUNTS_FROM} AS is_final FROM metering_read r
        WHERE r.service_point_id = i.service_point_id AND r.meter_id = m.id
            AND r.register IS NOT NULL AND r.to_on > lower(i.period)
        ORDER BY r.to_on DESC LIMIT 1) l
    LEFT JOIN LATERAL (SELECT r.to_on, r.register FROM metering_read r
        WHERE r.service_point_id = i.service_point_id AND r.meter_id = m.id
            AND r.register IS NOT NULL AND r.to_on > lower(i.period) AND {COUNTS_FROM}
        ORDER BY r.to_on DESC LIMIT 1) s ON true
    CROSS JOIN LATERAL (SELECT sum(r.usage_thousandths) AS thousandths FROM metering_read r
        WHERE r.service_point_id = i.service_point_id AND r.meter_id = m.id
            AND r.register IS NOT NULL AND r.quality = 'estimate'
            AND r.to_on > coalesce(s.to_on, lower(i.period))) e
    WHERE m.serial = ANY(%s) AND NOT l.is_final
        AND NOT EXISTS (SELECT 1 FROM metering_sidemeter x
            WHERE x.service_point_id = i.service_point_id AND upper_inf(x.period))
        AND NOT EXISTS (SELECT 1 FROM metering_readpart x
            WHERE x.service_point_id = i.service_point_id AND x.read_id IS NULL)
"""
_METERS = {
    "meter": pl.String,
    "meter_id": pl.Int64,
    "dials": pl.Int64,
    "unit": pl.String,
    "service_point_id": pl.Int64,
    "last_on": pl.Date,
    "start_register": pl.Int64,
    "estimated_thousandths": pl.Int64,
}
_PUT_ASIDE_SQL = """
    SELECT id, meter, read_on::date, register::bigint FROM metering_readexception
    WHERE resolved_at IS NULL AND code = 'lower_than_before' ORDER BY id
"""
_PUT_ASIDE = {"id": pl.Int64, "meter": pl.String, "read_on": pl.Date, "register": pl.Int64}
_RESOLVED = "Below what was estimated: recorded, to be trued up."


def record_low_read(actor: Actor, serial: str, on: date, register: int, today: date) -> bool:
    """Records a read below what was estimated; returns whether it was one, and is recorded.

    Anything else is left to `record_read`, and so is a meter that is read together with another.
    """
    actor.require("read.import")
    if on > today or register < 0:
        return False
    with acting(actor), transaction.atomic():
        wait_for_imports(alone=True)
        typed = pl.DataFrame(
            {"meter": [serial], "read_on": [on], "register": [register]},
            schema={"meter": pl.String, "read_on": pl.Date, "register": pl.Int64},
        ).with_columns(source=pl.format("typed {} {}", "meter", "read_on"))
        return _record(low_reads(typed, _meters([serial]))) == 1


def record_typed(actor: Actor, serial: str, on: date, register: int, today: date) -> int:
    """Records what a meter shows, also where it is below what was estimated; returns the read's id.

    Raises what `record_read` raises.
    """
    if record_low_read(actor, serial, on, register, today):
        return int(Read.objects.get(meter__serial=serial, to_on=on, register=register).pk)
    return record_read(actor, serial, on, register, today)


def settle_low_reads(actor: Actor, now: datetime) -> int:
    """Records the reads that imports put aside because they are below an estimate, and takes them
    off the metering worklist; returns how many. What else is lower than before stays there.
    """
    actor.require("read.import")
    with acting(actor), transaction.atomic():
        wait_for_imports(alone=True)
        connection.ensure_connection()
        aside = read_frame(connection.connection, _PUT_ASIDE_SQL, _PUT_ASIDE)
        first = aside.sort("meter", "read_on", "id").unique(
            "meter", keep="first", maintain_order=True
        )
        meters = _meters(first["meter"].to_list())
        found = low_reads(first.with_columns(source=pl.format("put aside {}", "id")), meters)
        _record(found)
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE metering_readexception
                   SET resolved_at = %s, resolved_by_id = %s, resolution = %s WHERE id = ANY(%s)""",
                [now, actor.user_id, _RESOLVED, found["id"].to_list()],
            )
    return found.height


def low_reads(records: pl.DataFrame, meters: pl.DataFrame) -> pl.DataFrame:
    """Which records are reads below what was estimated, with their usage (below zero).

    records: meter, read_on, register and any other columns, which are kept. meters: columns
    _METERS, of meters whose last read is an estimate.
    """
    used = usage_column(pl.col("start_register"), pl.col("register"), pl.col("dials")) * THOUSAND
    return (
        records.join(meters, on="meter", maintain_order="left")
        .with_columns(usage_thousandths=used - pl.col("estimated_thousandths"))
        .filter(
            (pl.col("usage_thousandths") < 0)
            & (pl.col("read_on") > pl.col("last_on"))
            & (pl.col("register") < pl.lit(10, dtype=pl.Int64).pow(pl.col("dials")))
        )
    )


def _meters(serials: list[str]) -> pl.DataFrame:
    connection.ensure_connection()
    return read_frame(connection.connection, _METERS_SQL, _METERS, [serials])


def _record(found: pl.DataFrame) -> int:
    database = connection.connection
    return copy_frame(
        database,
        "metering_read",
        found.select(
            "service_point_id",
            "meter_id",
            "register",
            "usage_thousandths",
            "unit",
            "source",
            id=next_ids(database, "metering_read", found.height),
            from_on="last_on",
            to_on="read_on",
            quality=pl.lit("actual"),
            is_verified=pl.lit(False),
        ),
    )

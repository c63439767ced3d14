"""What a watch reads from the database: reads with their past, places, holders, classes."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg

from chamberlain.kernel.frames import read_frame
from chamberlain.metering.watching.comparing import POINT, READS, in_gallons, rounded
from chamberlain.metering.watching.rules import CLASSES, HOLDERS, PLACES

YEAR = 366
# A period may be a year long, and last year's period lies a year before it.
_SPAN = timedelta(days=2 * YEAR)


@dataclass(frozen=True, slots=True)
class Scope:
    """Reads with ids above `after` up to `up_to` that ended after `since` are the new ones."""

    after: int
    up_to: int
    since: date

    def params(self, **more: Any) -> dict[str, Any]:
        """Values for the queries."""
        return {"after": self.after, "up_to": self.up_to, "since": self.since, **more}


_NEW = "r.id > %(after)s AND r.id <= %(up_to)s AND r.to_on > %(since)s"
_POINTS = f"""
    SELECT r.service_point_id, count(*) FROM metering_read r WHERE {_NEW}
    GROUP BY r.service_point_id ORDER BY r.service_point_id
"""
_READS = f"""
    SELECT r.id, r.service_point_id, r.meter_id, r.from_on, r.to_on, r.usage_thousandths, r.unit,
        r.register, m.dials, CASE WHEN r.quality <> 'estimate' THEN 'true' ELSE 'false' END,
        CASE WHEN r.is_verified THEN 'true' ELSE 'false' END,
        CASE WHEN {_NEW} THEN 'true' ELSE 'false' END
    FROM metering_read r LEFT JOIN metering_meter m ON m.id = r.meter_id
    WHERE r.service_point_id BETWEEN %(first)s AND %(last)s AND r.to_on > %(past)s
        AND r.id <= %(up_to)s
"""
_USE = """
    SELECT {columns}, coalesce(u.property_type_id, p.property_type_id),
        coalesce(u.dwelling_units, p.dwelling_units)
    FROM registry_servicepoint s JOIN registry_property p ON p.id = s.property_id
    LEFT JOIN LATERAL (
        SELECT property_type_id, dwelling_units FROM registry_propertychange
        WHERE property_id = p.id ORDER BY from_on DESC, id DESC LIMIT 1) u ON true
"""
_PLACES = _USE.format(columns="s.id") + " WHERE s.id BETWEEN %(first)s AND %(last)s"
_HOLDERS = """
    SELECT s.id, h.account_id, coalesce(lower(h.period), date '0001-01-01'), upper(h.period)
    FROM registry_servicepoint s JOIN registry_accountholding h ON h.property_id = s.property_id
    WHERE s.id BETWEEN %(first)s AND %(last)s
"""
_CLASSES = f"""
    SELECT t.type, r.unit, sum(r.usage_thousandths),
        sum((r.to_on - r.from_on) * greatest(t.units, 1))
    FROM metering_read r
    JOIN ({_USE.format(columns="s.id")}) AS t(point_id, type, units)
        ON t.point_id = r.service_point_id
    WHERE r.to_on > %(past)s AND r.to_on <= %(on)s AND r.quality <> 'estimate'
        AND r.usage_thousandths >= 0
    GROUP BY 1, 2
"""


def points(database: psycopg.Connection[Any], scope: Scope) -> pl.DataFrame:
    """service_point_id and how many new reads it has, in the order of their ids."""
    return read_frame(database, _POINTS, {POINT: pl.Int64, "reads": pl.Int64}, scope.params())


def reads(
    database: psycopg.Connection[Any], scope: Scope, usual_days: int, first: int, last: int
) -> pl.DataFrame:
    """The reads of service points from first to last, as `comparing` takes them, with their past.

    Only of points that have a new one.
    """
    past = scope.since - _SPAN - timedelta(days=usual_days)
    frame = read_frame(database, _READS, READS, scope.params(first=first, last=last, past=past))
    return frame.filter(pl.col("is_new").any().over(POINT))


def places(database: psycopg.Connection[Any], first: int, last: int) -> pl.DataFrame:
    """The property's type and dwelling units of each service point."""
    return read_frame(database, _PLACES, PLACES, {"first": first, "last": last})


def holders(database: psycopg.Connection[Any], first: int, last: int) -> pl.DataFrame:
    """Who holds an account at each service point, and when."""
    return read_frame(database, _HOLDERS, HOLDERS, {"first": first, "last": last})


def classes(database: psycopg.Connection[Any], on: date, usual_days: int) -> pl.DataFrame:
    """What a dwelling unit of each property type used a day in the days before, as CLASSES."""
    sums = read_frame(
        database,
        _CLASSES,
        {
            "property_type": pl.String,
            "unit": pl.String,
            "usage_thousandths": pl.Int64,
            "unit_days": pl.Int64,
        },
        {"on": on, "past": on - timedelta(days=usual_days)},
    ).with_columns(from_on=pl.lit(on), to_on=pl.lit(on + timedelta(days=1)))
    return (
        in_gallons(sums)
        .group_by("property_type")
        .agg(class_daily=rounded(pl.col("gallons").sum(), pl.col("unit_days").sum()))
        .select(list(CLASSES))
    )

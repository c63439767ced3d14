"""Puts what a watch found onto the worklist: new entries, and those that are seen again."""

from datetime import date, datetime

import polars as pl
from django.db import connection

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.identity.history import copy_recorded
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.metering.watching.comparing import POINT
from chamberlain.metering.watching.words import sentence

_OPEN = {"finding_id": pl.Int64, POINT: pl.Int64, "rule": pl.String}
# Locked until the chunk commits, so that nobody closes an entry while it is seen again.
_LOCK_SQL = """
    SELECT id, service_point_id, rule FROM watching_finding
    WHERE service_point_id BETWEEN %s AND %s AND state <> 'closed' ORDER BY id FOR UPDATE
"""
_SEEN_SQL = """
    SELECT s.read_id, s.rule FROM watching_finding f JOIN watching_sighting s ON s.finding_id = f.id
    WHERE f.service_point_id BETWEEN %s AND %s
"""
_AGAIN_SQL = """
    UPDATE watching_finding f SET seen_on = %s, sentence = n.sentence, severity = n.severity,
        holds_bill = n.holds_bill, version = f.version + 1
    FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::bool[])
        AS n(id, sentence, severity, holds_bill)
    WHERE f.id = n.id
"""


def enter(
    actor: Actor, shown: pl.DataFrame, on: date, now: datetime, first: int, last: int
) -> tuple[int, int]:
    """Enters what the rules found at service points from first to last.

    shown: as `rules.found` gives it. What a read was said to show before is left out. Returns how
    many entries are new and how many were seen again. Runs in the caller's transaction.
    """
    open_ones = pl.DataFrame(rows(_LOCK_SQL, [first, last]), schema=_OPEN, orient="row")
    database = connection.connection
    seen = read_frame(database, _SEEN_SQL, {"read_id": pl.Int64, "rule": pl.String}, [first, last])
    fresh = shown.join(seen, on=["read_id", "rule"], how="anti").sort(
        POINT, "rule", "to_on", "read_id"
    )
    if fresh.is_empty():
        return 0, 0
    said = [sentence(row) for row in fresh.iter_rows(named=True)]
    fresh = fresh.with_columns(sentence=pl.Series(said, dtype=pl.String))
    entries = fresh.group_by(POINT, "rule", maintain_order=True).last()
    made = _make(actor, entries.join(open_ones, on=[POINT, "rule"], how="anti"), on)
    again = entries.join(open_ones, on=[POINT, "rule"])
    _see_again(again, on)
    sightings = fresh.join(pl.concat([open_ones, made]), on=[POINT, "rule"]).select(
        "finding_id",
        "read_id",
        "rule",
        "sentence",
        daily_thousandths="daily",
        compared_thousandths="compared",
        found_at=pl.lit(now.isoformat()),
    )
    copy_frame(database, "watching_sighting", sightings)
    return made.height, again.height


def _make(actor: Actor, entries: pl.DataFrame, on: date) -> pl.DataFrame:
    numbered = entries.with_columns(
        finding_id=next_ids(connection.connection, "watching_finding", entries.height)
    )
    copy_recorded(
        actor,
        "watching_finding",
        numbered.select(
            POINT,
            "rule",
            "account_id",
            "property_type",
            "severity",
            "holds_bill",
            "sentence",
            id="finding_id",
            found_on=pl.lit(on),
            seen_on=pl.lit(on),
            state=pl.lit("open"),
            field_check=pl.lit(""),
            version=pl.lit(1),
        ),
    )
    return numbered.select(list(_OPEN))


def _see_again(again: pl.DataFrame, on: date) -> None:
    if again.is_empty():
        return
    columns = ("finding_id", "sentence", "severity", "holds_bill")
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN_SQL, [on, *(again[name].to_list() for name in columns)])

"""The night's work on citations, set-based: notices, doubling, collection.

A citation that is neither paid nor contested is noticed `notice_days` after its base day, finally
determined `doubles_days` after it, when a penalty of as much as the fine is raised, and sent to
collection `collection_days` after that day. The base day is the day of issue, or that of the
hearing that found liable. A night that was left out is made up for by the next.
"""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import lock_balances, post_frames, sentences
from chamberlain.revenue.bulk import raising
from chamberlain.revenue.citations.models import Citation
from chamberlain.revenue.citations.terms import terms_on

CHUNK = 20_000
PENALTY_KIND = "citation"
Stage = Citation.Stage
_LOCK = 481_517


@dataclass(frozen=True, slots=True)
class NightResult:
    """What a night brought: citations noticed, doubled by so many cents, sent to collection."""

    noticed: int
    doubled: int
    doubled_cents: int
    collected: int


_OPEN = """
    SELECT c.obligation_id AS id, o.account_id, o.number,
        (SELECT x.cents FROM revenue_obligationcharge y JOIN ledger_charge x ON x.id = y.charge_id
            WHERE y.obligation_id = o.id ORDER BY x.id LIMIT 1) AS fine,
        sum(h.cents - coalesce(s.settled_cents, 0)) AS open
    FROM citations_citation c
    JOIN revenue_obligation o ON o.id = c.obligation_id
    JOIN revenue_obligationcharge oc ON oc.obligation_id = o.id
    JOIN ledger_charge h ON h.id = oc.charge_id
    LEFT JOIN ledger_settlement s ON s.charge_id = h.id
    WHERE c.stage = ANY(%(stages)s) AND c.base_on <= %(base)s AND NOT o.is_taken_back
    GROUP BY c.obligation_id, o.id
    HAVING sum(h.cents - coalesce(s.settled_cents, 0)) > 0
    ORDER BY c.obligation_id LIMIT %(limit)s
"""
_OPEN_SCHEMA = {
    "id": pl.Int64,
    "account_id": pl.Int64,
    "number": pl.String,
    "cents": pl.Int64,
    "open_cents": pl.Int64,
}
_LOCK_CITATIONS = """
    SELECT FROM citations_citation WHERE obligation_id = ANY(%s)
    ORDER BY obligation_id FOR NO KEY UPDATE
"""
_MOVE = f"""
    WITH late AS ({_OPEN}), moved AS (
        UPDATE citations_citation c SET stage = %(stage)s FROM late
        WHERE c.obligation_id = late.id AND c.stage = ANY(%(stages)s)
        RETURNING c.obligation_id
    )
    INSERT INTO citations_citationevent (citation_id, stage, "on", at, by_id, note)
        SELECT obligation_id, %(stage)s, %(on)s, %(now)s, %(actor)s, '' FROM moved
"""


def work_on_citations(actor: Actor, on: date, business_day_id: int, now: datetime) -> NightResult:
    """Does the night's work for the days before `on`; harmless when repeated.

    Chunks commit on their own. Raises NotPermitted, NotFound (rules, day), DayClosed.
    """
    actor.require("citation.run")
    terms, day = terms_on(on), day_to_post_on(business_day_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        # What is to be doubled is not noticed on the same night.
        doubled, cents = _double(actor, on, terms.doubles_days, day, now)
        noticed = _move(actor, [Stage.ISSUED], Stage.NOTICE, on, terms.notice_days, now)
        collected = _move(actor, [Stage.FINAL], Stage.COLLECTION, on, terms.collection_days, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return NightResult(noticed, doubled, cents, collected)


def _base(on: date, days: int) -> date:
    return date.fromordinal(on.toordinal() - days)


def _move(actor: Actor, stages: list[str], stage: str, on: date, days: int, now: datetime) -> int:
    count = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _MOVE,
                {
                    "stages": [str(each) for each in stages],
                    "base": _base(on, days),
                    "limit": CHUNK,
                    "stage": str(stage),
                    "on": on,
                    "now": now,
                    "actor": actor.user_id,
                },
            )
            moved = int(cursor.rowcount)
        count += moved
        if moved < CHUNK:
            return count


def _double(actor: Actor, on: date, days: int, day: BusinessDay, now: datetime) -> tuple[int, int]:
    count = cents = 0
    params = {
        "stages": [str(Stage.ISSUED), str(Stage.NOTICE), str(Stage.DETERMINED)],
        "base": _base(on, days),
        "limit": CHUNK,
    }
    while True:
        with transaction.atomic(), sentences():
            connection.ensure_connection()
            database = connection.connection
            found = read_frame(database, _OPEN, _OPEN_SCHEMA, params)
            # Citations first and then balances, as who contests or dismisses one does.
            database.execute(_LOCK_CITATIONS, [found["id"].to_list()])
            lock_balances(sorted(set(found["account_id"])))
            # What was paid or contested while the locks were waited for is looked at again.
            late = read_frame(database, _OPEN, _OPEN_SCHEMA, params).join(
                found.select("id"), on="id", how="semi", maintain_order="left"
            )
            if not late.is_empty():
                _post(actor, late, on, day, now)
        count, cents = count + late.height, cents + int(late["cents"].sum())
        if found.height < CHUNK:
            return count, cents


def _post(actor: Actor, late: pl.DataFrame, on: date, day: BusinessDay, now: datetime) -> None:
    database = connection.connection
    kind = chart.charge_kinds()[PENALTY_KIND]
    made = late.with_columns(
        entry_id=next_ids(database, "ledger_entry", late.height),
        charge_id=next_ids(database, "ledger_charge", late.height),
        kind=pl.lit("citation_doubled"),
        kind_id=pl.lit(kind.id),
        debit_id=pl.lit(kind.receivable_id),
        credit_id=pl.lit(kind.revenue_id),
        raised_on=pl.lit(day.day),
        due_on=pl.lit(day.day),
    )
    reason = "Final determination: not paid and not contested in time"
    post_frames(database, raising(actor, made, day.pk, now, reason))
    copy_frame(database, "revenue_obligationcharge", made.select("charge_id", obligation_id="id"))
    copy_frame(
        database,
        "citations_citationevent",
        made.select(
            "entry_id",
            citation_id="id",
            stage=pl.lit(str(Stage.FINAL)),
            on=pl.lit(on),
            at=pl.lit(now.isoformat()),
            by_id=pl.lit(actor.user_id),
            note=pl.lit("A penalty of as much as the fine is due"),
        ),
    )
    Citation.objects.filter(pk__in=made["id"].to_list()).update(stage=Stage.FINAL)

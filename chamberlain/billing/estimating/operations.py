"""What people do: estimate what nobody read, of a whole cycle at once."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
import psycopg
from django.db import connection, transaction

from chamberlain.billing.estimating.finding import Wanted, reckoned
from chamberlain.billing.estimating.models import EstimateBatch
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.metering.operations import wait_for_imports


@dataclass(frozen=True, slots=True)
class Estimated:
    """What became of the unread services; came_before: the key had been used."""

    batch_id: int
    estimates: int
    refused: int
    came_before: bool = False


def estimate_reads(
    actor: Actor, wanted: Wanted, today: date, now: datetime, idempotency_key: str
) -> Estimated:
    """Estimates every unread service that can be, as reads of quality estimate.

    A register counts on from the last one by whole units. Items of bill runs' worklists that
    waited for these reads are settled; of what cannot be estimated they say why. Nothing is
    estimated twice: with the same key nothing is done, with another one only what is unread still.
    Raises Invalid (days), NotFound (tariff, the city's terms).
    """
    actor.require("read.estimate")
    if wanted.reads_up_to > today:
        raise Invalid(
            f"{wanted.reads_up_to:%B %-d, %Y} has not come yet; wait for the reads of that day.",
            field="reads_up_to",
        )
    with acting(actor), transaction.atomic():
        wait_for_imports(alone=True)
        before = EstimateBatch.objects.filter(idempotency_key=idempotency_key).first()
        if before:
            return Estimated(before.pk, before.estimates, before.refused, came_before=True)
        found = reckoned(wanted)
        refused = found.filter(pl.col("refusal").is_not_null())
        batch = EstimateBatch.objects.create(
            run_id=wanted.run_id,
            up_to=wanted.reads_up_to,
            made_by_id=actor.user_id,
            made_at=now,
            estimates=found.height - refused.height,
            refused=refused.height,
            idempotency_key=idempotency_key,
        )
        _record(connection.connection, found.filter(pl.col("refusal").is_null()), batch.pk)
        _settle_holds(actor, batch.pk, now)
        _explain_holds(refused)
    return Estimated(batch.pk, batch.estimates, batch.refused)


def _record(database: psycopg.Connection[Any], made: pl.DataFrame, batch_id: int) -> None:
    made = made.with_columns(read_id=next_ids(database, "metering_read", made.height))
    copy_frame(
        database,
        "metering_read",
        made.select(
            "service_point_id",
            "meter_id",
            "from_on",
            "to_on",
            "register",
            "usage_thousandths",
            "unit",
            id="read_id",
            quality=pl.lit("estimate"),
            is_verified=pl.lit(False),
            source=pl.format("estimate {} of {}", pl.lit(batch_id), "service_point_id"),
        ),
    )
    copy_frame(
        database,
        "estimating_estimate",
        made.select(
            "read_id",
            "agreement_id",
            "how",
            "basis_thousandths",
            "basis_days",
            "basis_services",
            batch_id=pl.lit(batch_id),
        ),
    )


_SETTLE_SQL = """
    UPDATE billing_hold h SET resolved_at = %s, resolved_by_id = %s, resolution = %s
    FROM billing_serviceagreement a, estimating_estimate e
    JOIN metering_read r ON r.id = e.read_id
    WHERE e.batch_id = %s AND a.service_point_id = r.service_point_id AND h.agreement_id = a.id
        AND h.code = 'no_read' AND h.resolved_at IS NULL
"""

_EXPLAIN_SQL = """
    UPDATE billing_hold h SET sentence = x.sentence
    FROM unnest(%s::bigint[], %s::text[]) AS x (point, sentence)
    JOIN billing_serviceagreement a ON a.service_point_id = x.point
    WHERE h.agreement_id = a.id AND h.code = 'no_read' AND h.resolved_at IS NULL
"""


def _settle_holds(actor: Actor, batch_id: int, now: datetime) -> None:
    said = f"Estimated (estimates {batch_id}); the next run of these days bills it."
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE_SQL, [now, actor.user_id, said, batch_id])


def _explain_holds(refused: pl.DataFrame) -> None:
    points, sentences = refused["service_point_id"].to_list(), refused["refusal"].to_list()
    with connection.cursor() as cursor:
        cursor.execute(_EXPLAIN_SQL, [points, sentences])

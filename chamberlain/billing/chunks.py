"""The chunk function of a bill run: rate and post one range of agreements, in one transaction.

It may be called again, at the same time or after a crash: a chunk that is posted, or that
another worker holds, is left alone, and what has a bill is not a candidate any more.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg
from django.db import connection, transaction

from chamberlain.billing import composing, holds
from chamberlain.billing import posting as bill_posting
from chamberlain.billing.candidates import candidates, unread_agreements
from chamberlain.billing.models import BillRun, Chunk
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.posting import sentences
from chamberlain.metering.watching.queries import keeping_bills_back
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.rating import Rated, rate


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What a chunk did; was_posted: it had been done before, or another worker has it."""

    number: int
    bills: int
    held: int
    cents: int
    seconds: float
    was_posted: bool = False


class NotProven(AssertionError):
    """The chunk's own part of the books does not add up; nothing of it was kept."""


def post_chunk(run_id: int, number: int) -> ChunkResult:
    """Rates and posts a chunk. Raises DayClosed when the run's business day is closed."""
    started = time.perf_counter()
    with transaction.atomic(), sentences():
        chunk = (
            Chunk.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("run__business_day")
            .filter(run_id=run_id, number=number, posted_at=None)
            .first()
        )
        if chunk is None:
            return ChunkResult(number, 0, 0, 0, 0.0, was_posted=True)
        database = connection.connection
        bills, held, cents = _rate_and_post(database, chunk)
        chunk.bills, chunk.held, chunk.cents = bills, held, cents
        chunk.posted_at = datetime.now(UTC)
        chunk.seconds = time.perf_counter() - started
        chunk.save()
    return ChunkResult(number, bills, held, cents, time.perf_counter() - started)


# A correction of one of these accounts waits, or is seen: what is found unbilled stays so.
_LOCK_SQL = """
    SELECT ledger_lock_balances(array_agg(DISTINCT account_id))
    FROM billing_serviceagreement WHERE id BETWEEN %s AND %s
"""


def _rate_and_post(database: psycopg.Connection[Any], chunk: Chunk) -> tuple[int, int, int]:
    run = chunk.run
    first, last = chunk.first_agreement, chunk.last_agreement
    database.execute(_LOCK_SQL, [first, last])
    found = candidates(database, run, first, last)
    kept_back = _kept_back(found)
    rated = rate(tariffs.schedule(run.tariff_id), found.join(kept_back, on="row", how="anti"))
    held = _hold(
        database, run, found, kept_back, rated, unread_agreements(database, run, first, last)
    )
    if rated.lines.is_empty():
        return 0, held, 0
    posting, kinds = _posting_of(run), chart.charge_kinds()
    composed = _compose(database, found, rated, (first, last), posting, kinds)
    cents = int(composed.bills["total_cents"].sum())
    bill_posting.write(database, composed)
    bill_posting.use_credit(database, composed, kinds, posting)
    _prove(database, run.pk, composed, cents)
    return composed.bills.height, held, cents


def _kept_back(found: pl.DataFrame) -> pl.DataFrame:
    """What somebody must look at before it is billed; each row once."""
    implausible = holds.implausible(found)
    read_ids = found["read_id"].drop_nulls().to_list()
    watched = holds.watched(found, keeping_bills_back(read_ids))
    return pl.concat([implausible, watched.join(implausible, on="row", how="anti")])


def _compose(
    database: psycopg.Connection[Any],
    found: pl.DataFrame,
    rated: Rated,
    agreements: tuple[int, int],
    posting: composing.Posting,
    kinds: Mapping[str, chart.KindOfCharge],
) -> composing.Composed:
    balances = read_frame(
        database,
        """SELECT b.account_id, b.owed_cents - b.credit_cents FROM ledger_balance b
           WHERE b.account_id IN (SELECT account_id FROM billing_serviceagreement
               WHERE id BETWEEN %s AND %s)""",
        {"account_id": pl.Int64, "net_cents": pl.Int64},
        agreements,
    )
    billed = composing.bills(
        found, rated.lines, balances, next_ids(database, "billing_bill", found.height), posting
    )
    return bill_posting.compose(
        database, billed, rated.lines.sort("row", "position"), kinds, posting
    )


def _posting_of(run: BillRun) -> composing.Posting:
    """How the bills of a run are posted."""
    return composing.Posting(
        run_id=run.pk,
        business_day_id=run.business_day_id,
        actor_id=run.started_by_id,
        issued_on=run.business_day.day,
        due_on=run.due_on,
        posted_at=datetime.now(UTC),
        credits_id=chart.ledger_account_id(chart.CREDITS),
    )


def _hold(
    database: psycopg.Connection[Any],
    run: BillRun,
    found: pl.DataFrame,
    kept_back: pl.DataFrame,
    rated: Rated,
    unread: list[int],
) -> int:
    reasons = pl.concat([kept_back, rated.refusals.select("row", "code", "sentence")])
    rows = reasons.join(found.select("row", "agreement_id", "read_id"), on="row").select(
        "agreement_id", "read_id", "code", "sentence"
    )
    missing = pl.DataFrame(
        {"agreement_id": unread},
        schema={"agreement_id": pl.Int64},
    ).with_columns(
        read_id=pl.lit(None, dtype=pl.Int64),
        code=pl.lit("no_read"),
        sentence=pl.lit(holds.NO_READ),
    )
    held = pl.concat([rows, missing]).with_columns(run_id=pl.lit(run.pk), resolution=pl.lit(""))
    return copy_frame(database, "billing_hold", held)


def _prove(
    database: psycopg.Connection[Any], run_id: int, composed: composing.Composed, cents: int
) -> None:
    """What the bills say, what their lines add up to and what was raised must be one sum."""
    bill_ids = composed.bills["id"].to_list()
    entry_ids = composed.bills["entry_id"].drop_nulls().to_list()
    # Fresh rows have no statistics yet; without this the planner reads whole tables for them.
    database.execute("SET LOCAL enable_seqscan = off")
    sums = [
        _sum(database, "SELECT sum(total_cents) FROM billing_bill WHERE id = ANY(%s)", bill_ids),
        _sum(database, "SELECT sum(cents) FROM billing_billline WHERE bill_id = ANY(%s)", bill_ids),
        _sum(
            database,
            "SELECT sum(cents) FROM ledger_transfer WHERE entry_id = ANY(%s) AND effect = 'raise'",
            entry_ids,
        ),
    ]
    database.execute("SET LOCAL enable_seqscan = on")
    if sums != [cents] * 3:
        raise NotProven(f"bills, lines and transfers of run {run_id} differ: {sums}, not {cents}")


def _sum(database: psycopg.Connection[Any], query: str, ids: list[int]) -> int:
    row = database.execute(query, [ids]).fetchone()
    return int(row[0] or 0) if row else 0

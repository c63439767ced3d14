"""Penalties as charges: an entry for each bill, or other document, that is late."""

from datetime import date, datetime
from typing import Any

import polars as pl
import psycopg

from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.ledger.chart import KindOfCharge
from chamberlain.ledger.posting import EntryFrames, post_frames

ENTRY_KIND = "penalty"


def post_penalties(
    database: psycopg.Connection[Any],
    penalties: pl.DataFrame,
    *,
    run_id: int,
    kind: KindOfCharge,
    business_day_id: int,
    day: date,
    actor_id: int,
    now: datetime,
    reason: str,
) -> None:
    """Raises a charge for each penalty, and keeps what caused it.

    penalties: what `late.late_penalties` returns, not empty. reason: the source of the rule.
    """
    late = penalties.select("account_id", "document").unique(maintain_order=True)
    late = late.with_columns(entry_id=next_ids(database, "ledger_entry", late.height))
    raised = penalties.join(
        late, on=["account_id", "document"], how="left", maintain_order="left"
    ).with_columns(id=next_ids(database, "ledger_charge", penalties.height))
    post_frames(
        database,
        EntryFrames(
            entries=late.select(
                id="entry_id",
                business_day_id=pl.lit(business_day_id),
                kind=pl.lit(ENTRY_KIND),
                actor_id=pl.lit(actor_id),
                posted_at=pl.lit(now.isoformat()),
                document="document",
                reason=pl.lit(reason[:200]),
                reverses_id=pl.lit(None, pl.Int64),
                idempotency_key=pl.lit(None, pl.String),
            ),
            charges=raised.select(
                "id",
                "account_id",
                kind_id=pl.lit(kind.id),
                entry_id="entry_id",
                cents="penalty_cents",
                raised_on=pl.lit(day),
                due_on=pl.lit(day),
                document="document",
            ),
            transfers=raised.select(
                "entry_id",
                debit_id=pl.lit(kind.receivable_id),
                credit_id=pl.lit(kind.revenue_id),
                cents="penalty_cents",
                effect=pl.lit("raise"),
                account_id="account_id",
                charge_id="id",
            ),
        ),
    )
    copy_frame(
        database,
        "penalties_penalty",
        raised.select(
            charge_id="id",
            caused_by_id="charge_id",
            falls_on="falls_on",
            open_cents="open_cents",
            run_id=pl.lit(run_id),
        ),
    )

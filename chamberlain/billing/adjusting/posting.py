"""The entries of approved adjustments: one of its own for each, whether one or a million."""

from datetime import datetime

import polars as pl
from django.db import connection

from chamberlain.billing.adjusting.kinds import Kind
from chamberlain.billing.adjusting.outcomes import left_by
from chamberlain.billing.adjusting.reasons import Reason
from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import next_ids
from chamberlain.ledger import chart
from chamberlain.ledger.posting import NO_CHARGES, EntryFrames, post_frames, sentences

ENTRY_KIND = "adjustment"
TAKEN = {
    "adjustment_id": pl.Int64,
    "number": pl.String,
    "account_id": pl.Int64,
    "cents": pl.Int64,
}


def post_adjustments(
    approver: Actor,
    taken: pl.DataFrame,
    settled: pl.DataFrame,
    reason: Reason,
    business_day_id: int,
    now: datetime,
) -> pl.DataFrame:
    """Posts adjustments without another account; returns adjustment_id, entry_id.

    taken: TAKEN, an account once; settled: what `outcomes.settled_by` returned for it.
    """
    database = connection.connection
    ids = next_ids(database, "ledger_entry", taken.height)
    entries = taken.with_columns(entry_id=ids)
    transfers = (
        _credits(entries, settled, reason)
        if reason.kind_row.settles
        else _out_of_credit(entries, reason)
    )
    frames = EntryFrames(
        entries=entries.select(
            id="entry_id",
            business_day_id=pl.lit(business_day_id),
            kind=pl.lit(ENTRY_KIND),
            actor_id=pl.lit(approver.user_id),
            posted_at=pl.lit(now.isoformat()),
            document="number",
            reason=pl.lit(reason.name),
            reverses_id=pl.lit(None, pl.Int64),
            idempotency_key="number",
        ),
        charges=NO_CHARGES,
        transfers=transfers,
    )
    with sentences():
        post_frames(database, frames)
    return entries.select("adjustment_id", "entry_id")


def _out_of_credit(entries: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    to = chart.REFUNDS if reason.kind == Kind.REFUND else chart.UNCLAIMED
    return entries.select(
        "entry_id",
        debit_id=pl.lit(chart.ledger_account_id(chart.CREDITS)),
        credit_id=pl.lit(chart.ledger_account_id(to)),
        cents="cents",
        effect=pl.lit("none"),
        account_id="account_id",
        charge_id=pl.lit(None, pl.Int64),
    )


def _credits(entries: pl.DataFrame, settled: pl.DataFrame, reason: Reason) -> pl.DataFrame:
    bearing = pl.lit(chart.ledger_account_id(chart.adjustment_code(reason.kind)))
    accounts = entries.select("account_id", "entry_id")
    settling = settled.join(accounts, on="account_id", maintain_order="left").select(
        "entry_id",
        debit_id=bearing,
        credit_id="receivable_id",
        cents="cents",
        effect=pl.lit("settle"),
        account_id="account_id",
        charge_id="charge_id",
    )
    left = left_by(entries, settled).filter(pl.col("left_cents") > 0)
    to_credit = left.join(accounts, on="account_id", maintain_order="left").select(
        "entry_id",
        debit_id=bearing,
        credit_id=pl.lit(chart.ledger_account_id(chart.CREDITS), pl.Int64),
        cents="left_cents",
        effect=pl.lit("none"),
        account_id="account_id",
        charge_id=pl.lit(None, pl.Int64),
    )
    return pl.concat([settling, to_credit], how="vertical_relaxed")

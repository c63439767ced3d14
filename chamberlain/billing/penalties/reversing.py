"""Penalties taken back: the mirror of their entries, for one bill or for many at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl
import psycopg
from django.db import connection

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.forgiven import forgiven
from chamberlain.ledger.posting import NO_CHARGES, EntryFrames, lock_balances, post_frames

_PENALTIES_SQL = """
    SELECT c.entry_id, c.id, c.cents, p.caused_by_id FROM penalties_penalty p
    JOIN ledger_charge c ON c.id = p.charge_id
    WHERE p.caused_by_id = ANY(%s)
        AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)
    ORDER BY 1, 2
"""
_LEGS_SQL = """
    SELECT t.entry_id, e.document, t.account_id, t.charge_id, t.debit_id, t.credit_id, t.cents,
        coalesce(s.settled_cents, 0)
    FROM ledger_transfer t
    JOIN ledger_entry e ON e.id = t.entry_id
    LEFT JOIN ledger_settlement s ON s.charge_id = t.charge_id
    WHERE t.entry_id = ANY(%(entries)s) AND t.effect = 'raise'
    ORDER BY t.entry_id, t.id
"""
_LEGS = {
    "reversed_id": pl.Int64,
    "document": pl.String,
    "account_id": pl.Int64,
    "charge_id": pl.Int64,
    "receivable_id": pl.Int64,
    "revenue_id": pl.Int64,
    "cents": pl.Int64,
    "settled_cents": pl.Int64,
}


def penalty_entries_of(charge_ids: Sequence[int]) -> list[int]:
    """Entries that raised penalties because of charges and were not reversed.

    A penalty that was waived stays as it is: nobody paid it, so nothing is given back.
    """
    found = rows(_PENALTIES_SQL, [list(charge_ids)])
    waived = forgiven([charge for _, charge, *_ in found])
    kept = {entry for entry, charge, *_ in found if charge in waived}
    return sorted({int(entry) for entry, *_ in found} - kept)


def penalties_to_reverse(charge_ids: Sequence[int]) -> dict[int, int]:
    """Cents of the penalties that `penalty_entries_of` names, by the charge that caused them."""
    entries = set(penalty_entries_of(charge_ids))
    found: dict[int, int] = {}
    for entry, _, cents, cause in rows(_PENALTIES_SQL, [list(charge_ids)]):
        if entry in entries:
            found[int(cause)] = found.get(int(cause), 0) + int(cents)
    return found


def partly_waived(charge_ids: Sequence[int]) -> dict[int, str]:
    """Those of the charges that caused a penalty of which only a part was waived, and by which
    adjustment: it has to be taken back before the penalty can be."""
    found = rows(_PENALTIES_SQL, [list(charge_ids)])
    waived = forgiven([charge for _, charge, *_ in found])
    return {
        int(cause): waived[charge][0]
        for _, charge, cents, cause in found
        if charge in waived and waived[charge][1] < cents
    }


def reverse_entries(
    actor: Actor, entry_ids: Sequence[int], business_day_id: int, now: datetime, reason: str
) -> int:
    """Posts the mirror of entries of penalties, in the caller's transaction; returns how many
    penalties they had. What was paid on them becomes credit first."""
    if not entry_ids:
        return 0
    values = {"entries": list(entry_ids)}
    database = connection.connection
    accounts = "SELECT DISTINCT account_id FROM ledger_transfer WHERE entry_id = ANY(%s)"
    lock_balances([row[0] for row in rows(accounts, [list(entry_ids)])])
    legs = read_frame(database, _LEGS_SQL, _LEGS, values)
    paid = legs.filter(pl.col("settled_cents") > 0).with_columns(cents=pl.col("settled_cents"))
    common = {
        "business_day_id": pl.lit(business_day_id),
        "actor_id": pl.lit(actor.user_id),
        "posted_at": pl.lit(now.isoformat()),
        "reason": pl.lit(reason),
        "idempotency_key": pl.lit(None, pl.String),
    }
    if paid.height:
        credits_id = chart.ledger_account_id(chart.CREDITS)
        _post(
            database,
            paid,
            {**common, "kind": pl.lit("payments_to_credit")},
            pl.col("receivable_id"),
            pl.lit(credits_id),
            "unsettle",
            points_back=False,
        )
    _post(
        database,
        legs,
        {**common, "kind": pl.lit("reverse_penalty")},
        pl.col("revenue_id"),
        pl.col("receivable_id"),
        "settle",
        points_back=True,
    )
    return legs.height


def _post(
    database: psycopg.Connection[Any],
    legs: pl.DataFrame,
    columns: dict[str, pl.Expr],
    debit: pl.Expr,
    credit: pl.Expr,
    effect: str,
    *,
    points_back: bool,
) -> None:
    entries = legs.select("reversed_id", "document").unique(maintain_order=True)
    entries = entries.with_columns(id=next_ids(database, "ledger_entry", entries.height))
    reverses = pl.col("reversed_id") if points_back else pl.lit(None, pl.Int64)
    transfers = legs.join(entries, on="reversed_id", maintain_order="left").select(
        entry_id="id",
        debit_id=debit,
        credit_id=credit,
        cents="cents",
        effect=pl.lit(effect),
        account_id="account_id",
        charge_id="charge_id",
    )
    post_frames(
        database,
        EntryFrames(
            entries=entries.select("id", "document", reverses_id=reverses, **columns),
            charges=NO_CHARGES,
            transfers=transfers,
        ),
    )

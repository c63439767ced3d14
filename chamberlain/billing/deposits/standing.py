"""What deposits hold and since when, as frames: one deposit and all of them by the same queries."""

from collections.abc import Sequence
from datetime import date

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.deposits.accruing import EVENTS
from chamberlain.kernel.frames import read_frame

STANDING = {
    "deposit_id": pl.Int64,
    "number": pl.String,
    "account_id": pl.Int64,
    "charge_id": pl.Int64,
    "unpaid_cents": pl.Int64,
    "held_cents": pl.Int64,
    "whole_on": pl.Date,
}

# The day on which the charge was settled last is the day since which the deposit is whole.
STANDING_SQL = """
    SELECT d.id, d.number, d.account_id, d.charge_id,
        (coalesce(c.cents, 0) - coalesce(s.settled_cents, 0))::bigint,
        (m.cents - (coalesce(c.cents, 0) - coalesce(s.settled_cents, 0)))::bigint,
        CASE WHEN d.charge_id IS NULL THEN d.whole_since
            WHEN s.settled_cents = c.cents THEN (
                SELECT max(b.day) FROM ledger_transfer t
                JOIN ledger_entry e ON e.id = t.entry_id
                JOIN ledger_businessday b ON b.id = e.business_day_id
                WHERE t.charge_id = d.charge_id AND t.effect = 'settle')
        END
    FROM deposits_deposit d
    LEFT JOIN ledger_charge c ON c.id = d.charge_id
    LEFT JOIN ledger_settlement s ON s.charge_id = d.charge_id
    CROSS JOIN LATERAL (SELECT coalesce(sum(cents), 0) AS cents
        FROM deposits_depositmovement WHERE deposit_id = d.id) m
"""

_EVENTS_SQL = """
    SELECT d.id, b.day, CASE t.effect WHEN 'settle' THEN t.cents ELSE -t.cents END
    FROM deposits_deposit d
    JOIN ledger_transfer t ON t.charge_id = d.charge_id AND t.effect IN ('settle', 'unsettle')
    JOIN ledger_entry e ON e.id = t.entry_id
    JOIN ledger_businessday b ON b.id = e.business_day_id
    WHERE d.id = ANY(%(ids)s) AND NOT EXISTS (SELECT 1 FROM deposits_depositmovement k
        WHERE k.deposit_id = d.id AND k.entry_id = t.entry_id AND k.kind = 'canceled')
    UNION ALL
    SELECT deposit_id, "on", cents FROM deposits_depositmovement
    WHERE deposit_id = ANY(%(ids)s) AND kind NOT IN ('asked', 'canceled')
"""

# Late: due within the days and still open, or settled by other than a reversal after the grace.
_LATE_SQL = """
    SELECT DISTINCT d.id FROM deposits_deposit d
    JOIN ledger_charge c ON c.account_id = d.account_id AND c.due_on >= %(since)s
        AND c.due_on + %(grace)s < %(today)s
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE d.id = ANY(%(ids)s) AND (coalesce(s.settled_cents, 0) < c.cents
        OR EXISTS (SELECT 1 FROM ledger_transfer t
            JOIN ledger_entry e ON e.id = t.entry_id
            JOIN ledger_businessday b ON b.id = e.business_day_id
            WHERE t.charge_id = c.id AND t.effect = 'settle' AND e.reverses_id IS NULL
                AND b.day > c.due_on + %(grace)s))
"""


def standing_of(deposit_ids: Sequence[int]) -> pl.DataFrame:
    """STANDING of deposits: what is unpaid, held, and since when each is whole (null: it is not).

    held_cents is negative where what was paid was taken back after the deposit was given back.
    """
    query = f"{STANDING_SQL} WHERE d.id = ANY(%(ids)s) ORDER BY d.id"
    with transaction.atomic():
        return read_frame(connection.connection, query, STANDING, {"ids": list(deposit_ids)})


def events_of(deposit_ids: Sequence[int]) -> pl.DataFrame:
    """By how much what is held rose or fell, and when, as `accruing.EVENTS`."""
    with transaction.atomic():
        return read_frame(connection.connection, _EVENTS_SQL, EVENTS, {"ids": list(deposit_ids)})


def paid_late(deposit_ids: Sequence[int], since: date, today: date, grace_days: int) -> pl.Series:
    """Ids of deposits on whose accounts something due in the days was paid late or is late."""
    values = {"ids": list(deposit_ids), "since": since, "today": today, "grace": grace_days}
    with transaction.atomic():
        found = read_frame(connection.connection, _LATE_SQL, {"deposit_id": pl.Int64}, values)
    return found["deposit_id"]

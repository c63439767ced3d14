"""A night's penalties on open charges, against a bare INSERT … SELECT of as many rows.

Every charge of the city is late and draws its first penalty. The limit is measured on a copy of
the database made before the run: the rows that the run wrote are put into its tables by INSERT …
SELECT from plain tables that hold them, with all constraints and triggers in place. What the run
does beside (finding what is open, holds, exemptions, the rule) is what the ratio shows.
"""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from bench import city
from bench.figures import Figure
from bench.room import Room

CHARGES_EACH = 4
RAISED = date(2026, 1, 5)
_TABLES = {
    "ledger_entry": "r.kind = 'penalty'",
    "ledger_charge": "r.entry_id IN (SELECT id FROM ledger_entry WHERE kind = 'penalty')",
    "ledger_transfer": "r.entry_id IN (SELECT id FROM ledger_entry WHERE kind = 'penalty')",
    "penalties_penalty": "true",
}
_OWE = (
    """INSERT INTO ledger_entry (id, business_day_id, kind, actor_id, posted_at, document, reason)
       SELECT i, {day}, 'bill', {actor}, now(), 'B' || i, '' FROM generate_series(1, {n}) i""",
    """INSERT INTO ledger_charge (id, account_id, kind_id, entry_id, cents, raised_on, due_on,
           document)
       SELECT (i - 1) * {each} + j, i, {kind}, i, 1000 + (i * 7919 + j) % 20000, {raised},
           {raised}, 'B' || i
       FROM generate_series(1, {n}) i, generate_series(1, {each}) j""",
    """INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
           charge_id)
       SELECT c.entry_id, k.receivable_id, k.revenue_id, c.cents, 'raise', c.account_id, c.id
       FROM ledger_charge c JOIN ledger_chargekind k ON k.id = c.kind_id""",
)


def measure(room: Room) -> list[Figure]:
    """Penalties a second."""
    room.database()
    accounts = room.accounts // CHARGES_EACH
    built = city.build(room, accounts)
    _owe(room, built.business_day_id, accounts)
    twin = room.twin()
    penalties, seconds = _run(built.business_day_id)
    limit_seconds = _bare_insert(room, twin)
    return [
        Figure(
            "penalties",
            round(penalties / seconds, 1),
            "penalties/s",
            "bare INSERT … SELECT of the same rows into the same tables",
            round(penalties / limit_seconds, 1),
            round(limit_seconds / seconds, 3),
        )
    ]


def _owe(room: Room, business_day_id: int, accounts: int) -> None:
    """Each account owes a bill of CHARGES_EACH charges that is late."""
    with room.connect(owner=True) as owner:
        kind = owner.execute("SELECT id FROM ledger_chargekind WHERE code = 'water'").fetchone()
        actor = owner.execute("SELECT min(id) FROM identity_user").fetchone()
        assert kind is not None
        assert actor is not None
        values = {
            "n": sql.Literal(accounts),
            "each": sql.Literal(CHARGES_EACH),
            "day": sql.Literal(business_day_id),
            "kind": sql.Literal(kind[0]),
            "actor": sql.Literal(actor[0]),
            "raised": sql.Literal(RAISED),
        }
        for statement in _OWE:
            owner.execute(sql.SQL(statement).format(**values))
        for table in ("ledger_entry", "ledger_charge"):
            owner.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT max(id) FROM {}))"
                ).format(sql.Literal(table), sql.Identifier(table))
            )
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")


def _run(business_day_id: int) -> tuple[int, float]:
    from chamberlain.billing.penalties.operations import raise_penalties
    from chamberlain.identity.actors import program_actor

    since = RAISED + timedelta(days=24)
    started = time.perf_counter()
    night = raise_penalties(
        program_actor(), since + timedelta(days=1), business_day_id, datetime.now(UTC), since
    )
    return night.penalties, time.perf_counter() - started


def _bare_insert(room: Room, twin: str) -> float:
    """Seconds of the same rows by INSERT … SELECT on the twin, whose triggers are alike.

    The rows are first brought into plain tables there, which is not measured.
    """
    with (
        room.connect(owner=True) as source,
        room.connect(owner=True, database=twin) as target,
    ):
        _bring(source, target, "SELECT * FROM penalties_penaltyrun", "penalties_penaltyrun")
        for table, where in _TABLES.items():
            target.execute(
                sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT * FROM {} WHERE false").format(
                    sql.Identifier(f"bare_{table}"), sql.Identifier(table)
                )
            )
            rows = f"SELECT * FROM {table} r WHERE {where} ORDER BY 1"
            _bring(source, target, rows, f"bare_{table}")
        target.commit()
        started = time.perf_counter()
        for table in _TABLES:
            target.execute(
                sql.SQL(
                    "INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM {} ORDER BY 1"
                ).format(sql.Identifier(table), sql.Identifier(f"bare_{table}"))
            )
        target.commit()
        return time.perf_counter() - started


def _bring(
    source: psycopg.Connection[Any], target: psycopg.Connection[Any], rows: str, into: str
) -> None:
    out = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(rows))
    back = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(into))
    with source.cursor().copy(out) as read, target.cursor().copy(back) as write:
        for data in read:
            write.write(data)

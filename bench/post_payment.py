"""Payments of four charges each, taken from 1 and 8 connections, against pgbench's TPC-B.

Every client is a process with a connection of its own: a cashier at their own till who calls the
real `take_payment`, with its checks, guards and receipt, as fast as it goes. The limit runs for
the same time from as many connections on the same server and database.
"""

import multiprocessing
import re
import subprocess
import time
from datetime import UTC, date, datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import numpy as np

from bench.figures import Figure
from bench.room import Room

CLIENTS = (1, 8)
CHARGES = 4
SCALE = 20

_SECONDS = 15
_SECONDS_QUICK = 5
_PAYMENTS_A_SECOND = 3000
_WARM_UP = 50
_CENTS = 1000
_DAY = date(2026, 3, 2)
_NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
_LIMIT = "pgbench TPC-B, scale 20, as many connections"


def measure(room: Room) -> list[Figure]:
    """Payments a second, and the time of one at the median and at 99 of 100."""
    seconds = _SECONDS_QUICK if room.quick else _SECONDS
    database = room.database()
    _fill_pgbench(room, database)
    figures = []
    for clients in CLIENTS:
        work = _prepare(room, clients, seconds * _PAYMENTS_A_SECOND // clients)
        limit = _pgbench(database, clients, seconds)
        took_ms, rate = _take(work, seconds)
        name = f"post_payment_{clients}"
        figures += [
            Figure(name, round(rate), "payments/s", _LIMIT, round(limit), round(rate / limit, 3)),
            _time(f"{name}_p50", float(np.percentile(took_ms, 50)), clients, limit),
            _time(f"{name}_p99", float(np.percentile(took_ms, 99)), clients, limit),
        ]
    return figures


def _time(name: str, value_ms: float, clients: int, limit: float) -> Figure:
    limit_ms = 1000 * clients / limit
    return Figure(
        name,
        round(value_ms, 2),
        "ms",
        "mean time of a pgbench transaction",
        round(limit_ms, 2),
        round(limit_ms / value_ms, 3),
    )


def _fill_pgbench(room: Room, database: str) -> None:
    from chamberlain.database import roles

    with room.connect(owner=True) as owner:
        owner.execute("GRANT CREATE ON SCHEMA public TO CURRENT_USER")
    _run_pgbench(database, roles.OWNER, "-i", "-q", "-s", str(SCALE))


def _pgbench(database: str, clients: int, seconds: int) -> float:
    from chamberlain.database import roles

    out = _run_pgbench(
        database, roles.OWNER, "-n", "-c", str(clients), "-j", str(clients), "-T", str(seconds)
    )
    found = re.search(r"tps = ([\d.]+)", out)
    assert found, out
    return float(found[1])


def _run_pgbench(database: str, role: str, *arguments: str) -> str:
    from chamberlain.database import server

    program = str(server.program("pgbench"))
    address = ["-h", server.start(), "-U", role, database]
    return subprocess.run(
        [program, *arguments, *address], check=True, capture_output=True, text=True
    ).stdout


def _prepare(room: Room, clients: int, payments: int) -> list[tuple[int, int, list[list[int]]]]:
    """Tills, cashiers and open charges. Returns for each client its cashier, its session, and
    rows of an account with four charges."""
    from chamberlain.cashiering.operations import ensure_till, open_business_day, open_till
    from chamberlain.identity.actors import actor_of, program_actor
    from chamberlain.identity.models import Center, Role, RoleAssignment, User
    from chamberlain.ledger import chart

    chart.ensure_basic_chart()
    chart.ensure_charge_kind("water", "Water", priority=1)
    center = Center.objects.create(code=f"B{clients}", name=f"Benchmark {clients}")
    day = open_business_day(program_actor(), center.pk, _DAY, _NOW)
    work = []
    for client in range(clients):
        user = User.objects.create(username=f"cashier-{clients}-{client}")
        RoleAssignment.objects.create(
            user=user,
            role=Role.CASHIER,
            center=center,
            period=(_DAY, None),
            granted_by_id=program_actor().user_id,
        )
        till = ensure_till(center, f"B{clients}-{client}", cash_limit_cents=10**12)
        session_id = open_till(actor_of(user, _DAY), till, {}, _NOW)
        work.append((user.pk, session_id, _owe(room, day.pk, f"B{clients}-{client}", payments)))
    return work


def _owe(room: Room, day_id: int, prefix: str, accounts: int) -> list[list[int]]:
    """Accounts that owe four charges each: rows of the account's id and the charges' ids."""
    from chamberlain.identity.actors import program_actor

    values = {
        "prefix": prefix,
        "accounts": accounts,
        "charges": CHARGES,
        "day": day_id,
        "on": _DAY,
        "now": _NOW,
        "actor": program_actor().user_id,
        "cents": _CENTS,
    }
    with room.connect() as office:
        office.execute(_ACCOUNTS_SQL, values)
        office.execute(_CHARGES_SQL, values)
        office.execute(_TRANSFERS_SQL, values)
        return [list(row) for (row,) in office.execute(_WORK_SQL, values).fetchall()]


_ACCOUNTS_SQL = """
    INSERT INTO ledger_account (number, opened_on)
    SELECT %(prefix)s || '-' || n, %(on)s FROM generate_series(1, %(accounts)s) n
"""
_CHARGES_SQL = """
    WITH e AS (
        INSERT INTO ledger_entry (business_day_id, kind, actor_id, posted_at, document, reason)
        VALUES (%(day)s, 'bill', %(actor)s, %(now)s, %(prefix)s, '') RETURNING id)
    INSERT INTO ledger_charge (account_id, kind_id, entry_id, cents, raised_on, due_on, document)
    SELECT a.id, k.id, e.id, %(cents)s, %(on)s, %(on)s, a.number || '/' || n
    FROM e, ledger_chargekind k, ledger_account a, generate_series(1, %(charges)s) n
    WHERE k.code = 'water' AND a.number LIKE %(prefix)s || '-%%'
"""
_TRANSFERS_SQL = """
    INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
        charge_id)
    SELECT c.entry_id, k.receivable_id, k.revenue_id, c.cents, 'raise', c.account_id, c.id
    FROM ledger_charge c JOIN ledger_chargekind k ON k.id = c.kind_id
    JOIN ledger_entry e ON e.id = c.entry_id WHERE e.document = %(prefix)s
"""
_WORK_SQL = """
    SELECT array_agg(c.account_id) FILTER (WHERE n = 1) || array_agg(c.id ORDER BY c.id) FROM (
        SELECT c.*, row_number() OVER (PARTITION BY c.account_id ORDER BY c.id) AS n
        FROM ledger_charge c JOIN ledger_entry e ON e.id = c.entry_id
        WHERE e.document = %(prefix)s) c
    GROUP BY c.account_id ORDER BY c.account_id
"""


def _take(work: list[Any], seconds: int) -> tuple[np.ndarray[Any, Any], float]:
    """All clients start together. Returns the times of all payments in ms, payments a second."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    start = context.Barrier(len(work))
    clients = [
        context.Process(target=_client, args=(*one, seconds, start, results)) for one in work
    ]
    for client in clients:
        client.start()
    took = [np.frombuffer(results.get(timeout=seconds + 120)) for _ in clients]
    for client in clients:
        client.join()
    return np.concatenate(took), sum(len(times) for times in took) / seconds


def _client(
    user_id: int,
    session_id: int,
    rows: list[list[int]],
    seconds: int,
    start: Barrier,
    results: Any,
) -> None:
    """One cashier who takes payment after payment until the time is over."""
    import django

    django.setup()
    from chamberlain.cashiering.operations import TenderLine, take_payment
    from chamberlain.identity.actors import actor_of
    from chamberlain.identity.models import User

    actor = actor_of(User.objects.get(pk=user_id), _DAY)

    def pay(row: list[int]) -> float:
        began = time.perf_counter()
        take_payment(
            actor,
            session_id,
            row[0],
            [(charge_id, _CENTS) for charge_id in row[1:]],
            [TenderLine("cash", CHARGES * _CENTS)],
            datetime.now(UTC),
            f"bench-{session_id}-{row[0]}",
        )
        return (time.perf_counter() - began) * 1000

    for row in rows[:_WARM_UP]:
        pay(row)
    start.wait()
    end = time.perf_counter() + seconds
    times = []
    for row in rows[_WARM_UP:]:
        if time.perf_counter() > end:
            break
        times.append(pay(row))
    results.put(np.array(times).tobytes())

"""Payments of four charges each from 1 and 8 connections, against pgbench's TPC-B.

Twice: `post_payment` is the call of the database that posts a payment, sent by the same client
that runs the limit; `take_payment` is the whole operation in Python, with its checks and its
receipt, from threads of two processes as the office's server runs them. All of them work for the
same time on the same server and database, with the guards in place.
"""

import multiprocessing
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

from bench.figures import Figure
from bench.room import Room

CLIENTS = (1, 8)
CHARGES = 4
SCALE = 20

_SECONDS = 15
_SECONDS_QUICK = 5
_POSTED_A_SECOND = 7000
_TAKEN_A_SECOND = 4000
_WARM_UP = 50
_PROCESSES = 2
_CENTS = 1000
_DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
_LIMIT = "pgbench TPC-B, scale 20, as many connections"


@dataclass(frozen=True)
class _Work:
    """Clients whose cashiers, sessions, accounts and charges have numbers in a row."""

    clients: int
    accounts_each: int
    posted_each: int
    first_user: int
    first_session: int
    first_account: int
    first_charge: int

    def account(self, client: int, number: int) -> int:
        return self.first_account + client * self.accounts_each + number

    def charges(self, client: int, number: int) -> list[int]:
        first = self.first_charge + (client * self.accounts_each + number) * CHARGES
        return list(range(first, first + CHARGES))


def measure(room: Room) -> list[Figure]:
    """Payments a second, and the time of one at the median and at 99 of 100."""
    seconds = _SECONDS_QUICK if room.quick else _SECONDS
    database = room.database()
    _fill_pgbench(room, database)
    figures = []
    for clients in CLIENTS:
        work = prepare(room, clients, seconds)
        limit = _pgbench(database, clients, seconds)
        figures += _figures(f"post_payment_{clients}", clients, limit, *post(work, seconds))
        limit = _pgbench(database, clients, seconds)
        figures += _figures(f"take_payment_{clients}", clients, limit, *_take(work, seconds))
    return figures


def _figures(
    name: str, clients: int, limit: float, took_ms: np.ndarray[Any, Any], rate: float
) -> list[Figure]:
    return [
        Figure(name, round(rate), "payments/s", _LIMIT, round(limit), round(rate / limit, 3)),
        _time(f"{name}_p50", float(np.percentile(took_ms, 50)), clients, limit),
        _time(f"{name}_p99", float(np.percentile(took_ms, 99)), clients, limit),
    ]


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
    ran = subprocess.run(
        [program, *arguments, *address], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def prepare(room: Room, clients: int, seconds: int) -> _Work:
    """Tills, cashiers and accounts that owe four charges each."""
    from chamberlain.cashiering.operations import ensure_till, open_business_day, open_till
    from chamberlain.identity.actors import actor_of, program_actor
    from chamberlain.identity.models import Center, Role, RoleAssignment, User
    from chamberlain.ledger import chart

    chart.ensure_basic_chart()
    chart.ensure_charge_kind("water", "Water", priority=1)
    center = Center.objects.create(code=f"B{clients}", name=f"Benchmark {clients}")
    open_business_day(program_actor(), center.pk, _DAY, NOW)
    users, sessions = [], []
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
        users.append(user.pk)
        sessions.append(open_till(actor_of(user, _DAY), till, {}, NOW))
    posted_each = seconds * _POSTED_A_SECOND // clients
    accounts_each = posted_each + seconds * _TAKEN_A_SECOND // clients
    office = Center.objects.create(code=f"O{clients}", name=f"Raises {clients}")
    raised_on = open_business_day(program_actor(), office.pk, _DAY, NOW)
    first_account, first_charge = _owe(room, raised_on.pk, f"B{clients}", clients * accounts_each)
    assert users == list(range(users[0], users[0] + clients))
    assert sessions == list(range(sessions[0], sessions[0] + clients))
    return _Work(
        clients, accounts_each, posted_each, users[0], sessions[0], first_account, first_charge
    )


def supervisor(username: str, center_id: int) -> Any:
    """A supervisor of a center, as the actor of an operation."""
    from chamberlain.identity.actors import actor_of, program_actor
    from chamberlain.identity.models import Role, RoleAssignment, User

    user = User.objects.create(username=username)
    RoleAssignment.objects.create(
        user=user,
        role=Role.CENTER_SUPERVISOR,
        center_id=center_id,
        period=(_DAY, None),
        granted_by_id=program_actor().user_id,
    )
    return actor_of(user, _DAY)


def _owe(room: Room, day_id: int, prefix: str, accounts: int) -> tuple[int, int]:
    """Accounts that owe four charges each: the first account's and the first charge's id."""
    from chamberlain.identity.actors import program_actor

    values = {
        "prefix": prefix,
        "accounts": accounts,
        "charges": CHARGES,
        "day": day_id,
        "on": _DAY,
        "now": NOW,
        "actor": program_actor().user_id,
        "cents": _CENTS,
    }
    with room.connect() as office:
        office.execute(_ACCOUNTS_SQL, values)
        office.execute(_CHARGES_SQL, values)
        office.execute(_TRANSFERS_SQL, values)
        row = office.execute(_FIRST_SQL, values).fetchone()
    first_account, first_charge, in_a_row = row or (0, 0, False)
    assert in_a_row, "the accounts and charges have no numbers in a row"
    return first_account, first_charge


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
    ORDER BY a.id, n
"""
_TRANSFERS_SQL = """
    INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
        charge_id)
    SELECT c.entry_id, k.receivable_id, k.revenue_id, c.cents, 'raise', c.account_id, c.id
    FROM ledger_charge c JOIN ledger_chargekind k ON k.id = c.kind_id
    JOIN ledger_entry e ON e.id = c.entry_id WHERE e.document = %(prefix)s
"""
_FIRST_SQL = """
    SELECT min(c.account_id), min(c.id), bool_and(
        c.id = f.charge + (c.account_id - f.account) * %(charges)s + c.n - 1)
    FROM (SELECT c.account_id, c.id,
            row_number() OVER (PARTITION BY c.account_id ORDER BY c.id) AS n
        FROM ledger_charge c JOIN ledger_entry e ON e.id = c.entry_id
        WHERE e.document = %(prefix)s) c,
        (SELECT min(c.account_id) AS account, min(c.id) AS charge
        FROM ledger_charge c JOIN ledger_entry e ON e.id = c.entry_id
        WHERE e.document = %(prefix)s) f
"""

# The call of `cashiering.payments`, with the values that `take_payment` sends for a cashier who
# takes cash for four charges.
_SCRIPT = """
\\set n :n + 1
\\set account :first_account + :client_id * :accounts_each + :n
\\set charge :first_charge + (:client_id * :accounts_each + :n) * 4
\\set session :first_session + :client_id
\\set cashier :first_user + :client_id
"""


def post(work: _Work, seconds: int) -> tuple[np.ndarray[Any, Any], float]:
    """pgbench as the cashiers. Returns the times of all payments in ms, payments a second."""
    from django.db import connection

    from chamberlain.cashiering import payments
    from chamberlain.database import roles

    charges = [f":charge + {number}" for number in range(CHARGES)]
    values = [
        ":session",
        ":cashier",
        "'{null}'",
        ":account",
        "now()",
        "'post-' || :account",
        *(str(CHARGES * _CENTS), str(CHARGES * _CENTS), "0", str(CHARGES * _CENTS)),
        f"ARRAY[{', '.join(charges)}]",
        f"array_fill('cash'::text, ARRAY[{CHARGES}])",
        f"array_fill({_CENTS}, ARRAY[{CHARGES}])",
        "ARRAY['cash']",
        f"ARRAY[{CHARGES * _CENTS}]",
        "ARRAY['']",
    ]
    call = payments.CALL
    for value in values:
        call = call.replace("%s", value, 1)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "payment.sql"
        script.write_text(f"{_SCRIPT}{call.strip()};\n")
        clients = str(work.clients)
        out = _run_pgbench(
            str(connection.settings_dict["NAME"]),
            roles.OFFICE,
            *("-n", "-M", "prepared", "-c", clients, "-j", clients, "-T", str(seconds)),
            *("-l", "--log-prefix", f"{folder}/took", "-f", str(script), "-D", "n=-1"),
            *(
                word
                for name in (
                    "accounts_each",
                    "first_user",
                    "first_session",
                    "first_account",
                    "first_charge",
                )
                for word in ("-D", f"{name}={getattr(work, name)}")
            ),
        )
        times = [
            float(line.split()[2]) for log in Path(folder).glob("took*") for line in log.open()
        ]
    found = re.search(r"tps = ([\d.]+)", out)
    assert found, out
    assert "number of failed transactions: 0 " in out, out
    return np.array(times) / 1000, float(found[1])


def _take(work: _Work, seconds: int) -> tuple[np.ndarray[Any, Any], float]:
    """All clients start together. Returns the times of all payments in ms, payments a second."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    start = context.Barrier(work.clients)
    shares = np.array_split(np.arange(work.clients), min(_PROCESSES, work.clients))
    processes = [
        context.Process(target=_server, args=(work, share.tolist(), seconds, start, results))
        for share in shares
    ]
    for process in processes:
        process.start()
    took = [np.frombuffer(results.get(timeout=seconds + 120)) for _ in range(work.clients)]
    for process in processes:
        process.join()
    return np.concatenate(took), sum(len(times) for times in took) / seconds


def _server(work: _Work, clients: list[int], seconds: int, start: Barrier, results: Any) -> None:
    """One process of the office, with a thread for each of its cashiers."""
    import django

    django.setup()
    with ThreadPoolExecutor(len(clients)) as threads:
        for times in threads.map(lambda client: _cashier(work, client, seconds, start), clients):
            results.put(np.array(times).tobytes())


def _cashier(work: _Work, client: int, seconds: int, start: Barrier) -> list[float]:
    """One cashier who takes payment after payment until the time is over; the times in ms."""
    from chamberlain.cashiering.operations import TenderLine, take_payment
    from chamberlain.identity.actors import actor_of
    from chamberlain.identity.models import User

    session_id = work.first_session + client
    actor = actor_of(User.objects.get(pk=work.first_user + client), _DAY)

    def pay(number: int) -> float:
        began = time.perf_counter()
        take_payment(
            actor,
            session_id,
            work.account(client, number),
            [(charge_id, _CENTS) for charge_id in work.charges(client, number)],
            [TenderLine("cash", CHARGES * _CENTS)],
            datetime.now(UTC),
            f"take-{session_id}-{number}",
        )
        return (time.perf_counter() - began) * 1000

    numbers = iter(range(work.posted_each, work.accounts_each))
    for _ in range(_WARM_UP):
        pay(next(numbers))
    start.wait()
    end = time.perf_counter() + seconds
    times = []
    for number in numbers:
        if time.perf_counter() > end:
            break
        times.append(pay(number))
    return times

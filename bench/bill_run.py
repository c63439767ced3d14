"""A bill run from reads in the database to posted bills, against a bare COPY of the same rows.

The limit is measured on a copy of the database made before the run: the rows that the run wrote
are copied into it, table by table, with all constraints and triggers in place. What the run does
beside (reading, rating, composing, proving) is what the ratio shows.
"""

import tempfile
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from bench import city
from bench.figures import Figure
from bench.room import Room

WORKERS = 2
MEMORY_LIMIT_MB = 3072.0
_TABLES = ("ledger_entry", "ledger_charge", "ledger_transfer", "billing_bill", "billing_billline")
_COPY_BYTES = 1 << 20


def measure(room: Room) -> list[Figure]:
    """Bills a second, and the memory of the run with all of its workers."""
    room.database()
    built = city.build(room)
    run_id = _plan(built.tariff_code, built.business_day_id)
    twin = room.twin()
    with _PeakMemory() as memory:
        bills, seconds = _run(run_id)
    limit_seconds = _bare_copy(room, twin)
    return [
        Figure(
            "bill_run",
            round(bills / seconds, 1),
            "bills/s",
            "bare COPY of the same rows into the same tables",
            round(bills / limit_seconds, 1),
            round(limit_seconds / seconds, 3),
        ),
        Figure(
            "bill_run_memory",
            round(memory.peak_mb, 1),
            "MB",
            "most that a run may take",
            MEMORY_LIMIT_MB,
            round(MEMORY_LIMIT_MB / memory.peak_mb, 3),
        ),
    ]


def _plan(tariff_code: str, business_day_id: int) -> int:
    from chamberlain.billing.operations import RunPlan, plan_bill_run
    from chamberlain.identity.actors import program_actor

    plan = RunPlan(
        name="Benchmark",
        tariff_code=tariff_code,
        business_day_id=business_day_id,
        due_on=date(2100, 1, 1),
        reads_up_to=date(2099, 1, 1),
    )
    return plan_bill_run(program_actor(), plan, datetime.now(UTC), "benchmark")


def _run(run_id: int) -> tuple[int, float]:
    from chamberlain.billing.running import run

    started = time.perf_counter()
    result = run(run_id, workers=WORKERS)
    return result.bills, time.perf_counter() - started


def _bare_copy(room: Room, twin: str) -> float:
    """Seconds to COPY the rows of the run into the twin, whose indexes and triggers are alike."""
    seconds = 0.0
    with tempfile.TemporaryDirectory() as folder:
        files = {table: Path(folder) / table for table in _TABLES}
        with room.connect() as source:
            for table, file in files.items():
                _export(source, table, file)
        with room.connect(database=twin) as target:
            started = time.perf_counter()
            for table, file in files.items():
                _import(target, table, file)
            target.commit()
            seconds = time.perf_counter() - started
    return seconds


def _export(source: psycopg.Connection[tuple[object, ...]], table: str, file: Path) -> None:
    query = sql.SQL("COPY (SELECT * FROM {} ORDER BY 1) TO STDOUT").format(sql.Identifier(table))
    with file.open("wb") as out, source.cursor().copy(query) as copy:
        for data in copy:
            out.write(data)


def _import(target: psycopg.Connection[tuple[object, ...]], table: str, file: Path) -> None:
    query = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with file.open("rb") as rows, target.cursor().copy(query) as copy:
        while data := rows.read(_COPY_BYTES):
            copy.write(data)


class _PeakMemory:
    """The most memory that this process and its children held at a time."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._ended.wait(0.2):
            held = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    if process.name() != "postgres":
                        held += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.peak_mb = max(self.peak_mb, held / 1e6)

"""A bank's file of half a million lines read, checked and stored, beside a bare COPY of them.

The same movements as BAI2 and as the CSV of a bank with a balance in every row. The bare COPY puts
the finished rows into the same table of a copy of the database, with its keys, indexes and triggers
in place, from a file that stands ready in memory.
"""

import time
from datetime import UTC, datetime

import psycopg

from bench import city
from bench.figures import Figure
from bench.room import Room

ACCOUNTS = {"bai2": "1234567890", "csv": "2345678901"}
DAY = datetime(2026, 3, 2, 18, tzinfo=UTC)
_COLUMNS = (
    "statement_id, part_of_id, same_as_id, position, value_on, cents, type_code, bank_reference, "
    "customer_reference, text"
)


def measure(room: Room) -> list[Figure]:
    """Lines a second, as BAI2 and as CSV."""
    room.database()
    city.build(room, 100)
    lines = room.accounts // 2
    figures = []
    for kind, content in (("bai2", _bai2(lines)), ("csv", _csv(lines))):
        seconds = _read(kind, content, lines)
        figures.append((kind, seconds, _bare_copy(room, kind, lines)))
    return [
        Figure(
            f"bank_file_{kind}",
            round(lines / seconds),
            "lines/s",
            "a bare COPY of the same rows into the same table",
            round(lines / limit),
            round(limit / seconds, 3),
        )
        for kind, seconds, limit in figures
    ]


def _cents(n: int) -> int:
    return 100 + n * 7919 % 90_000


def _bai2(lines: int) -> bytes:
    total = sum(_cents(n) for n in range(lines))
    moves = "\n".join(
        f"16,301,{_cents(n)},,R{n:09d},C{n % 977},DEPOSIT BAG B{n} CITY OF/" for n in range(lines)
    )
    return (
        f"01,BANK,CITY,260302,0600,1,,,2/\n02,CITY,BANK,1,260302,2359,USD,2/\n"
        f"03,{ACCOUNTS['bai2']},USD,010,0,,,015,{total},,/\n{moves}\n49,{2 * total},{lines + 2}/\n"
        f"98,{2 * total},1,{lines + 4}/\n99,{2 * total},1,{lines + 6}/\n"
    ).encode()


def _csv(lines: int) -> bytes:
    rows, balance = ["Date,Amount,Balance,Reference,Text"], 0
    for n in range(lines):
        balance += _cents(n)
        rows.append(
            f"03/01/2026,{_cents(n) / 100:.2f},{balance // 100}.{balance % 100:02d},R{n:09d},"
            f"DEPOSIT BAG B{n} CITY OF"
        )
    return ("\n".join(rows) + "\n").encode()


def _read(kind: str, content: bytes, lines: int) -> float:
    from chamberlain.identity.actors import program_actor
    from chamberlain.reconciliation.files.mapped_csv import Layout
    from chamberlain.reconciliation.models import BankLine
    from chamberlain.reconciliation.operations import (
        ensure_bank_account,
        read_bank_file,
        save_layout,
    )

    ensure_bank_account(ACCOUNTS[kind], "City deposits")
    layout = Layout(
        "bench",
        booked="Date",
        amount="Amount",
        balance="Balance",
        bank_reference="Reference",
        text=("Text",),
        account_number=ACCOUNTS["csv"],
    )
    save_layout(program_actor(), layout, DAY)
    before = BankLine.objects.count()
    started = time.perf_counter()
    read_bank_file(program_actor(), kind, content, DAY, "bench" if kind == "csv" else "")
    seconds = time.perf_counter() - started
    if BankLine.objects.count() - before != lines:
        raise RuntimeError("not every line was stored")
    return seconds


def _bare_copy(room: Room, kind: str, lines: int) -> float:
    """Seconds of COPY of the lines just stored into the same table of a twin without them."""
    with room.connect(owner=True) as source, source.cursor() as cursor:
        chosen = "SELECT max(s.id) FROM reconciliation_statement s"
        query = (
            f"COPY (SELECT {_COLUMNS} FROM reconciliation_bankline "
            f"WHERE statement_id = ({chosen}) ORDER BY position) TO STDOUT"
        )
        with cursor.copy(psycopg.sql.SQL(query)) as copy:
            rows = b"".join(bytes(part) for part in copy)
    twin = room.twin()
    with room.connect(owner=True, database=twin) as target:
        target.execute("ALTER TABLE reconciliation_bankline DISABLE TRIGGER USER")
        target.execute("DELETE FROM reconciliation_bankline")
        target.commit()
        target.execute("ALTER TABLE reconciliation_bankline ENABLE TRIGGER USER")
        target.commit()
        target.autocommit = True
        target.execute("VACUUM FULL reconciliation_bankline")
        target.autocommit = False
        started = time.perf_counter()
        with (
            target.cursor() as cursor,
            cursor.copy(
                psycopg.sql.SQL(f"COPY reconciliation_bankline ({_COLUMNS}) FROM STDIN")
            ) as copy,
        ):
            copy.write(rows)
        target.commit()
        return time.perf_counter() - started

"""Journals as files: CSV for the city's general ledger, and a book that Beancount reads.

Pure: lines in, text out. A book opens each of our accounts once, on the first day that it is used,
and has a transaction for each journal; `bean-check` proves that it balances.
"""

import io
import re
from collections.abc import Sequence
from datetime import date

from chamberlain.kernel.tables import Column, Table, write_csv
from chamberlain.reconciliation.general_ledger.queries import LineRow

_COLUMNS = [
    Column("journal"),
    Column("day", "day"),
    Column("center"),
    Column("account"),
    Column("our_code"),
    Column("our_name"),
    Column("debit", "cents"),
    Column("credit", "cents"),
]
_ROOTS = {"asset": "Assets", "liability": "Liabilities", "revenue": "Income", "expense": "Expenses"}
_CURRENCY = "USD"


def csv_text(lines: Sequence[LineRow]) -> str:
    """A line for each account of each journal, with what it was debited and credited with."""
    table = Table(
        "Journals",
        _COLUMNS,
        [
            [
                line.journal,
                line.day,
                line.center,
                line.account,
                line.code,
                line.name,
                line.debit_cents,
                line.credit_cents,
            ]
            for line in lines
        ],
    )
    file = io.StringIO()
    write_csv(table, file)
    return file.getvalue()


def beancount_text(lines: Sequence[LineRow]) -> str:
    """A Beancount book of journals."""
    first: dict[str, tuple[date, LineRow]] = {}
    for line in lines:
        name = account_name(line)
        if name not in first or line.day < first[name][0]:
            first[name] = (line.day, line)
    parts = ['option "operating_currency" "USD"\n']
    parts += [
        f'{on:%Y-%m-%d} open {name} {_CURRENCY}\n  general-ledger: "{_text(line.account)}"\n'
        for name, (on, line) in sorted(first.items())
    ]
    by_journal: dict[str, list[LineRow]] = {}
    for line in lines:
        by_journal.setdefault(line.journal, []).append(line)
    for number, own in by_journal.items():
        parts.append(f'{own[0].day:%Y-%m-%d} * "{_text(own[0].center)}" "Journal {number}"\n')
        for line in own:
            for cents in (line.debit_cents, -line.credit_cents):
                if cents:
                    parts.append(f"  {account_name(line)}  {_amount(cents)} {_CURRENCY}\n")
    return "\n".join("".join(parts).splitlines()) + "\n"


def account_name(line: LineRow) -> str:
    """One of our accounts as Beancount names it."""
    return f"{_ROOTS[line.kind]}:{re.sub(r'[^A-Za-z0-9-]', '-', line.code)}"


def _amount(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _text(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

"""Journals as they are listed, and their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class DayRow:
    """A closed business day, with its journal if it was made."""

    business_day_id: int
    day: date
    center: str
    journal: str
    cents: int | None
    made_at: datetime | None
    made_by: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a journal. account: of the general ledger; code, name: ours."""

    journal: str
    day: date
    center: str
    account: str
    code: str
    name: str
    kind: str
    debit_cents: int
    credit_cents: int


_DAYS = """
    SELECT d.id, d.day, c.name, coalesce(j.number, ''), j.cents, j.made_at,
        coalesce(nullif(u.display_name, ''), u.username, '')
    FROM ledger_businessday d
    JOIN identity_center c ON c.id = d.center_id
    LEFT JOIN general_ledger_journal j ON j.business_day_id = d.id
    LEFT JOIN identity_user u ON u.id = j.made_by_id
    WHERE d.closed_at IS NOT NULL AND {where}
    ORDER BY j.id IS NULL DESC, d.day DESC, d.id DESC LIMIT %s OFFSET %s
"""


def days(limit: int, offset: int = 0) -> list[DayRow]:
    """Closed days, those without a journal first, then the latest."""
    return [DayRow(*row) for row in rows(_DAYS.format(where="true"), [limit, offset])]


def count_days() -> tuple[int, int]:
    """How many days are closed, and how many of them have no journal yet."""
    query = """
        SELECT count(*), count(*) FILTER (WHERE j.id IS NULL) FROM ledger_businessday d
        LEFT JOIN general_ledger_journal j ON j.business_day_id = d.id
        WHERE d.closed_at IS NOT NULL
    """
    [(closed, waiting)] = rows(query, [])
    return closed, waiting


def journal(number: str) -> DayRow:
    """A day by the number of its journal. Raises NotFound."""
    found = rows(_DAYS.format(where="j.number = %s"), [number, 1, 0])
    if not found:
        raise NotFound(f"There is no journal {number[:16]}; look at the list.")
    return DayRow(*found[0])


_LINES = """
    SELECT j.number, d.day, c.name, l.account, a.code, a.name, a.kind, l.debit_cents,
        l.credit_cents
    FROM general_ledger_journal j
    JOIN ledger_businessday d ON d.id = j.business_day_id
    JOIN identity_center c ON c.id = d.center_id
    JOIN general_ledger_journalline l ON l.journal_id = j.id
    JOIN ledger_ledgeraccount a ON a.id = l.ledger_account_id
    WHERE j.number = ANY(%s) ORDER BY j.id, a.code
"""


def lines(numbers: Sequence[str]) -> list[LineRow]:
    """The lines of journals, journal by journal. Raises NotFound for one that there is not."""
    known = {number for (number,) in rows(_KNOWN, [list(numbers)])}
    for number in numbers:
        if number not in known:
            raise NotFound(f"There is no journal {number[:16]}; look at the list.")
    return [LineRow(*row) for row in rows(_LINES, [list(numbers)])]


_KNOWN = "SELECT number FROM general_ledger_journal WHERE number = ANY(%s)"


def journals_between(from_on: date, to_on: date) -> list[str]:
    """The numbers of the journals of business days, both ends among them."""
    query = """
        SELECT j.number FROM general_ledger_journal j
        JOIN ledger_businessday d ON d.id = j.business_day_id
        WHERE d.day BETWEEN %s AND %s ORDER BY j.id
    """
    return [number for (number,) in rows(query, [from_on, to_on])]

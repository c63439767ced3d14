"""Bills, their lines, runs and worklists, for pages and documents."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill as lists show it. is_reversed: its entry was taken back.

    mail_to, mail_address: where the account's mail went when the bill was issued, apart from the
    holder and the place of service; "" where it did not.
    """

    bill_id: int
    number: str
    account_id: int
    account_number: str
    from_on: date
    to_on: date
    issued_on: date
    due_on: date
    total_cents: int
    previous_balance_cents: int
    open_cents: int
    is_reversed: bool
    usage_thousandths: int | None
    unit: str | None
    quality: str | None
    rate_class: str
    tariff_name: str
    tariff_code: str
    run_id: int | None
    entry_id: int | None
    holder: str
    address: str
    mail_to: str
    mail_address: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A printed line with the words and the source of its component."""

    position: int
    code: str
    label: str
    formula: str
    source: str
    cents: int
    quantity_thousandths: int
    unit: str
    rate_micros: int | None
    days: int
    steps: list[dict[str, Any]]
    charge_id: int | None
    open_cents: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """A bill run and how far it is."""

    run_id: int
    name: str
    tariff: str
    is_metered: bool
    day: date
    due_on: date
    status: str
    started_by: str
    created_at: datetime
    finished_at: datetime | None
    chunks: int
    done: int
    bills: int
    held: int
    cents: int
    seconds: float


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An item of a worklist."""

    hold_id: int
    run_id: int
    run_name: str
    account_number: str
    rate_class: str
    from_on: date | None
    to_on: date | None
    usage_thousandths: int | None
    unit: str | None
    code: str
    sentence: str
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str


_BILLS = """
    SELECT b.id, b.number, b.account_id, a.number, b.from_on, b.to_on, b.issued_on, b.due_on,
        b.total_cents, b.previous_balance_cents,
        coalesce((SELECT sum(c.cents - coalesce(s.settled_cents, 0)) FROM billing_billline l
            JOIN ledger_charge c ON c.id = l.charge_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id WHERE l.bill_id = b.id), 0)::bigint,
        EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id),
        r.usage_thousandths, r.unit, r.quality, g.rate_class, t.name, t.code, b.run_id, b.entry_id,
        coalesce(h.name, ''), coalesce(h.address, ''), coalesce(m.addressee, ''),
        coalesce(m.address || ', ' || m.postal_code, '')
    FROM billing_bill b
    JOIN ledger_account a ON a.id = b.account_id
    JOIN billing_serviceagreement g ON g.id = b.agreement_id
    JOIN tariffs_tariff t ON t.id = g.tariff_id
    LEFT JOIN metering_read r ON r.id = b.read_id
    LEFT JOIN LATERAL (
        SELECT c.name, p.address || ', ' || p.postal_code AS address
        FROM registry_accountholding k
        JOIN registry_customer c ON c.id = k.customer_id
        LEFT JOIN registry_property p ON p.id = k.property_id
        WHERE k.account_id = b.account_id AND (k.period @> b.to_on - 1 OR upper_inf(k.period))
        ORDER BY lower(k.period) LIMIT 1) h ON true
    LEFT JOIN registry_accountmailing m
        ON m.account_id = b.account_id AND m.period @> b.issued_on
"""

_LINES = """
    SELECT l.position, m.code, m.label, m.formula, m.source, l.cents, l.quantity_thousandths,
        l.unit, l.rate_micros, l.days, l.steps, l.charge_id,
        (coalesce(c.cents, 0) - coalesce(s.settled_cents, 0))::bigint, l.bill_id
    FROM billing_billline l
    JOIN tariffs_component m ON m.id = l.component_id
    LEFT JOIN ledger_charge c ON c.id = l.charge_id
    LEFT JOIN ledger_settlement s ON s.charge_id = l.charge_id
    WHERE l.bill_id = ANY(%s) ORDER BY l.bill_id, l.position
"""

_RUNS = """
    SELECT r.id, r.name, t.name, r.is_metered, d.day, r.due_on, r.status,
        coalesce(nullif(u.display_name, ''), u.username), r.created_at, r.finished_at,
        count(c.id), count(c.posted_at), coalesce(sum(c.bills), 0)::bigint,
        coalesce(sum(c.held), 0)::bigint, coalesce(sum(c.cents), 0)::bigint,
        coalesce(sum(c.seconds), 0)
    FROM billing_billrun r
    JOIN tariffs_tariff t ON t.id = r.tariff_id
    JOIN ledger_businessday d ON d.id = r.business_day_id
    JOIN identity_user u ON u.id = r.started_by_id
    LEFT JOIN billing_chunk c ON c.run_id = r.id
    {where}
    GROUP BY r.id, t.name, d.day, u.id
    ORDER BY d.day DESC, r.id DESC LIMIT %s OFFSET %s
"""

_HOLDS = """
    SELECT h.id, h.run_id, n.name, a.number, g.rate_class, r.from_on, r.to_on,
        r.usage_thousandths, r.unit, h.code, h.sentence, h.resolved_at,
        coalesce(nullif(u.display_name, ''), u.username), h.resolution
    FROM billing_hold h
    JOIN billing_billrun n ON n.id = h.run_id
    JOIN billing_serviceagreement g ON g.id = h.agreement_id
    JOIN ledger_account a ON a.id = g.account_id
    LEFT JOIN metering_read r ON r.id = h.read_id
    LEFT JOIN identity_user u ON u.id = h.resolved_by_id
    {where}
    ORDER BY h.resolved_at NULLS FIRST, h.id LIMIT %s OFFSET %s
"""


def bill(number: str) -> BillRow:
    """One bill by its number. Raises NotFound."""
    rows = _rows(_BILLS + "WHERE b.number = %s", [number])
    if not rows:
        raise NotFound(f"There is no bill {number}; check the number.")
    return BillRow(*rows[0])


def bills_by_id(bill_ids: Sequence[int]) -> list[BillRow]:
    """Bills in the order of their ids."""
    rows = _rows(_BILLS + "WHERE b.id = ANY(%s) ORDER BY b.id", [list(bill_ids)])
    return [BillRow(*row) for row in rows]


def bills_of_account(account_id: int, limit: int = 100, offset: int = 0) -> list[BillRow]:
    """Bills of an account, the newest first."""
    order = "WHERE b.account_id = %s ORDER BY b.to_on DESC, b.id DESC LIMIT %s OFFSET %s"
    return [BillRow(*row) for row in _rows(_BILLS + order, [account_id, limit, offset])]


def bill_before(row: BillRow) -> BillRow | None:
    """The account's bill for the period before, under the same tariff."""
    where = """WHERE b.account_id = %s AND t.code = %s AND b.to_on <= %s AND b.id <> %s
        ORDER BY b.to_on DESC, b.id DESC LIMIT 1"""
    rows = _rows(_BILLS + where, [row.account_id, row.tariff_code, row.from_on, row.bill_id])
    return BillRow(*rows[0]) if rows else None


def replaced_and_replacing(bill_id: int) -> tuple[str, str]:
    """The number of the bill that this one replaces and of the one that replaces it, or ""."""
    query = """
        SELECT coalesce(o.number, ''), coalesce(n.number, '') FROM billing_bill b
        LEFT JOIN billing_bill o ON o.id = b.replaces_id
        LEFT JOIN billing_bill n ON n.replaces_id = b.id WHERE b.id = %s
    """
    [(replaces, replaced_by)] = _rows(query, [bill_id])
    return replaces, replaced_by


def lines_of_bills(bill_ids: Sequence[int]) -> dict[int, list[LineRow]]:
    """Printed lines by bill id, in their order."""
    found: dict[int, list[LineRow]] = {bill_id: [] for bill_id in bill_ids}
    for row in _rows(_LINES, [list(bill_ids)]):
        *fields, bill_id = row
        found[bill_id].append(line_row(fields))
    return found


def line_row(fields: Sequence[Any]) -> LineRow:
    """A printed line from the columns of a query, whose steps may still be text."""
    return LineRow(*[*fields[:10], _as_list(fields[10]), *fields[11:]])


def lines_of_bill(bill_id: int) -> list[LineRow]:
    """Printed lines of one bill."""
    return lines_of_bills([bill_id])[bill_id]


def runs(limit: int = 50, offset: int = 0) -> list[RunRow]:
    """Bill runs, the newest first."""
    return [RunRow(*row) for row in _rows(_RUNS.format(where=""), [limit, offset])]


def count_runs() -> int:
    """How many bill runs there are."""
    return int(_rows("SELECT count(*) FROM billing_billrun", [])[0][0])


def run_status(run_id: int) -> RunRow:
    """One run and how far it is. Raises NotFound."""
    rows = _rows(_RUNS.format(where="WHERE r.id = %s"), [run_id, 1, 0])
    if not rows:
        raise NotFound(f"There is no bill run {run_id}; look at the list of runs.")
    return RunRow(*rows[0])


def bill_ids_of_run(run_id: int, limit: int, offset: int = 0) -> list[int]:
    """Ids of the bills that a run made, in their order."""
    query = "SELECT id FROM billing_bill WHERE run_id = %s ORDER BY id LIMIT %s OFFSET %s"
    return [int(row[0]) for row in _rows(query, [run_id, limit, offset])]


def worklist(run_id: int | None = None, limit: int = 100, offset: int = 0) -> list[HoldRow]:
    """What could not be billed, the unresolved first: of one run, or of all."""
    where = "WHERE h.run_id = %s" if run_id is not None else "WHERE h.resolved_at IS NULL"
    params = [run_id] if run_id is not None else []
    return [HoldRow(*row) for row in _rows(_HOLDS.format(where=where), [*params, limit, offset])]


def unresolved_count(run_id: int | None = None) -> int:
    """How many items wait on the worklist."""
    query = "SELECT count(*) FROM billing_hold WHERE resolved_at IS NULL"
    if run_id is None:
        return int(_rows(query, [])[0][0])
    return int(_rows(query + " AND run_id = %s", [run_id])[0][0])


def count_worklist(run_id: int | None = None) -> int:
    """How many items `worklist` has."""
    if run_id is None:
        return unresolved_count()
    return int(_rows("SELECT count(*) FROM billing_hold WHERE run_id = %s", [run_id])[0][0])


def billed_by_class(run_id: int) -> list[tuple[str, int, int]]:
    """Bills and cents of a run by rate class: (class, bills, cents)."""
    query = """
        SELECT g.rate_class, count(*), sum(b.total_cents)::bigint FROM billing_bill b
        JOIN billing_serviceagreement g ON g.id = b.agreement_id
        WHERE b.run_id = %s GROUP BY 1 ORDER BY 3 DESC
    """
    return [(str(row[0]), int(row[1]), int(row[2])) for row in _rows(query, [run_id])]


def held_by_code(run_id: int) -> list[tuple[str, str, int]]:
    """Items held by a run: (code, rate class, how many)."""
    query = """
        SELECT h.code, g.rate_class, count(*) FROM billing_hold h
        JOIN billing_serviceagreement g ON g.id = h.agreement_id
        WHERE h.run_id = %s GROUP BY 1, 2 ORDER BY 3 DESC
    """
    return [(str(row[0]), str(row[1]), int(row[2])) for row in _rows(query, [run_id])]


def usage_history(account_id: int, up_to: date, periods: int = 13) -> list[tuple[date, int, str]]:
    """Billed usage of the last periods, the oldest first: (last day, thousandths, unit)."""
    query = """
        SELECT DISTINCT ON (r.to_on, r.id) r.to_on, r.usage_thousandths, r.unit
        FROM billing_bill b JOIN metering_read r ON r.id = b.read_id
        WHERE b.account_id = %s AND r.to_on <= %s
            AND NOT EXISTS (SELECT 1 FROM rebilling_correctedread k WHERE k.old_id = r.id)
        ORDER BY r.to_on DESC, r.id DESC LIMIT %s
    """
    return [
        (row[0], int(row[1]), str(row[2])) for row in _rows(query, [account_id, up_to, periods])
    ][::-1]


def _as_list(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    return list(json.loads(value) if isinstance(value, str) else value)

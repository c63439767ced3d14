"""What an account's pages and the books show: standing, payments, entries, the general ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import (
    OF_CHARGES,
    OpenCharge,
    TransferRow,
    open_charges,
    transfers_of_entry,
    transfers_where,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account owes in all, of it past due, and its credit, in cents.

    past_due_since: the first due date that passed with something open; None if none did.
    """

    owed_cents: int
    credit_cents: int
    charges: int
    past_due_cents: int
    past_due_since: date | None
    next_due_on: date | None


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that came in for an account: what it settled, and what became credit, in cents."""

    entry_id: int
    day: date
    posted_at: datetime
    document: str
    reason: str
    center: str
    actor: str
    cents: int
    settled_cents: int
    credit_cents: int
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its transfers, and what it reverses or was reversed by."""

    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    reason: str
    center: str
    actor: str
    reverses_id: int | None
    reversed_by_id: int | None
    is_day_closed: bool
    account_numbers: tuple[str, ...]
    transfers: tuple[TransferRow, ...]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry that moved something on an account, other than raising charges and payments."""

    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    reason: str
    actor: str
    cents: int


@dataclass(frozen=True, slots=True)
class BookRow:
    """An account of the general ledger with its sums and its balance on its usual side."""

    ledger_account_id: int
    code: str
    name: str
    kind: str
    control: str
    debit_cents: int
    credit_cents: int
    balance_cents: int


@dataclass(frozen=True, slots=True)
class CityOwed:
    """What all accounts owe together, of it past due, and their credits, in cents."""

    owed_cents: int
    past_due_cents: int
    accounts_past_due: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class SealedDay:
    """A closed business day. digest: in hexadecimal."""

    center: str
    day: date
    entries: int
    digest: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A bill, citation or the like with what is still open on its charges."""

    document: str
    due_on: date
    open_cents: int
    is_past_due: bool
    charges: tuple[OpenCharge, ...]


def standing(account_id: int, today: date) -> Standing:
    """What the account owes on a day. A charge is past due from the day after its due date."""
    query = """
        SELECT coalesce(sum(o.cents), 0)::bigint,
            coalesce((SELECT credit_cents FROM ledger_balance WHERE account_id = %(id)s), 0),
            count(*),
            coalesce(sum(o.cents) FILTER (WHERE o.due_on < %(today)s), 0)::bigint,
            min(o.due_on) FILTER (WHERE o.due_on < %(today)s),
            min(o.due_on) FILTER (WHERE o.due_on >= %(today)s)
        FROM (SELECT c.due_on, c.cents - coalesce(s.settled_cents, 0) AS cents
            FROM ledger_charge c LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE c.account_id = %(id)s AND c.cents > coalesce(s.settled_cents, 0)) o
    """
    return Standing(*_rows(query, {"id": account_id, "today": today})[0])


def open_items(account_id: int, today: date) -> list[OpenItem]:
    """What is open on the account by the document it is from, what is due first standing first."""
    by_document: dict[str, list[OpenCharge]] = {}
    for charge in open_charges([account_id]):
        by_document.setdefault(charge.document, []).append(charge)
    items = [
        OpenItem(
            document,
            min(charge.due_on for charge in charges),
            sum(charge.open_cents for charge in charges),
            min(charge.due_on for charge in charges) < today,
            tuple(charges),
        )
        for document, charges in by_document.items()
    ]
    return sorted(items, key=lambda item: (item.due_on, item.document))


_PAYMENTS = """
    FROM ledger_transfer t
    JOIN ledger_entry e ON e.id = t.entry_id
    JOIN ledger_ledgeraccount db ON db.id = t.debit_id
    JOIN ledger_ledgeraccount cr ON cr.id = t.credit_id
    WHERE t.account_id = %(id)s AND t.effect IN ('none', 'settle', 'unsettle')
        AND db.kind = 'asset' AND db.control = 'none' AND cr.control <> 'none'
"""


def payments_of_account(account_id: int, limit: int = 50, offset: int = 0) -> list[PaymentRow]:
    """Money that came in for the account, the newest first."""
    query = f"""
        SELECT p.id, d.day, p.posted_at, p.document, p.reason, n.name,
            coalesce(nullif(u.display_name, ''), u.username), p.cents, p.settled, p.credit,
            EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = p.id)
        FROM (
            SELECT e.id, e.business_day_id, e.posted_at, e.document, e.reason, e.actor_id,
                sum(t.cents)::bigint AS cents,
                coalesce(sum(t.cents) FILTER (WHERE t.effect = 'settle'), 0)::bigint AS settled,
                coalesce(sum(t.cents) FILTER (WHERE t.effect <> 'settle'), 0)::bigint AS credit
            {_PAYMENTS} GROUP BY e.id) p
        JOIN ledger_businessday d ON d.id = p.business_day_id
        JOIN identity_center n ON n.id = d.center_id
        JOIN identity_user u ON u.id = p.actor_id
        ORDER BY d.day DESC, p.id DESC LIMIT %(limit)s OFFSET %(offset)s
    """
    values = {"id": account_id, "limit": limit, "offset": offset}
    return [PaymentRow(*row) for row in _rows(query, values)]


def count_payments(account_id: int) -> int:
    """How many payments came in for the account."""
    return int(_rows(f"SELECT count(DISTINCT t.entry_id) {_PAYMENTS}", {"id": account_id})[0][0])


def transfers_of_charges(charge_ids: Sequence[int]) -> dict[int, list[TransferRow]]:
    """Everything that moved on charges, by charge id, the oldest first."""
    found: dict[int, list[TransferRow]] = {charge_id: [] for charge_id in charge_ids}
    for row in transfers_where(OF_CHARGES, [list(charge_ids)] * 2):
        assert row.charge_id is not None
        found[row.charge_id].append(row)
    return found


def reversals_of_account(account_id: int, limit: int = 50) -> list[EntryRow]:
    """What was taken back on the account: entries that reverse others, the newest first."""
    query = """
        SELECT e.id, d.day, e.posted_at, e.kind, e.document, e.reason,
            coalesce(nullif(u.display_name, ''), u.username), x.cents
        FROM (SELECT t.entry_id, sum(t.cents)::bigint AS cents FROM ledger_transfer t
            WHERE t.account_id = %(id)s AND t.effect IN ('none', 'settle', 'unsettle')
            GROUP BY t.entry_id) x
        JOIN ledger_entry e ON e.id = x.entry_id
        JOIN ledger_businessday d ON d.id = e.business_day_id
        JOIN identity_user u ON u.id = e.actor_id
        WHERE e.reverses_id IS NOT NULL
        ORDER BY d.day DESC, e.id DESC LIMIT %(limit)s
    """
    return [EntryRow(*row) for row in _rows(query, {"id": account_id, "limit": limit})]


def entry(entry_id: int) -> EntryView:
    """One entry. Raises NotFound."""
    query = """
        SELECT e.id, d.day, e.posted_at, e.kind, e.document, e.reason, n.name,
            coalesce(nullif(u.display_name, ''), u.username), e.reverses_id,
            (SELECT r.id FROM ledger_entry r WHERE r.reverses_id = e.id), d.closed_at IS NOT NULL,
            ARRAY(SELECT DISTINCT a.number FROM ledger_transfer t
                JOIN ledger_account a ON a.id = t.account_id WHERE t.entry_id = e.id ORDER BY 1)
        FROM ledger_entry e
        JOIN ledger_businessday d ON d.id = e.business_day_id
        JOIN identity_center n ON n.id = d.center_id
        JOIN identity_user u ON u.id = e.actor_id
        WHERE e.id = %(id)s
    """
    rows = _rows(query, {"id": entry_id})
    if not rows:
        raise NotFound(f"There is no entry {entry_id}; look at the account or the day again.")
    *fields, numbers = list(rows[0])
    fields += [tuple(numbers), tuple(transfers_of_entry(entry_id))]
    return EntryView(*fields)


_BOOK = """
    WITH moved AS (
        SELECT id, sum(debit) AS debit, sum(credit) AS credit FROM (
            SELECT debit_id AS id, sum(cents) AS debit, 0 AS credit
            FROM ledger_transfer GROUP BY 1
            UNION ALL
            SELECT credit_id, 0, sum(cents) FROM ledger_transfer GROUP BY 1) s GROUP BY id)
    SELECT a.id, a.code, a.name, a.kind, a.control, coalesce(m.debit, 0)::bigint,
        coalesce(m.credit, 0)::bigint,
        (CASE WHEN a.kind IN ('asset', 'expense') THEN 1 ELSE -1 END
            * (coalesce(m.debit, 0) - coalesce(m.credit, 0)))::bigint
    FROM ledger_ledgeraccount a LEFT JOIN moved m ON m.id = a.id
    ORDER BY a.code
"""


def general_ledger() -> list[BookRow]:
    """All accounts of the general ledger, by code, summed over all transfers."""
    return [BookRow(*row) for row in _rows(_BOOK, {})]


def ledger_account_name(ledger_account_id: int) -> tuple[str, str]:
    """Code and name of an account of the general ledger. Raises NotFound."""
    query = "SELECT code, name FROM ledger_ledgeraccount WHERE id = %(id)s"
    rows = _rows(query, {"id": ledger_account_id})
    if not rows:
        raise NotFound("There is no such ledger account; look at the list of accounts.")
    return str(rows[0][0]), str(rows[0][1])


def transfers_of_ledger_account(
    ledger_account_id: int, limit: int = 50, before_id: int | None = None
) -> list[TransferRow]:
    """Transfers of an account of the general ledger, the newest first.

    before_id: only transfers with a smaller id, for the next page.
    """
    where = "(t.debit_id = %s OR t.credit_id = %s) AND t.id < %s"
    largest = before_id if before_id is not None else 2**62
    return transfers_where(
        where, [ledger_account_id, ledger_account_id, largest], order="t.id DESC", limit=limit
    )


def city_owed(today: date) -> CityOwed:
    """What the whole city is owed on a day. Reads all open charges, so it takes its time."""
    query = """
        SELECT coalesce(sum(o.cents), 0)::bigint,
            coalesce(sum(o.cents) FILTER (WHERE o.late), 0)::bigint,
            count(DISTINCT o.account_id) FILTER (WHERE o.late),
            (SELECT coalesce(sum(credit_cents), 0)::bigint FROM ledger_balance)
        FROM (SELECT c.account_id, c.due_on < %(today)s AS late,
                c.cents - coalesce(s.settled_cents, 0) AS cents
            FROM ledger_charge c LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE c.cents > coalesce(s.settled_cents, 0)) o
    """
    return CityOwed(*_rows(query, {"today": today})[0])


def closed_days(limit: int = 10) -> list[SealedDay]:
    """The business days that closed last."""
    query = """
        SELECT n.name, d.day, g.entries, encode(g.digest, 'hex') FROM ledger_daydigest g
        JOIN ledger_businessday d ON d.id = g.business_day_id
        JOIN identity_center n ON n.id = d.center_id
        ORDER BY d.closed_at DESC, d.id DESC LIMIT %(limit)s
    """
    return [SealedDay(*row) for row in _rows(query, {"limit": limit})]

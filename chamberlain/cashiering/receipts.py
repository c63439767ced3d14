"""Receipts as they are shown, printed and answered: one payment with all that it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What was paid on a charge, or, without a charge, kept as the payer's credit."""

    charge_id: int | None
    account_number: str
    kind_name: str
    document: str
    cents: int


@dataclass(frozen=True, slots=True)
class ReceiptTender:
    """How it was paid. kind: see Tender.Kind."""

    kind: str
    cents: int
    reference: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt. total_cents = tendered_cents - change_cents = the sum of its lines."""

    receipt_id: int
    number: str
    session_id: int
    till: str
    center_code: str
    center_name: str
    center_address: str
    cashier: str
    taken_at: datetime
    payer_account_number: str
    total_cents: int
    tendered_cents: int
    change_cents: int
    lines: tuple[ReceiptLine, ...]
    tenders: tuple[ReceiptTender, ...]
    is_voided: bool = False
    void_reason: str = ""
    void_approved_by: str = ""
    is_void_asked: bool = False
    was_repeated: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt in a list."""

    receipt_id: int
    number: str
    taken_at: datetime
    payer_account_number: str
    total_cents: int
    tenders: str
    is_voided: bool
    is_void_asked: bool


CREDIT_NAME = "Credit kept on the account"

_HEAD = """
    SELECT r.id, r.number, r.session_id, t.code, c.code, c.name, c.address,
        coalesce(nullif(u.display_name, ''), u.username), r.taken_at, a.number, r.total_cents,
        r.tendered_cents, r.change_cents, r.void_entry_id IS NOT NULL, coalesce(v.reason, ''),
        coalesce(nullif(w.display_name, ''), w.username, ''),
        EXISTS (SELECT FROM cashiering_voidrequest q
            WHERE q.receipt_id = r.id AND q.decided_at IS NULL), r.entry_id
    FROM cashiering_receipt r
    JOIN cashiering_tillsession s ON s.id = r.session_id
    JOIN cashiering_till t ON t.id = s.till_id
    JOIN identity_center c ON c.id = t.center_id
    JOIN identity_user u ON u.id = s.cashier_id
    JOIN ledger_account a ON a.id = r.payer_account_id
    LEFT JOIN ledger_entry v ON v.id = r.void_entry_id
    LEFT JOIN identity_user w ON w.id = r.void_approved_by_id
    WHERE {where}
"""

_LINES = """
    SELECT t.charge_id, a.number, coalesce(k.name, %s), coalesce(c.document, ''),
        sum(t.cents)::bigint
    FROM ledger_transfer t
    JOIN ledger_account a ON a.id = t.account_id
    LEFT JOIN ledger_charge c ON c.id = t.charge_id
    LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
    WHERE t.entry_id = %s
    GROUP BY t.charge_id, a.number, k.name, c.document ORDER BY min(t.id)
"""


def receipt(receipt_id: int) -> ReceiptView:
    """A receipt. Raises NotFound."""
    return _view("r.id = %s", receipt_id)


def receipt_by_number(number: str) -> ReceiptView:
    """A receipt by the number printed on it. Raises NotFound."""
    return _view("r.number = %s", number.strip().upper())


def receipt_of_key(idempotency_key: str) -> ReceiptView:
    """The receipt of a payment that was sent with that key. Raises NotFound."""
    return _view(
        "r.entry_id = (SELECT id FROM ledger_entry WHERE idempotency_key = %s)", idempotency_key
    )


def _view(where: str, value: Any) -> ReceiptView:
    heads = rows(_HEAD.format(where=where), [value])
    if not heads:
        raise NotFound("There is no such receipt; check the number on the paper.")
    *head, entry_id = heads[0]
    facts, state = head[:13], head[13:]
    lines = rows(_LINES, [CREDIT_NAME, entry_id])
    tenders = rows(
        "SELECT kind, cents, reference FROM cashiering_tender WHERE receipt_id = %s ORDER BY id",
        [head[0]],
    )
    lines_and_tenders = (
        tuple(ReceiptLine(*line) for line in lines),
        tuple(ReceiptTender(*tender) for tender in tenders),
    )
    return ReceiptView(*(*facts, *lines_and_tenders, *state))


def receipts_of_session(session_id: int, limit: int = 500) -> list[ReceiptRow]:
    """Receipts taken at a drawer, the latest first."""
    query = """
        SELECT r.id, r.number, r.taken_at, a.number, r.total_cents,
            (SELECT string_agg(DISTINCT n.kind, ', ') FROM cashiering_tender n
                WHERE n.receipt_id = r.id),
            r.void_entry_id IS NOT NULL,
            EXISTS (SELECT FROM cashiering_voidrequest q
                WHERE q.receipt_id = r.id AND q.decided_at IS NULL)
        FROM cashiering_receipt r JOIN ledger_account a ON a.id = r.payer_account_id
        WHERE r.session_id = %s ORDER BY r.id DESC LIMIT %s
    """
    return [ReceiptRow(*row) for row in rows(query, [session_id, limit])]


def receipts_of_account(account_id: int, limit: int = 200) -> list[ReceiptRow]:
    """Receipts on which something of the account was paid, the latest first."""
    query = """
        SELECT r.id, r.number, r.taken_at, a.number, r.total_cents,
            (SELECT string_agg(DISTINCT n.kind, ', ') FROM cashiering_tender n
                WHERE n.receipt_id = r.id),
            r.void_entry_id IS NOT NULL,
            EXISTS (SELECT FROM cashiering_voidrequest q
                WHERE q.receipt_id = r.id AND q.decided_at IS NULL)
        FROM cashiering_receipt r JOIN ledger_account a ON a.id = r.payer_account_id
        WHERE r.entry_id IN (SELECT t.entry_id FROM ledger_transfer t
            WHERE t.account_id = %s AND t.effect IN ('none', 'settle', 'unsettle'))
        ORDER BY r.id DESC LIMIT %s
    """
    return [ReceiptRow(*row) for row in rows(query, [account_id, limit])]


def rows(query: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())

"""What is looked up at the counter: the tills, the basket, the drawer, the center's day.

No query tells what should lie in a drawer before it is counted: closing is blind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.cashiering.counting import DENOMINATIONS
from chamberlain.cashiering.receipts import (
    ReceiptLine,
    ReceiptRow,
    ReceiptTender,
    ReceiptView,
    receipt,
    receipt_by_number,
    receipt_of_key,
    receipts_of_account,
    receipts_of_session,
    rows,
)
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.models import Account
from chamberlain.ledger.queries import OpenCharge, balance, charges_by_id, open_charges

__all__ = [
    "DENOMINATIONS",
    "ReceiptLine",
    "ReceiptRow",
    "ReceiptTender",
    "ReceiptView",
    "basket",
    "counts",
    "no_sales",
    "open_session_of",
    "owed",
    "receipt",
    "receipt_by_number",
    "receipt_of_key",
    "receipts_of_account",
    "receipts_of_session",
    "session",
    "till_board",
    "void_requests",
]


@dataclass(frozen=True, slots=True)
class Owed:
    """All that an account owes, in the order in which money on account settles it."""

    account_id: int
    account_number: str
    owed_cents: int
    credit_cents: int
    past_due_cents: int
    charges: tuple[OpenCharge, ...]


@dataclass(frozen=True, slots=True)
class Basket:
    """Charges chosen to be paid, of one account or several."""

    charges: tuple[OpenCharge, ...]
    total_cents: int


@dataclass(frozen=True, slots=True)
class SessionView:
    """A drawer. What was expected and counted is None until it is closed."""

    session_id: int
    till_id: int
    till: str
    center_id: int
    center_code: str
    center_name: str
    business_day_id: int
    day: date
    cashier_id: int
    cashier: str
    opened_at: datetime
    float_cents: int
    closed_at: datetime | None
    closed_by: str
    expected_cash_cents: int | None
    counted_cash_cents: int | None
    expected_check_cents: int | None
    counted_check_cents: int | None
    expected_money_order_cents: int | None
    counted_money_order_cents: int | None
    verified_at: datetime | None
    verified_by: str
    receipts: int
    voided_receipts: int
    dropped_cents: int
    no_sales: int

    @property
    def state(self) -> str:
        """`open`, `closed` (to be verified) or `verified`."""
        if self.closed_at is None:
            return "open"
        return "closed" if self.verified_at is None else "verified"

    @property
    def over_short_cents(self) -> int | None:
        """Over (positive) or short of all that was counted; None while open."""
        if self.closed_at is None:
            return None
        counted = (
            self.counted_cash_cents,
            self.counted_check_cents,
            self.counted_money_order_cents,
        )
        expected = (
            self.expected_cash_cents,
            self.expected_check_cents,
            self.expected_money_order_cents,
        )
        return sum(c or 0 for c in counted) - sum(e or 0 for e in expected)


@dataclass(frozen=True, slots=True)
class TillRow:
    """A till of a center with the drawer that is open at it, if any."""

    till_id: int
    till: str
    cash_limit_cents: int
    has_printer: bool
    session: SessionView | None


@dataclass(frozen=True, slots=True)
class CountRow:
    """Pieces of a denomination."""

    denomination_cents: int
    pieces: int

    @property
    def cents(self) -> int:
        """What they are worth."""
        return self.denomination_cents * self.pieces


@dataclass(frozen=True, slots=True)
class VoidRow:
    """A void that waits for a decision."""

    receipt_id: int
    receipt_number: str
    till: str
    cashier: str
    asked_by: str
    asked_at: datetime
    reason: str
    total_cents: int


def owed(account_id: int, today: date) -> Owed:
    """What an account owes at the counter. Raises NotFound."""
    number = Account.objects.filter(pk=account_id).values_list("number", flat=True).first()
    if number is None:
        raise NotFound("There is no such customer account; look the customer up again.")
    charges = open_charges([account_id])
    kept = balance(account_id)
    return Owed(
        account_id=account_id,
        account_number=number,
        owed_cents=kept.owed_cents,
        credit_cents=kept.credit_cents,
        past_due_cents=sum(c.open_cents for c in charges if c.due_on < today),
        charges=tuple(charges),
    )


def basket(charge_ids: Sequence[int]) -> Basket:
    """The open ones of the chosen charges with their sum."""
    charges = charges_by_id(charge_ids)
    return Basket(tuple(charges), sum(charge.open_cents for charge in charges))


_SESSION = """
    SELECT s.id, t.id, t.code, c.id, c.code, c.name, d.id, d.day, u.id,
        coalesce(nullif(u.display_name, ''), u.username), s.opened_at, s.float_cents, s.closed_at,
        coalesce(nullif(x.display_name, ''), x.username, ''), s.expected_cash_cents,
        s.counted_cash_cents, s.expected_check_cents, s.counted_check_cents,
        s.expected_money_order_cents, s.counted_money_order_cents, s.verified_at,
        coalesce(nullif(v.display_name, ''), v.username, ''),
        (SELECT count(*) FROM cashiering_receipt r WHERE r.session_id = s.id),
        (SELECT count(*) FROM cashiering_receipt r
            WHERE r.session_id = s.id AND r.void_entry_id IS NOT NULL),
        (SELECT coalesce(sum(p.cents), 0)::bigint FROM cashiering_drop p
            WHERE p.session_id = s.id),
        (SELECT count(*) FROM cashiering_nosale o WHERE o.session_id = s.id)
    FROM cashiering_tillsession s
    JOIN cashiering_till t ON t.id = s.till_id
    JOIN identity_center c ON c.id = t.center_id
    JOIN ledger_businessday d ON d.id = s.business_day_id
    JOIN identity_user u ON u.id = s.cashier_id
    LEFT JOIN identity_user x ON x.id = s.closed_by_id
    LEFT JOIN identity_user v ON v.id = s.verified_by_id
    WHERE {where} ORDER BY s.closed_at IS NULL DESC, t.code, s.id
"""


def sessions_where(where: str, value: int) -> list[SessionView]:
    """Drawers that a condition on `s`, `t`, `c` or `d` with one value holds for."""
    return [SessionView(*row) for row in rows(_SESSION.format(where=where), [value])]


def session(session_id: int) -> SessionView:
    """A drawer. Raises NotFound."""
    found = sessions_where("s.id = %s", session_id)
    if not found:
        raise NotFound(f"There is no till session {session_id}; look at the till board.")
    return found[0]


def open_session_of(user_id: int) -> SessionView | None:
    """The drawer that a cashier has open, if any."""
    found = sessions_where("s.closed_at IS NULL AND s.cashier_id = %s", user_id)
    return found[0] if found else None


def till_board(center_id: int) -> list[TillRow]:
    """The tills of a center, each with the drawer open at it."""
    is_open = {
        s.till_id: s for s in sessions_where("s.closed_at IS NULL AND t.center_id = %s", center_id)
    }
    query = """
        SELECT id, code, cash_limit_cents, printer_address <> '' FROM cashiering_till
        WHERE center_id = %s ORDER BY code
    """
    return [TillRow(*(*row, is_open.get(row[0]))) for row in rows(query, [center_id])]


@dataclass(frozen=True, slots=True)
class NoSaleRow:
    """A drawer that was opened without a payment."""

    opened_at: datetime
    reason: str


def no_sales(session_id: int) -> list[NoSaleRow]:
    """When and why a drawer was opened without a payment."""
    query = "SELECT opened_at, reason FROM cashiering_nosale WHERE session_id = %s ORDER BY id"
    return [NoSaleRow(*row) for row in rows(query, [session_id])]


def counts(session_id: int, moment: str) -> list[CountRow]:
    """What was counted at `opening` or `closing`, the largest denomination first."""
    query = """
        SELECT denomination_cents, pieces FROM cashiering_count
        WHERE session_id = %s AND moment = %s ORDER BY denomination_cents DESC
    """
    return [CountRow(*row) for row in rows(query, [session_id, moment])]


def void_requests(center_id: int) -> list[VoidRow]:
    """Voids of a center that wait for a decision, the oldest first."""
    query = """
        SELECT r.id, r.number, t.code, coalesce(nullif(u.display_name, ''), u.username),
            coalesce(nullif(a.display_name, ''), a.username), q.asked_at, q.reason, r.total_cents
        FROM cashiering_voidrequest q
        JOIN cashiering_receipt r ON r.id = q.receipt_id
        JOIN cashiering_tillsession s ON s.id = r.session_id
        JOIN cashiering_till t ON t.id = s.till_id
        JOIN identity_user u ON u.id = s.cashier_id
        JOIN identity_user a ON a.id = q.asked_by_id
        WHERE q.decided_at IS NULL AND t.center_id = %s ORDER BY q.id
    """
    return [VoidRow(*row) for row in rows(query, [center_id])]

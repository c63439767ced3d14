"""The whole way of a payment: from the counter to the charge that it settled and to the bank.

For a dispute a payment is found by whatever the customer has: the number of the receipt, of the
check or money order, the amount, a bill or citation, a plate, a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.billing.adjusting.queries import adjustment_that_moved
from chamberlain.cashiering.baskets import account_of_paper
from chamberlain.cashiering.checks.queries import CheckRow, checks_of_receipt
from chamberlain.cashiering.listings import transfers_of_receipt
from chamberlain.cashiering.queries import SessionView, session
from chamberlain.cashiering.receipts import (
    ReceiptTender,
    ReceiptView,
    receipt,
    receipts_of_account,
)
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import parse_cents
from chamberlain.ledger.queries import TransferRow
from chamberlain.reconciliation.queries import DepositRow, deposits_of_day
from chamberlain.registry.search import search_to_pay

TEXT_MAX = 100
FOUND_MAX = 100
_ACCOUNTS_OF_A_NAME = 5


@dataclass(frozen=True, slots=True)
class FoundPayment:
    """A payment that fits what was looked for, and why."""

    receipt_id: int
    number: str
    taken_at: datetime
    account_number: str
    total_cents: int
    is_voided: bool
    because: str


@dataclass(frozen=True, slots=True)
class TenderWay:
    """A tender of the payment, and the deposit that took it to the bank, if it is made."""

    tender: ReceiptTender
    deposits: tuple[DepositRow, ...]


@dataclass(frozen=True, slots=True)
class PaymentWay:
    """All that became of a payment. moved_by: adjustments that took it to another account."""

    receipt: ReceiptView
    drawer: SessionView
    tenders: tuple[TenderWay, ...]
    checks: tuple[CheckRow, ...]
    transfers: tuple[TransferRow, ...]
    void_day: date | None
    void_asked_by: str
    moved_by: str
    day_closed_at: datetime | None
    signed_at: datetime | None
    signed_by: str

    @property
    def is_at_the_bank(self) -> bool:
        """Whether every tender is on a statement of the bank."""
        ways = [way.deposits for way in self.tenders]
        return bool(ways) and all(any(d.matched_because for d in deposits) for deposits in ways)


_BY_RECEIPT = "r.number LIKE %(text)s || '%%'"
_BY_REFERENCE = """r.id IN (SELECT n.receipt_id FROM cashiering_tender n
    WHERE n.reference = %(text)s AND n.receipt_id = r.id)"""
_BY_AMOUNT = """(r.total_cents = %(cents)s OR EXISTS (SELECT FROM cashiering_tender n
    WHERE n.receipt_id = r.id AND n.cents = %(cents)s))"""
_FOUND = """
    SELECT r.id, r.number, r.taken_at, a.number, r.total_cents, r.void_entry_id IS NOT NULL,
        %(because)s
    FROM ledger_businessday d
    JOIN cashiering_tillsession s ON s.business_day_id = d.id
    JOIN cashiering_receipt r ON r.session_id = s.id
    JOIN ledger_account a ON a.id = r.payer_account_id
    WHERE d.day BETWEEN %(from_on)s AND %(to_on)s AND {where}
    ORDER BY r.id DESC LIMIT %(limit)s
"""
_ACCOUNTS_ABOUT = """
    SELECT DISTINCT o.account_id, o.number FROM revenue_obligation o
    WHERE o.number = %(text)s OR upper(o.subject) = %(text)s LIMIT 20
"""


def find_payments(text: str, from_on: date, to_on: date) -> list[FoundPayment]:
    """Payments at the counters on business days that fit a text, the latest first.

    text: a receipt's number or its beginning, a check's number, an amount, a bill, citation or
    account, a plate, a name. Raises Invalid for nothing typed or days in the wrong order.
    """
    wanted = text.strip()
    if not 0 < len(wanted) <= TEXT_MAX:
        raise Invalid(f"Type what is known, in at most {TEXT_MAX} characters.", field="q")
    if to_on < from_on:
        raise Invalid("The last day is before the first; swap them.", field="to_on")
    found: dict[int, FoundPayment] = {}
    for payment in _found(wanted, from_on, to_on):
        found.setdefault(payment.receipt_id, payment)
    return sorted(found.values(), key=lambda each: -each.receipt_id)[:FOUND_MAX]


def _found(text: str, from_on: date, to_on: date) -> Iterator[FoundPayment]:
    upper = text.upper()
    yield from _where(_BY_RECEIPT, "the receipt's number", from_on, to_on, text=upper)
    yield from _where(_BY_REFERENCE, "the number of a check or the like", from_on, to_on, text=text)
    try:
        cents = int(parse_cents(text))
    except Invalid:
        pass
    else:
        yield from _where(_BY_AMOUNT, "the amount", from_on, to_on, cents=cents)
    for account_id, because in _accounts(text):
        for row in receipts_of_account(account_id):
            if from_on <= row.taken_at.date() <= to_on:
                yield FoundPayment(
                    row.receipt_id, row.number, row.taken_at, row.payer_account_number,
                    row.total_cents, row.is_voided, because,
                )  # fmt: skip


def _where(
    where: str, because: str, from_on: date, to_on: date, **more: object
) -> list[FoundPayment]:
    params = {
        "because": because, "from_on": from_on, "to_on": to_on, "limit": FOUND_MAX, **more,
    }  # fmt: skip
    return [FoundPayment(*row) for row in rows(_FOUND.format(where=where), params)]


def _accounts(text: str) -> Iterator[tuple[int, str]]:
    account_id = account_of_paper(text)
    if account_id is not None:
        yield account_id, f"the account or paper {text}"
    for about_id, number in rows(_ACCOUNTS_ABOUT, {"text": text.upper()}):
        yield int(about_id), f"{number}, which is about {text}"
    if account_id is None and any(letter.isalpha() for letter in text):
        for row in search_to_pay(text, _ACCOUNTS_OF_A_NAME).shown:
            yield row.account_id, f"the customer {row.customer_name}"


_OFFICE = """
    SELECT e.id, d.closed_at, n.signed_at, coalesce(nullif(u.display_name, ''), u.username, ''),
        v.day, (SELECT coalesce(nullif(q.display_name, ''), q.username)
            FROM cashiering_voidrequest w JOIN identity_user q ON q.id = w.asked_by_id
            WHERE w.receipt_id = r.id AND w.is_approved ORDER BY w.id DESC LIMIT 1)
    FROM cashiering_receipt r
    JOIN ledger_entry e ON e.id = r.entry_id
    JOIN ledger_businessday d ON d.id = e.business_day_id
    LEFT JOIN reconciliation_reconciliation n ON n.business_day_id = d.id
    LEFT JOIN identity_user u ON u.id = n.signed_by_id
    LEFT JOIN ledger_entry x ON x.id = r.void_entry_id
    LEFT JOIN ledger_businessday v ON v.id = x.business_day_id
    WHERE r.id = %s
"""


def way_of_payment(receipt_id: int) -> PaymentWay:
    """All that became of a payment. Raises NotFound."""
    view = receipt(receipt_id)
    drawer = session(view.session_id)
    deposits = deposits_of_day(drawer.business_day_id)
    [(entry_id, closed_at, signed_at, signed_by, void_day, void_asked_by)] = rows(
        _OFFICE, [receipt_id]
    )
    return PaymentWay(
        receipt=view,
        drawer=drawer,
        tenders=tuple(
            TenderWay(tender, tuple(d for d in deposits if d.tender_kind == tender.kind))
            for tender in view.tenders
        ),
        checks=tuple(checks_of_receipt(receipt_id)),
        transfers=tuple(transfers_of_receipt(receipt_id)),
        void_day=void_day,
        void_asked_by=void_asked_by or "",
        moved_by=adjustment_that_moved(entry_id) or "",
        day_closed_at=closed_at,
        signed_at=signed_at,
        signed_by=signed_by,
    )

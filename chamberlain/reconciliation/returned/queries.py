"""Returned items, and tenders that may come back."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows
from chamberlain.reconciliation.bank_lines import open_lines
from chamberlain.reconciliation.returned.models import ReturnedItem


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """An item that came back. line_on: the day of the bank's line, once it was found."""

    item_id: int
    receipt_id: int
    receipt: str
    account: str
    kind: str
    reference: str
    cents: int
    reason: str
    note: str
    returned_on: date
    entered_by: str
    entered_at: datetime
    fee: str
    line_on: date | None

    @property
    def reason_label(self) -> str:
        """Why, in words."""
        return str(ReturnedItem.Reason(self.reason).label)


@dataclass(frozen=True, slots=True)
class TenderRow:
    """A tender of a receipt that may come back. is_returned: it did."""

    tender_id: int
    receipt_id: int
    receipt: str
    account: str
    kind: str
    reference: str
    cents: int
    is_returned: bool


_ITEMS = """
    SELECT i.id, r.id, r.number, a.number, t.kind, t.reference, t.cents, i.reason, i.note,
        i.returned_on, coalesce(nullif(u.display_name, ''), u.username), i.entered_at,
        coalesce(o.number, ''), l.value_on
    FROM returned_returneditem i
    JOIN cashiering_tender t ON t.id = i.tender_id
    JOIN cashiering_receipt r ON r.id = t.receipt_id
    JOIN ledger_account a ON a.id = r.payer_account_id
    JOIN identity_user u ON u.id = i.entered_by_id
    LEFT JOIN revenue_obligation o ON o.id = i.fee_id
    LEFT JOIN reconciliation_bankline l ON l.id = i.line_id
    ORDER BY i.line_id IS NULL DESC, i.id DESC LIMIT %s OFFSET %s
"""


def returned_items(limit: int, offset: int = 0) -> list[ReturnedRow]:
    """Items that came back; those that the bank's statement does not show yet first."""
    return [ReturnedRow(*row) for row in rows(_ITEMS, [limit, offset])]


def count_returned() -> int:
    """How many items came back."""
    return ReturnedItem.objects.count()


Debit = tuple[int, date, str]


def open_debits() -> dict[int, list[Debit]]:
    """Debits of the bank that nothing is matched with, by cents: id, day and text of each."""
    found: dict[int, list[Debit]] = {}
    for line in open_lines().filter(cents__lt=0).order_by("value_on", "pk"):
        found.setdefault(-line.cents, []).append((line.pk, line.value_on, line.text[:80]))
    return found


def lines_for(cents: int) -> list[Debit]:
    """Debits of the bank of an amount that nothing is matched with."""
    return open_debits().get(cents, [])


_TENDERS = """
    SELECT t.id, r.id, r.number, a.number, t.kind, t.reference, t.cents, i.id IS NOT NULL
    FROM cashiering_tender t
    JOIN cashiering_receipt r ON r.id = t.receipt_id
    JOIN ledger_account a ON a.id = r.payer_account_id
    LEFT JOIN returned_returneditem i ON i.tender_id = t.id
    WHERE t.kind IN ('check', 'card') AND {where} ORDER BY t.id
"""


def tenders_of(receipt_id: int) -> list[TenderRow]:
    """The checks and cards of a receipt."""
    found = rows(_TENDERS.format(where="r.id = %s"), [receipt_id])
    return [TenderRow(*row) for row in found]


def tender_row(tender_id: int) -> TenderRow | None:
    """A check or card, or None."""
    found = rows(_TENDERS.format(where="t.id = %s"), [tender_id])
    return TenderRow(*found[0]) if found else None

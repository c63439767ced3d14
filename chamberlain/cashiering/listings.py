"""Long lists for pages: centers, days and receipts a page at a time, a receipt's transfers."""

from dataclasses import dataclass
from datetime import date

from chamberlain.cashiering.receipts import ReceiptRow, rows
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import TransferRow, transfers_where


@dataclass(frozen=True, slots=True)
class CenterRow:
    """A center with the latest of its business days, if it ever had one.

    open_tills, waiting_tills: drawers of that day that are open, and counted but not verified.
    """

    center_id: int
    code: str
    name: str
    address: str
    is_payment_center: bool
    tills: int
    business_day_id: int | None
    day: date | None
    is_open: bool
    open_tills: int
    waiting_tills: int
    receipts_cents: int


@dataclass(frozen=True, slots=True)
class Seal:
    """The digest that a closed day was sealed with, over so many entries."""

    digest: str
    entries: int


_CENTERS = """
    SELECT c.id, c.code, c.name, c.address, c.kind = 'payment_center',
        (SELECT count(*) FROM cashiering_till t WHERE t.center_id = c.id), d.id, d.day,
        d.id IS NOT NULL AND d.closed_at IS NULL,
        (SELECT count(*) FROM cashiering_tillsession s
            WHERE s.business_day_id = d.id AND s.closed_at IS NULL),
        (SELECT count(*) FROM cashiering_tillsession s
            WHERE s.business_day_id = d.id AND s.closed_at IS NOT NULL AND s.verified_at IS NULL),
        (SELECT coalesce(sum(r.total_cents), 0)::bigint FROM cashiering_receipt r
            JOIN cashiering_tillsession s ON s.id = r.session_id
            WHERE s.business_day_id = d.id AND r.void_entry_id IS NULL)
    FROM identity_center c
    LEFT JOIN LATERAL (SELECT id, day, closed_at FROM ledger_businessday
        WHERE center_id = c.id ORDER BY closed_at IS NULL DESC, day DESC LIMIT 1) d ON true
    {where} ORDER BY c.name
"""


def center_board() -> list[CenterRow]:
    """All centers by name, with how their latest day stands."""
    return [CenterRow(*row) for row in rows(_CENTERS.format(where=""), [])]


def center_now(code: str) -> CenterRow:
    """One center. Raises NotFound."""
    found = rows(_CENTERS.format(where="WHERE c.code = %s"), [code])
    if not found:
        raise NotFound(f"There is no center {code[:8]}; look at the list of centers.")
    return CenterRow(*found[0])


def count_days(center_id: int) -> int:
    """How many business days a center has had."""
    return int(
        rows("SELECT count(*) FROM ledger_businessday WHERE center_id = %s", [center_id])[0][0]
    )


def seal_of_day(business_day_id: int) -> Seal | None:
    """The digest of a closed day; None while it is open."""
    query = "SELECT encode(digest, 'hex'), entries FROM ledger_daydigest WHERE business_day_id = %s"
    found = rows(query, [business_day_id])
    return Seal(*found[0]) if found else None


_RECEIPTS = """
    SELECT r.id, r.number, r.taken_at, a.number, r.total_cents,
        (SELECT string_agg(DISTINCT n.kind, ', ') FROM cashiering_tender n
            WHERE n.receipt_id = r.id),
        r.void_entry_id IS NOT NULL,
        EXISTS (SELECT FROM cashiering_voidrequest q
            WHERE q.receipt_id = r.id AND q.decided_at IS NULL)
    FROM cashiering_receipt r
    JOIN cashiering_tillsession s ON s.id = r.session_id
    JOIN ledger_account a ON a.id = r.payer_account_id
    WHERE {where} ORDER BY r.id DESC LIMIT %s OFFSET %s
"""


def receipts_of_day(business_day_id: int, limit: int = 50, offset: int = 0) -> list[ReceiptRow]:
    """Receipts of a center's day, the latest first; as many as `day_of_center` counts."""
    query = _RECEIPTS.format(where="s.business_day_id = %s")
    return [ReceiptRow(*row) for row in rows(query, [business_day_id, limit, offset])]


def receipts_of_drawer(session_id: int, limit: int = 50, offset: int = 0) -> list[ReceiptRow]:
    """Receipts taken at a drawer, the latest first; as many as its session counts."""
    query = _RECEIPTS.format(where="s.id = %s")
    return [ReceiptRow(*row) for row in rows(query, [session_id, limit, offset])]


def transfers_of_receipt(receipt_id: int) -> list[TransferRow]:
    """What a receipt moved in the ledger, and what its void moved back."""
    return transfers_where(
        "t.entry_id IN (SELECT unnest(ARRAY[entry_id, void_entry_id]) FROM cashiering_receipt "
        "WHERE id = %s)",
        [receipt_id],
    )

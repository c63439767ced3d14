"""The day of a center: its tills, what was taken and for what, overs and shorts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chamberlain.cashiering.queries import SessionView, VoidRow, sessions_where, void_requests
from chamberlain.cashiering.receipts import rows
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Amount:
    """A line of a summary: how many and how much."""

    code: str
    name: str
    pieces: int
    cents: int


@dataclass(frozen=True, slots=True)
class CenterDay:
    """A center's business day.

    by_tender: money taken less change and voids. by_kind: what it was paid for. in_tills: what
    still waits for its deposit. over_short: posted at closings, over positive.
    """

    business_day_id: int
    center_id: int
    center_code: str
    center_name: str
    day: date
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    sessions: tuple[SessionView, ...]
    by_tender: tuple[Amount, ...]
    by_kind: tuple[Amount, ...]
    in_tills: tuple[Amount, ...]
    receipts: int
    voided_receipts: int
    receipts_cents: int
    over_short_cents: int
    void_requests: tuple[VoidRow, ...]


@dataclass(frozen=True, slots=True)
class DayRow:
    """A business day in a list."""

    business_day_id: int
    day: date
    closed_at: datetime | None
    receipts_cents: int


_BY_TENDER = """
    SELECT n.kind, count(*) FILTER (WHERE n.cents > 0), sum(n.cents)::bigint FROM (
        SELECT t.kind, t.cents FROM cashiering_receipt r
        JOIN cashiering_tillsession s ON s.id = r.session_id
        JOIN cashiering_tender t ON t.receipt_id = r.id
        WHERE s.business_day_id = %(day)s AND r.void_entry_id IS NULL
        UNION ALL
        SELECT 'cash', -r.change_cents FROM cashiering_receipt r
        JOIN cashiering_tillsession s ON s.id = r.session_id
        WHERE s.business_day_id = %(day)s AND r.void_entry_id IS NULL AND r.change_cents > 0) n
    GROUP BY n.kind ORDER BY n.kind
"""

_BY_KIND = """
    SELECT coalesce(k.code, 'credit'), coalesce(k.name, 'Credit kept'), count(*),
        sum(t.cents)::bigint
    FROM cashiering_receipt r
    JOIN cashiering_tillsession s ON s.id = r.session_id
    JOIN ledger_transfer t ON t.entry_id = r.entry_id
    LEFT JOIN ledger_charge c ON c.id = t.charge_id
    LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
    WHERE s.business_day_id = %(day)s AND r.void_entry_id IS NULL
    GROUP BY k.code, k.name ORDER BY 4 DESC
"""

_IN_TILLS = """
    SELECT a.code, a.name, sum(CASE WHEN t.debit_id = a.id THEN t.cents ELSE -t.cents END)::bigint
    FROM ledger_entry e
    JOIN ledger_businessday d ON d.id = e.business_day_id
    JOIN ledger_transfer t ON t.entry_id = e.id
    JOIN ledger_ledgeraccount a ON a.id IN (t.debit_id, t.credit_id)
        AND a.center_id = d.center_id AND a.code LIKE '1010-%%'
    WHERE d.id = %(day)s
    GROUP BY a.code, a.name HAVING sum(CASE WHEN t.debit_id = a.id THEN t.cents ELSE -t.cents END)
        <> 0
    ORDER BY a.code
"""

_TENDER_NAMES = {"cash": "Cash", "check": "Checks", "money_order": "Money orders", "card": "Cards"}


def day_of_center(business_day_id: int) -> CenterDay:
    """A center's day with its tills, receipts, overs and shorts. Raises NotFound."""
    heads = rows(
        """
        SELECT d.id, c.id, c.code, c.name, d.day, d.opened_at, d.closed_at,
            coalesce(nullif(u.display_name, ''), u.username, '')
        FROM ledger_businessday d JOIN identity_center c ON c.id = d.center_id
        LEFT JOIN identity_user u ON u.id = d.closed_by_id WHERE d.id = %s
        """,
        [business_day_id],
    )
    if not heads:
        raise NotFound("There is no such business day.")
    sessions = tuple(sessions_where("d.id = %s", business_day_id))
    by_tender = tuple(
        Amount(kind, _TENDER_NAMES[kind], pieces, cents)
        for kind, pieces, cents in _of_day(_BY_TENDER, business_day_id)
    )
    found = (
        sessions,
        by_tender,
        tuple(Amount(*row) for row in _of_day(_BY_KIND, business_day_id)),
        tuple(_in_tills(business_day_id)),
        sum(s.receipts for s in sessions),
        sum(s.voided_receipts for s in sessions),
        sum(tender.cents for tender in by_tender),
        sum(s.over_short_cents or 0 for s in sessions),
        tuple(void_requests(heads[0][1])),
    )
    return CenterDay(*(*heads[0], *found))


def _of_day(query: str, business_day_id: int) -> list[tuple[Any, ...]]:
    return rows(query, {"day": business_day_id})


def _in_tills(business_day_id: int) -> list[Amount]:
    """Nothing of a drawer that is still open is told, nor what is there beside it."""
    if any(s.closed_at is None for s in sessions_where("d.id = %s", business_day_id)):
        return []
    return [
        Amount(code.rsplit("-", 1)[-1], name, 1, cents)
        for code, name, cents in rows(_IN_TILLS, {"day": business_day_id})
    ]


def days_of_center(center_id: int, limit: int = 60, offset: int = 0) -> list[DayRow]:
    """The business days of a center, the latest first."""
    query = """
        SELECT d.id, d.day, d.closed_at,
            (SELECT coalesce(sum(r.total_cents), 0)::bigint FROM cashiering_receipt r
                JOIN cashiering_tillsession s ON s.id = r.session_id
                WHERE s.business_day_id = d.id AND r.void_entry_id IS NULL)
        FROM ledger_businessday d WHERE d.center_id = %s ORDER BY d.day DESC
        LIMIT %s OFFSET %s
    """
    return [DayRow(*row) for row in rows(query, [center_id, limit, offset])]

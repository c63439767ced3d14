"""What is known of a center's safe: its fund, counts, open change orders, and its log."""

from dataclasses import dataclass
from datetime import datetime

from chamberlain.cashiering.receipts import rows
from chamberlain.cashiering.safe.models import (
    ChangeFund,
    ChangeOrder,
    SafeCount,
    SurpriseCount,
)


@dataclass(frozen=True, slots=True)
class FundRow:
    """A center's change fund."""

    cents: int
    reason: str
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count of the safe."""

    moment: str
    moment_label: str
    counted_cents: int
    expected_cents: int
    note: str
    counted_by: str
    witnessed_by: str
    counted_at: datetime

    @property
    def difference_cents(self) -> int:
        """Over (positive) or short."""
        return self.counted_cents - self.expected_cents


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A change order. pieces: denomination in cents and how many, the largest first."""

    order_id: int
    till: str
    cashier: str
    cashier_id: int
    cents: int
    pieces: tuple[tuple[int, int], ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class LogRow:
    """What went into or out of a safe. cents: signed; 0 when nothing of worth moved."""

    at: datetime
    what: str
    detail: str
    cents: int
    by: str
    beside: str


def fund_of(center_id: int) -> FundRow | None:
    """A center's change fund; None when it keeps no safe."""
    fund = ChangeFund.objects.select_related("set_by").filter(center_id=center_id).first()
    if fund is None:
        return None
    return FundRow(fund.cents, fund.reason, str(fund.set_by), fund.set_at)


def counts_of_day(business_day_id: int) -> list[CountRow]:
    """The counts of a day, in their order."""
    found = SafeCount.objects.filter(business_day_id=business_day_id).order_by("pk")
    return [
        CountRow(
            count.moment,
            str(SafeCount.Moment(count.moment).label),
            count.counted_cents,
            count.expected_cents,
            count.note,
            str(count.counted_by),
            str(count.witnessed_by),
            count.counted_at,
        )
        for count in found.select_related("counted_by", "witnessed_by")
    ]


def waiting_orders(center_id: int) -> list[OrderRow]:
    """Change orders of a center that wait, the oldest first."""
    return _orders(till__center_id=center_id)


def waiting_order(session_id: int) -> OrderRow | None:
    """The change order of a drawer that waits."""
    found = _orders(pk=session_id)
    return found[0] if found else None


def _orders(**of_session: int) -> list[OrderRow]:
    where = {f"session__{name}": value for name, value in of_session.items()}
    found = ChangeOrder.objects.filter(filled_at=None, session__closed_at=None, **where)
    return [
        OrderRow(
            order.pk,
            order.session.till.code,
            str(order.session.cashier),
            order.session.cashier_id,
            order.cents,
            tuple(sorted(((int(v), n) for v, n in order.wanted.items()), reverse=True)),
            order.asked_at,
        )
        for order in found.select_related("session__till", "session__cashier").order_by("pk")
    ]


@dataclass(frozen=True, slots=True)
class SurpriseRow:
    """What was found in an open drawer."""

    counted_cents: int
    expected_cents: int
    note: str
    counted_by: str
    counted_at: datetime

    @property
    def difference_cents(self) -> int:
        """Over (positive) or short."""
        return self.counted_cents - self.expected_cents


def surprise_counts(session_id: int) -> list[SurpriseRow]:
    """The surprise counts of a drawer, the latest first."""
    found = SurpriseCount.objects.filter(session_id=session_id).select_related("counted_by")
    return [
        SurpriseRow(
            row.counted_cents, row.expected_cents, row.note, str(row.counted_by), row.counted_at
        )
        for row in found.order_by("-pk")
    ]


_LOG = """
    WITH sessions AS (
        SELECT s.*, l.code FROM cashiering_tillsession s
        JOIN cashiering_till l ON l.id = s.till_id WHERE s.business_day_id = %(day)s)
    SELECT n.at, n.what, n.detail, n.cents, coalesce(nullif(u.display_name, ''), u.username, ''),
        coalesce(nullif(v.display_name, ''), v.username, '')
    FROM (
        SELECT opened_at AS at, 'Float out' AS what, code AS detail, -float_cents AS cents,
            cashier_id AS by, NULL::bigint AS beside FROM sessions
        UNION ALL
        SELECT verified_at, 'Till verified: float and takings in', code,
            counted_cash_cents, verified_by_id, cashier_id
        FROM sessions WHERE verified_at IS NOT NULL
        UNION ALL
        SELECT p.taken_at, 'Drop in', s.code || ', bag ' || p.bag_number, p.cents, p.taken_by_id,
            s.cashier_id
        FROM cashiering_drop p JOIN sessions s ON s.id = p.session_id
        UNION ALL
        SELECT o.filled_at, 'Change given for change', s.code, 0, o.filled_by_id, s.cashier_id
        FROM safe_changeorder o JOIN sessions s ON s.id = o.session_id
        WHERE o.filled_at IS NOT NULL
        UNION ALL
        SELECT e.posted_at, 'Bagged for the bank', e.document || ', ' || e.reason, -sum(t.cents),
            e.actor_id, NULL
        FROM ledger_entry e JOIN ledger_transfer t ON t.entry_id = e.id
        JOIN ledger_ledgeraccount a ON a.id = t.credit_id AND a.code LIKE '1010-%%-cash'
        WHERE e.business_day_id = %(day)s AND e.kind = 'deposit' GROUP BY e.id
        UNION ALL
        SELECT c.counted_at, 'Counted', c.moment, c.counted_cents - c.expected_cents,
            c.counted_by_id, c.witnessed_by_id
        FROM safe_safecount c WHERE c.business_day_id = %(day)s) n
    LEFT JOIN identity_user u ON u.id = n.by
    LEFT JOIN identity_user v ON v.id = n.beside
    ORDER BY n.at, n.what
"""


def log_of_day(business_day_id: int) -> list[LogRow]:
    """What went into and out of the safe on a day, in its order, with who did it."""
    return [
        LogRow(at, what, detail, int(cents), by, beside)
        for at, what, detail, cents, by, beside in rows(_LOG, {"day": business_day_id})
    ]

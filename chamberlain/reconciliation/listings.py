"""For pages: what was matched and why, a page at a time; a day's figures tender by tender."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows as _rows


@dataclass(frozen=True, slots=True)
class MatchedDepositRow:
    """A deposit of a match."""

    number: str
    center_name: str
    business_day_id: int
    day: date
    tender_kind: str
    cents: int
    bag_number: str


@dataclass(frozen=True, slots=True)
class MatchedLineRow:
    """A line of a match."""

    value_on: date
    file_id: int
    cents: int
    text: str


@dataclass(frozen=True, slots=True)
class MatchRow:
    """Deposits that were found on lines of the bank, and why they are the same money."""

    match_id: int
    rule: str
    confidence: int
    difference_cents: int
    reason: str
    matched_by: str
    matched_at: datetime
    approved_by: str
    deposits: tuple[MatchedDepositRow, ...]
    lines: tuple[MatchedLineRow, ...]


@dataclass(frozen=True, slots=True)
class TenderFigures:
    """A tender of a day in cents. counted_cents is None where nothing is counted, as for cards.

    differs: whether any two of its figures are not the same.
    """

    tender_kind: str
    receipts_cents: int
    counted_cents: int | None
    deposited_cents: int
    bank_cents: int

    @property
    def differs(self) -> bool:
        """Whether any two of its figures are not the same."""
        figures = {self.receipts_cents, self.deposited_cents, self.bank_cents}
        return len(figures | ({self.counted_cents} - {None})) > 1


_MATCHES = """
    SELECT m.id, m.rule, m.confidence, m.difference_cents, m.reason,
        coalesce(nullif(u.display_name, ''), u.username), m.matched_at,
        coalesce(nullif(v.display_name, ''), v.username, ''),
        (SELECT jsonb_agg(jsonb_build_array(d.number, c.name, b.id, b.day, d.tender_kind, d.cents,
                d.bag_number) ORDER BY d.id)::text
            FROM reconciliation_matcheddeposit x
            JOIN reconciliation_deposit d ON d.id = x.deposit_id
            JOIN ledger_businessday b ON b.id = d.business_day_id
            JOIN identity_center c ON c.id = b.center_id WHERE x.match_id = m.id),
        (SELECT jsonb_agg(jsonb_build_array(l.value_on, s.file_id, l.cents, l.text)
                ORDER BY l.id)::text
            FROM reconciliation_matchedline x
            JOIN reconciliation_bankline l ON l.id = x.line_id
            JOIN reconciliation_statement s ON s.id = l.statement_id WHERE x.match_id = m.id)
    FROM reconciliation_match m
    JOIN identity_user u ON u.id = m.matched_by_id
    LEFT JOIN identity_user v ON v.id = m.approved_by_id
    ORDER BY m.id DESC LIMIT %s OFFSET %s
"""

_BY_TENDER = """
    WITH taken AS (
        SELECT t.kind, t.cents FROM cashiering_receipt r
        JOIN cashiering_tillsession s ON s.id = r.session_id
        JOIN cashiering_tender t ON t.receipt_id = r.id
        WHERE s.business_day_id = %s AND r.void_entry_id IS NULL
        UNION ALL
        SELECT 'cash', -r.change_cents FROM cashiering_receipt r
        JOIN cashiering_tillsession s ON s.id = r.session_id
        WHERE s.business_day_id = %s AND r.void_entry_id IS NULL
    ), counted AS (
        SELECT k.kind, sum(k.cents) AS cents FROM cashiering_tillsession s, LATERAL (VALUES
            ('cash', s.counted_cash_cents - s.float_cents + (SELECT coalesce(sum(p.cents), 0)
                FROM cashiering_drop p WHERE p.session_id = s.id)),
            ('check', s.counted_check_cents),
            ('money_order', s.counted_money_order_cents)) k (kind, cents)
        WHERE s.business_day_id = %s AND s.closed_at IS NOT NULL GROUP BY k.kind
    ), deposited AS (
        SELECT d.tender_kind AS kind, sum(d.cents) AS cents,
            sum(d.cents) FILTER (WHERE m.id IS NOT NULL) AS bank
        FROM reconciliation_deposit d
        LEFT JOIN reconciliation_matcheddeposit m ON m.deposit_id = d.id
        WHERE d.business_day_id = %s GROUP BY d.tender_kind
    )
    SELECT k.kind,
        coalesce((SELECT sum(t.cents) FROM taken t WHERE t.kind = k.kind), 0)::bigint AS receipts,
        c.cents::bigint, coalesce(d.cents, 0)::bigint, coalesce(d.bank, 0)::bigint
    FROM (VALUES ('cash', 1), ('check', 2), ('money_order', 3), ('card', 4)) k (kind, place)
    LEFT JOIN counted c ON c.kind = k.kind
    LEFT JOIN deposited d ON d.kind = k.kind
    ORDER BY k.place
"""


def matches(limit: int = 50, offset: int = 0) -> list[MatchRow]:
    """What was matched, the latest first."""
    return [
        MatchRow(*(*row[:8], _deposits(row[8]), _lines(row[9])))
        for row in _rows(_MATCHES, [limit, offset])
    ]


def _deposits(found: str) -> tuple[MatchedDepositRow, ...]:
    return tuple(
        MatchedDepositRow(number, center, day_id, date.fromisoformat(on), tender, cents, bag)
        for number, center, day_id, on, tender, cents, bag in json.loads(found)
    )


def _lines(found: str) -> tuple[MatchedLineRow, ...]:
    return tuple(
        MatchedLineRow(date.fromisoformat(on), file_id, cents, text)
        for on, file_id, cents, text in json.loads(found)
    )


def count_matches() -> int:
    """How many matches there are."""
    return int(_rows("SELECT count(*) FROM reconciliation_match", [])[0][0])


def count_business_days() -> int:
    """How many business days all centers have had, as many as `reconciliations` could list."""
    return int(_rows("SELECT count(*) FROM ledger_businessday", [])[0][0])


def figures_by_tender(business_day_id: int) -> list[TenderFigures]:
    """Receipts, count, deposits and bank of a day, tender by tender; idle tenders left out.

    Cash is counted without the float and with what was dropped into the safe before.
    """
    found = [TenderFigures(*row) for row in _rows(_BY_TENDER, [business_day_id] * 4)]
    return [
        row
        for row in found
        if row.receipts_cents or row.counted_cents or row.deposited_cents or row.bank_cents
    ]

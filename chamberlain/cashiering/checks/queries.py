"""Checks that were taken, and holds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chamberlain.cashiering.checks.models import Check, Hold
from chamberlain.database.rows import rows


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check that was taken. account_end: the last four digits of the bank account."""

    check_id: int
    receipt_id: int
    receipt: str
    center: str
    cashier: str
    taken_at: datetime
    payer_account: str
    cents: int
    routing: str
    account_end: str
    number: str
    answer: str
    code: str
    reference: str
    approved_by: str
    is_voided: bool
    is_held: bool

    @property
    def answer_label(self) -> str:
        """How it was found good, in words."""
        return str(Check.Answer(self.answer).label)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold. account_end: of the bank account, "" when only a customer's account is held."""

    hold_id: int
    account_number: str
    routing: str
    account_end: str
    reason: str
    put_by: str
    put_at: datetime
    ended_by: str
    ended_at: datetime | None
    end_note: str


_CHECKS = """
    SELECT k.id, r.id, r.number, c.name, coalesce(nullif(u.display_name, ''), u.username),
        r.taken_at, a.number, t.cents, k.routing, right(k.account, 4), k.number, k.answer, k.code,
        k.reference, coalesce(nullif(v.display_name, ''), v.username, ''),
        r.void_entry_id IS NOT NULL,
        EXISTS (SELECT FROM checks_hold h WHERE h.ended_at IS NULL
            AND h.routing = k.routing AND h.bank_account = k.account)
    FROM checks_check k
    JOIN cashiering_tender t ON t.id = k.tender_id
    JOIN cashiering_receipt r ON r.id = t.receipt_id
    JOIN cashiering_tillsession s ON s.id = r.session_id
    JOIN cashiering_till l ON l.id = s.till_id
    JOIN identity_center c ON c.id = l.center_id
    JOIN identity_user u ON u.id = s.cashier_id
    JOIN ledger_account a ON a.id = r.payer_account_id
    LEFT JOIN identity_user v ON v.id = k.approved_by_id
    WHERE {where} ORDER BY k.id DESC LIMIT %(limit)s OFFSET %(offset)s
"""
_NUMBERED = "(%(number)s = '' OR k.number = %(number)s)"


def checks_of_receipt(receipt_id: int) -> list[CheckRow]:
    """The checks of a receipt whose bottom line was read."""
    found = _rows("r.id = %(receipt)s", {"receipt": receipt_id, "limit": 100, "offset": 0})
    return found[::-1]


def checks(number: str, limit: int, offset: int) -> list[CheckRow]:
    """Checks with a number, or all of them, the latest first."""
    return _rows(_NUMBERED, {"number": _plain(number), "limit": limit, "offset": offset})


def count_checks(number: str) -> int:
    """How many checks have a number."""
    wanted = _plain(number)
    return Check.objects.filter(**({"number": wanted} if wanted else {})).count()


def _plain(number: str) -> str:
    return number.strip().lstrip("0")


def _rows(where: str, params: dict[str, Any]) -> list[CheckRow]:
    return [CheckRow(*row) for row in rows(_CHECKS.format(where=where), params)]


def holds(*, is_ended: bool, limit: int, offset: int = 0) -> list[HoldRow]:
    """Holds in force, or those that were ended, the latest first."""
    found = (
        Hold.objects.filter(ended_at__isnull=not is_ended)
        .select_related("account", "put_by", "ended_by")
        .order_by("-pk")
    )
    return [
        HoldRow(
            hold.pk,
            hold.account.number if hold.account else "",
            hold.routing,
            hold.bank_account[-4:],
            hold.reason,
            str(hold.put_by),
            hold.put_at,
            str(hold.ended_by or ""),
            hold.ended_at,
            hold.end_note,
        )
        for hold in found[offset : offset + limit]
    ]


def count_holds(*, is_ended: bool) -> int:
    """How many holds are in force, or were ended."""
    return Hold.objects.filter(ended_at__isnull=not is_ended).count()

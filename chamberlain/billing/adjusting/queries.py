"""What the pages show of adjustments, as typed rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from chamberlain.billing.adjusting.kinds import KINDS
from chamberlain.billing.adjusting.models import Adjustment, AdjustmentBatch
from chamberlain.billing.adjusting.reasons import reason_of
from chamberlain.billing.approving import Approval
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import ChargeRow, charge


@dataclass(frozen=True, slots=True)
class AdjustmentRow:
    """An adjustment in a list. batch: the number of its batch or "".

    reversed_by_id: the entry that undid it. paid_reference: by what a refund was paid out, or "".
    """

    number: str
    kind: str
    reason: str
    account: str
    other_account: str
    cents: int
    status: str
    note: str
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision: str
    entry_id: int | None
    payment_id: int | None
    batch: str
    reversed_by_id: int | None
    paid_reference: str
    paid_entry_id: int | None

    @property
    def kind_name(self) -> str:
        """The kind as people read it."""
        return KINDS[self.kind].name


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch in a list. waiting: how many of its adjustments are not decided."""

    number: str
    kind: str
    reason: str
    file_name: str
    rows: int
    cents: int
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    waiting: int
    status: str

    @property
    def kind_name(self) -> str:
        """The kind as people read it."""
        return KINDS[self.kind].name


_ROW = """
    SELECT j.number, j.kind, r.name, a.number, coalesce(o.number, ''), j.cents, j.status, j.note,
        j.asked_by_id, coalesce(nullif(u.display_name, ''), u.username), j.asked_at,
        coalesce(nullif(d.display_name, ''), d.username, ''), j.decided_at, j.decision, j.entry_id,
        j.payment_id, coalesce(b.number, ''), v.id, coalesce(p.reference, ''), p.entry_id
    FROM adjusting_adjustment j
    JOIN adjusting_adjustmentreason r ON r.id = j.reason_id
    JOIN ledger_account a ON a.id = j.account_id
    LEFT JOIN ledger_account o ON o.id = j.other_account_id
    JOIN identity_user u ON u.id = j.asked_by_id
    LEFT JOIN identity_user d ON d.id = j.decided_by_id
    LEFT JOIN adjusting_adjustmentbatch b ON b.id = j.batch_id
    LEFT JOIN ledger_entry v ON v.reverses_id = j.entry_id
    LEFT JOIN adjusting_refundpayment p ON p.adjustment_id = j.id
"""
_TO_PAY = """
    WHERE j.kind = 'refund' AND j.status = 'posted' AND p.adjustment_id IS NULL AND v.id IS NULL
"""
_BATCH = """
    SELECT b.number, r.kind, r.name, b.file_name, b.rows, b.cents, b.asked_by_id,
        coalesce(nullif(u.display_name, ''), u.username), b.asked_at,
        (SELECT count(*) FROM adjusting_adjustment j
            WHERE j.batch_id = b.id AND j.status = 'asked'),
        (SELECT min(j.status) FROM adjusting_adjustment j WHERE j.batch_id = b.id)
    FROM adjusting_adjustmentbatch b
    JOIN adjusting_adjustmentreason r ON r.id = b.reason_id
    JOIN identity_user u ON u.id = b.asked_by_id
"""


def _found(where: str, params: list[Any]) -> list[AdjustmentRow]:
    return [AdjustmentRow(*row) for row in rows(f"{_ROW} {where}", params)]


def waiting(limit: int = 50, offset: int = 0) -> list[AdjustmentRow]:
    """Single adjustments that wait for approval, the oldest first."""
    return _found(
        "WHERE j.status = 'asked' AND j.batch_id IS NULL ORDER BY j.id LIMIT %s OFFSET %s",
        [limit, offset],
    )


def count_waiting() -> int:
    """How many single adjustments wait."""
    return Adjustment.objects.filter(status="asked", batch=None).count()


def waiting_batches() -> list[BatchRow]:
    """Batches that wait for approval, the oldest first."""
    where = """WHERE EXISTS (SELECT 1 FROM adjusting_adjustment j
        WHERE j.batch_id = b.id AND j.status = 'asked') ORDER BY b.id LIMIT 100"""
    return [BatchRow(*row) for row in rows(f"{_BATCH} {where}", [])]


def decided(limit: int = 50, offset: int = 0) -> list[AdjustmentRow]:
    """Adjustments that were decided, those of today first."""
    return _found(
        "WHERE j.status <> 'asked' ORDER BY j.decided_at DESC, j.id DESC LIMIT %s OFFSET %s",
        [limit, offset],
    )


def count_decided() -> int:
    """How many adjustments were decided."""
    return Adjustment.objects.exclude(status="asked").count()


def refunds_to_pay(limit: int = 50, offset: int = 0) -> list[AdjustmentRow]:
    """Refunds that were approved and not paid out, the oldest first."""
    return _found(f"{_TO_PAY} ORDER BY j.id LIMIT %s OFFSET %s", [limit, offset])


def count_refunds_to_pay() -> int:
    """How many refunds wait to be paid out."""
    query = f"""
        SELECT count(*) FROM adjusting_adjustment j
        LEFT JOIN ledger_entry v ON v.reverses_id = j.entry_id
        LEFT JOIN adjusting_refundpayment p ON p.adjustment_id = j.id {_TO_PAY}
    """
    return int(rows(query, [])[0][0])


def adjustment(number: str) -> AdjustmentRow:
    """One adjustment. Raises NotFound."""
    found = _found("WHERE j.number = %s", [number])
    if not found:
        raise NotFound(f"There is no adjustment {number[:16]}; look at the list.")
    return found[0]


def adjustments_of_account(
    account_id: int, limit: int = 50, offset: int = 0
) -> list[AdjustmentRow]:
    """Adjustments of an account, and those that moved something to it; the newest first."""
    return _found(
        "WHERE j.account_id = %s OR j.other_account_id = %s ORDER BY j.id DESC LIMIT %s OFFSET %s",
        [account_id, account_id, limit, offset],
    )


def charges_of(number: str) -> list[ChargeRow]:
    """The charges that an adjustment was asked for, with what is open on them now."""
    ids = Adjustment.objects.filter(number=number).values_list("charges__charge_id", flat=True)
    return [charge(charge_id) for charge_id in ids if charge_id is not None]


def step_of(number: str) -> Approval:
    """Who approves an adjustment, by its amount and reason."""
    found = Adjustment.objects.select_related("reason").get(number=number)
    return reason_of(found.reason).step(found.cents)


def batch(number: str) -> BatchRow:
    """One batch. Raises NotFound."""
    found = rows(f"{_BATCH} WHERE b.number = %s", [number])
    if not found:
        raise NotFound(f"There is no batch {number[:16]}; look at the list.")
    return BatchRow(*found[0])


def step_of_batch(number: str) -> Approval:
    """Who approves a batch, by all that it comes to."""
    found = AdjustmentBatch.objects.select_related("reason").get(number=number)
    return reason_of(found.reason).step(found.cents)


def adjustments_of_batch(number: str, limit: int = 50, offset: int = 0) -> list[AdjustmentRow]:
    """Adjustments of a batch, in the order of its file."""
    return _found("WHERE b.number = %s ORDER BY j.id LIMIT %s OFFSET %s", [number, limit, offset])


def count_of_account(account_id: int) -> int:
    """How many adjustments `adjustments_of_account` knows."""
    return Adjustment.objects.filter(Q(account=account_id) | Q(other_account=account_id)).count()


def adjustment_that_moved(payment_id: int) -> str | None:
    """The adjustment that moved a payment to another account and stands; None when none does."""
    query = """
        SELECT a.number FROM adjusting_adjustment a
        WHERE a.payment_id = %s AND a.status = 'posted'
            AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = a.entry_id)
        ORDER BY a.id LIMIT 1
    """
    found = rows(query, [payment_id])
    return str(found[0][0]) if found else None

"""Credits that nobody claimed for the city's term: found, and handed over by a batch."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from chamberlain.billing.adjusting.batches import MOST_ROWS, Line, look, write_batch
from chamberlain.billing.adjusting.kinds import Kind
from chamberlain.billing.adjusting.models import AdjustmentBatch
from chamberlain.billing.adjusting.reasons import Reason, reasons_on
from chamberlain.billing.adjusting.standing import untouched_since
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import BadFile, NotFound, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.posting import lock_balances

_FOUND = """
    FROM ledger_balance b
    JOIN ledger_account a ON a.id = b.account_id
    JOIN LATERAL (
        SELECT max(d.day) AS moved_on FROM ledger_transfer t
        JOIN ledger_entry e ON e.id = t.entry_id
        JOIN ledger_businessday d ON d.id = e.business_day_id
        WHERE t.account_id = b.account_id AND t.effect IN ('none', 'settle', 'unsettle')
            AND %(credits)s IN (t.debit_id, t.credit_id)) m ON m.moved_on <= %(since)s
    WHERE b.credit_cents > 0 AND (b.owed_cents = 0 OR NOT %(nothing_owed)s)
        AND b.credit_cents <= %(largest)s
        AND NOT EXISTS (SELECT 1 FROM adjusting_adjustment j
            WHERE j.account_id = b.account_id AND j.kind = 'unclaimed_credit'
                AND j.status = 'asked')
"""


@dataclass(frozen=True, slots=True)
class UnclaimedRow:
    """An account whose credit nothing moved since `moved_on`."""

    account_id: int
    account: str
    cents: int
    moved_on: date


def unclaimed_reason(today: date) -> Reason | None:
    """The city's reason to hand unclaimed credits over, if it has one on that day."""
    found = [r for r in reasons_on(today) if r.kind == Kind.UNCLAIMED and r.untouched_months]
    return found[0] if found else None


def _values(reason: Reason, today: date) -> dict[str, object]:
    assert reason.untouched_months is not None
    return {
        "credits": chart.ledger_account_id(chart.CREDITS),
        "since": untouched_since(reason.untouched_months, today),
        "nothing_owed": reason.needs_nothing_owed,
        "largest": reason.largest_cents,
    }


def unclaimed_credits(today: date, limit: int = 50, offset: int = 0) -> list[UnclaimedRow]:
    """Credits past the city's term that nobody asked to hand over yet, the oldest first."""
    reason = unclaimed_reason(today)
    if reason is None:
        return []
    query = f"""SELECT b.account_id, a.number, b.credit_cents, m.moved_on {_FOUND}
        ORDER BY m.moved_on, b.account_id LIMIT %(limit)s OFFSET %(offset)s"""
    values = {**_values(reason, today), "limit": limit, "offset": offset}
    return [UnclaimedRow(*row) for row in rows(query, values)]


def count_unclaimed(today: date) -> tuple[int, int]:
    """How many `unclaimed_credits` there are, and what they come to in cents."""
    reason = unclaimed_reason(today)
    if reason is None:
        return 0, 0
    query = f"SELECT count(*), coalesce(sum(b.credit_cents), 0)::bigint {_FOUND}"
    count, cents = rows(query, _values(reason, today))[0]
    return int(count), int(cents)


def ask_unclaimed(actor: Actor, today: date, now: datetime, idempotency_key: str) -> str:
    """Asks to hand over all credits past the city's term; returns the batch's number.

    Another person approves it as any batch. The same key asks once. Raises NotFound when the city
    has no term, Refused when there is nothing to hand over.
    """
    actor.require("adjustment.ask")
    with acting(actor), transaction.atomic():
        made = AdjustmentBatch.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            actor.require_own(made.asked_by_id)
            return made.number
        reason = unclaimed_reason(today)
        if reason is None:
            raise NotFound("The city has no term for unclaimed credits; add it to its files.")
        found = unclaimed_credits(today, MOST_ROWS)
        if not found:
            raise Refused("No credit is past the city's term, so there is nothing to hand over.")
        lock_balances([row.account_id for row in found])
        lines = [
            Line(i + 1, row.account, row.cents, f"Not claimed since {row.moved_on:%B %-d, %Y}")
            for i, row in enumerate(found)
        ]
        looked = look(lines, [], reason, today)
        if looked.records:
            raise BadFile("An account changed meanwhile; ask again.", looked.records)
        return write_batch(
            actor, looked, b"", f"Credits past {reason.untouched_months} months", today, now,
            idempotency_key,
        )  # fmt: skip

"""Payments on the provider's page, for those who answer for the money."""

from dataclasses import dataclass
from datetime import datetime

from chamberlain.cashiering.hosted.models import Intent, Notice
from chamberlain.database.rows import rows as _rows


@dataclass(frozen=True, slots=True)
class ToLookAt:
    """A notice that posted nothing although money may have moved."""

    received_at: datetime
    outcome: str
    account_number: str
    asked_cents: int | None
    cents: int
    currency: str
    provider_payment: str
    sentence: str


_TO_LOOK_AT = """
    FROM hosted_notice n LEFT JOIN hosted_intent i ON i.id = n.intent_id
    LEFT JOIN ledger_account a ON a.id = i.account_id
    WHERE n.outcome IN ('unknown', 'wrong_amount', 'wrong_currency', 'paid_again', 'not_posted')
"""


def to_look_at(limit: int = 50, offset: int = 0) -> list[ToLookAt]:
    """Notices that a person has to look at, the newest first."""
    query = f"""
        SELECT n.received_at, n.outcome, coalesce(a.number, ''), i.cents, n.cents, n.currency,
            n.provider_payment, coalesce(i.sentence, '')
        {_TO_LOOK_AT} ORDER BY n.received_at DESC, n.id DESC LIMIT %s OFFSET %s
    """
    found = []
    for row in _rows(query, [limit, offset]):
        fields = list(row)
        fields[1] = str(Notice.Outcome(fields[1]).label)
        found.append(ToLookAt(*fields))
    return found


def count_to_look_at() -> int:
    """How many notices `to_look_at` has."""
    return int(_rows(f"SELECT count(*) {_TO_LOOK_AT}", [])[0][0])


def intent_of(account_id: int, reference: str) -> Intent | None:
    """A payment that was set out for an account."""
    return Intent.objects.filter(account_id=account_id, reference=reference).first()


def waiting_of(account_id: int) -> list[Intent]:
    """Payments of an account that were made and wait to be posted."""
    return list(Intent.objects.filter(account_id=account_id, status=Intent.Status.PAID))

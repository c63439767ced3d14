"""Journals are made of closed days; the mapping is city data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, NotFound, Refused
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.general_ledger.models import Journal, JournalLine, Mapping

PERMISSION = "general_ledger.export"
_LOCK = 481_518


@dataclass(frozen=True, slots=True)
class MappingTerms:
    """Accounts whose code begins so are this account of the general ledger."""

    begins: str
    account: str
    source: str
    is_verified: bool


class NotMapped(Refused):
    """Accounts of ours have no account in the general ledger."""


def load_mapping(actor: Actor, mapping: Sequence[MappingTerms]) -> None:
    """Brings the mapping to what the city's file says. Journals that were made stay as they are."""
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        Mapping.objects.exclude(begins__in=[each.begins for each in mapping]).delete()
        for each in mapping:
            Mapping.objects.update_or_create(
                begins=each.begins,
                defaults={
                    "account": each.account,
                    "source": each.source,
                    "is_verified": each.is_verified,
                },
            )


_LINES = """
    SELECT a.id, a.code,
        coalesce(sum(t.cents) FILTER (WHERE t.debit_id = a.id), 0)::bigint,
        coalesce(sum(t.cents) FILTER (WHERE t.credit_id = a.id), 0)::bigint
    FROM ledger_entry e
    JOIN ledger_transfer t ON t.entry_id = e.id
    JOIN ledger_ledgeraccount a ON a.id IN (t.debit_id, t.credit_id)
    WHERE e.business_day_id = %s GROUP BY a.id, a.code ORDER BY a.code
"""


def make_journal(actor: Actor, business_day_id: int, now: datetime) -> str:
    """Makes the journal of a closed business day; returns its number.

    Raises NotPermitted, NotFound, Refused while the day is open, AlreadyDone when it was made
    before, NotMapped naming the accounts that the mapping does not know.
    """
    actor.require(PERMISSION)
    day = BusinessDay.objects.select_related("center").filter(pk=business_day_id).first()
    if day is None:
        raise NotFound("There is no such business day.")
    if day.closed_at is None:
        raise Refused(
            f"{day.day:%B %-d, %Y} of {day.center.name} is open; its journal is made after closing."
        )
    with transaction.atomic():
        _one_at_a_time()
        before = Journal.objects.filter(business_day=day).first()
        if before is not None:
            raise AlreadyDone(f"Its journal was made before: {before.number}.")
        lines = _lines(business_day_id)
        journal = Journal.objects.create(
            number=_next_number(),
            business_day=day,
            cents=sum(line.debit_cents for line in lines),
            made_by_id=actor.user_id,
            made_at=now,
        )
        for line in lines:
            line.journal = journal
        JournalLine.objects.bulk_create(lines)
        assert journal.cents == sum(line.credit_cents for line in lines)
    return str(journal.number)


def make_journals(actor: Actor, now: datetime) -> list[str]:
    """Makes the journals of all closed days that have none, the oldest first; returns the numbers.

    Raises NotPermitted, NotMapped; journals made until then stay.
    """
    actor.require(PERMISSION)
    waiting = BusinessDay.objects.filter(closed_at__isnull=False, journal=None).order_by(
        "day", "pk"
    )
    return [make_journal(actor, day_id, now) for day_id in waiting.values_list("pk", flat=True)]


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _next_number() -> str:
    last = Journal.objects.aggregate(last=Max("pk"))["last"]
    number = Journal.objects.values_list("number", flat=True).get(pk=last) if last else "J-000000"
    return f"J-{int(number.removeprefix('J-')) + 1:06d}"


def _lines(business_day_id: int) -> list[JournalLine]:
    mapping = sorted(Mapping.objects.values_list("begins", "account"), key=lambda m: -len(m[0]))
    lines, unknown = [], []
    for account_id, code, debit, credit in rows(_LINES, [business_day_id]):
        account = next((to for begins, to in mapping if code.startswith(begins)), None)
        if account is None:
            unknown.append(code)
            continue
        lines.append(
            JournalLine(
                ledger_account_id=account_id,
                account=account,
                debit_cents=debit,
                credit_cents=credit,
            )
        )
    if unknown:
        raise NotMapped(
            f"The general ledger has no account for {', '.join(unknown[:10])}"
            f"{' and more' if len(unknown) > 10 else ''}; add it to general_ledger.yaml."
        )
    return lines

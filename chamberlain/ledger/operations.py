"""What is done to the ledger by itself: business days, accounts, reversals."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction

from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center
from chamberlain.kernel.errors import AlreadyDone, NotFound, Refused
from chamberlain.ledger.models import Account, BusinessDay, DayDigest, Entry, Transfer
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post


def open_business_day(actor: Actor, center_id: int, day: date, now: datetime) -> BusinessDay:
    """Opens a day of a center. Opening it again while it is open changes nothing.

    Raises DayClosed when it was closed before, Refused when an earlier day is still open.
    """
    actor.require("day.open", center_id)
    with transaction.atomic():
        Center.objects.select_for_update().get(pk=center_id)
        found = BusinessDay.objects.filter(center_id=center_id, day=day).first()
        if found and found.closed_at:
            raise DayClosed(f"{day:%B %-d, %Y} was closed for this center; open the next day.")
        if found:
            return found
        earlier = BusinessDay.objects.filter(center_id=center_id, closed_at=None).first()
        if earlier:
            raise Refused(
                f"{earlier.day:%B %-d, %Y} is still open at this center; close it first.",
                field="day",
            )
        later = BusinessDay.objects.filter(center_id=center_id, day__gt=day).exists()
        if later:
            raise Refused(f"A day after {day:%B %-d, %Y} was opened before; open a later day.")
        return BusinessDay.objects.create(
            center_id=center_id, day=day, opened_at=now, opened_by_id=actor.user_id
        )


def day_to_post_on(
    business_day_id: int,
    *,
    else_do: str = "post on an open business day",
    if_none: str = "open one for the revenue office",
) -> BusinessDay:
    """The business day that something is posted on.

    Raises NotFound and DayClosed, whose sentences end with what to do. The day may still close
    before the entry is in; the database refuses it then.
    """
    day = BusinessDay.objects.filter(pk=business_day_id).first()
    if day is None:
        raise NotFound(f"There is no such business day; {if_none}.")
    if day.closed_at:
        raise DayClosed(f"{day.day:%B %-d, %Y} is closed; {else_do}.")
    return day


def seal_business_day(actor: Actor, business_day_id: int, now: datetime) -> DayDigest:
    """Closes a day and chains its digest to the center's day before. Nothing posts on it after.

    What else must be true before a day may close, the room that works on it checks.
    Raises AlreadyDone when it is closed, NotFound when there is no such day.
    """
    with transaction.atomic():
        day = BusinessDay.objects.select_for_update().filter(pk=business_day_id).first()
        if day is None:
            raise NotFound("There is no such business day.")
        actor.require("day.close", day.center_id)
        if day.closed_at:
            raise AlreadyDone(f"{day.day:%B %-d, %Y} is closed already.")
        day.closed_at, day.closed_by_id = now, actor.user_id
        day.save(update_fields=["closed_at", "closed_by"])
        with connection.cursor() as cursor:
            cursor.execute(_SEAL_SQL, {"day": business_day_id, "center": day.center_id})
        return DayDigest.objects.get(business_day_id=business_day_id)


_SEAL_SQL = """
    WITH entries AS (
        INSERT INTO ledger_entrydigest (entry_id, digest)
        SELECT entry_id, digest FROM ledger_digests_of_day(%(day)s)
        RETURNING entry_id, digest
    ), before AS (
        SELECT dd.business_day_id AS id, dd.digest FROM ledger_daydigest dd
        JOIN ledger_businessday d ON d.id = dd.business_day_id
        WHERE d.center_id = %(center)s
        ORDER BY d.day DESC LIMIT 1
    )
    INSERT INTO ledger_daydigest (business_day_id, previous_id, digest, entries)
    SELECT %(day)s, (SELECT id FROM before),
        sha256(coalesce((SELECT digest FROM before), ''::bytea)
            || coalesce(string_agg(digest, ''::bytea ORDER BY entry_id), ''::bytea)),
        count(*)
    FROM entries
"""


def open_accounts(numbers: Sequence[str], opened_on: date) -> list[int]:
    """Makes customer accounts; returns their ids in the order of the numbers."""
    made = Account.objects.bulk_create(
        [Account(number=number, opened_on=opened_on) for number in numbers]
    )
    return [account.pk for account in made]


_OPPOSITE = {"settle": "unsettle", "unsettle": "settle", "raise": "settle", "none": "none"}


def reverse_entry(
    actor: Actor,
    entry_id: int,
    business_day_id: int,
    now: datetime,
    *,
    kind: str,
    reason: str,
    idempotency_key: str | None = None,
) -> int:
    """Posts the mirror of an entry, which points at it. An entry is reversed once.

    The caller has checked the permission. Raises AlreadyDone, DayClosed, OverSettled (a raised
    charge that has been paid cannot be reversed before its payments are moved).
    """
    entry = Entry.objects.get(pk=entry_id)
    legs = [
        Leg(
            debit_id=transfer.credit_id,
            credit_id=transfer.debit_id,
            cents=transfer.cents,
            effect=_OPPOSITE[transfer.effect],
            account_id=transfer.account_id,
            charge_id=transfer.charge_id,
        )
        for transfer in Transfer.objects.filter(entry_id=entry_id).order_by("-id")
    ]
    return post(
        NewEntry(
            business_day_id=business_day_id,
            kind=kind,
            actor_id=actor.user_id,
            posted_at=now,
            document=entry.document,
            legs=legs,
            reason=reason,
            reverses_id=entry_id,
            idempotency_key=idempotency_key,
        )
    )

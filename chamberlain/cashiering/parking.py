"""Baskets put aside: the customer looks for the checkbook, and the next one is served.

All that was typed is kept but for what was handed over; whoever picks the basket up, at any till of
the center, sees the charges as they stand by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from chamberlain.cashiering.models import ParkedBasket, TillSession
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound

NOTE_MAX = 80
WAITS = timedelta(hours=12)
_FIELDS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A basket that waits."""

    parked_id: int
    note: str
    parked_by: str
    parked_at: datetime


def park(
    actor: Actor,
    session_id: int,
    note: str,
    typed: Mapping[str, Sequence[str]],
    now: datetime,
) -> int:
    """Puts a basket aside at the center of a drawer; returns its id.

    typed: the fields of the form, each with its values. Raises NotPermitted, NotFound, Invalid.
    """
    session = _session(session_id)
    actor.require("payment.take", session.till.center_id)
    note = note.strip()
    if len(note) > NOTE_MAX:
        raise Invalid(f"The note has at most {NOTE_MAX} characters.", field="park_note")
    if len(typed) > _FIELDS_MAX:
        raise Invalid("This basket is too large to be parked; take the payment in two parts.")
    made = ParkedBasket.objects.create(
        center_id=session.till.center_id,
        note=note,
        typed={name: list(values) for name, values in typed.items()},
        parked_by_id=actor.user_id,
        parked_at=now,
    )
    return int(made.pk)


def pick_up(actor: Actor, session_id: int, parked_id: int, now: datetime) -> dict[str, list[str]]:
    """Takes a parked basket to a drawer of the same center, once; returns what was typed.

    Raises NotPermitted, NotFound, AlreadyDone naming who has it.
    """
    session = _session(session_id)
    actor.require("payment.take", session.till.center_id)
    with transaction.atomic():
        found = (
            ParkedBasket.objects.select_for_update(of=("self",))
            .select_related("picked_up_by")
            .filter(pk=parked_id, center_id=session.till.center_id)
            .first()
        )
        if found is None:
            raise NotFound("There is no such parked basket at this center.")
        if found.picked_up_at:
            raise AlreadyDone(f"{found.picked_up_by} picked this basket up before.")
        found.picked_up_by_id, found.picked_up_at = actor.user_id, now
        found.save(update_fields=["picked_up_by", "picked_up_at"])
    return dict(found.typed)


def parked(center_id: int, now: datetime) -> list[ParkedRow]:
    """Baskets that wait at a center since the last hours, the oldest first."""
    waiting = ParkedBasket.objects.filter(
        center_id=center_id, picked_up_at=None, parked_at__gt=now - WAITS
    ).select_related("parked_by")
    return [
        ParkedRow(row.pk, row.note, str(row.parked_by), row.parked_at)
        for row in waiting.order_by("pk")[:50]
    ]


def _session(session_id: int) -> TillSession:
    found = TillSession.objects.select_related("till").filter(pk=session_id, closed_at=None).first()
    if found is None:
        raise NotFound("Your till is not open any more; open it again.")
    return found

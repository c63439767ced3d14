"""Counting an open drawer without notice."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.counting import counted_cents
from chamberlain.cashiering.safe.models import SurpriseCount
from chamberlain.cashiering.tills import locked_session
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotPermitted, Refused

NOTE_MAX = 200


def count_by_surprise(
    actor: Actor, session_id: int, counts: Mapping[int, int], note: str, now: datetime
) -> SurpriseCount:
    """Keeps what was found in an open drawer beside what should be there; posts nothing.

    The drawer goes on; what differs is posted when it is closed. While it is counted no payment is
    taken there. Raises NotPermitted (also for the drawer's cashier), NotFound, Invalid, Refused for
    a closed till.
    """
    cents = counted_cents(counts)
    note = note.strip()
    if len(note) > NOTE_MAX:
        raise Invalid(f"The note has more than {NOTE_MAX} characters; shorten it.", field="note")
    with transaction.atomic():
        session = locked_session(session_id)
        actor.require("till.verify", session.till.center_id)
        if session.cashier_id == actor.user_id:
            raise NotPermitted(
                "A drawer is counted by surprise by another person than its cashier."
            )
        if session.closed_at:
            raise Refused(f"Till {session.till.code} is closed; verify it instead.")
        return SurpriseCount.objects.create(
            session=session,
            pieces={str(value): pieces for value, pieces in counts.items() if pieces},
            counted_cents=cents,
            expected_cents=session.drawer_cents,
            note=note,
            counted_by_id=actor.user_id,
            counted_at=now,
        )

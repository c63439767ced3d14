"""Passing a till to the next cashier: counted and closed by one, opened by the other, at once."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.closing import close_till
from chamberlain.cashiering.models import TillSession
from chamberlain.cashiering.safe.models import Handover
from chamberlain.cashiering.tills import open_till
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotFound, NotPermitted
from chamberlain.kernel.money import show_cents


def hand_over(
    actor: Actor,
    incoming: Actor,
    session_id: int,
    counts: Mapping[int, int],
    check_cents: int,
    float_counts: Mapping[int, int],
    now: datetime,
    money_order_cents: int = 0,
) -> int:
    """Closes the actor's drawer by their count and opens it for another. Returns the new session.

    float_counts: what stays in the drawer for the next cashier; it was counted, and what is above
    goes to the safe for the supervisor to verify. Raises what `close_till` and `open_till` raise,
    NotPermitted for a drawer that is another's or to oneself, Invalid when more stays than was
    counted.
    """
    for value, pieces in float_counts.items():
        if pieces > counts.get(value, 0):
            raise Invalid(
                f"{show_cents(value)}: {pieces} pieces stay, but {counts.get(value, 0)} were "
                "counted.",
                field="float",
            )
    with transaction.atomic():
        session = TillSession.objects.filter(pk=session_id).first()
        if session is None:
            raise NotFound(f"There is no till session {session_id}; look at the till board.")
        if session.cashier_id != actor.user_id:
            raise NotPermitted("A till is handed over by its own cashier.")
        if incoming.user_id == actor.user_id:
            raise NotPermitted("A till is handed over to another cashier.")
        close_till(actor, session_id, counts, check_cents, now, money_order_cents)
        taken = open_till(incoming, session.till_id, float_counts, now)
        Handover.objects.create(given_id=session_id, taken_id=taken, at=now)
    return taken

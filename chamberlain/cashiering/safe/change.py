"""Change for a till: coins and notes out of the safe for others worth the same."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.counting import counted_cents
from chamberlain.cashiering.safe.models import ChangeOrder
from chamberlain.cashiering.tills import locked_session
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents


def _kept(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(value): pieces for value, pieces in counts.items() if pieces}


def order_change(actor: Actor, session_id: int, wanted: Mapping[int, int], now: datetime) -> int:
    """Asks the safe for change. wanted: pieces by denomination in cents. Returns the order's id.

    Raises NotPermitted, NotFound, Invalid (nothing wanted), AlreadyDone (one waits), Refused for
    another's or a closed drawer.
    """
    cents = counted_cents(wanted)
    if not cents:
        raise Invalid("Say which coins and notes you need.", field="counts")
    with transaction.atomic():
        session = locked_session(session_id)
        actor.require("payment.take", session.till.center_id)
        if session.cashier_id != actor.user_id or session.closed_at:
            raise Refused(f"Till {session.till.code} is not yours or is closed.")
        if session.change_orders.filter(filled_at=None).exists():
            raise AlreadyDone("An order of this till waits already; it is filled first.")
        return ChangeOrder.objects.create(
            session=session, wanted=_kept(wanted), cents=cents, asked_at=now
        ).pk


def fill_change(actor: Actor, order_id: int, given: Mapping[int, int], now: datetime) -> None:
    """Gives the change out of the safe for what the drawer gave, which is worth the same.

    given: pieces by denomination in cents. Raises NotPermitted (also for the cashier), NotFound,
    AlreadyDone, Invalid (worth more or less), Refused when the till is closed.
    """
    cents = counted_cents(given)
    with transaction.atomic():
        order = ChangeOrder.objects.select_for_update().filter(pk=order_id).first()
        if order is None:
            raise NotFound("There is no such change order.")
        session = locked_session(order.session_id)
        actor.require("safe.change", session.till.center_id)
        if actor.user_id == session.cashier_id:
            raise NotPermitted("Change is given by another person than who asked for it.")
        if order.filled_at:
            raise AlreadyDone("This change was given already.")
        if session.closed_at:
            raise Refused(f"Till {session.till.code} is closed; it needs no change any more.")
        if cents != order.cents:
            raise Invalid(
                f"The drawer gives {show_cents(cents)} for {show_cents(order.cents)}; both are "
                "worth the same.",
                field="counts",
            )
        order.given, order.filled_by_id, order.filled_at = _kept(given), actor.user_id, now
        order.save(update_fields=["given", "filled_by", "filled_at"])

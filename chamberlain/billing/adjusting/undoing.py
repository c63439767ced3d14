"""What follows a posted adjustment: a refund paid out, or a mistake undone."""

from datetime import datetime

from django.db import transaction

from chamberlain.billing.adjusting.kinds import Kind
from chamberlain.billing.adjusting.models import Adjustment, RefundPayment
from chamberlain.billing.adjusting.operations import Status, said
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.models import Entry
from chamberlain.ledger.operations import day_to_post_on, reverse_entry
from chamberlain.ledger.posting import Leg, NewEntry, post


def reverse_adjustment(
    actor: Actor, number: str, business_day_id: int, now: datetime, reason: str
) -> int:
    """Undoes a posted adjustment by an entry that points at its own; returns that entry's id.

    Raises NotPermitted for the one who asked for it, Refused when it was never posted or its
    refund was paid out, AlreadyDone when it was reversed before, NotEnoughCredit or OverSettled
    when what it gave was used since, DayClosed.
    """
    actor.require("adjustment.approve")
    why = said(reason, "note")
    with transaction.atomic():
        adjustment = _posted(number)
        if actor.user_id == adjustment.asked_by_id:
            raise NotPermitted("You asked for it; another person reverses it.")
        if RefundPayment.objects.filter(adjustment=adjustment).exists():
            raise Refused(f"Refund {number} was paid out, so it cannot be reversed any more.")
        assert adjustment.entry_id is not None
        if Entry.objects.filter(reverses_id=adjustment.entry_id).exists():
            raise AlreadyDone(f"Adjustment {number} was reversed before.")
        day = day_to_post_on(business_day_id)
        return reverse_entry(
            actor, adjustment.entry_id, day.pk, now, kind="reverse_adjustment", reason=why
        )


def pay_out_refund(
    actor: Actor, number: str, reference: str, business_day_id: int, now: datetime
) -> int:
    """Records that a refund left the city's bank account; returns the entry's id.

    reference: the number of the check or of the transfer. Raises NotPermitted for the one who
    asked for it, AlreadyDone, Refused when it is no posted refund or was reversed, DayClosed.
    """
    actor.require("refund.pay")
    if not reference.strip():
        raise Invalid("Give the number of the check or of the transfer.", field="reference")
    with transaction.atomic():
        adjustment = _posted(number)
        if adjustment.kind != Kind.REFUND:
            raise Refused(f"{number} is no refund, so there is nothing to pay out.")
        if actor.user_id == adjustment.asked_by_id:
            raise NotPermitted("You asked for it; another person pays it out.")
        if RefundPayment.objects.filter(adjustment=adjustment).exists():
            raise AlreadyDone(f"Refund {number} was paid out before.")
        if Entry.objects.filter(reverses_id=adjustment.entry_id).exists():
            raise Refused(f"Refund {number} was reversed, so it is not paid out.")
        day = day_to_post_on(business_day_id)
        debit, credit = chart.ledger_account_id(chart.REFUNDS), chart.ledger_account_id(chart.BANK)
        entry_id = post(
            NewEntry(
                day.pk,
                "refund_paid",
                actor.user_id,
                now,
                number,
                [Leg(debit, credit, adjustment.cents, "none", adjustment.account_id)],
                reason=f"Paid out by {reference.strip()[:40]}",
            )
        )
        RefundPayment.objects.create(
            adjustment=adjustment,
            entry_id=entry_id,
            reference=reference.strip()[:40],
            paid_by_id=actor.user_id,
            paid_at=now,
        )
    return entry_id


def _posted(number: str) -> Adjustment:
    found = Adjustment.objects.select_for_update().filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no adjustment {number[:16]}; look at the list.")
    if found.status != Status.POSTED:
        raise Refused(f"Adjustment {number} was not posted, so nothing of it can be undone.")
    return found

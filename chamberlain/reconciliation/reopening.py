"""Opening a signed reconciliation again: with a reason, kept with what had been signed."""

from datetime import datetime

from django.db import transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotFound, Refused
from chamberlain.reconciliation.models import Reconciliation, Reopening

REASON_MAX = 200


def reopen_reconciliation(actor: Actor, business_day_id: int, reason: str, now: datetime) -> int:
    """Takes the signature off a day's reconciliation, so that it is prepared and signed anew.

    What had been signed, by whom and when stays with the reason. Returns the reopening's id. Raises
    NotPermitted, NotFound, Invalid, Refused when it is not signed.
    """
    actor.require("reconciliation.sign")
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(
            f"Say why it is opened again, in at most {REASON_MAX} characters.", field="reason"
        )
    with transaction.atomic():
        signed = (
            Reconciliation.objects.select_for_update(of=("self",))
            .select_related("business_day__center")
            .filter(business_day_id=business_day_id)
            .first()
        )
        if signed is None:
            raise NotFound("This day was not reconciled yet.")
        actor.require("reconciliation.sign", signed.business_day.center_id)
        if signed.signed_at is None or signed.signed_by_id is None:
            raise Refused("It is not signed; prepare it again as it is.")
        kept = Reopening.objects.create(
            reconciliation=signed,
            receipts_cents=signed.receipts_cents,
            over_short_cents=signed.over_short_cents,
            deposits_cents=signed.deposits_cents,
            bank_cents=signed.bank_cents,
            note=signed.note,
            prepared_by_id=signed.prepared_by_id,
            prepared_at=signed.prepared_at,
            signed_by_id=signed.signed_by_id,
            signed_at=signed.signed_at,
            reason=reason,
            reopened_by_id=actor.user_id,
            reopened_at=now,
        )
        signed.signed_by_id = signed.signed_at = None
        signed.save(update_fields=["signed_by", "signed_at"])
    return kept.pk

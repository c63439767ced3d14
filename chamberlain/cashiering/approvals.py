"""A void that a second person approves on the spot, at the till where the customer stands."""

from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.receipts import receipt
from chamberlain.cashiering.voids import ask_for_void, void_receipt
from chamberlain.identity.actors import Actor


def void_at_the_till(
    actor: Actor, approver: Actor, receipt_id: int, reason: str, now: datetime
) -> int:
    """Asks for a void and has it approved by another person, in one. Returns the entry's id.

    A void that was asked for before is only approved. Raises as `ask_for_void` and
    `void_receipt`; when the approver may not approve it, nothing was asked either.
    """
    with transaction.atomic():
        if not receipt(receipt_id).is_void_asked:
            ask_for_void(actor, receipt_id, reason, now)
        return void_receipt(approver, receipt_id, now)

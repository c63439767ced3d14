"""Whose checks are not taken: put on after a returned check, and ended when it was made good."""

from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.checks.bank_line import is_routing_number
from chamberlain.cashiering.checks.models import Check, Hold
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.ledger.models import Account

REASON_MAX = 200


def hold_checks(
    actor: Actor,
    reason: str,
    now: datetime,
    *,
    account_number: str = "",
    routing: str = "",
    bank_account: str = "",
) -> int:
    """Takes no more checks of a customer's account, of a bank account, or of both.

    Returns the hold's id. Raises NotPermitted, Invalid, NotFound, AlreadyDone when that is held.
    """
    actor.require("check.hold")
    reason, routing, bank_account = reason.strip(), routing.strip(), bank_account.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(f"Say why, in at most {REASON_MAX} characters.", field="reason")
    if bool(routing) != bool(bank_account):
        raise Invalid("A bank account is named by routing number and account.", field="routing")
    if routing and not is_routing_number(routing):
        raise Invalid(f"{routing[:20]} is no routing number; its check digit is wrong.",
            field="routing")  # fmt: skip
    if bank_account and not (bank_account.isascii() and bank_account.isdigit()):
        raise Invalid("A bank account is written in digits.", field="bank_account")
    account = None
    if account_number.strip():
        account = Account.objects.filter(number=account_number.strip().upper()).first()
        if account is None:
            raise NotFound(f"There is no account {account_number.strip()[:24]}.", field="account")
    if account is None and not routing:
        raise Invalid("Name the customer's account, the bank account, or both.", field="account")
    with transaction.atomic():
        known = Hold.objects.filter(
            ended_at=None, account=account, routing=routing, bank_account=bank_account[:17]
        )
        if known.exists():
            raise AlreadyDone("These checks are held already; see the list.")
        made = Hold.objects.create(
            routing=routing,
            bank_account=bank_account[:17],
            account=account,
            reason=reason,
            put_by_id=actor.user_id,
            put_at=now,
        )
    return int(made.pk)


def hold_checks_like(actor: Actor, check_id: int, reason: str, now: datetime) -> int:
    """Takes no more checks of the bank account of a check, nor of who paid with it."""
    check = (
        Check.objects.select_related("tender__receipt__payer_account").filter(pk=check_id).first()
    )
    if check is None:
        raise NotFound("There is no such check; look at the list.")
    return hold_checks(
        actor,
        reason,
        now,
        account_number=check.tender.receipt.payer_account.number,
        routing=check.routing,
        bank_account=check.account,
    )


def end_hold(actor: Actor, hold_id: int, note: str, now: datetime) -> None:
    """Takes checks again. Raises NotPermitted, NotFound, AlreadyDone, Invalid (no note)."""
    actor.require("check.hold")
    note = note.strip()
    if not 0 < len(note) <= REASON_MAX:
        raise Invalid(f"Say why it ends, in at most {REASON_MAX} characters.", field="note")
    with transaction.atomic():
        hold = Hold.objects.select_for_update().filter(pk=hold_id).first()
        if hold is None:
            raise NotFound("There is no such hold; look at the list.")
        if hold.ended_at:
            raise AlreadyDone("This hold was ended before.")
        hold.ended_by_id, hold.ended_at, hold.end_note = actor.user_id, now, note
        hold.save(update_fields=["ended_by", "ended_at", "end_note"])

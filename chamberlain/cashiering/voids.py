"""Undoing a receipt before its drawer is counted: one person asks, another decides.

Once the drawer has been counted, the money is on its way to the bank and cannot simply be handed
back; from then on only a refund, which has papers of its own, returns it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Sum

from chamberlain.billing.adjusting.queries import adjustment_that_moved
from chamberlain.cashiering.models import Receipt, Tender, TillSession, VoidRequest
from chamberlain.cashiering.tills import locked_session
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.operations import reverse_entry
from chamberlain.ledger.posting import lock_balances

REASON_MAX = 200


def ask_for_void(actor: Actor, receipt_id: int, reason: str, now: datetime) -> int:
    """Asks that a receipt be voided. Returns the request's id.

    Raises NotPermitted, Invalid (no reason), NotFound, AlreadyDone (voided or asked before),
    Refused when its till is closed.
    """
    actor.require("receipt.void")
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(
            f"Say why the receipt is to be voided, in at most {REASON_MAX} characters.",
            field="reason",
        )
    with transaction.atomic():
        receipt, session = _locked(receipt_id)
        actor.require("receipt.void", session.till.center_id)
        _refuse_unless_voidable(receipt, session)
        if VoidRequest.objects.filter(receipt=receipt, decided_at=None).exists():
            raise AlreadyDone(
                f"The void of receipt {receipt.number} was asked for before; ask the supervisor "
                "to decide it."
            )
        return VoidRequest.objects.create(
            receipt=receipt, asked_by_id=actor.user_id, asked_at=now, reason=reason
        ).pk


def void_receipt(actor: Actor, receipt_id: int, now: datetime) -> int:
    """Approves the void that was asked for and posts it. Returns the reversing entry's id.

    What the receipt had settled is open again, and its cash leaves the drawer. The actor is
    neither the one who asked nor the drawer's cashier. Raises NotPermitted, NotFound (nobody
    asked), AlreadyDone, NotEnoughCredit (credit that the receipt made was used), Refused when the
    till is closed, the drawer holds too little cash or an adjustment moved the payment.
    """
    actor.require("receipt.approve_void")
    with transaction.atomic():
        receipt, session, request = _asked(actor, receipt_id)
        _refuse_moved(receipt)
        cash = _cash_cents(receipt)
        if cash > session.drawer_cents:
            raise Refused(
                f"Till {session.till.code} does not hold the {show_cents(cash)} to give back for "
                f"receipt {receipt.number}; the customer needs a refund."
            )
        entry_id = reverse_entry(
            actor,
            receipt.entry_id,
            session.business_day_id,
            now,
            kind="void",
            reason=request.reason,
        )
        _decide(request, actor, now, is_approved=True)
        receipt.void_entry_id, receipt.void_approved_by_id = entry_id, actor.user_id
        receipt.save(update_fields=["void_entry", "void_approved_by"])
        TillSession.objects.filter(pk=session.pk).update(drawer_cents=F("drawer_cents") - cash)
    return entry_id


def decline_void(actor: Actor, receipt_id: int, now: datetime) -> None:
    """Declines the void that was asked for: the receipt stays as it is. Raises as void_receipt."""
    actor.require("receipt.approve_void")
    with transaction.atomic():
        _, _, request = _asked(actor, receipt_id)
        _decide(request, actor, now, is_approved=False)


def _decide(request: VoidRequest, actor: Actor, now: datetime, *, is_approved: bool) -> None:
    request.decided_by_id, request.decided_at = actor.user_id, now
    request.is_approved = is_approved
    request.save(update_fields=["decided_by", "decided_at", "is_approved"])


def _locked(receipt_id: int) -> tuple[Receipt, TillSession]:
    session_id = Receipt.objects.filter(pk=receipt_id).values_list("session_id", flat=True).first()
    if session_id is None:
        raise NotFound("There is no such receipt; check the number on the paper.")
    session = locked_session(session_id)
    return Receipt.objects.get(pk=receipt_id), session


def _asked(actor: Actor, receipt_id: int) -> tuple[Receipt, TillSession, VoidRequest]:
    receipt, session = _locked(receipt_id)
    actor.require("receipt.approve_void", session.till.center_id)
    _refuse_unless_voidable(receipt, session)
    request = VoidRequest.objects.filter(receipt=receipt, decided_at=None).first()
    if request is None:
        raise NotFound(f"Nobody asked to void receipt {receipt.number}; the cashier asks first.")
    if actor.user_id in (request.asked_by_id, session.cashier_id):
        raise NotPermitted(
            f"The void of receipt {receipt.number} is decided by another person than its cashier "
            "and the one who asked; call another supervisor."
        )
    return receipt, session, request


def _refuse_unless_voidable(receipt: Receipt, session: TillSession) -> None:
    if receipt.void_entry_id:
        raise AlreadyDone(f"Receipt {receipt.number} was voided before.")
    if session.closed_at:
        raise Refused(
            f"Receipt {receipt.number} cannot be voided: its till was closed and counted. The "
            "customer needs a refund instead."
        )


def _refuse_moved(receipt: Receipt) -> None:
    accounts = rows(
        "SELECT DISTINCT account_id FROM ledger_transfer WHERE entry_id = %s"
        " AND account_id IS NOT NULL",
        [receipt.entry_id],
    )
    lock_balances([account_id for (account_id,) in accounts])
    moved_by = adjustment_that_moved(receipt.entry_id)
    if moved_by:
        raise Refused(
            f"Receipt {receipt.number} cannot be voided: {moved_by} moved its payment to another "
            "account; have that adjustment reversed first."
        )


def _cash_cents(receipt: Receipt) -> int:
    cash = receipt.tenders.filter(kind=Tender.Kind.CASH).aggregate(cents=Sum("cents"))["cents"]
    return int(cash or 0) - receipt.change_cents

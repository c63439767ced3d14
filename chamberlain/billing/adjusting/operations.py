"""What people do with adjustments: ask, approve, refuse, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.adjusting.kinds import KINDS
from chamberlain.billing.adjusting.models import (
    Adjustment,
    AdjustmentBatch,
    AdjustmentCharge,
    AdjustmentReason,
)
from chamberlain.billing.adjusting.moving import Move, open_to_move, plan_move
from chamberlain.billing.adjusting.outcomes import WANTED
from chamberlain.billing.adjusting.posting import ENTRY_KIND, TAKEN, post_adjustments
from chamberlain.billing.adjusting.reasons import Reason, reason_of, reason_row
from chamberlain.billing.adjusting.standing import faults
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import NewEntry, lock_balances, post, raise_charges
from chamberlain.ledger.queries import account_id_of

Status = Adjustment.Status


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    cents: > 0; charges that are moved bring their own. charge_ids: what it is for, or empty for
    the open charges in the order of payment. note: why, in the clerk's words. other_account: the
    number of the account to move to; payment_id: the entry of the payment to move.
    """

    account: str
    reason: str
    cents: int
    note: str
    charge_ids: tuple[int, ...] = ()
    other_account: str = ""
    payment_id: int | None = None


def ask_adjustment(
    actor: Actor, wanted: Wanted, today: date, now: datetime, idempotency_key: str
) -> str:
    """Asks for an adjustment; returns its number. Nothing is posted. The same key asks once.

    Raises NotFound (account, reason), Invalid (amount, note, other account, charges), AlreadyDone
    when the key was used for something else, Refused when it could not be posted as the account
    is now.
    """
    actor.require("adjustment.ask")
    note = said(wanted.note, "note")
    with acting(actor), transaction.atomic():
        account_id = account_id_of(wanted.account)
        lock_balances([account_id])
        made = (
            Adjustment.objects.select_related("reason", "other_account")
            .filter(idempotency_key=idempotency_key)
            .first()
        )
        if made:
            _check_same(made, actor, wanted, account_id)
            return made.number
        row = reason_row(wanted.reason, today)
        reason = reason_of(row)
        other_id = _other_account(wanted, reason, account_id)
        cents = _amount(wanted, reason, account_id)
        reason.check_amount(cents)
        _check_postable(wanted, reason, account_id, other_id, cents, today)
        adjustment = _write(actor, wanted, row, account_id, other_id, cents, note, now,
                            idempotency_key)  # fmt: skip
    return adjustment.number


def _check_same(made: Adjustment, actor: Actor, wanted: Wanted, account_id: int) -> None:
    other = made.other_account.number if made.other_account else ""
    cents = made.cents if KINDS[made.kind].needs_charges else wanted.cents
    before = (made.asked_by_id, made.account_id, made.reason.code, made.cents, other)
    again = (actor.user_id, account_id, wanted.reason, cents, wanted.other_account.strip())
    if before != again or made.payment_id != wanted.payment_id:
        raise AlreadyDone(
            f"This form was sent before for another adjustment, {made.number}; open a new form "
            "and ask again."
        )


def _write(
    actor: Actor,
    wanted: Wanted,
    reason: AdjustmentReason,
    account_id: int,
    other_id: int | None,
    cents: int,
    note: str,
    now: datetime,
    key: str,
) -> Adjustment:
    adjustment_id = int(next_ids(connection.connection, "adjusting_adjustment", 1)[0])
    adjustment = Adjustment.objects.create(
        pk=adjustment_id,
        number=number_of(adjustment_id),
        kind=reason.kind,
        reason=reason,
        account_id=account_id,
        other_account_id=other_id,
        payment_id=wanted.payment_id,
        cents=cents,
        note=note,
        asked_by_id=actor.user_id,
        asked_at=now,
        idempotency_key=key,
    )
    AdjustmentCharge.objects.bulk_create(
        AdjustmentCharge(adjustment=adjustment, charge_id=charge_id)
        for charge_id in dict.fromkeys(wanted.charge_ids)
    )
    return adjustment


def number_of(adjustment_id: int) -> str:
    """An adjustment's number."""
    return f"ADJ-{adjustment_id:06d}"


def said(text: str, field: str) -> str:
    """What was written as a reason; raises Invalid when nothing was."""
    if not text.strip():
        raise Invalid("Say why; it stays with the adjustment.", field=field)
    return text.strip()[:200]


def _other_account(wanted: Wanted, reason: Reason, account_id: int) -> int | None:
    kind = reason.kind_row
    if kind.needs_payment and wanted.payment_id is None:
        raise Invalid("Choose the payment that was posted wrongly.", field="payment")
    if not kind.needs_payment and wanted.payment_id is not None:
        raise Invalid(f"“{reason.name}” is not about a payment; leave it out.", field="payment")
    if not kind.moves:
        if wanted.other_account.strip():
            raise Invalid(
                f"“{reason.name}” is for one account; leave the other one empty.",
                field="other_account",
            )
        return None
    try:
        other_id = account_id_of(wanted.other_account.strip())
    except NotFound as refusal:
        raise Invalid(refusal.sentence, field="other_account") from refusal
    if other_id == account_id:
        raise Invalid("This is the same account; give the other one.", field="other_account")
    return other_id


def _amount(wanted: Wanted, reason: Reason, account_id: int) -> int:
    if reason.kind_row.needs_charges:
        return int(open_to_move(wanted.charge_ids, account_id, reason)["open_cents"].sum())
    return wanted.cents


def _check_postable(
    wanted: Wanted,
    reason: Reason,
    account_id: int,
    other_id: int | None,
    cents: int,
    today: date,
) -> None:
    if other_id is not None:
        move = Move(reason.kind, account_id, other_id, cents, wanted.charge_ids, wanted.payment_id)
        plan_move(move, reason, today, "")
        return
    frame = pl.DataFrame({"account_id": [account_id], "cents": [cents]}, schema=WANTED)
    wrong, _ = faults(frame, reason, today, wanted.charge_ids)
    if wrong:
        raise Refused(wrong[account_id], field="cents")


def approve_adjustment(
    approver: Actor, number: str, business_day_id: int, now: datetime, note: str = ""
) -> int:
    """Posts an adjustment that another person asked for; returns its entry's id.

    Raises NotPermitted (the one who asked, or a role that may not approve so much), AlreadyDone,
    DayClosed, and Refused when the account has changed so that it does not fit any more.
    """
    approver.require("adjustment.approve")
    with acting(approver), transaction.atomic():
        adjustment = _waiting(number)
        if adjustment.batch is not None:
            raise Refused(
                f"{number} is part of batch {adjustment.batch.number}; approve the whole batch."
            )
        reason = reason_of(adjustment.reason)
        check_approver(approver, adjustment.asked_by_id, reason, adjustment.cents)
        day = day_to_post_on(business_day_id)
        if adjustment.other_account_id is not None:
            entry_id = _post_move(approver, adjustment, reason, day, now)
            _decide(approver, adjustment, Status.POSTED, now, note, entry_id)
            return entry_id
        charges = tuple(adjustment.charges.values_list("charge_id", flat=True))
        return _post(approver, [adjustment], reason, charges, day, now, note)[0]


def approve_batch(
    approver: Actor, number: str, business_day_id: int, now: datetime, note: str = ""
) -> int:
    """Posts all adjustments of a batch that wait; returns how many. All or none.

    Raises what `approve_adjustment` raises; a Refused names the first account that does not fit
    any more.
    """
    approver.require("adjustment.approve")
    with acting(approver), transaction.atomic():
        batch = _batch(number)
        adjustments = _waiting_of(batch)
        reason = reason_of(batch.reason)
        check_approver(approver, batch.asked_by_id, reason, batch.cents)
        _post(approver, adjustments, reason, (), day_to_post_on(business_day_id), now, note)
        return len(adjustments)


def refuse_adjustment(approver: Actor, number: str, note: str, now: datetime) -> None:
    """Turns down what another person asked for, with a reason. Raises as approving does."""
    approver.require("adjustment.approve")
    why = said(note, "note")
    with acting(approver), transaction.atomic():
        adjustment = _waiting(number)
        if approver.user_id == adjustment.asked_by_id:
            raise NotPermitted("You asked for it; withdraw it instead of refusing it.")
        if adjustment.batch is not None:
            raise Refused(
                f"{number} is part of batch {adjustment.batch.number}; refuse the whole batch."
            )
        _decide(approver, adjustment, Status.REFUSED, now, why)


def refuse_batch(approver: Actor, number: str, note: str, now: datetime) -> int:
    """Turns a whole batch down, with a reason; returns how many adjustments it had."""
    approver.require("adjustment.approve")
    why = said(note, "note")
    with acting(approver), transaction.atomic():
        batch = _batch(number)
        if approver.user_id == batch.asked_by_id:
            raise NotPermitted("You asked for it; withdraw it instead of refusing it.")
        return _close_batch(approver, batch, Status.REFUSED, why, now)


def withdraw_adjustment(actor: Actor, number: str, now: datetime) -> None:
    """Takes back what one asked for oneself. Raises NotPermitted, AlreadyDone."""
    actor.require("adjustment.ask")
    with acting(actor), transaction.atomic():
        adjustment = _waiting(number)
        if adjustment.asked_by_id != actor.user_id:
            raise NotPermitted("Another person asked for it; only they may withdraw it.")
        if adjustment.batch is not None:
            raise Refused(
                f"{number} is part of batch {adjustment.batch.number}; withdraw the whole batch."
            )
        _decide(actor, adjustment, Status.WITHDRAWN, now, "")


def withdraw_batch(actor: Actor, number: str, now: datetime) -> int:
    """Takes a batch back that one asked for oneself; returns how many adjustments it had."""
    actor.require("adjustment.ask")
    with acting(actor), transaction.atomic():
        batch = _batch(number)
        if batch.asked_by_id != actor.user_id:
            raise NotPermitted("Another person asked for it; only they may withdraw it.")
        return _close_batch(actor, batch, Status.WITHDRAWN, "", now)


def check_approver(approver: Actor, asked_by_id: int, reason: Reason, cents: int) -> None:
    """Raises NotPermitted for the one who asked, and for a role that may not approve so much."""
    if approver.user_id == asked_by_id:
        raise NotPermitted(
            "Whoever asked for it may not approve it; ask another person to look at it."
        )
    step = reason.step(cents)
    if not approver.roles & set(step.roles):
        raise NotPermitted(
            f"{show_cents(cents)} for “{reason.name}” is approved by the {step.approvers}; ask "
            "one of them."
        )


def _waiting(number: str) -> Adjustment:
    found = (
        Adjustment.objects.select_for_update(of=("self",))
        .select_related("reason", "batch")
        .filter(number=number)
        .first()
    )
    if found is None:
        raise NotFound(f"There is no adjustment {number[:16]}; look at the list.")
    if found.status != Status.ASKED:
        raise AlreadyDone(f"Adjustment {number} was {found.get_status_display().lower()} before.")
    return found


def _batch(number: str) -> AdjustmentBatch:
    found = AdjustmentBatch.objects.select_related("reason").filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no batch {number[:16]}; look at the list.")
    return found


def _waiting_of(batch: AdjustmentBatch) -> list[Adjustment]:
    found = list(
        Adjustment.objects.select_for_update(of=("self",))
        .filter(batch=batch, status=Status.ASKED)
        .order_by("pk")
    )
    if not found:
        raise AlreadyDone(f"Batch {batch.number} was decided before.")
    return found


def _post(
    approver: Actor,
    adjustments: Sequence[Adjustment],
    reason: Reason,
    charge_ids: tuple[int, ...],
    day: BusinessDay,
    now: datetime,
    note: str,
) -> list[int]:
    taken = pl.DataFrame(
        [(each.pk, each.number, each.account_id, each.cents) for each in adjustments],
        schema=TAKEN,
        orient="row",
    )
    lock_balances(taken["account_id"].to_list())
    wrong, settled = faults(taken.select(list(WANTED)), reason, day.day, charge_ids)
    if wrong:
        first = next(each for each in adjustments if each.account_id in wrong)
        raise Refused(f"{first.number}: {wrong[first.account_id]}")
    entries = post_adjustments(approver, taken, settled, reason, day.pk, now)
    _mark_posted(approver, entries, now, note)
    return entries["entry_id"].to_list()


def _mark_posted(approver: Actor, entries: pl.DataFrame, now: datetime, note: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE adjusting_adjustment a SET status = 'posted', entry_id = e.entry_id,
                   decided_by_id = %s, decided_at = %s, decision = %s
               FROM unnest(%s::bigint[], %s::bigint[]) AS e(id, entry_id) WHERE a.id = e.id""",
            [
                approver.user_id,
                now,
                note.strip()[:200],
                entries["adjustment_id"].to_list(),
                entries["entry_id"].to_list(),
            ],
        )


def _post_move(
    approver: Actor, adjustment: Adjustment, reason: Reason, day: BusinessDay, now: datetime
) -> int:
    assert adjustment.other_account_id is not None
    lock_balances([adjustment.account_id, adjustment.other_account_id])
    move = Move(
        adjustment.kind,
        adjustment.account_id,
        adjustment.other_account_id,
        adjustment.cents,
        tuple(adjustment.charges.values_list("charge_id", flat=True)),
        adjustment.payment_id,
    )
    moved = plan_move(move, reason, day.day, adjustment.number)
    entry = NewEntry(
        day.pk,
        ENTRY_KIND,
        approver.user_id,
        now,
        adjustment.number,
        moved.legs,
        reason=reason.name,
        idempotency_key=adjustment.number,
    )
    return raise_charges(entry, moved.charges)[0] if moved.charges else post(entry)


def _decide(
    actor: Actor,
    adjustment: Adjustment,
    status: Status,
    now: datetime,
    note: str,
    entry_id: int | None = None,
) -> None:
    adjustment.status, adjustment.entry_id = status, entry_id
    adjustment.decided_by_id, adjustment.decided_at = actor.user_id, now
    adjustment.decision = note.strip()[:200]
    adjustment.save(update_fields=["status", "entry", "decided_by", "decided_at", "decision"])


def _close_batch(
    actor: Actor, batch: AdjustmentBatch, status: Status, note: str, now: datetime
) -> int:
    waiting = [each.pk for each in _waiting_of(batch)]
    return Adjustment.objects.filter(pk__in=waiting).update(
        status=status, decided_by_id=actor.user_id, decided_at=now, decision=note
    )

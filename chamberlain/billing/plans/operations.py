"""What people do with payment plans: offer, approve, withdraw, reinstate."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.approving import Approval
from chamberlain.billing.plans.models import (
    InForce,
    Instalment,
    Plan,
    PlanCharge,
    Reinstatement,
)
from chamberlain.billing.plans.offers import Offer, Wanted, what_if
from chamberlain.billing.plans.terms import terms_of, terms_row
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.posting import lock_balances
from chamberlain.ledger.queries import charges_by_id


def offer_plan(
    actor: Actor, wanted: Wanted, today: date, now: datetime, idempotency_key: str
) -> str:
    """Makes a plan from today on; returns its number. The same key returns the same plan.

    It is in force at once where the terms let its amount pass without approval, else when another
    person has approved it. Raises what `what_if` raises, and AlreadyDone when the account has a
    plan.
    """
    actor.require("plan.offer")
    with acting(actor), transaction.atomic():
        lock_balances([wanted.account_id])
        made = Plan.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            actor.require_own(made.offered_by_id)
            return made.number
        other = Plan.objects.filter(
            account_id=wanted.account_id, status__in=[Plan.Status.OFFERED, Plan.Status.IN_FORCE]
        ).first()
        if other:
            raise AlreadyDone(
                f"Plan {other.number} is {other.get_status_display().lower()} on this account; "
                "withdraw it before another is offered."
            )
        offer = what_if(wanted, today)
        plan = _write(actor, wanted, offer, today, now, idempotency_key)
        if not plan.needs_approval:
            InForce.objects.create(plan=plan, period=DateRange(today, None))
    return plan.number


def _write(
    actor: Actor, wanted: Wanted, offer: Offer, today: date, now: datetime, key: str
) -> Plan:
    plan_id = int(next_ids(connection.connection, "plans_plan", 1)[0])
    needs_approval = bool(offer.approval.roles)
    plan = Plan.objects.create(
        pk=plan_id,
        number=f"PP-{plan_id:06d}",
        account_id=wanted.account_id,
        terms=terms_row(offer.terms.code, today),
        status=Plan.Status.OFFERED if needs_approval else Plan.Status.IN_FORCE,
        total_cents=offer.total_cents,
        starts_on=today,
        needs_approval=needs_approval,
        offered_by_id=actor.user_id,
        offered_at=now,
        idempotency_key=key,
    )
    PlanCharge.objects.bulk_create(
        PlanCharge(plan=plan, charge_id=charge.charge_id, cents=charge.open_cents)
        for charge in offer.charges
    )
    Instalment.objects.bulk_create(
        Instalment(plan=plan, number=each.number, due_on=each.due_on, cents=each.cents)
        for each in offer.instalments
    )
    return plan


def approve_plan(approver: Actor, number: str, today: date, now: datetime) -> None:
    """Puts an offered plan in force from today on.

    Raises NotPermitted (the one who offered it, or a role that may not approve so much),
    AlreadyDone, and Refused when a charge was paid or changed since, or the first instalment is
    late already.
    """
    approver.require("plan.approve")
    with acting(approver), transaction.atomic():
        plan = _locked(number)
        if plan.status != Plan.Status.OFFERED:
            raise AlreadyDone(f"Plan {number} is {plan.get_status_display().lower()} already.")
        terms = terms_of(plan.terms)
        _check_approver(approver, plan.offered_by_id, terms.approval(plan.total_cents))
        _check_still_open(plan)
        first = plan.instalments.order_by("due_on").values_list("due_on", flat=True)[0]
        if first + timedelta(days=terms.grace_days) < today:
            raise Refused(
                f"The first instalment of plan {number} was due on {first:%B %-d, %Y}; withdraw "
                "the plan and offer it again from today."
            )
        plan.status = Plan.Status.IN_FORCE
        plan.approved_by_id, plan.approved_at = approver.user_id, now
        plan.save(update_fields=["status", "approved_by", "approved_at"])
        InForce.objects.create(plan=plan, period=DateRange(today, None))


def withdraw_plan(actor: Actor, number: str, reason: str, today: date) -> None:
    """Takes an offered plan back, or ends one in force; its charges are due as without it.

    Raises Invalid without a reason, AlreadyDone when the plan has ended.
    """
    actor.require("plan.offer")
    said = _said(reason)
    with acting(actor), transaction.atomic():
        plan = _locked(number)
        if plan.status not in (Plan.Status.OFFERED, Plan.Status.IN_FORCE):
            raise AlreadyDone(f"Plan {number} is {plan.get_status_display().lower()} already.")
        plan.status, plan.ended_on, plan.sentence = Plan.Status.WITHDRAWN, today, said
        plan.save(update_fields=["status", "ended_on", "sentence"])
        PlanCharge.objects.filter(plan=plan).update(is_held=False)
        end_in_force([plan.pk], today)


def ask_reinstatement(actor: Actor, number: str, reason: str, now: datetime) -> None:
    """Asks that a plan in default be taken up again.

    Raises Invalid without a reason, Refused when the plan is not in default or was reinstated as
    often as its terms allow, AlreadyDone when it was asked for.
    """
    actor.require("plan.offer")
    said = _said(reason)
    with acting(actor), transaction.atomic():
        plan = _locked(number)
        if plan.status != Plan.Status.DEFAULTED:
            raise Refused(f"Plan {number} is not in default, so there is nothing to reinstate.")
        asked = plan.reinstatements.filter(refused_at=None)
        if asked.filter(approved_at=None).exists():
            raise AlreadyDone(f"The reinstatement of plan {number} waits for approval already.")
        if asked.count() >= plan.terms.reinstatements:
            raise Refused(
                f"Plan {number} was reinstated {asked.count()} times, as often as its terms "
                "allow; offer a new plan."
            )
        Reinstatement.objects.create(
            plan=plan, reason=said, asked_by_id=actor.user_id, asked_at=now
        )


def approve_reinstatement(approver: Actor, number: str, today: date, now: datetime) -> date:
    """Puts a plan in force again; returns by when what was missed has to be paid.

    Raises NotPermitted (the one who asked, or a role that may not approve so much), NotFound
    when nobody asked, AlreadyDone when the account has another plan.
    """
    approver.require("plan.approve")
    with acting(approver), transaction.atomic():
        plan = _locked(number)
        asked = _asked(plan)
        terms = terms_of(plan.terms)
        _check_approver(approver, asked.asked_by_id, terms.approval(plan.total_cents))
        taken = Plan.objects.filter(
            account_id=plan.account_id, status__in=[Plan.Status.OFFERED, Plan.Status.IN_FORCE]
        ).first()
        if taken:
            raise AlreadyDone(
                f"The account has plan {taken.number} since; withdraw that one first."
            )
        asked.approved_by_id, asked.approved_at = approver.user_id, now
        asked.from_on = today
        asked.arrears_due_on = today + timedelta(days=terms.reinstatement_days)
        asked.save(update_fields=["approved_by", "approved_at", "from_on", "arrears_due_on"])
        plan.status, plan.ended_on, plan.sentence = Plan.Status.IN_FORCE, None, ""
        plan.save(update_fields=["status", "ended_on", "sentence"])
        PlanCharge.objects.filter(plan=plan).update(is_held=True)
        _begin_in_force(plan, today)
        return asked.arrears_due_on


def refuse_reinstatement(approver: Actor, number: str, now: datetime) -> None:
    """Leaves a plan in default. Raises NotFound when nobody asked."""
    approver.require("plan.approve")
    with acting(approver), transaction.atomic():
        asked = _asked(_locked(number))
        asked.refused_at = now
        asked.save(update_fields=["refused_at"])


def end_in_force(plan_ids: list[int], today: date) -> None:
    """Ends the present range of days of plans; one that began today never was."""
    present = InForce.objects.filter(plan_id__in=plan_ids, period__endswith=None)
    present.filter(period__startswith__gte=today).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE plans_inforce SET period = daterange(lower(period), %s)
               WHERE plan_id = ANY(%s) AND upper_inf(period)""",
            [today, plan_ids],
        )


def _begin_in_force(plan: Plan, today: date) -> None:
    """A plan that ended today goes on without a gap."""
    ended = InForce.objects.filter(plan=plan, period__endswith__gte=today).first()
    if ended is None:
        InForce.objects.create(plan=plan, period=DateRange(today, None))
    else:
        ended.period = DateRange(ended.period.lower, None)
        ended.save(update_fields=["period"])


def _locked(number: str) -> Plan:
    plan = (
        Plan.objects.select_for_update(of=("self",))
        .select_related("terms")
        .filter(number=number)
        .first()
    )
    if plan is None:
        raise NotFound(f"There is no plan {number[:16]}; look at the account's plans.")
    return plan


def _asked(plan: Plan) -> Reinstatement:
    asked = plan.reinstatements.filter(approved_at=None, refused_at=None).first()
    if asked is None:
        raise NotFound(f"Nobody asked to reinstate plan {plan.number}; ask for it first.")
    return asked


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Give the reason; it stays with the plan.", field="reason")
    return reason.strip()[:200]


def _check_approver(approver: Actor, asked_by_id: int, approval: Approval) -> None:
    if approver.user_id == asked_by_id:
        raise NotPermitted(
            "Whoever asked for it may not approve it; ask another person to look at it."
        )
    if approval.roles and not approver.roles & set(approval.roles):
        raise NotPermitted(
            f"A plan of up to {show_cents(approval.up_to_cents)} is approved by the "
            f"{approval.approvers}; ask one of them."
        )


def _check_still_open(plan: Plan) -> None:
    agreed = dict(plan.charges.values_list("charge_id", "cents"))
    lock_balances([plan.account_id])
    is_open = {charge.charge_id: charge.open_cents for charge in charges_by_id(list(agreed))}
    if agreed != is_open:
        raise Refused(
            f"Something was paid or changed on the charges of plan {plan.number} since it was "
            "offered; withdraw it and offer it again."
        )

"""What people do: look at what a rebill would change, have it approved, post it, decline it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from chamberlain.billing.certificates.queries import certified_until
from chamberlain.billing.composing import Posting
from chamberlain.billing.penalties.reversing import penalties_to_reverse
from chamberlain.billing.rebilling import limits as limit_rules
from chamberlain.billing.rebilling import showing
from chamberlain.billing.rebilling.corrections import Corrections, apply, check, check_bills
from chamberlain.billing.rebilling.limits import Limits
from chamberlain.billing.rebilling.models import Reason, Rebill, Rule
from chamberlain.billing.rebilling.posting import (
    Replaced,
    not_to_be_taken_back,
    penalized_charges,
    replace_bills,
)
from chamberlain.billing.rebilling.recomputing import Recomputed, Scope, accounts_of, recompute
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import add_months
from chamberlain.ledger import chart
from chamberlain.ledger.forgiven import Forgiven
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import lock_balances, sentences
from chamberlain.ledger.queries import account_id_of

NOTE_MAX = 140


class Changed(Refused):
    """What would be posted is not what was shown."""


class NothingToRebill(Refused):
    """What was said to be wrong is right, and every bill is what it would be today."""

    status = 422


@dataclass(frozen=True, slots=True)
class NewRebill:
    """What is to be set right. to_on: the first day after; None is up to now and from now on."""

    account_number: str
    from_on: date
    to_on: date | None
    reason_code: str
    note: str
    corrections: Corrections


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """The city's limits from a day on, as its files give them."""

    starts_on: date
    charge_months: int
    credit_months: int
    approval_cents: int
    due_days: int
    source: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class ReasonTerms:
    """A reason as the city's files give it."""

    code: str
    name: str
    is_beyond_limit: bool
    source: str
    is_verified: bool


def load_rules(actor: Actor, rules: Sequence[RuleTerms], reasons: Sequence[ReasonTerms]) -> None:
    """Loads the city's limits and reasons. Loading again what is loaded changes nothing."""
    actor.require("city.load")
    with transaction.atomic():
        for rule in rules:
            fields = {name: getattr(rule, name) for name in RuleTerms.__slots__}
            Rule.objects.update_or_create(starts_on=fields.pop("starts_on"), defaults=fields)
        for reason in reasons:
            fields = {name: getattr(reason, name) for name in ReasonTerms.__slots__}
            Reason.objects.update_or_create(code=fields.pop("code"), defaults=fields)


def limits_on(day: date) -> Limits:
    """The city's limits on a day. Raises NotFound when none are loaded."""
    rule = Rule.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if rule is None:
        raise NotFound(f"No limits of rebilling are in force on {day:%B %-d, %Y}; load the city.")
    return Limits(
        rule.charge_months,
        rule.credit_months,
        rule.approval_cents,
        rule.due_days,
        rule.source,
        rule.is_verified,
    )


def draft_rebill(
    actor: Actor, new: NewRebill, today: date, now: datetime, idempotency_key: str
) -> int:
    """Works out what a rebill would change and keeps it to be looked at; returns its id.

    Nothing is posted, and neither agreements nor reads are touched. Raises Invalid, NotFound,
    BeyondLimit, NothingToRebill, Refused (a bill that cannot be rated).
    """
    actor.require("bill.rebill")
    with transaction.atomic():
        found = Rebill.objects.filter(idempotency_key=idempotency_key).first()
        if found:
            actor.require_own(found.asked_by_id)
            return int(found.pk)
        reason = _check(new, today)
        rebill = Rebill.objects.create(
            account_id=account_id_of(new.account_number),
            from_on=new.from_on,
            to_on=new.to_on,
            reason=reason,
            note=new.note.strip(),
            corrections=new.corrections.as_json(),
            shown=[],
            seen="",
            difference_cents=0,
            moved_cents=0,
            needs_approval=False,
            asked_by_id=actor.user_id,
            asked_at=now,
            idempotency_key=idempotency_key,
        )
        _show(actor, rebill, today)
        return int(rebill.pk)


def _check(new: NewRebill, today: date) -> Reason:
    if new.to_on is not None and new.to_on <= new.from_on:
        raise Invalid("The period ends before it starts; swap its days.", field="to_on")
    is_of_one_bill = new.corrections.takes_back or new.corrections.bills_again
    if new.from_on >= today and not is_of_one_bill:
        raise Invalid("Nothing is billed from that day on yet; give an earlier one.",
                      field="from_on")  # fmt: skip
    if not 0 < len(new.note.strip()) <= NOTE_MAX:
        raise Invalid(
            f"Say what happened, in at most {NOTE_MAX} characters; it stays with the bills.",
            field="note",
        )
    reason = Reason.objects.filter(code=new.reason_code).first()
    if reason is None:
        raise NotFound(
            f"There is no reason {new.reason_code[:24]}; choose one of the list.", field="reason"
        )
    check(new.corrections)
    return reason


def _show(actor: Actor, rebill: Rebill, today: date) -> None:
    with transaction.atomic():
        found, items = _set_right(actor, rebill)
        rebill.penalty_cents = _penalty_cents(penalized_charges(found))
        transaction.set_rollback(True)
    changes = showing.changes(items)
    limits = limits_on(today)
    _refuse_beyond(rebill, changes, limits, today)
    rebill.shown, rebill.seen = items, showing.digest(items)
    rebill.difference_cents = sum(change.cents for change in changes)
    rebill.moved_cents = sum(abs(change.cents) for change in changes)
    rebill.needs_approval = _needs_second_person(rebill, changes, limits, today)
    rebill.save()


def _needs_second_person(
    rebill: Rebill, changes: Sequence[limit_rules.Change], limits: Limits, today: date
) -> bool:
    """Whether the bills and penalties that change, with what one person changed on the account
    before, are the city's amount; or days are certified; or a bill is taken back for nothing; or
    only what is not billed yet changes.
    """
    since = add_months(today, -limits.credit_months)
    alone = Rebill.objects.filter(
        account_id=rebill.account_id,
        status=Rebill.Status.POSTED,
        decided_by=F("asked_by"),
        decided_at__date__gte=since,
    ).aggregate(cents=Coalesce(Sum(F("moved_cents") + F("penalty_cents")), 0))
    besides = rebill.penalty_cents + int(alone["cents"])
    return (
        not changes
        or bool(Corrections.of_json(rebill.corrections).takes_back)
        or limit_rules.needs_second_person(changes, besides, limits)
        or _is_certified(rebill, today)
    )


def _is_certified(rebill: Rebill, today: date) -> bool:
    """Whether a full payment certificate says that what the earliest of the days cost is paid."""
    until = certified_until([rebill.account_id], today).get(rebill.account_id)
    return until is not None and rebill.from_on < until


def _penalty_cents(charge_ids: Sequence[int]) -> int:
    return sum(penalties_to_reverse(charge_ids).values())


def _refuse_beyond(
    rebill: Rebill, changes: Sequence[limit_rules.Change], limits: Limits, today: date
) -> None:
    limit_rules.refuse_beyond(changes, limits, today, is_beyond_limit=rebill.reason.is_beyond_limit)


def _set_right(actor: Actor, rebill: Rebill) -> tuple[Recomputed, showing.Shown]:
    """Corrects agreements and reads, and works out what differs then."""
    corrections = Corrections.of_json(rebill.corrections)
    scope = Scope(
        rebill.from_on,
        rebill.to_on,
        account_id=rebill.account_id,
        takes_back=corrections.takes_back,
        bills_again=corrections.bills_again,
    )
    connection.ensure_connection()
    accounts = accounts_of(connection.connection, scope)
    lock_balances(accounts)
    check_bills(rebill.account_id, corrections)
    is_changed = apply(actor, rebill, corrections)
    found = recompute(connection.connection, scope)
    if found.refusals.height:
        number, sentence = found.refusals.select("number", "sentence").row(0)
        raise Refused(f"Bill {number} cannot be rebilled: {sentence}", field="corrections")
    for sentence in not_to_be_taken_back(found).values():
        raise Forgiven(sentence)
    if found.pairs.is_empty() and not is_changed:
        raise NothingToRebill(
            "Each bill of these days is what it would be today, so nothing changes; check the days "
            "and what was wrong."
        )
    return found, showing.shown(found, _labels(), _numbers(accounts))


def _labels() -> dict[int, str]:
    return dict(rows("SELECT id, label FROM tariffs_component", []))


def _numbers(account_ids: Sequence[int]) -> dict[int, str]:
    query = "SELECT id, number FROM ledger_account WHERE id = ANY(%s)"
    return dict(rows(query, [list(account_ids)]))


def ask_for_approval(actor: Actor, rebill_id: int) -> None:
    """Hands a rebill to a second person. Raises NotFound, AlreadyDone, Refused (needs none)."""
    actor.require("bill.rebill")
    with transaction.atomic():
        rebill = _undecided(rebill_id)
        if not rebill.needs_approval:
            raise Refused("This rebill needs no second person; post it yourself.")
        if rebill.status == Rebill.Status.ASKED:
            raise AlreadyDone("A second person was asked before; it waits on their list.")
        rebill.status = Rebill.Status.ASKED
        rebill.save(update_fields=["status"])


def post_rebill(
    actor: Actor, rebill_id: int, business_day_id: int, today: date, now: datetime
) -> Replaced:
    """Posts a rebill that was looked at: corrects, takes bills back, makes new ones, moves what
    was paid.

    A rebill of the city's amount or more is posted by another person than the one who asked.
    Raises NotPermitted, NotFound, AlreadyDone, DayClosed, BeyondLimit and Changed, which says
    what is different from what was shown.
    """
    actor.require("bill.rebill")
    with transaction.atomic(), sentences():
        rebill = _undecided(rebill_id)
        if rebill.needs_approval:
            _require_second_person(actor, rebill)
        day = day_to_post_on(business_day_id, else_do="post the rebill on an open day")
        found, items = _still_as_shown(actor, rebill)
        changes, limits = showing.changes(items), limits_on(today)
        _refuse_beyond(rebill, changes, limits, today)
        _refuse_other_terms(rebill, found, changes, limits, today)
        posting = Posting(
            run_id=None,
            business_day_id=day.pk,
            actor_id=actor.user_id,
            issued_on=day.day,
            due_on=day.day + timedelta(days=limits.due_days),
            posted_at=now,
            credits_id=chart.ledger_account_id(chart.CREDITS),
        )
        reason = f"Rebill {rebill.pk}: {rebill.note}"
        replaced = replace_bills(actor, connection.connection, found, posting, reason)
        rebill.status, rebill.business_day = Rebill.Status.POSTED, day
        rebill.decided_by_id, rebill.decided_at = actor.user_id, now
        rebill.save(update_fields=["status", "business_day", "decided_by", "decided_at"])
    return replaced


def _refuse_other_terms(
    rebill: Rebill,
    found: Recomputed,
    changes: Sequence[limit_rules.Change],
    limits: Limits,
    today: date,
) -> None:
    """What was shown besides the bills has to hold too: the penalties, and who may decide."""
    penalties = _penalty_cents(penalized_charges(found))
    if penalties != rebill.penalty_cents:
        raise Changed(
            f"The account changed since you looked: late penalties of {show_cents(penalties)} "
            f"would be taken back, not {show_cents(rebill.penalty_cents)}. Look at it again."
        )
    if not rebill.needs_approval and _needs_second_person(rebill, changes, limits, today):
        raise Changed("A second person decides about this by now; look at it again and ask one.")


def _undecided(rebill_id: int) -> Rebill:
    rebill = (
        Rebill.objects.select_for_update(of=("self",))
        .select_related("reason")
        .filter(pk=rebill_id)
        .first()
    )
    if rebill is None:
        raise NotFound(f"There is no rebill {rebill_id}; look at the account.")
    if rebill.status in (Rebill.Status.POSTED, Rebill.Status.DECLINED):
        raise AlreadyDone(f"Rebill {rebill_id} was {rebill.get_status_display().lower()} before.")
    return rebill


def _require_second_person(actor: Actor, rebill: Rebill) -> None:
    actor.require("bill.approve_rebill")
    if actor.user_id == rebill.asked_by_id:
        raise NotPermitted(
            f"Rebill {rebill.pk} changes much, or days that a full payment certificate stands for, "
            "so another person posts it than the one who asked; hand it to a supervisor."
        )


def _still_as_shown(actor: Actor, rebill: Rebill) -> tuple[Recomputed, showing.Shown]:
    replaced = _replaced(rebill)
    try:
        found, items = _set_right(actor, rebill)
    except (Invalid, NothingToRebill) as refusal:
        said = showing.told_apart(rebill.shown, [], replaced) if replaced else refusal.sentence
        raise Changed(f"The account changed since you looked: {said}") from refusal
    if showing.digest(items) != rebill.seen:
        said = showing.told_apart(rebill.shown, items, replaced)
        raise Changed(f"The account changed since you looked: {said}. Look at it again.")
    return found, items


def _replaced(rebill: Rebill) -> dict[str, tuple[str, int]]:
    query = """
        SELECT o.number, n.number, n.total_cents FROM billing_bill o
        JOIN billing_bill n ON n.replaces_id = o.id WHERE o.number = ANY(%s)
    """
    numbers = [item["number"] for item in rebill.shown]
    return {old: (new, int(cents)) for old, new, cents in rows(query, [numbers])}


def decline_rebill(actor: Actor, rebill_id: int, now: datetime) -> None:
    """Sets a rebill aside: its asker, or one who may approve it. Nothing is posted."""
    actor.require("bill.rebill")
    with transaction.atomic():
        rebill = _undecided(rebill_id)
        if actor.user_id != rebill.asked_by_id:
            actor.require("bill.approve_rebill")
        rebill.status = Rebill.Status.DECLINED
        rebill.decided_by_id, rebill.decided_at = actor.user_id, now
        rebill.save(update_fields=["status", "decided_by", "decided_at"])

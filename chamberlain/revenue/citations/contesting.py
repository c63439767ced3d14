"""A citation contested, heard and decided.

While it is contested nothing falls due on it but the fine. Who decides is another person than who
entered that it is contested. Found liable, its days count anew from the hearing; found not liable,
it is dismissed: its charges are reversed, and what was paid on them becomes credit of the account.
"""

from datetime import date, datetime, timedelta

from django.db import transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.operations import day_to_post_on, reverse_entry
from chamberlain.ledger.posting import Leg, NewEntry, lock_balances, post, sentences
from chamberlain.revenue.citations.models import Citation, CitationEvent
from chamberlain.revenue.queries import obligation_charges, open_charges_of

NOTE_MAX = 160
AHEAD = timedelta(days=366)
Stage = Citation.Stage
_CONTESTABLE = (Stage.ISSUED, Stage.NOTICE)


def contest(
    actor: Actor, number: str, note: str, today: date, now: datetime, hearing_on: date | None = None
) -> None:
    """Enters that a citation is contested, and the day of its hearing if it is set.

    Raises NotPermitted, NotFound, Invalid (no note, day of the hearing), Refused when it is too
    late, or when it was paid.
    """
    actor.require("citation.contest")
    note = _note(note)
    _check_hearing(hearing_on, today)
    with transaction.atomic():
        citation = _locked(number)
        if citation.stage not in _CONTESTABLE:
            raise Refused(
                f"Citation {number} is {Stage(citation.stage).label.lower()}; it is contested "
                "before its final determination only."
            )
        if not open_charges_of(citation.pk):
            raise Refused(f"Citation {number} was paid; who paid has not contested it.")
        citation.stage = Stage.HEARING if hearing_on else Stage.CONTESTED
        citation.hearing_on, citation.contested_by_id = hearing_on, actor.user_id
        citation.save(update_fields=["stage", "hearing_on", "contested_by"])
        _event(actor, citation, citation.stage, today, now, _with_day(note, hearing_on))


def set_hearing(actor: Actor, number: str, hearing_on: date, today: date, now: datetime) -> None:
    """Sets or moves the hearing of a contested citation."""
    actor.require("citation.contest")
    _check_hearing(hearing_on, today)
    with transaction.atomic():
        citation = _locked(number)
        if citation.stage not in (Stage.CONTESTED, Stage.HEARING):
            raise Refused(f"Citation {number} is not contested; nothing is heard.")
        citation.stage, citation.hearing_on = Stage.HEARING, hearing_on
        citation.save(update_fields=["stage", "hearing_on"])
        _event(actor, citation, Stage.HEARING, today, now, _with_day("", hearing_on))


def decide(
    actor: Actor,
    number: str,
    *,
    is_liable: bool,
    note: str,
    business_day_id: int,
    today: date,
    now: datetime,
) -> None:
    """Enters what was decided on a contested citation; another person than who entered that it is
    contested.

    Raises NotPermitted, NotFound, Invalid (no note), Refused when it is not contested, DayClosed.
    """
    actor.require("citation.decide")
    note = _note(note)
    day = day_to_post_on(business_day_id)
    with transaction.atomic(), sentences():
        citation = _locked(number)
        if citation.stage not in (Stage.CONTESTED, Stage.HEARING):
            raise Refused(f"Citation {number} is not contested; nothing is to be decided.")
        if citation.contested_by_id == actor.user_id:
            raise NotPermitted(
                f"What becomes of citation {number} is entered by another person than who entered "
                "that it is contested."
            )
        entry_id = None
        if is_liable:
            citation.stage, citation.base_on = Stage.DETERMINED, today
        else:
            citation.stage = Stage.DISMISSED
            entry_id = _reverse(actor, citation, day.pk, now, note)
        citation.decided_by_id = actor.user_id
        citation.save(update_fields=["stage", "base_on", "decided_by"])
        _event(actor, citation, citation.stage, today, now, note, entry_id)


def _reverse(
    actor: Actor, citation: Citation, business_day_id: int, now: datetime, note: str
) -> int:
    """Reverses the citation's charges; what was paid on them is credit of the account."""
    account_id = citation.obligation.account_id
    lock_balances([account_id])
    kinds = {kind.id: kind for kind in chart.charge_kinds().values()}
    charges = obligation_charges(citation.pk)
    for charge in charges:
        if charge.settled_cents:
            leg = Leg(
                debit_id=kinds[charge.kind_id].receivable_id,
                credit_id=chart.ledger_account_id(chart.CREDITS),
                cents=charge.settled_cents,
                effect="unsettle",
                account_id=account_id,
                charge_id=charge.charge_id,
            )
            post(
                NewEntry(
                    business_day_id,
                    "payments_to_credit",
                    actor.user_id,
                    now,
                    citation.obligation.number,
                    [leg],
                    reason=f"Dismissed: {note}",
                )
            )
    return [
        reverse_entry(actor, entry_id, business_day_id, now, kind="citation_dismissed", reason=note)
        for entry_id in sorted({charge.entry_id for charge in charges})
    ][-1]


def _locked(number: str) -> Citation:
    found = (
        Citation.objects.select_for_update(of=("self",))
        .select_related("obligation")
        .filter(obligation__number=number.strip().upper())
        .first()
    )
    if found is None:
        raise NotFound(f"There is no citation {number.strip()[:24]}; check the number.")
    return found


def _note(text: str) -> str:
    note = text.strip()
    if not 0 < len(note) <= NOTE_MAX:
        raise Invalid(f"Say why, in at most {NOTE_MAX} characters.", field="note")
    return note


def _check_hearing(hearing_on: date | None, today: date) -> None:
    if hearing_on is not None and not today <= hearing_on <= today + AHEAD:
        raise Invalid(
            "The hearing is from today on, within a year; correct its day.", field="hearing_on"
        )


def _with_day(note: str, hearing_on: date | None) -> str:
    if hearing_on is None:
        return note
    return f"{note} Hearing on {hearing_on:%B %-d, %Y}.".strip()


def _event(
    actor: Actor,
    citation: Citation,
    stage: str,
    on: date,
    now: datetime,
    note: str,
    entry_id: int | None = None,
) -> None:
    CitationEvent.objects.create(
        citation=citation,
        stage=stage,
        on=on,
        at=now,
        by_id=actor.user_id,
        note=note[:200],
        entry_id=entry_id,
    )

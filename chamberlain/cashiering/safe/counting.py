"""Counting the safe: two people, blind, at the start and at the end of a day and in between."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.counting import counted_cents
from chamberlain.cashiering.models import TillSession
from chamberlain.cashiering.safe.fund import expected_cents
from chamberlain.cashiering.safe.models import ChangeFund, SafeCount
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post

NOTE_MAX = 200
Moment = SafeCount.Moment


def count_safe(
    actor: Actor,
    witness: Actor,
    business_day_id: int,
    moment: str,
    counts: Mapping[int, int],
    note: str,
    now: datetime,
) -> int:
    """Keeps what two people counted in a center's safe, and posts what differs. Returns its id.

    counts: pieces of loose cash by denomination in cents; sealed bags are not opened. A difference
    needs a note; it is missing from the fund, or found, and goes against over and short. The start
    is counted before the first till opens, the end when every till is verified and bagged. Raises
    NotPermitted, NotFound, Invalid, AlreadyDone, DayClosed, Refused.
    """
    actor.require("safe.count")
    cents = counted_cents(counts)
    note = note.strip()
    if len(note) > NOTE_MAX:
        raise Invalid(f"The note has more than {NOTE_MAX} characters; shorten it.", field="note")
    if moment not in Moment.values:
        raise Invalid("Choose when the safe is counted.", field="moment")
    with transaction.atomic():
        day = _open_day(actor, witness, business_day_id)
        fund = ChangeFund.objects.select_related("center").filter(center=day.center).first()
        if fund is None:
            raise Refused(
                f"{day.center.name} has no change fund; have the coordinator set it first."
            )
        _refuse_wrong_moment(day, moment)
        expected = expected_cents(fund, day)
        if cents != expected and not note:
            raise Invalid(
                "The count differs from the books; count again, and if it still does, say in the "
                "note what you know of it.",
                field="note",
            )
        entry_id = _post_difference(actor, day, cents - expected, note, now)
        return SafeCount.objects.create(
            business_day=day,
            moment=moment,
            pieces={str(value): pieces for value, pieces in counts.items() if pieces},
            counted_cents=cents,
            expected_cents=expected,
            note=note,
            counted_by_id=actor.user_id,
            witnessed_by_id=witness.user_id,
            counted_at=now,
            entry_id=entry_id,
        ).pk


def _open_day(actor: Actor, witness: Actor, business_day_id: int) -> BusinessDay:
    day = (
        BusinessDay.objects.select_for_update(of=("self",))
        .select_related("center")
        .filter(pk=business_day_id)
        .first()
    )
    if day is None:
        raise NotFound("There is no such business day.")
    actor.require("safe.count", day.center_id)
    witness.require("safe.witness", day.center_id)
    if witness.user_id == actor.user_id:
        raise NotPermitted("The safe is counted by two people; another one signs in beside you.")
    if day.closed_at:
        raise DayClosed(f"{day.day:%B %-d, %Y} is closed for {day.center.name}.")
    return day


def _refuse_wrong_moment(day: BusinessDay, moment: str) -> None:
    if moment == Moment.BETWEEN:
        return
    if SafeCount.objects.filter(business_day=day, moment=moment).exists():
        raise AlreadyDone(
            f"The safe was counted at the {moment} of this day already; count it in between.",
            field="moment",
        )
    sessions = TillSession.objects.filter(business_day=day)
    if moment == Moment.START and sessions.exists():
        raise Refused("A till was opened already; count it in between.", field="moment")
    if moment == Moment.END and (session := sessions.filter(verified_at=None).first()):
        raise Refused(
            f"Till {session.till.code} is not verified yet; the end is counted after it.",
            field="moment",
        )


def _post_difference(
    actor: Actor, day: BusinessDay, difference: int, note: str, now: datetime
) -> int | None:
    if not difference:
        return None
    fund = chart.ledger_account_id(chart.change_fund_code(day.center.code))
    over_short = chart.ledger_account_id(chart.over_short_code(day.center.code))
    return post(
        NewEntry(
            business_day_id=day.pk,
            kind="over_short",
            actor_id=actor.user_id,
            posted_at=now,
            document=f"Safe {day.center.code}",
            legs=[
                Leg(fund, over_short, difference)
                if difference > 0
                else Leg(over_short, fund, -difference)
            ],
            reason=f"Safe counted {show_cents(difference)} apart: {note}"[:200],
        )
    )

"""Lines of the bank that wait for a person: which they are, booking and splitting them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post
from chamberlain.reconciliation.models import BankLine, BookedLine
from chamberlain.reconciliation.terms import terms_on
from chamberlain.reconciliation.turns import wait_for_turn

REASON_MAX = 200
PARTS_MAX = 20
LINE_KINDS = list(BookedLine.Kind.choices)


def open_lines() -> QuerySet[BankLine]:
    """Lines in force that are no match, no returned item, not booked and not split."""
    return BankLine.objects.filter(
        Q(statement__replaced_by=None) | Q(part_of__isnull=False),
        matched=None,
        returned=None,
        booked=None,
        same_as=None,
        parts=None,
    )


def open_line(line_id: int) -> BankLine:
    """A line that waits. Raises NotFound, AlreadyDone."""
    line = open_lines().filter(pk=line_id).first()
    if line is None:
        if not BankLine.objects.filter(pk=line_id).exists():
            raise NotFound("There is no such line of the bank.")
        raise AlreadyDone(
            "That line of the bank is matched already or was replaced by a corrected statement; "
            "choose another.",
            field="line",
        )
    return line


def posting_day(actor: Actor, business_day_id: int, permission: str) -> BusinessDay:
    """The open day that something is posted on, locked. Raises NotPermitted, NotFound, DayClosed.

    For one who may do it at that center.
    """
    day = (
        BusinessDay.objects.select_for_update(of=("self",), no_key=True)
        .select_related("center")
        .filter(pk=business_day_id)
        .first()
    )
    if day is None:
        raise NotFound("There is no such business day.")
    actor.require(permission, day.center_id)
    if day.closed_at:
        raise DayClosed(
            f"{day.day:%B %-d, %Y} is closed for {day.center.name}; choose a day that is open."
        )
    return day


def reason_of(text: str, what: str) -> str:
    """A reason that was given. Raises Invalid."""
    reason = text.strip()
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid(f"Say {what}, in at most {REASON_MAX} characters.", field="reason")
    return reason


def require_second(actor: Actor, approver: Actor | None, permission: str, what: str) -> None:
    """Raises NotPermitted when nobody else, who may do it too, approves."""
    if approver is None:
        raise NotPermitted(f"{what} needs a second person's approval; have one sign in beside you.")
    approver.require(permission)
    if approver.user_id == actor.user_id:
        raise NotPermitted(f"{what} needs the approval of another person than yourself.")


def book_line(
    actor: Actor,
    line_id: int,
    kind: str,
    reason: str,
    business_day_id: int,
    now: datetime,
    approver: Actor | None = None,
) -> int:
    """Books a line that is no deposit: a fee, interest, a transfer, or not identified yet.

    Above the city's tolerance a second person approves. Returns the booking's id. Raises
    NotPermitted, NotFound, AlreadyDone, Invalid, DayClosed.
    """
    actor.require("deposit.match")
    reason = reason_of(reason, "what the line is and how you know")
    if kind not in BookedLine.Kind.values:
        raise Invalid("Choose what the line is.", field="kind")
    with transaction.atomic():
        day = posting_day(actor, business_day_id, "deposit.match")
        wait_for_turn()
        line = open_line(line_id)
        if abs(line.cents) > terms_on(day.day).tolerance_cents:
            what = f"A line of {show_cents(abs(line.cents))}"
            require_second(actor, approver, "deposit.match", what)
        else:
            approver = None
        bank, other = chart.ledger_account_id(chart.BANK), chart.ensure_bank_line_account(kind)
        entry_id = post(
            NewEntry(
                business_day_id=day.pk,
                kind="bank",
                actor_id=actor.user_id,
                posted_at=now,
                document=f"Line {line.pk}",
                legs=[
                    Leg(bank, other, line.cents)
                    if line.cents > 0
                    else Leg(other, bank, -line.cents)
                ],
                reason=reason,
            )
        )
        return BookedLine.objects.create(
            line=line,
            kind=kind,
            reason=reason,
            entry_id=entry_id,
            booked_by_id=actor.user_id,
            booked_at=now,
            approved_by_id=approver.user_id if approver else None,
        ).pk


def split_line(actor: Actor, line_id: int, cents: Sequence[int], now: datetime) -> list[int]:
    """Splits a line into parts of these amounts, which are matched or booked on their own.

    The parts add up to the line and have its sign. Returns their ids. Raises NotPermitted,
    NotFound, AlreadyDone, Invalid.
    """
    actor.require("deposit.match")
    if not 1 < len(cents) <= PARTS_MAX:
        raise Invalid(f"Split a line into two parts or more, at most {PARTS_MAX}.", field="parts")
    with transaction.atomic():
        wait_for_turn()
        line = open_line(line_id)
        if line.part_of_id is not None:
            raise Refused("This is a part already; split the whole line otherwise.", field="line")
        if sum(cents) != line.cents or any((each > 0) != (line.cents > 0) for each in cents):
            raise Invalid(
                f"The parts add up to {show_cents(sum(cents))}, and the line is "
                f"{show_cents(line.cents)}; every part is more than nothing.",
                field="parts",
            )
        last = line.statement.lines.aggregate(last=Max("position"))["last"]
        parts = BankLine.objects.bulk_create(
            BankLine(
                statement=line.statement,
                part_of=line,
                position=last + nth,
                value_on=line.value_on,
                cents=each,
                type_code=line.type_code,
                bank_reference=line.bank_reference,
                customer_reference=line.customer_reference,
                text=f"Part {nth} of {len(cents)}, split {now:%Y-%m-%d} by {actor.name}"
                f"{': ' + line.text if line.text else ''}",
            )
            for nth, each in enumerate(cents, start=1)
        )
    return [part.pk for part in parts]

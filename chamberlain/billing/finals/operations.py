"""A holder moves out: the final bill is asked for, and made once all is read."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from chamberlain.billing import composing
from chamberlain.billing import posting as bill_posting
from chamberlain.billing.deposits.carrying import give_back_at_end, lock_for_end
from chamberlain.billing.finals import queries
from chamberlain.billing.finals.finding import locked, next_account_of
from chamberlain.billing.finals.models import FinalBill, FinalRead, MoveOut
from chamberlain.billing.finals.terms import terms_on
from chamberlain.billing.finals.unbilled import NotBillable, unbilled
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.occupancy import (
    Forwarding,
    MovedIn,
    MovedOut,
    move_out,
    transfer_service,
)
from chamberlain.billing.posting import Unbilled
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed, lock_balances, sentences
from chamberlain.ledger.queries import account_id_of
from chamberlain.registry.models import AccountHolding


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who moves out, and when.

    left_on: the first day that is not billed to the account; it does not matter when the holder
    was entered as moved out before. next_account: the number of the holder's account that takes
    the balance over, or "".
    """

    account_number: str
    left_on: date
    forwarding: Forwarding | None = None
    next_account: str = ""


@dataclass(frozen=True, slots=True)
class FinalBilled:
    """The final bills by number, and what they come to in cents.

    deposit_cents: of the deposit with interest, used for what was owed or carried on.
    """

    bill_numbers: tuple[str, ...]
    cents: int
    deposit_cents: int = 0


def ask_final_bill(actor: Actor, leaving: Leaving, today: date, now: datetime) -> int:
    """The holder of an account moves out; returns the move-out's id.

    Service and holding end, mail goes to the forwarding address, and a final read is asked for of
    each metered service. Asked again for the same day, it returns the first. Raises what moving
    out raises, and Invalid when the next account is not the holder's.
    """
    actor.require("final.ask")
    with acting(actor), transaction.atomic():
        account_id = account_id_of(leaving.account_number.strip())
        lock_balances([account_id])
        holding = AccountHolding.objects.filter(account_id=account_id).order_by("-period").first()
        if holding is None:
            raise Refused("Nobody ever held this account, so there is nothing to end.")
        next_id = next_account_of(leaving.next_account, account_id, holding.customer_id)
        left_on = holding.period.upper
        if left_on is None:
            move_out(actor, account_id, leaving.left_on, today, leaving.forwarding)
            left_on = leaving.left_on
        found = MoveOut.objects.filter(account_id=account_id, left_on=left_on).first()
        if found:
            return found.pk
        made = MoveOut.objects.create(
            account_id=account_id,
            left_on=left_on,
            next_account_id=next_id,
            asked_by_id=actor.user_id,
            asked_at=now,
        )
        FinalRead.objects.bulk_create(
            FinalRead(move_out=made, agreement=agreement, ordered_on=today)
            for agreement in ServiceAgreement.objects.filter(
                account_id=account_id, is_metered=True, period__endswith=left_on
            )
        )
    return made.pk


def transfer(
    actor: Actor,
    account_number: str,
    to_property_id: int,
    out_on: date,
    in_on: date,
    today: date,
    now: datetime,
) -> tuple[MovedOut, MovedIn]:
    """The holder of an account moves to another property, and the final bill is asked for.

    The new account is the one that the balance goes to. All of it happens, or nothing. Raises what
    `transfer_service` and `ask_final_bill` raise.
    """
    actor.require("final.ask")
    with transaction.atomic():
        account_id = account_id_of(account_number)
        out, into = transfer_service(actor, account_id, to_property_id, out_on, in_on, today)
        leaving = Leaving(account_number, out_on, next_account=into.account_number)
        ask_final_bill(actor, leaving, today, now)
    return out, into


def make_final_bill(
    actor: Actor, move_out_id: int, business_day_id: int, now: datetime
) -> FinalBilled:
    """Bills what is not billed yet up to the move, and uses the account's credit for it.

    The deposit goes on to the holder's next account, or pays what is owed and becomes credit.

    Raises AlreadyDone, DayClosed, NotBillable when a final read is still to be taken, a bill
    covers days after the move, or a usage has to be looked at first.
    """
    actor.require("final.bill")
    with acting(actor), transaction.atomic(), sentences():
        found = locked(move_out_id)
        if found.billed_at:
            raise AlreadyDone("The final bill was made already; look at the move-out.")
        day = BusinessDay.objects.filter(pk=business_day_id).first()
        if day is None or day.closed_at:
            raise DayClosed("The business day is not open; post on an open day.")
        _check_ready(found)
        lock_for_end(found.account_id, found.next_account_id)
        due = unbilled(found)
        numbers = _post(actor, found, due, day, now) if due.lines.height else ()
        given = give_back_at_end(actor, found.account_id, found.next_account_id, day, now)
        found.billed_at, found.billed_by_id = now, actor.user_id
        found.save(update_fields=["billed_at", "billed_by"])
        return FinalBilled(numbers, due.cents, given)


def _check_ready(found: MoveOut) -> None:
    if any(row.read_on is None for row in queries.final_reads(found.pk)):
        raise NotBillable("A final read is still to be taken; enter it or estimate the usage.")
    after = queries.bills_after(found.account_id, found.left_on)
    if after:
        raise NotBillable(
            f"Bill {after[0]} covers days after {found.left_on:%B %-d, %Y}; rebill it first, so "
            "that it ends with the move."
        )


def _post(
    actor: Actor, found: MoveOut, due: Unbilled, day: BusinessDay, now: datetime
) -> tuple[str, ...]:
    database, kinds = connection.connection, chart.charge_kinds()
    posting = composing.Posting(
        run_id=None,
        business_day_id=day.pk,
        actor_id=actor.user_id,
        issued_on=day.day,
        due_on=day.day + timedelta(days=terms_on(day.day).due_days),
        posted_at=now,
        credits_id=chart.ledger_account_id(chart.CREDITS),
    )
    composed = bill_posting.compose_unbilled(database, due, kinds, posting)
    bill_posting.write(database, composed)
    bill_posting.use_credit(database, composed, kinds, posting)
    bill_ids = composed.bills["id"].to_list()
    FinalBill.objects.bulk_create(
        FinalBill(move_out=found, bill_id=bill_id) for bill_id in bill_ids
    )
    _prove(bill_ids, due.cents)
    return tuple(composed.bills["number"].to_list())


def _prove(bill_ids: list[int], cents: int) -> None:
    posted = sum(Bill.objects.filter(pk__in=bill_ids).values_list("total_cents", flat=True))
    if posted != cents:
        raise AssertionError(f"final bills of {posted} cents for lines of {cents}")

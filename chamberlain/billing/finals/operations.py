"""What people do when a holder moves out: ask for the final bill, read, bill, carry over."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db import connection, transaction

from chamberlain.billing import composing
from chamberlain.billing.adjusting import operations as adjusting
from chamberlain.billing.certificates.estimating import estimates
from chamberlain.billing.finals import queries
from chamberlain.billing.finals.models import FinalBill, FinalRead, MoveOut
from chamberlain.billing.finals.terms import terms_on
from chamberlain.billing.finals.unbilled import NotBillable, Unbilled, unbilled
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.occupancy import Forwarding, move_out
from chamberlain.billing.plans.queries import plans_of_account
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.models import Account, BusinessDay
from chamberlain.ledger.posting import DayClosed, lock_balances, post_frames, sentences
from chamberlain.ledger.queries import account_id_of, balance, open_charges
from chamberlain.metering.operations import record_estimate, record_read
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
    """The final bills by number, and what they come to in cents."""

    bill_numbers: tuple[str, ...]
    cents: int


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
        next_id = _next_account(leaving.next_account, account_id, holding.customer_id)
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


def _next_account(number: str, account_id: int, customer_id: int) -> int | None:
    if not number.strip():
        return None
    try:
        next_id = account_id_of(number.strip())
    except NotFound as refusal:
        raise Invalid(refusal.sentence, field="next_account") from refusal
    held = AccountHolding.objects.filter(
        account_id=next_id, customer_id=customer_id, period__endswith=None
    )
    if next_id == account_id or not held.exists():
        raise Invalid(
            f"Account {number.strip()[:24]} is not another account of this holder; give one that "
            "is, or leave it empty.",
            field="next_account",
        )
    return next_id


def take_final_read(
    actor: Actor, final_read_id: int, read_on: date, register: int, today: date
) -> int:
    """Records what the meter shows; returns the read's id.

    A read after the day of the move is shared by days with whoever came after; days between a
    read before it and the move are still to be read or estimated. Raises AlreadyDone, and what
    `record_read` raises.
    """
    actor.require("final.ask")
    with acting(actor), transaction.atomic():
        row = _wanted_read(final_read_id)
        if not row.serial:
            raise NotFound("No meter is installed at this service point; estimate the usage.")
        return record_read(actor, row.serial, read_on, register, today)


def estimate_final_read(actor: Actor, final_read_id: int, today: date) -> int:
    """Estimates the usage from the last read to the move, by the account's own usage a day.

    Returns the read's id. Raises AlreadyDone, NotBillable when nothing is known to go by, Invalid
    before the day of the move.
    """
    actor.require("final.ask")
    with acting(actor), transaction.atomic():
        row = _wanted_read(final_read_id)
        if today < row.left_on:
            raise Invalid(
                f"The holder leaves on {row.left_on:%B %-d, %Y}; wait for that day or read the "
                "meter."
            )
        usage = _estimated(row.agreement_id, row.left_on, terms_on(today).usage_days)
        return record_estimate(
            actor,
            row.service_point_id,
            row.last_on,
            row.left_on,
            usage,
            row.unit,
            f"move-out {final_read_id} {row.left_on}",
        )


def _wanted_read(final_read_id: int) -> queries.FinalReadRow:
    order = FinalRead.objects.select_for_update(of=("self",)).filter(pk=final_read_id).first()
    if order is None:
        raise NotFound("There is no such order of a final read; look at the move-out.")
    row = next(each for each in queries.final_reads(order.move_out_id) if each.order_id == order.pk)
    if row.read_on is not None:
        raise AlreadyDone(f"The final read was taken on {row.read_on:%B %-d, %Y} already.")
    return row


_USED_SQL = """
    SELECT a.id, coalesce((SELECT max(r.to_on) FROM metering_read r
            WHERE r.service_point_id = a.service_point_id), lower(a.period)), %(left)s::date,
        coalesce(u.thousandths, 0)::bigint, coalesce(u.days, 0)::bigint,
        a.normal_daily_thousandths, EXISTS (SELECT 1 FROM metering_installation i
            WHERE i.service_point_id = a.service_point_id AND upper_inf(i.period))::int
    FROM billing_serviceagreement a
    LEFT JOIN LATERAL (
        SELECT sum(r.usage_thousandths) AS thousandths, sum(r.to_on - r.from_on) AS days
        FROM metering_read r WHERE r.service_point_id = a.service_point_id
            AND r.to_on > %(left)s::date - %(days)s AND r.usage_thousandths >= 0) u ON true
    WHERE a.id = %(agreement)s
"""
_USED_SCHEMA = {
    "agreement_id": pl.Int64,
    "last_on": pl.Date,
    "closing_on": pl.Date,
    "used_thousandths": pl.Int64,
    "used_days": pl.Int64,
    "normal_daily_thousandths": pl.Int64,
    "has_register": pl.Int64,
}


def _estimated(agreement_id: int, left_on: date, usage_days: int) -> int:
    params = {"agreement": agreement_id, "left": left_on, "days": usage_days}
    services = read_frame(connection.connection, _USED_SQL, _USED_SCHEMA, params)
    usage = estimates(services.with_columns(pl.col("has_register") == 1))["usage_thousandths"][0]
    if usage is None:
        raise NotBillable(
            "Nothing is known about the usage of this service; take a read of it instead."
        )
    return int(usage)


def make_final_bill(
    actor: Actor, move_out_id: int, business_day_id: int, now: datetime
) -> FinalBilled:
    """Bills what is not billed yet up to the move, and uses the account's credit for it.

    Raises AlreadyDone, DayClosed, NotBillable when a final read is still to be taken, a bill
    covers days after the move, or a usage has to be looked at first.
    """
    actor.require("final.bill")
    with acting(actor), transaction.atomic(), sentences():
        found = _locked(move_out_id)
        if found.billed_at:
            raise AlreadyDone("The final bill was made already; look at the move-out.")
        day = BusinessDay.objects.filter(pk=business_day_id).first()
        if day is None or day.closed_at:
            raise DayClosed("The business day is not open; post on an open day.")
        _check_ready(found)
        lock_balances([found.account_id])
        due = unbilled(found)
        numbers = _post(actor, found, due, day, now) if due.lines.height else ()
        found.billed_at, found.billed_by_id = now, actor.user_id
        found.save(update_fields=["billed_at", "billed_by"])
        return FinalBilled(numbers, due.cents)


def _locked(move_out_id: int) -> MoveOut:
    found = (
        MoveOut.objects.select_for_update(of=("self",))
        .select_related("account", "next_account")
        .filter(pk=move_out_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such move-out; look at the list of final bills.")
    return found


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
    before = balance(found.account_id)
    net = pl.DataFrame(
        {"account_id": [found.account_id], "net_cents": [before.owed_cents - before.credit_cents]}
    )
    ids = next_ids(database, "billing_bill", due.usages.height)
    billed = composing.bills(due.usages, due.lines, net, ids, posting)
    composed = composing.compose(
        billed,
        due.lines,
        next_ids(database, "ledger_charge", int((due.lines["cents"] > 0).sum())),
        next_ids(database, "ledger_entry", billed.height),
        kinds,
        posting,
    )
    post_frames(database, composed.ledger)
    copy_frame(database, "billing_bill", composed.bills)
    copy_frame(database, "billing_billline", composed.lines)
    if before.credit_cents and composed.ledger.charges.height:
        credit = pl.DataFrame({"account_id": [found.account_id], "cents": [before.credit_cents]})
        entry_ids = next_ids(database, "ledger_entry", 1)
        post_frames(database, composing.use_credits(credit, composed, kinds, entry_ids, posting))
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


def carry_balance(
    actor: Actor, move_out_id: int, next_account: str, today: date, now: datetime
) -> tuple[str, ...]:
    """Asks that what is owed, or the credit, goes to the holder's next account.

    next_account: "" for the one that was named at the move. Returns the numbers of the
    adjustments; another person approves them. Raises Refused before the final bill, with a
    payment plan in force or with nothing to carry, Invalid for an account that is not the
    holder's, AlreadyDone.
    """
    actor.require("adjustment.ask")
    with acting(actor), transaction.atomic():
        found = _locked(move_out_id)
        _check_carry(found)
        holding = AccountHolding.objects.get(
            account_id=found.account_id, period__endswith=found.left_on
        )
        if next_account.strip():
            found.next_account_id = _next_account(
                next_account, found.account_id, holding.customer_id
            )
        if found.next_account_id is None:
            raise Invalid("Give the holder's next account.", field="next_account")
        found.carried_by = ", ".join(_ask_moves(actor, found, today, now))
        found.save(update_fields=["carried_by", "next_account"])
        return tuple(found.carried_by.split(", "))


def _check_carry(found: MoveOut) -> None:
    if found.billed_at is None:
        raise Refused("The final bill comes first; make it, then carry the balance.")
    if found.carried_by:
        raise AlreadyDone(f"The balance is carried by {found.carried_by} already.")
    running = [p for p in plans_of_account(found.account_id) if p.status == "in_force"]
    if running:
        raise Refused(
            f"Payment plan {running[0].number} is in force on the account; withdraw it first, "
            "since its charges leave the account."
        )


def _ask_moves(actor: Actor, found: MoveOut, today: date, now: datetime) -> list[str]:
    terms = terms_on(today)
    number = found.account.number
    assert found.next_account_id is not None
    other = Account.objects.values_list("number", flat=True).get(pk=found.next_account_id)
    note = f"Moved out on {found.left_on:%B %-d, %Y}; the balance goes to account {other}"
    charges = tuple(charge.charge_id for charge in open_charges([found.account_id]))
    credit = balance(found.account_id).credit_cents
    wanted = []
    if charges:
        wanted.append(
            adjusting.Wanted(number, terms.charges_reason, 0, note, charges, other_account=other)
        )
    if credit:
        wanted.append(
            adjusting.Wanted(number, terms.credit_reason, credit, note, other_account=other)
        )
    if not wanted:
        raise Refused("Nothing is owed and no credit is left, so there is nothing to carry.")
    return [
        adjusting.ask_adjustment(actor, each, today, now, f"move-out {found.pk} {each.reason}")
        for each in wanted
    ]

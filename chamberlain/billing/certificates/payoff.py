"""The payoff: all that is owed up to the closing, and how it is raised as charges.

It is what is open of the kinds that the certificate covers, the application's fee, what was used
and not billed (see `unbilled`), and the penalties that fall due until the closing. What is not
billed yet is raised as final bills by the same composing as any bill run, penalties as penalties;
so a payoff that was computed and the charges that are then raised are the same cents.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db import connection, transaction

from chamberlain.billing import composing
from chamberlain.billing import posting as bill_posting
from chamberlain.billing.certificates.applications import locked, open_day_of
from chamberlain.billing.certificates.late import LatePenalty, late_until, raise_late
from chamberlain.billing.certificates.models import Application, PayoffCharge
from chamberlain.billing.certificates.obstacles import check_ended_services, check_held
from chamberlain.billing.certificates.ordering import take_reads_from_imports, waiting_reads
from chamberlain.billing.certificates.unbilled import (
    NotPayable,
    Wanted,
    unbilled,
    unread_services,
)
from chamberlain.billing.posting import Unbilled
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid
from chamberlain.ledger import chart
from chamberlain.ledger.allocation import allocate
from chamberlain.ledger.forgiven import ForgivenOnAccount, forgiven_on_account
from chamberlain.ledger.models import BusinessDay, Charge
from chamberlain.ledger.posting import Leg, NewEntry, post
from chamberlain.ledger.queries import OpenCharge, balance, open_charges
from chamberlain.metering.operations import record_estimate
from chamberlain.tariffs.models import Component


@dataclass(frozen=True, slots=True)
class PayoffLine:
    """A line of a bill that is not made yet."""

    label: str
    cents: int


@dataclass(frozen=True, slots=True)
class PayoffBill:
    """What is not billed yet for some days. usage_thousandths: None without a meter."""

    from_on: date
    to_on: date
    usage_thousandths: int | None
    unit: str | None
    is_estimate: bool
    lines: tuple[PayoffLine, ...]

    @property
    def cents(self) -> int:
        """What the lines come to."""
        return sum(line.cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class Payoff:
    """All that must be paid for a certificate. credit_cents: what the account has in credit.

    forgiven: what was settled without money in the year before the application, which whoever
    issues the certificate looks at: it may be debt that was moved out of the way.
    """

    closing_on: date
    open_charges: tuple[OpenCharge, ...]
    bills: tuple[PayoffBill, ...]
    penalties: tuple[LatePenalty, ...]
    credit_cents: int
    forgiven: tuple[ForgivenOnAccount, ...]

    @property
    def open_cents(self) -> int:
        """What is open already."""
        return sum(charge.open_cents for charge in self.open_charges)

    @property
    def new_cents(self) -> int:
        """What is yet to be raised: bills and penalties."""
        return sum(bill.cents for bill in self.bills) + sum(each.cents for each in self.penalties)

    @property
    def less_credit_cents(self) -> int:
        """The account's credit as it lowers what is to pay: zero or less."""
        return -self.credit_cents

    @property
    def to_pay_cents(self) -> int:
        """What is left to pay after the account's credit."""
        return max(0, self.open_cents + self.new_cents - self.credit_cents)


def payoff_of(application_id: int) -> Payoff:
    """The payoff of an application as things stand. Raises NotPayable."""
    found = Application.objects.select_related("terms").get(pk=application_id)
    if found.stage in (Application.Stage.PAYABLE, Application.Stage.ISSUED):
        bills: tuple[PayoffBill, ...] = ()
        penalties: tuple[LatePenalty, ...] = ()
    else:
        bills = _bills(unbilled(connection.connection, [_wanted(found)]))
        penalties = late_until(found.account_id, found.closing_on)
    return Payoff(
        closing_on=found.closing_on,
        open_charges=covered_charges(found),
        bills=bills,
        penalties=penalties,
        credit_cents=balance(found.account_id).credit_cents,
        forgiven=forgiven_on_account(found.account_id, found.received_at - timedelta(days=365)),
    )


def covered_charges(application: Application) -> tuple[OpenCharge, ...]:
    """Open charges that must be paid before the certificate: covered kinds, and the fee."""
    return tuple(
        charge
        for charge in open_charges([application.account_id])
        if charge.kind in application.terms.covered_kinds
        or charge.charge_id == application.fee_charge_id
    )


def _wanted(found: Application) -> Wanted:
    return Wanted(found.account_id, found.closing_on, found.terms.usage_days)


def _bills(found: Unbilled) -> tuple[PayoffBill, ...]:
    labels = dict(
        Component.objects.filter(pk__in=found.lines["component_id"].unique().to_list()).values_list(
            "pk", "label"
        )
    )
    rows = found.lines.select("row", "component_id", "cents").rows()
    made = []
    for usage in found.usages.iter_rows(named=True):
        lines = tuple(PayoffLine(labels[c], cents) for row, c, cents in rows if row == usage["row"])
        made.append(
            PayoffBill(
                usage["from_on"],
                usage["to_on"],
                usage["usage_thousandths"] if usage["unit"] else None,
                usage["unit"],
                usage["unit"] is not None and usage["read_id"] is None,
                lines,
            )
        )
    return tuple(made)


def review_account(actor: Actor, number: str, review: str, now: datetime) -> None:
    """Says that an account without a meter was looked through, and what was found.

    Raises Invalid without words, AlreadyDone when the application is not at this step.
    """
    actor.require("certificate.work")
    if not review.strip():
        raise Invalid("Say what the review found.", field="review")
    with acting(actor), transaction.atomic():
        found = locked(number)
        if found.stage != Application.Stage.ACCEPTED:
            raise AlreadyDone(f"Application {number} is not at this step; look at it again.")
        found.reviewed_at, found.reviewed_by_id = now, actor.user_id
        found.review = review.strip()[:200]
        found.save()


def set_payoff(actor: Actor, number: str, business_day_id: int, now: datetime) -> int:
    """Raises what is not billed yet and the penalties until the closing; returns their cents.

    Credit of the account is used for what it owes. From then on all that the certificate needs
    stands as charges on the account, payable at any counter. Raises AlreadyDone, NotPayable (a
    final read or the review is missing), Refused (the account was given up before, or a
    service ended that is not billed up to its end), DayClosed.
    """
    actor.require("certificate.work")
    with acting(actor), transaction.atomic():
        found = locked(number)
        if found.stage != Application.Stage.ACCEPTED:
            raise AlreadyDone(f"Application {number} is not at this step; look at it again.")
        day = open_day_of(business_day_id)
        _check_ready(found)
        _record_estimates(actor, found)
        charge_ids = _post_bills(actor, found, day, now)
        charge_ids += raise_late(actor, found.account_id, found.closing_on, day, now)
        PayoffCharge.objects.bulk_create(
            PayoffCharge(application=found, charge_id=charge_id) for charge_id in charge_ids
        )
        _use_credit(actor, found, day, now)
        found.stage = Application.Stage.PAYABLE
        found.payoff_at, found.payoff_by_id = now, actor.user_id
        found.save()
        return _raised_cents(charge_ids)


def _raised_cents(charge_ids: list[int]) -> int:
    return sum(Charge.objects.filter(pk__in=charge_ids).values_list("cents", flat=True))


def _check_ready(found: Application) -> None:
    check_held(found.account_id, found.closing_on)
    check_ended_services(found)
    take_reads_from_imports([found.pk])
    if waiting_reads(found.pk):
        raise NotPayable(
            "A final read is still to be taken; enter it, then set the payoff.", field="read"
        )
    if (
        found.reviewed_at is None
        and not found.final_reads.filter(wanted_by=found.closing_on).exists()
    ):
        raise NotPayable(
            "An account without a meter is reviewed first; say what the review found.",
            field="review",
        )


def _record_estimates(actor: Actor, found: Application) -> None:
    services = unread_services(connection.connection, [_wanted(found)])
    for row in services.unique("service_point_id", maintain_order=True).iter_rows(named=True):
        record_estimate(
            actor,
            row["service_point_id"],
            row["last_on"],
            row["closing_on"],
            row["usage_thousandths"],
            row["unit"],
            f"closing {found.number} {row['closing_on']} {row['service_point_id']}",
        )


def _post_bills(actor: Actor, found: Application, day: BusinessDay, now: datetime) -> list[int]:
    database = connection.connection
    due = unbilled(database, [_wanted(found)], estimated=False)
    if due.lines.is_empty():
        return []
    posting = composing.Posting(
        run_id=None,
        business_day_id=day.pk,
        actor_id=actor.user_id,
        issued_on=day.day,
        due_on=max(found.closing_on, day.day),
        posted_at=now,
        credits_id=chart.ledger_account_id(chart.CREDITS),
    )
    composed = bill_posting.compose_unbilled(database, due, chart.charge_kinds(), posting)
    bill_posting.write(database, composed)
    return [int(charge_id) for charge_id in composed.ledger.charges["id"]]


def _use_credit(actor: Actor, found: Application, day: BusinessDay, now: datetime) -> None:
    credit = balance(found.account_id).credit_cents
    charges = {charge.charge_id: charge for charge in covered_charges(found)}
    if not credit or not charges:
        return
    rows = [(c.charge_id, c.account_id, c.open_cents, c.priority, c.due_on)
            for c in charges.values()]  # fmt: skip
    frame = pl.DataFrame(
        rows, schema=["charge_id", "account_id", "open_cents", "priority", "due_on"], orient="row"
    )
    payment = pl.DataFrame({"account_id": [found.account_id], "cents": [credit]})
    kinds, credits_id = chart.charge_kinds(), chart.ledger_account_id(chart.CREDITS)
    legs = [
        Leg(credits_id, kinds[charges[charge_id].kind].receivable_id, cents, "settle",
            account_id, charge_id)
        for account_id, charge_id, cents in allocate(payment, frame).rows()
    ]  # fmt: skip
    post(NewEntry(day.pk, "use_credit", actor.user_id, now, found.number, legs))

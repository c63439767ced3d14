"""What people do with deposits: ask for one, take back what is not paid of it, give it back."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction

from chamberlain.billing.deposits.models import Deposit, DepositMovement
from chamberlain.billing.deposits.requiring import required_of
from chamberlain.billing.deposits.returning import ENTRY_KIND, Way, close_deposits
from chamberlain.billing.deposits.standing import paid_late, standing_of
from chamberlain.billing.deposits.terms import terms_on
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.kernel.periods import add_months
from chamberlain.ledger import chart
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import (
    Leg,
    NewCharge,
    NewEntry,
    lock_balances,
    post,
    raise_charges,
)
from chamberlain.ledger.queries import account_id_of

Kind = DepositMovement.Kind


def ask_deposit(
    actor: Actor, account_number: str, business_day_id: int, now: datetime, idempotency_key: str
) -> str:
    """Asks the deposit of an account that the city's rule requires; returns its number.

    It is a charge payable at any counter. The same key asks once. Raises NotFound, DayClosed,
    Refused when the rule asks none, AlreadyDone when the account has an open deposit.
    """
    actor.require("customer_deposit.ask")
    with acting(actor), transaction.atomic():
        account_id = account_id_of(account_number.strip())
        lock_balances([account_id])
        made = Deposit.objects.filter(idempotency_key=idempotency_key).first()
        if made and made.account_id != account_id:
            raise AlreadyDone(
                f"This form was sent before for deposit {made.number}; open a new form."
            )
        if made:
            return made.number
        day = day_to_post_on(business_day_id)
        present = Deposit.objects.filter(account_id=account_id, closed_on=None).first()
        if present:
            raise AlreadyDone(f"Deposit {present.number} is open on the account; look at it.")
        required = required_of(account_id, day.day)
        if not required.cents:
            raise Refused(
                f"The city's rule asks no deposit of account {account_number.strip()}: "
                f"{required.basis}; check the property's type and owner."
            )
        deposit_id = int(next_ids(connection.connection, "deposits_deposit", 1)[0])
        number = f"DEP-{deposit_id:06d}"
        due_on = day.day + timedelta(days=terms_on(day.day).due_days)
        entry_id, charge_id = _raise(
            actor, account_id, required.cents, day.pk, day.day, due_on, number, now
        )
        deposit = Deposit.objects.create(
            pk=deposit_id,
            number=number,
            account_id=account_id,
            charge_id=charge_id,
            basis=required.basis,
            asked_by_id=actor.user_id,
            asked_at=now,
            asked_on=day.day,
            idempotency_key=idempotency_key,
        )
        DepositMovement.objects.create(
            deposit=deposit, entry_id=entry_id, kind=Kind.ASKED, on=day.day, cents=required.cents
        )
        return number


def _raise(
    actor: Actor,
    account_id: int,
    cents: int,
    day_id: int,
    day: date,
    due_on: date,
    number: str,
    now: datetime,
) -> tuple[int, int]:
    kind = chart.charge_kinds()[chart.DEPOSIT_KIND]
    entry_id, [charge_id] = raise_charges(
        NewEntry(day_id, ENTRY_KIND, actor.user_id, now, number, [], "Asked for", None, number),
        [
            NewCharge(
                account_id, kind.id, kind.receivable_id, kind.revenue_id, cents, day, due_on, number
            )
        ],
    )
    return entry_id, charge_id


def cancel_deposit(
    actor: Actor, number: str, reason: str, business_day_id: int, now: datetime
) -> int:
    """Takes back what is not paid of a deposit; returns the cents. What was paid stays held.

    Raises NotFound, Invalid without a reason, Refused when all of it is paid, AlreadyDone when it
    is closed, DayClosed.
    """
    actor.require("customer_deposit.ask")
    if not reason.strip():
        raise Invalid("Say why; it stays with the deposit.", field="reason")
    with acting(actor), transaction.atomic():
        deposit = open_deposit(number)
        day = day_to_post_on(business_day_id)
        row = standing_of([deposit.pk]).row(0, named=True)
        unpaid = int(row["unpaid_cents"])
        if not unpaid:
            raise Refused(f"Deposit {number} is paid; release it when its term is over.")
        kind = chart.charge_kinds()[chart.DEPOSIT_KIND]
        leg = Leg(
            kind.revenue_id,
            kind.receivable_id,
            unpaid,
            "settle",
            deposit.account_id,
            deposit.charge_id,
        )
        said = f"Not asked for any more: {reason.strip()}"[:200]
        entry_id = post(
            NewEntry(day.pk, ENTRY_KIND, actor.user_id, now, number, [leg], said, None, None)
        )
        DepositMovement.objects.create(
            deposit=deposit, entry_id=entry_id, kind=Kind.CANCELED, on=day.day, cents=-unpaid
        )
        if not row["held_cents"]:
            deposit.closed_on = day.day
            deposit.save(update_fields=["closed_on"])
        return unpaid


def release_deposit(actor: Actor, number: str, business_day_id: int, now: datetime) -> int:
    """Releases one deposit, with interest, to the account as credit; returns the cents.

    Raises NotFound, AlreadyDone, DayClosed, Refused before the term is over, with the reason.
    """
    actor.require("customer_deposit.release")
    with acting(actor), transaction.atomic():
        deposit = open_deposit(number)
        day = day_to_post_on(business_day_id)
        if why := not_yet([deposit.pk], day.day).get(deposit.pk):
            raise Refused(f"Deposit {number} is not released yet: {why}", field="release")
        return close_deposits(actor, [deposit.pk], Way.RELEASE, day, now)[deposit.pk]


def release_due(actor: Actor, business_day_id: int, now: datetime) -> dict[int, int]:
    """Releases every deposit whose term is over: the night's job. Cents by deposit id.

    Repeating it releases nothing twice. Raises NotFound and DayClosed.
    """
    actor.require("customer_deposit.release")
    with acting(actor), transaction.atomic():
        day = day_to_post_on(business_day_id)
        before = add_months(day.day, -terms_on(day.day).release_months)
        found = Deposit.objects.filter(closed_on=None, asked_on__lte=before) | (
            Deposit.objects.filter(closed_on=None, whole_since__lte=before)
        )
        accounts = dict(found.values_list("pk", "account_id"))
        lock_balances(sorted(set(accounts.values())))
        open_ids = list(
            Deposit.objects.select_for_update()
            .filter(pk__in=accounts, closed_on=None)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        waiting = not_yet(open_ids, day.day)
        ready = [each for each in open_ids if each not in waiting]
        return close_deposits(actor, ready, Way.RELEASE, day, now)


def not_yet(deposit_ids: list[int], today: date) -> dict[int, str]:
    """Why deposits are not released on a day, in words, by id; who may be released is left out."""
    if not deposit_ids:
        return {}
    terms = terms_on(today)
    before = add_months(today, -terms.release_months)
    found = {}
    for row in standing_of(deposit_ids).iter_rows(named=True):
        if row["unpaid_cents"] or row["whole_on"] is None:
            found[row["deposit_id"]] = "it is not paid in full; take the payment first."
        elif row["whole_on"] > before:
            on = add_months(row["whole_on"], terms.release_months)
            found[row["deposit_id"]] = f"its term ends on {on:%B %-d, %Y}; wait for that day."
    late = paid_late(deposit_ids, before, today, terms.grace_days)
    for deposit_id in late.to_list():
        found.setdefault(
            deposit_id,
            f"something due within {terms.release_months} months was paid late or is late; it is "
            "looked at again every night.",
        )
    return found


def open_deposit(number: str) -> Deposit:
    """A deposit that is open, locked with its account. Raises NotFound, AlreadyDone."""
    known = Deposit.objects.filter(number=number).values_list("account_id", flat=True).first()
    if known is None:
        raise NotFound(f"There is no deposit {number[:16]}; look at the list.")
    lock_balances([known])
    found = Deposit.objects.select_for_update().get(number=number)
    if found.closed_on:
        raise AlreadyDone(f"Deposit {number} was closed on {found.closed_on:%B %-d, %Y}.")
    return found

"""The account work of the demonstration: what clerks asked for and second persons decided.

Everything is done by the operations that the pages use, on accounts that are picked by what they
are, in the order of their numbers. All of it is one transaction beside the watch of the usage,
so that it is there whole or not at all; done before, it changes nothing.
"""

from datetime import date, datetime, timedelta
from functools import partial

from django.db import transaction

from chamberlain.billing.adjusting.operations import Wanted, approve_adjustment, ask_adjustment
from chamberlain.billing.deposits.operations import ask_deposit
from chamberlain.billing.plans import offers
from chamberlain.billing.plans.operations import offer_plan
from chamberlain.billing.plans.terms import terms_on
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.rebilling.operations import (
    NewRebill,
    ask_for_approval,
    draft_rebill,
    post_rebill,
)
from chamberlain.casework.letters.batches import ask_batch, past_due
from chamberlain.casework.letters.models import Letter
from chamberlain.casework.letters.operations import send_letter
from chamberlain.cities.demonstration import moving
from chamberlain.cities.demonstration.desk import KEY, OWES, PAID_UP, Desk, Picked, one_of
from chamberlain.cities.demonstration.history import calendar_of
from chamberlain.cities.loading import city_folder
from chamberlain.cities.schema import read_city
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, actor_named
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_business_day
from chamberlain.ledger.queries import open_day
from chamberlain.metering.watching.watches import plan_watch, run_watch
from chamberlain.registry.operations import add_contact
from chamberlain.registry.preferences import choose_mail, mark_customer

COURT_CASE = "26-10842"
_WATCHED_DAYS = 75

_LARGEST_READ = """
    SELECT r.id, r.usage_thousandths, r.from_on, r.to_on FROM billing_bill b
    JOIN metering_read r ON r.id = b.read_id
    WHERE b.account_id = %s AND r.to_on > %s ORDER BY r.usage_thousandths DESC, r.id LIMIT 1
"""
_LARGE_USE = """p.property_type_id IN ('institutional', 'commercial', 'apartments')
    AND EXISTS (SELECT FROM billing_bill WHERE account_id = a.id AND read_id IS NOT NULL)"""


def do_account_work(today: date, now: datetime) -> None:
    """Does the account work once: needs the city, its history and the demonstration's users.

    Raises NotFound before they are there.
    """
    supervisor = actor_named("amir", today)
    with transaction.atomic():
        if not Letter.objects.filter(idempotency_key=f"{KEY} letter past_due").exists():
            day = _open_day(actor_named("cole", today), today, now)
            desk = Desk(actor_named("clara", today), supervisor, day.pk, today, now)
            _work(desk)
    since = today - timedelta(days=_WATCHED_DAYS)
    run_watch(plan_watch(supervisor, today, now, f"{KEY} watch", since))


def _open_day(coordinator: Actor, today: date, now: datetime) -> BusinessDay:
    """The revenue office's open day: today's, or the next when today is closed already."""
    office = revenue_office().center_id
    found = open_day(office)
    if found:
        return found
    day = today
    if BusinessDay.objects.filter(center_id=office, day=today).exists():
        calendar = calendar_of(read_city(city_folder("chicago")).city)
        day = calendar.on_or_after(today + timedelta(days=1))
    return open_business_day(coordinator, office, day, now)


def _work(desk: Desk) -> None:
    one_of(desk, _LARGE_USE, partial(_rebill, desk, is_posted=True))
    one_of(desk, _LARGE_USE, partial(_rebill, desk, is_posted=False))
    one_of(desk, OWES, partial(_leak, desk, cents=4_500, is_approved=True))
    one_of(desk, OWES, partial(_leak, desk, cents=6_250, is_approved=False))
    one_of(desk, "b.credit_cents > 0 AND b.owed_cents = 0", partial(_refund, desk))
    one_of(desk, OWES, partial(_plan, desk, which="in force"))
    one_of(desk, "b.owed_cents > 150000", partial(_plan, desk, which="offered"))
    moving.move_and_sell(desk)
    one_of(desk, OWES, partial(_bankrupt, desk))
    one_of(desk, PAID_UP, partial(_spanish_without_paper, desk))
    one_of(desk, OWES, partial(_write, desk, code="past_due"))
    one_of(desk, "p.property_type_id IN ('commercial', 'mixed_use')", partial(_deposit, desk))
    chosen = past_due(60, 10_000, desk.today)
    ask_batch(desk.supervisor, "past_due", "", chosen, desk.today, desk.now, f"{KEY} letters")


def _rebill(desk: Desk, picked: Picked, is_posted: bool) -> None:
    """A read whose first digit was misread, so large that a second person has to look at it."""
    found = rows(_LARGEST_READ, [picked.account_id, desk.today - timedelta(days=700)])
    if not found:
        raise Refused("No read of this account was billed lately.")
    read_id, usage, from_on, to_on = found[0]
    right = Corrections(reads={int(read_id): int(usage) // 5_000 * 1_000})
    note = "The customer sent a picture of the register; its first digit was misread"
    asked = NewRebill(picked.number, from_on, to_on, "read_wrong", note, right)
    key = f"{KEY} rebill {'posted' if is_posted else 'asked'}"
    rebill_id = draft_rebill(desk.clerk, asked, desk.today, desk.now, key)
    if not Rebill.objects.get(pk=rebill_id).needs_approval:
        raise Refused("This rebill needs no second person.")
    ask_for_approval(desk.clerk, rebill_id)
    if is_posted:
        post_rebill(desk.supervisor, rebill_id, desk.day_id, desk.today, desk.now)


def _leak(desk: Desk, picked: Picked, cents: int, is_approved: bool) -> None:
    note = "The service line leaked under the floor; the plumber's bill is in the file"
    key = f"{KEY} leak {'approved' if is_approved else 'asked'}"
    wanted = Wanted(picked.number, "leak_repaired", cents, note)
    number = ask_adjustment(desk.clerk, wanted, desk.today, desk.now, key)
    if is_approved:
        approve_adjustment(desk.supervisor, number, desk.day_id, desk.now)


def _refund(desk: Desk, picked: Picked) -> None:
    query = "SELECT credit_cents FROM ledger_balance WHERE account_id = %s"
    cents = int(rows(query, [picked.account_id])[0][0])
    wanted = Wanted(picked.number, "credit_asked_back", cents, "The customer asked by telephone")
    ask_adjustment(desk.clerk, wanted, desk.today, desk.now, f"{KEY} refund")


def _plan(desk: Desk, picked: Picked, which: str) -> None:
    """Up to the amount that passes without approval it is in force at once, above it waits."""
    terms = [each for each in terms_on(desk.today) if each.code == "standard"]
    charges = offers.charges_for_plan(picked.account_id, terms)
    ids = tuple(charge.charge_id for charge in charges)
    instalments = 4 if which == "in force" else 12
    wanted = offers.Wanted(picked.account_id, ids, "standard", instalments)
    offer_plan(desk.clerk, wanted, desk.today, desk.now, f"{KEY} plan {which}")


def _bankrupt(desk: Desk, picked: Picked) -> None:
    from_on = desk.today - timedelta(days=40)
    mark_customer(
        desk.clerk, picked.customer_id, "bankrupt", from_on, desk.today, COURT_CASE
    )  # fmt: skip


def _spanish_without_paper(desk: Desk, picked: Picked) -> None:
    email = f"{picked.number.lower()}@example.org"
    add_contact(desk.clerk, picked.customer_id, "email", email)
    choose_mail(desk.clerk, picked.customer_id, "es", True)
    _write(desk, picked, code="balance_statement")


def _write(desk: Desk, picked: Picked, code: str) -> None:
    key = f"{KEY} letter {code}"
    send_letter(desk.clerk, picked.account_id, code, desk.today, desk.now, key)


def _deposit(desk: Desk, picked: Picked) -> None:
    ask_deposit(desk.clerk, picked.number, desk.day_id, desk.now, f"{KEY} deposit")

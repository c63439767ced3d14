"""The account work of the demonstration: what clerks asked for and second persons decided.

Everything is done by the operations that the pages use, on accounts that are picked by what they
are, in the order of their numbers. All of it is one transaction beside the watch of the usage,
so that it is there whole or not at all; done before, it changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from django.db import transaction

from chamberlain.billing.adjusting.operations import Wanted, approve_adjustment, ask_adjustment
from chamberlain.billing.certificates.operations import (
    Identification,
    NewApplication,
    accept_application,
    submit_application,
)
from chamberlain.billing.deposits.operations import ask_deposit
from chamberlain.billing.finals.operations import Leaving, ask_final_bill
from chamberlain.billing.occupancy import Forwarding
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
from chamberlain.cities.demonstration.history import calendar_of
from chamberlain.cities.loading import city_folder
from chamberlain.cities.schema import read_city
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, actor_named
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.paper import pdf
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_business_day
from chamberlain.ledger.queries import open_day
from chamberlain.metering.watching.watches import plan_watch, run_watch
from chamberlain.registry.documents import keep_document
from chamberlain.registry.models import Ownership, Property
from chamberlain.registry.operations import add_contact, change_holder, register_customer
from chamberlain.registry.ownership import end_ownership, record_ownership
from chamberlain.registry.preferences import choose_mail, mark_customer

KEY = "demonstration"
COURT_CASE = "26-10842"
_DEED = Path(__file__).parent / "templates" / "deed.typ"
_WATCHED_DAYS = 75
_TRIED = 40

_ACCOUNTS = """
    SELECT a.id, a.number, h.customer_id, h.property_id
    FROM ledger_account a
    JOIN registry_accountholding h ON h.account_id = a.id AND upper(h.period) IS NULL
    JOIN registry_customer c ON c.id = h.customer_id
    JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    WHERE a.number LIKE 'CH-%%' AND NOT a.id = ANY(%s) AND {which}
    ORDER BY a.number LIMIT %s
"""
_LARGEST_READ = """
    SELECT r.id, r.usage_thousandths, r.from_on, r.to_on FROM billing_bill b
    JOIN metering_read r ON r.id = b.read_id
    WHERE b.account_id = %s AND r.to_on > %s ORDER BY r.usage_thousandths DESC, r.id LIMIT 1
"""
_LARGE_USE = """p.property_type_id IN ('institutional', 'commercial', 'apartments')
    AND EXISTS (SELECT FROM billing_bill WHERE account_id = a.id AND read_id IS NOT NULL)"""
_A_PERSON = "c.kind = 'person' AND coalesce(b.credit_cents, 0) = 0"
_PAID_UP = f"{_A_PERSON} AND coalesce(b.owed_cents, 0) = 0"
_OWES = f"{_A_PERSON} AND b.owed_cents BETWEEN 10000 AND 150000"


@dataclass(frozen=True, slots=True)
class Picked:
    """An account that something is done with."""

    account_id: int
    number: str
    customer_id: int
    property_id: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Who works, on which day; taken: the accounts that something is done with already."""

    clerk: Actor
    supervisor: Actor
    day_id: int
    today: date
    now: datetime
    taken: list[int] = field(default_factory=list)


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
    one_of(desk, _OWES, partial(_leak, desk, cents=4_500, is_approved=True))
    one_of(desk, _OWES, partial(_leak, desk, cents=6_250, is_approved=False))
    one_of(desk, "b.credit_cents > 0 AND b.owed_cents = 0", partial(_refund, desk))
    one_of(desk, _OWES, partial(_plan, desk, which="in force"))
    one_of(desk, "b.owed_cents > 150000", partial(_plan, desk, which="offered"))
    one_of(desk, _A_PERSON, partial(_moves_out, desk))
    one_of(desk, _PAID_UP, partial(_certificate, desk, is_accepted=False))
    one_of(desk, _PAID_UP, partial(_certificate, desk, is_accepted=True))
    one_of(desk, _PAID_UP, partial(_deed_came, desk))
    one_of(desk, _PAID_UP, partial(_own_together, desk))
    one_of(desk, _OWES, partial(_bankrupt, desk))
    one_of(desk, _PAID_UP, partial(_spanish_without_paper, desk))
    one_of(desk, _OWES, partial(_write, desk, code="past_due"))
    one_of(desk, "p.property_type_id IN ('commercial', 'mixed_use')", partial(_deposit, desk))
    one_of(desk, _PAID_UP, partial(_hold_two, desk))
    chosen = past_due(60, 10_000, desk.today)
    ask_batch(desk.supervisor, "past_due", "", chosen, desk.today, desk.now, f"{KEY} letters")


def one_of(desk: Desk, which: str, do: Callable[[Picked], None]) -> bool:
    """Does something with the first account of a kind that it can be done with.

    which: a condition in SQL. Returns whether there was one among the first few.
    """
    for row in rows(_ACCOUNTS.format(which=which), [desk.taken, _TRIED]):
        picked = Picked(*row)
        try:
            with transaction.atomic():
                do(picked)
        except Refused:
            continue
        desk.taken.append(picked.account_id)
        return True
    return False


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


def _moves_out(desk: Desk, picked: Picked) -> None:
    forwarding = Forwarding("18 Cedar Court, Evanston IL", "60201")
    leaving = Leaving(picked.number, desk.today - timedelta(days=2), forwarding)
    ask_final_bill(desk.clerk, leaving, desk.today, desk.now)


def _certificate(desk: Desk, picked: Picked, is_accepted: bool) -> None:
    closing_on = desk.today + timedelta(days=30)
    seller, buyer = _holder(picked), "Irene Castellanos"
    asked = NewApplication(
        picked.number, "buyer", buyer, "312-555-0143", seller, buyer, closing_on
    )  # fmt: skip
    key = f"{KEY} certificate {'accepted' if is_accepted else 'received'}"
    number = submit_application(desk.clerk, asked, desk.today, desk.now, key)
    if is_accepted:
        seen = Identification(government_id=True)
        accept_application(desk.clerk, number, seen, desk.day_id, desk.now)


def _deed_came(desk: Desk, picked: Picked) -> None:
    place = Property.objects.get(pk=picked.property_id)
    data = {
        "recorded_on": f"{desk.today - timedelta(days=9):%B %-d, %Y}",
        "seller": _holder(picked),
        "buyer": "Marguerite Olson",
        "address": place.address,
        "parcel": place.parcel_number,
        "dwelling_units": place.dwelling_units,
    }
    kept = pdf(_DEED, data)
    keep_document(desk.clerk, place.pk, "deed", "warranty-deed.pdf", kept, desk.now)


def _own_together(desk: Desk, picked: Picked) -> None:
    """The holder owned it alone; from today on it is owned with somebody else."""
    whole = Ownership.objects.filter(
        property_id=picked.property_id, customer_id=picked.customer_id, period__endswith=None
    ).first()
    if whole is None:
        raise Refused("The holder does not own this property.")
    end_ownership(desk.clerk, whole.pk, desk.today)
    other_id = register_customer(desk.clerk, "person", "Theodore Lindqvist")
    for customer_id, share in ((picked.customer_id, 6_000), (other_id, 4_000)):
        record_ownership(
            desk.clerk, picked.property_id, customer_id, desk.today, share_basis_points=share
        )


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


def _hold_two(desk: Desk, picked: Picked) -> None:
    """The holder of this account takes over the next one that is paid up."""
    others = rows(_ACCOUNTS.format(which=_PAID_UP), [[*desk.taken, picked.account_id], 1])
    if not others:
        raise Refused("No other account is paid up.")
    other = Picked(*others[0])
    change_holder(desk.clerk, other.account_id, picked.customer_id, desk.today)
    desk.taken.append(other.account_id)


def _holder(picked: Picked) -> str:
    query = "SELECT name FROM registry_customer WHERE id = %s"
    return str(rows(query, [picked.customer_id])[0][0])

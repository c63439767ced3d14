"""Account work of the made-up city: examples of what clerks and supervisors do, by its people.

Every example goes through the operation that a person uses, with the two people that it needs,
on an account that is found by what it has. Made before, it is found again by its key. One that
does not fit the city as it is (a small one may lack such an account) is left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chamberlain.billing.adjusting import operations as adjusting
from chamberlain.billing.certificates import applications
from chamberlain.billing.finals.operations import Leaving, ask_final_bill
from chamberlain.billing.plans.offers import Wanted, charges_for_plan
from chamberlain.billing.plans.operations import approve_plan, offer_plan
from chamberlain.billing.plans.queries import plans_of_account
from chamberlain.billing.plans.terms import terms_on
from chamberlain.billing.rebilling import operations as rebilling
from chamberlain.billing.rebilling import queries as rebills
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.casework.letters import batches
from chamberlain.casework.letters.operations import send_letter
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, actor_of, program_actor
from chamberlain.identity.models import Center, User
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.operations import open_business_day, seal_business_day
from chamberlain.ledger.queries import open_day
from chamberlain.metering.watching.watches import plan_watch, run_watch
from chamberlain.registry import preferences

OFFICE = "REV"
_WATCHED_DAYS = 70


@dataclass(frozen=True, slots=True)
class Example:
    """Something to look at: what it is, and the address of its page."""

    what: str
    page: str


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who works, when, and on which business day of the revenue office."""

    clara: Actor
    amir: Actor
    day_id: int
    today: date
    now: datetime


_ACCOUNTS = """
    SELECT a.id, a.number, k.customer_id, k.property_id
    FROM ledger_account a
    JOIN registry_accountholding k ON k.account_id = a.id AND upper_inf(k.period)
    JOIN ledger_balance b ON b.account_id = a.id
    WHERE a.number LIKE 'CH-%%' AND {having}
        AND EXISTS (SELECT 1 FROM billing_serviceagreement g
            WHERE g.account_id = a.id AND g.is_metered = %(metered)s AND upper_inf(g.period))
    ORDER BY a.number LIMIT 1 OFFSET %(skip)s
"""


def make_account_work(today: date, now: datetime) -> list[Example]:
    """Makes the examples that are missing; returns all of them. Needs the city and its people."""
    desk = _desk(today, now)
    return list(_made(desk))


def _desk(today: date, now: datetime) -> _Desk:
    center_id = Center.objects.get(code=OFFICE).pk
    day = open_day(center_id)
    if day is not None and day.day < today:
        seal_business_day(program_actor(), day.pk, now)
        day = None
    day = day or open_business_day(program_actor(), center_id, today, now)
    people = {name: actor_of(User.objects.get(username=name), today) for name in ("clara", "amir")}
    return _Desk(people["clara"], people["amir"], day.pk, today, now)


def _made(desk: _Desk) -> Iterator[Example]:
    examples: tuple[Callable[[_Desk], Example], ...] = (
        _rebill_posted,
        _rebill_waiting,
        _adjustment_posted,
        _adjustment_waiting,
        _plan,
        _final_bill,
        _certificate,
        _holder_of_note,
        _letter,
        _letters_to_many,
        _usage_worklist,
    )
    for make in examples:
        try:
            yield make(desk)
        except (Refused, LookupError):
            continue


def _account(skip: int, having: str = "true", *, metered: bool = True) -> tuple[int, str, int, int]:
    found = rows(_ACCOUNTS.format(having=having), {"skip": skip, "metered": metered})
    if not found:
        raise LookupError(having)
    account_id, number, customer_id, property_id = found[0]
    return int(account_id), str(number), int(customer_id), int(property_id)


def _before(table: str, key: str) -> str:
    """The number of what was made with a key before, "" when nothing was."""
    found = rows(f"SELECT number FROM {table} WHERE idempotency_key = %s", [key])
    return str(found[0][0]) if found else ""


def _draft(desk: _Desk, number: str, corrections: Corrections, key: str, since: date) -> int:
    asked = rebilling.NewRebill(
        number, since, None, "read_wrong", "The holder sent a picture of the dial", corrections
    )
    return rebilling.draft_rebill(desk.clara, asked, desk.today, desk.now, key)


def _rebill_posted(desk: _Desk) -> Example:
    account_id, number, *_ = _account(10)
    since = desk.today - timedelta(days=180)
    reads = rebills.reads_to_correct(account_id, since, None)
    last = reads[-1]
    corrections = Corrections(reads={last.read_id: last.usage_thousandths * 4 // 5})
    rebill_id = _draft(desk, number, corrections, "demonstration rebill 1", since)
    row = rebills.rebill(rebill_id).row
    if row.status == "draft" and row.needs_approval:
        rebilling.ask_for_approval(desk.clara, rebill_id)
    if row.status != "posted":
        poster = desk.amir if row.needs_approval else desk.clara
        rebilling.post_rebill(poster, rebill_id, desk.day_id, desk.today, desk.now)
    return Example("A bill set right, old against new", f"/rebills/{rebill_id}/")


def _rebill_waiting(desk: _Desk) -> Example:
    account_id, number, *_ = _account(11)
    [(bill, from_on)] = rows(
        """SELECT number, from_on FROM billing_bill b WHERE account_id = %s AND entry_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)
           ORDER BY id DESC LIMIT 1""",
        [account_id],
    )
    key = "demonstration rebill 2"
    rebill_id = _draft(desk, number, Corrections(takes_back=(bill,)), key, from_on)
    if rebills.rebill(rebill_id).row.status == "draft":
        rebilling.ask_for_approval(desk.clara, rebill_id)
    return Example("A bill that is to be taken back, waiting for another person",
                   f"/rebills/{rebill_id}/")  # fmt: skip


def _ask(desk: _Desk, number: str, cents: int, note: str, key: str) -> str:
    wanted = adjusting.Wanted(number, "leak_repaired", cents, note)
    return adjusting.ask_adjustment(desk.clara, wanted, desk.today, desk.now, key)


def _adjustment_posted(desk: _Desk) -> Example:
    key = "demonstration adjustment 1"
    note = "Toilet ran for a month; the plumber's bill is on file"
    asked = _before("adjusting_adjustment", key)
    asked = asked or _ask(desk, _account(12, "b.owed_cents > 5000")[1], 4_000, note, key)
    if rows("SELECT 1 FROM adjusting_adjustment WHERE number = %s AND status = 'asked'", [asked]):
        adjusting.approve_adjustment(desk.amir, asked, desk.day_id, desk.now, "Seen the bill")
    return Example("A leak credit that another person approved", f"/adjustments/{asked}/")


def _adjustment_waiting(desk: _Desk) -> Example:
    key = "demonstration adjustment 2"
    note = "Pipe burst in the yard in the frost"
    asked = _before("adjusting_adjustment", key)
    asked = asked or _ask(desk, _account(13, "b.owed_cents > 9000")[1], 7_500, note, key)
    return Example("An adjustment that waits for approval", f"/adjustments/{asked}/")


def _plan(desk: _Desk) -> Example:
    key = "demonstration plan 1"
    number = _before("plans_plan", key)
    if not number:
        account_id, *_ = _account(3, "b.owed_cents BETWEEN 20000 AND 90000")
        kinds = terms_on(desk.today)
        charges = tuple(each.charge_id for each in charges_for_plan(account_id, kinds))
        wanted = Wanted(account_id, charges, "standard", 6)
        number = offer_plan(desk.clara, wanted, desk.today, desk.now, key)
        if plans_of_account(account_id)[0].status == "offered":
            approve_plan(desk.amir, number, desk.today, desk.now)
    return Example("A payment plan in instalments", f"/plans/{number}/")


def _final_bill(desk: _Desk) -> Example:
    found = rows(
        """SELECT a.number FROM finals_moveout m JOIN ledger_account a ON a.id = m.account_id
           WHERE a.number LIKE 'CH-%%' ORDER BY m.id LIMIT 1""",
        [],
    )
    number = found[0][0] if found else _account(15)[1]
    if not found:
        ask_final_bill(desk.clara, Leaving(number, desk.today), desk.today, desk.now)
    return Example("A holder who moves out, with the final read asked for", "/finals/")


def _certificate(desk: _Desk) -> Example:
    key = "demonstration certificate 1"
    made = _before("certificates_application", key)
    if made:
        return Example("A full payment certificate, its closing near", f"/certificates/{made}/")
    _, number, _, property_id = _account(16)
    [(seller,)] = rows(
        """SELECT c.name FROM registry_ownership o JOIN registry_customer c ON c.id = o.customer_id
           WHERE o.property_id = %s AND upper_inf(o.period) ORDER BY o.id LIMIT 1""",
        [property_id],
    )
    asked = applications.NewApplication(
        number, "seller", seller, "312 555 0117", seller, "Jordan Ellis",
        desk.today + timedelta(days=9),
    )  # fmt: skip
    made = applications.submit_application(desk.clara, asked, desk.today, desk.now, key)
    seen = applications.Identification(government_id=True)
    applications.accept_application(desk.clara, made, seen, desk.day_id, desk.now)
    return Example("A full payment certificate, its closing near", f"/certificates/{made}/")


def _holder_of_note(desk: _Desk) -> Example:
    _, number, customer_id, _ = _account(
        0,
        """EXISTS (SELECT 1 FROM registry_contact e JOIN registry_customer c ON c.id = e.customer_id
            WHERE c.id = k.customer_id AND c.kind = 'person' AND e.kind = 'email')""",
    )
    preferences.choose_mail(desk.clara, customer_id, "es", True)
    if not rows("SELECT 1 FROM registry_customermark WHERE customer_id = %s", [customer_id]):
        preferences.mark_customer(
            desk.clara, customer_id, "bankrupt", desk.today, desk.today, "24-B-01877"
        )
    return Example("A holder in bankruptcy, in Spanish and without paper", f"/accounts/{number}/")


def _letter(desk: _Desk) -> Example:
    key = "demonstration letter 1"
    number = _before("letters_letter", key)
    if not number:
        account_id, *_ = _account(17, "b.owed_cents > 1000")
        number = send_letter(desk.clara, account_id, "past_due", desk.today, desk.now, key)
    return Example("A letter as it was sent", f"/letters/{number}/")


def _letters_to_many(desk: _Desk) -> Example:
    chosen = batches.past_due(30, 10_000, desk.today)
    few = batches.Chosen(chosen.account_ids[:200], chosen.asked)
    batch_id = batches.ask_batch(
        desk.amir, "past_due", "", few, desk.today, desk.now, "demonstration letters 1"
    )
    return Example("A letter to many, to be looked at", f"/letters/batches/{batch_id}/")


def _usage_worklist(desk: _Desk) -> Example:
    if not rows("SELECT 1 FROM watching_watch WHERE finished_at IS NOT NULL LIMIT 1", []):
        since = desk.today - timedelta(days=_WATCHED_DAYS)
        run_watch(plan_watch(desk.amir, desk.today, desk.now, "demonstration watch", since))
    return Example("Usage that somebody should look at", "/usage-worklist/")

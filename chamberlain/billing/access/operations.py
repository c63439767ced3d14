"""What residents do at their account, and what the office does with what they asked for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from chamberlain.billing.access import queries
from chamberlain.billing.access.codes import is_code_of_application, is_code_of_bill
from chamberlain.billing.access.models import Entrance, PlanApplication
from chamberlain.billing.access.queries import Held, own_charges
from chamberlain.billing.access.terms import terms_on
from chamberlain.billing.certificates import queries as certificates
from chamberlain.billing.certificates.queries import ApplicationRow
from chamberlain.billing.plans import terms as plan_terms
from chamberlain.billing.plans.models import Plan
from chamberlain.billing.plans.offers import Offer, Wanted, charges_for_plan, what_if
from chamberlain.identity.actors import Actor, acting, program_actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.periods import add_months
from chamberlain.ledger.posting import lock_balances

_CODES = 48
_NO_HOLDER = Held(0, "", 0, 0, "", "en", date.max)
_INSTALMENTS = (2, 3, 4, 6, 9, 12, 18, 24, 30, 36, 48, 60)


def enter(account_number: str, code: str, network: str, today: date, now: datetime) -> Held | None:
    """Who has this number and a code of one of the holder's own latest bills; None for others.

    Each try is recorded. A wrong number costs as many steps as a wrong code, so that neither
    answer nor time tells which it was. Raises NotOffered without the city's terms.
    """
    terms = terms_on(today)
    number = account_number.strip().upper()[:24].replace("\0", "")
    of = queries.held_by_number(number, today)
    since = add_months(today, -terms.code_months)
    bills = list(queries.bills_with_codes(of or _NO_HOLDER, since, _CODES))
    # The same number of codes is compared, however many bills there are.
    others = [(-place, "") for place in range(_CODES - len(bills))]
    fits = [is_code_of_bill(code, *bill) for bill in [*bills, *others]]
    is_let_in = of is not None and any(fits[: len(bills)])
    Entrance.objects.create(
        account_id=of.account_id if of else None,
        happened_at=now,
        network=network[:60],
        was_let_in=is_let_in,
    )
    return of if is_let_in else None


def application_by_code(number: str, code: str) -> ApplicationRow | None:
    """An application for a certificate, for whoever has its number and its code; else None."""
    typed = number.strip().upper()[:16].replace("\0", "")
    fits = is_code_of_application(code, typed)
    try:
        found = certificates.application(typed)
    except NotFound:
        return None
    return found if fits else None


def plan_choices(of: Held, today: date) -> list[Offer]:
    """The plans that the holder could ask for over all they owe, the shortest first."""
    found: list[Offer] = []
    terms = plan_terms.terms_on(today)
    wanted = _wanted(of, today)
    for kind in terms:
        for instalments in _INSTALMENTS:
            try:
                asked = replace(wanted, terms_code=kind.code, instalments=instalments)
                found.append(what_if(asked, today))
            except Refused:
                continue
    return found


def _wanted(of: Held, today: date) -> Wanted:
    own = {charge.charge_id for charge in own_charges(of.account_id, of.since)}
    charges: Sequence[int] = [
        charge.charge_id
        for charge in charges_for_plan(of.account_id, plan_terms.terms_on(today))
        if charge.charge_id in own
    ]
    return Wanted(of.account_id, tuple(charges), "", 0)


def ask_for_plan(
    of: Held,
    terms_code: str,
    instalments: int,
    phone: str,
    today: date,
    now: datetime,
    idempotency_key: str,
) -> int:
    """The holder asks for a plan over all they owe; returns the application's id.

    A clerk makes the plan, or answers. The same key returns the same application. Raises what
    `what_if` raises, AlreadyDone when one waits or a plan runs.
    """
    with acting(program_actor()), transaction.atomic():
        lock_balances([of.account_id])
        made = PlanApplication.objects.filter(idempotency_key=idempotency_key).first()
        if made:
            return made.pk
        _check_none_runs(of)
        offer = what_if(
            replace(_wanted(of, today), terms_code=terms_code, instalments=instalments), today
        )
        _close_met(of, now)
        return PlanApplication.objects.create(
            account_id=of.account_id,
            customer_id=of.customer_id,
            terms=plan_terms.terms_row(terms_code, today),
            instalments=instalments,
            total_cents=offer.total_cents,
            phone=phone.strip()[:32],
            asked_at=now,
            idempotency_key=idempotency_key,
        ).pk


def _check_none_runs(of: Held) -> None:
    running = Plan.objects.filter(
        account_id=of.account_id, status__in=[Plan.Status.OFFERED, Plan.Status.IN_FORCE]
    )
    if running.exists():
        raise AlreadyDone("The account has a payment plan already; ask the revenue office.")
    latest = queries.latest_asked_plan(of.account_id, of.customer_id)
    if latest is not None and latest.is_waiting:
        raise AlreadyDone("An application waits for its answer already.")


def _close_met(of: Held, now: datetime) -> None:
    """Ends what an earlier plan has met, or a holder before asked for."""
    PlanApplication.objects.filter(account_id=of.account_id, answered_at=None).update(
        answered_at=now, answered_by_id=program_actor().user_id
    )


def answer_plan_application(actor: Actor, application_id: int, reply: str, now: datetime) -> None:
    """Answers an application without making a plan; the holder reads the reply.

    Raises Invalid without a reply, NotFound, AlreadyDone.
    """
    actor.require("plan.offer")
    if not reply.strip():
        raise Invalid("Give the answer; the resident reads it.", field="reply")
    with acting(actor), transaction.atomic():
        found = PlanApplication.objects.select_for_update().filter(pk=application_id).first()
        if found is None:
            raise NotFound(f"There is no application {application_id}; look at the list.")
        if found.answered_at is not None:
            raise AlreadyDone("This application was answered already; look at the list.")
        found.answered_at, found.answered_by_id = now, actor.user_id
        found.reply = reply.strip()[:200]
        found.save(update_fields=["answered_at", "answered_by", "reply"])

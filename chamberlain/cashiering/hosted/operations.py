"""Paying on a provider's page: setting out, hearing of it, and posting it once."""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from django.db import IntegrityError, transaction
from django.utils import timezone

from chamberlain.billing.access.queries import Held, own_charges
from chamberlain.billing.access.terms import terms_on
from chamberlain.cashiering.hosted.models import Intent, Notice
from chamberlain.cashiering.hosted.provider import (
    FAILED,
    PAID,
    Asked,
    NotReached,
    Provider,
    Session,
    Told,
)
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import AlreadyDone, Invalid, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.allocation import allocate
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import DayClosed, lock_balances
from chamberlain.ledger.queries import open_charges, open_charges_frame

log = logging.getLogger("chamberlain.cashiering")

CHANNEL = "processor"
CURRENCY = "USD"
_ASKED_AFTER = timedelta(minutes=10)
_ASKED_FOR = timedelta(days=3)
# After that once a day, at the time of day at which the resident set out, as the job runs so often.
_RUNS_EVERY = timedelta(minutes=10)
_ASKED_DAILY_FOR = timedelta(days=60)
Outcome = Notice.Outcome


@dataclass(frozen=True, slots=True)
class Back:
    """Where the payer comes back to, where notices go, and what the provider's page says."""

    return_url: str
    notice_url: str
    description: str
    language: str


class NotAllowed(Invalid):
    """An amount outside of the city's limits, which it names in cents."""

    def __init__(self, smallest_cents: int, largest_cents: int) -> None:
        super().__init__(
            f"Give an amount from {show_cents(smallest_cents)} to {show_cents(largest_cents)}.",
            field="amount",
        )
        self.smallest_cents = smallest_cents
        self.largest_cents = largest_cents


def start_payment(
    of: Held, cents: int, back: Back, provider: Provider, now: datetime, idempotency_key: str
) -> Intent:
    """Sets out to pay an amount and asks the provider for its page; the intent has its address.

    The same key returns the same intent. Raises NotAllowed, AlreadyDone when the key was used for
    another payment, NotReached when the provider does not answer; nothing is charged then, and
    the same key may try again.
    """
    terms = terms_on(timezone.localtime(now).date())
    if not terms.smallest_payment_cents <= cents <= terms.largest_payment_cents:
        raise NotAllowed(terms.smallest_payment_cents, terms.largest_payment_cents)
    intent, _ = Intent.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "reference": f"CP-{secrets.token_hex(12)}",
            "account_id": of.account_id,
            "held_since": of.since,
            "cents": cents,
            "currency": CURRENCY,
            "created_at": now,
            "changed_at": now,
        },
    )
    if (intent.account_id, intent.cents, intent.held_since) != (of.account_id, cents, of.since):
        raise AlreadyDone("This form was used for another payment before; start again.")
    if intent.status != Intent.Status.STARTED:
        return intent
    # No transaction is open while the provider is asked.
    session = provider.create_session(
        Asked(
            intent.reference,
            cents,
            CURRENCY,
            back.description,
            back.language,
            back.return_url,
            back.notice_url,
        )
    )
    return _sent(intent.pk, session, now)


def _sent(intent_id: int, session: Session, now: datetime) -> Intent:
    with transaction.atomic():
        intent = Intent.objects.select_for_update().get(pk=intent_id)
        if intent.status == Intent.Status.STARTED:
            intent.status, intent.changed_at = Intent.Status.SENT, now
            intent.session_id, intent.page_url = session.session_id, session.page_url
            intent.save(update_fields=["status", "changed_at", "session_id", "page_url"])
    return intent


def hear(told: Told, now: datetime) -> str:
    """Takes a genuine notice of the provider: posts the payment once, or notes that there is none.

    The same notice again, and another one that tells nothing new, change nothing. A payment that
    belongs to none of ours, or is of another amount or currency, is kept for a person to look at
    and posts nothing. Returns the outcome, one of Notice.Outcome.
    """
    try:
        with transaction.atomic():
            if Notice.objects.filter(event_id=told.event_id).exists():
                return Outcome.NOTHING_NEW
            intent = _locked(told)
            outcome = _take(intent, told, now)
            _keep(told, intent, outcome, now)
            return outcome
    except IntegrityError as error:
        # The same notice came twice at once, and the other one was kept.
        if "event_id" not in str(error):
            raise
        return Outcome.NOTHING_NEW


def ask_provider(intent: Intent, provider: Provider, now: datetime) -> Intent:
    """Asks how a payment that is under way stands, in case a notice was lost. Raises NotReached."""
    if intent.status == Intent.Status.SENT and intent.session_id:
        told = provider.fetch(intent.session_id)
        with transaction.atomic():
            found = _locked(told)
            if found is not None and found.pk == intent.pk:
                outcome = _take(found, told, now)
                if outcome in _TO_LOOK_AT:
                    _keep_answer(told, found, outcome, now)
    elif intent.status == Intent.Status.PAID:
        post_waiting(intent, now)
    return Intent.objects.get(pk=intent.pk)


def post_waiting(intent: Intent, now: datetime) -> str:
    """Posts a payment that was made and waits, if a day is open now; returns the outcome.

    One that cannot be posted after all is kept for a person to look at, once.
    """
    with transaction.atomic():
        found = Intent.objects.select_for_update().get(pk=intent.pk)
        outcome = _post(found, now)
        if outcome == Outcome.NOT_POSTED and not found.notices.filter(outcome=outcome).exists():
            _keep_answer(_paid(found), found, outcome, now)
        return outcome


def _paid(intent: Intent) -> Told:
    """What the provider told of a payment that was made."""
    return Told(
        event_id="",
        session_id=intent.session_id or "",
        reference=intent.reference,
        status=PAID,
        cents=intent.cents,
        currency=intent.currency,
        payment=intent.provider_payment,
    )


_TO_LOOK_AT = (
    Outcome.UNKNOWN,
    Outcome.WRONG_AMOUNT,
    Outcome.WRONG_CURRENCY,
    Outcome.PAID_AGAIN,
    Outcome.NOT_POSTED,
)


def _keep_answer(told: Told, intent: Intent, outcome: str, now: datetime) -> None:
    """An answer has no number of an event; it is kept once for each thing that it says."""
    event_id = f"answer {told.session_id} {outcome}"[:80]
    if not Notice.objects.filter(event_id=event_id).exists():
        _keep(told, intent, outcome, now, event_id)


def _keep(
    told: Told, intent: Intent | None, outcome: str, now: datetime, event_id: str = ""
) -> None:
    Notice.objects.create(
        event_id=event_id or told.event_id,
        intent=intent,
        reference=told.reference,
        session_id=told.session_id,
        provider_payment=told.payment,
        status=told.status,
        cents=told.cents,
        currency=told.currency,
        received_at=now,
        outcome=outcome,
    )


def _locked(told: Told) -> Intent | None:
    """The intent that is told of; its page may be known to the provider before it is to us."""
    intent = Intent.objects.select_for_update().filter(reference=told.reference).first()
    if intent is None or intent.session_id not in (None, told.session_id):
        return None
    return intent


def _take(intent: Intent | None, told: Told, now: datetime) -> str:
    if intent is None:
        return Outcome.UNKNOWN
    if told.status == PAID:
        return _take_paid(intent, told, now)
    if told.status == FAILED and intent.status in (Intent.Status.STARTED, Intent.Status.SENT):
        intent.status, intent.changed_at = Intent.Status.FAILED, now
        intent.save(update_fields=["status", "changed_at"])
        return Outcome.FAILED
    return Outcome.NOTHING_NEW


def _take_paid(intent: Intent, told: Told, now: datetime) -> str:
    if told.currency.upper() != intent.currency:
        return Outcome.WRONG_CURRENCY
    if told.cents != intent.cents:
        return Outcome.WRONG_AMOUNT
    if intent.status in (Intent.Status.PAID, Intent.Status.POSTED):
        is_same = intent.provider_payment == told.payment
        return Outcome.NOTHING_NEW if is_same else Outcome.PAID_AGAIN
    # Money that came after all, even once it was said that none would, is posted.
    intent.status, intent.provider_payment = Intent.Status.PAID, told.payment
    intent.session_id = told.session_id
    intent.sentence, intent.changed_at = "", now
    intent.save()
    return _post(intent, now)


def _post(intent: Intent, now: datetime) -> str:
    """Posts a paid intent on the revenue office's open day; without one it waits."""
    if intent.status != Intent.Status.PAID:
        return Outcome.NOTHING_NEW
    number = intent.account.number
    try:
        with transaction.atomic():
            lock_balances([intent.account_id])
            payment = NewPayment(
                number, intent.cents, CHANNEL, intent.provider_payment, _items(intent)
            )
            posted, _ = post_payment(
                program_actor(),
                revenue_office().center_id,
                payment,
                now,
                f"hosted {intent.reference}",
            )
    except DayClosed:
        return Outcome.WAITS
    except Refused as refusal:
        intent.sentence = refusal.sentence[:300]
        intent.save(update_fields=["sentence"])
        log.warning("a card payment could not be posted: %s", refusal.sentence)
        return Outcome.NOT_POSTED
    intent.status, intent.entry_id = Intent.Status.POSTED, posted.payment_id
    intent.sentence, intent.changed_at = "", now
    intent.save(update_fields=["status", "entry", "sentence", "changed_at"])
    return Outcome.POSTED


def _items(intent: Intent) -> Sequence[tuple[int, int]] | None:
    """The holder's own charges in the city's order; None when nothing at all is open.

    Raises Refused when only charges of a holder before are open: who paid does not owe them.
    """
    own = {charge.charge_id for charge in own_charges(intent.account_id, intent.held_since)}
    if not own:
        if open_charges([intent.account_id]):
            raise Refused(
                "Only charges of an earlier holder are open on the account. Do not take this "
                "payment again: it posts itself once the present holder owes something."
            )
        return None
    paid = pl.DataFrame({"account_id": [intent.account_id], "cents": [intent.cents]})
    charges = open_charges_frame([intent.account_id])
    settled = allocate(paid, charges.filter(pl.col("charge_id").is_in(list(own))))
    return [(int(row[0]), int(row[1])) for row in settled.select("charge_id", "cents").iter_rows()]


def look_after(actor: Actor, provider: Provider, now: datetime) -> int:
    """Posts what was paid and waits, and asks how payments stand that were not heard of.

    Runs every ten minutes. What was not heard of is asked about each time for three days, then
    once a day for sixty. Returns how many came to an end. A provider that is away is asked again
    the next time.
    """
    actor.require("payment.post")
    ended = 0
    under_way = Intent.objects.filter(
        status__in=[Intent.Status.SENT, Intent.Status.PAID],
        created_at__lte=now - _ASKED_AFTER,
        created_at__gte=now - _ASKED_FOR,
    )
    old_but_paid = Intent.objects.filter(status=Intent.Status.PAID)
    daily = Intent.objects.filter(
        status=Intent.Status.SENT,
        created_at__lt=now - _ASKED_FOR,
        created_at__gte=now - _ASKED_DAILY_FOR,
    )
    due = [one for one in daily if (now - one.created_at) % timedelta(days=1) < _RUNS_EVERY]
    for intent in [*(under_way | old_but_paid).order_by("pk"), *due]:
        ended += _ended(lambda one=intent: ask_provider(one, provider, now))  # type: ignore[misc]
    return ended


def _ended(ask: Callable[[], Intent]) -> bool:
    try:
        return ask().status in (Intent.Status.POSTED, Intent.Status.FAILED)
    except NotReached:
        return False

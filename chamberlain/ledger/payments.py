"""Payments that no counter took: a lockbox, a processor of cards, a bank transfer, an agent.

The money stands in the channel's clearing account until the bank reports it. It settles the
charges that the payer named, or, on account, the open charges in the city's order; what is left
becomes credit of the account. A payment carries the sender's key, unique in the database: sent
again, it is not posted again, and its first result is returned.

An entry keeps all that makes a payment, so the second request is held against the entry itself:
its account, amount, channel and reference, and the charges if they were named.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import IntegrityError, connection, transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.kernel.money import LARGEST_CENTS, show_cents
from chamberlain.ledger import chart, queries
from chamberlain.ledger.allocation import allocate
from chamberlain.ledger.models import Entry
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, lock_balances, post

PAYMENT = "payment"
_ON_ACCOUNT = "on account"
_AS_NAMED = "as the payer named"


class KeyUsedBefore(Invalid):
    """The idempotency key belongs to another payment."""


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment made elsewhere.

    cents: > 0. channel: one of chart.CHANNELS. reference: the channel's own number of the
    payment, at most 40 characters. items: (charge id, cents) as the payer named them; None pays
    on account.
    """

    account_number: str
    cents: int
    channel: str
    reference: str
    items: Sequence[tuple[int, int]] | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a payment settled of a charge."""

    charge_id: int
    cents: int


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A posted payment. cents is the sum of what it settled and what became credit."""

    payment_id: int
    account_number: str
    cents: int
    channel: str
    reference: str
    is_named: bool
    day: date
    center: str
    posted_at: datetime
    actor: str
    settled: tuple[Settled, ...]
    credit_cents: int
    is_reversed: bool


def post_payment(
    actor: Actor, center_id: int, payment: NewPayment, now: datetime, idempotency_key: str
) -> tuple[PaymentView, bool]:
    """Posts a payment on the center's open business day. Returns it, and whether it is new.

    Raises NotFound (account), Invalid (amount, channel, items), DayClosed (no open day),
    OverSettled, KeyUsedBefore (same key, other payment). Nothing is posted then.
    """
    actor.require("payment.post", center_id)
    _check(payment)
    key = _stored_key(actor, idempotency_key)
    with transaction.atomic():
        account_id = queries.account_id_of(payment.account_number)
        lock_balances([account_id])
        if found := _posted(key, payment):
            return found, False
        legs = _legs(account_id, payment)
        try:
            with transaction.atomic():
                entry_id = post(_entry(actor, center_id, payment, now, key, legs))
        except IntegrityError as error:
            # Two requests with one key for two accounts do not wait for each other above.
            if "idempotency_key" not in str(error) or not (found := _posted(key, payment)):
                raise
            return found, False
        return posted_payment(entry_id), True


def posted_payment(payment_id: int) -> PaymentView:
    """A payment by its id. Raises NotFound."""
    found = _view("e.id = %s", payment_id)
    if found is None:
        raise NotFound(f"There is no payment {payment_id}; check its number.")
    return found


def _check(payment: NewPayment) -> None:
    if not 0 < payment.cents <= LARGEST_CENTS:
        raise Invalid("A payment is of at least one cent.", field="cents")
    if payment.channel not in chart.CHANNELS:
        known = ", ".join(chart.CHANNELS)
        raise Invalid(f"“{payment.channel[:24]}” is no channel; use {known}.", field="channel")
    if not payment.reference.strip() or len(payment.reference) > 40:
        raise Invalid(
            "A payment needs the channel's reference, of at most 40 characters.", field="reference"
        )
    if payment.items is None:
        return
    charge_ids = [charge_id for charge_id, _ in payment.items]
    if not charge_ids or len(set(charge_ids)) < len(charge_ids):
        raise Invalid(
            "Name each charge once, at least one; to pay on account leave them out.", field="items"
        )
    if any(cents <= 0 for _, cents in payment.items):
        raise Invalid("Each charge is paid by at least one cent.", field="items")
    named = sum(cents for _, cents in payment.items)
    if named > payment.cents:
        raise Invalid(
            f"The charges named come to {show_cents(named)}, more than the "
            f"{show_cents(payment.cents)} paid.",
            field="items",
        )


def _stored_key(actor: Actor, key: str) -> str:
    """Keys of two senders do not meet: the key is kept with who sent it, in 64 characters."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"payment:{actor.user_id}:{digest}"[:64]


def _entry(
    actor: Actor, center_id: int, payment: NewPayment, now: datetime, key: str, legs: list[Leg]
) -> NewEntry:
    day = queries.open_day(center_id)
    if day is None:
        raise DayClosed("The center has no open business day; open one and post again.")
    return NewEntry(
        business_day_id=day.pk,
        kind=PAYMENT,
        actor_id=actor.user_id,
        posted_at=now,
        document=payment.reference,
        legs=legs,
        reason=_ON_ACCOUNT if payment.items is None else _AS_NAMED,
        idempotency_key=key,
    )


def _legs(account_id: int, payment: NewPayment) -> list[Leg]:
    debit = chart.ledger_account_id(chart.clearing_code(payment.channel))
    receivables = {kind.code: kind.receivable_id for kind in chart.charge_kinds().values()}
    open_charges = {c.charge_id: c for c in queries.open_charges([account_id])}
    legs = []
    for charge_id, cents in _items(account_id, payment):
        charge = open_charges.get(charge_id)
        if charge is None:
            raise Invalid(
                f"Charge {charge_id} is not open on account {payment.account_number}; "
                "look at the account again.",
                field="items",
            )
        if cents > charge.open_cents:
            raise Invalid(
                f"Only {show_cents(charge.open_cents)} is open on charge {charge_id}; "
                "leave the rest as credit.",
                field="items",
            )
        legs.append(Leg(debit, receivables[charge.kind], cents, "settle", account_id, charge_id))
    left = payment.cents - sum(leg.cents for leg in legs)
    if left:
        credits_id = chart.ledger_account_id(chart.CREDITS)
        legs.append(Leg(debit, credits_id, left, "none", account_id))
    return legs


def _items(account_id: int, payment: NewPayment) -> Sequence[tuple[int, int]]:
    if payment.items is not None:
        return payment.items
    paid = pl.DataFrame({"account_id": [account_id], "cents": [payment.cents]})
    settled = allocate(paid, queries.open_charges_frame([account_id]))
    return [(int(row[0]), int(row[1])) for row in settled.select("charge_id", "cents").iter_rows()]


def _posted(key: str, payment: NewPayment) -> PaymentView | None:
    """The payment of a key, if it is there and the same one. Raises KeyUsedBefore."""
    entry_id = Entry.objects.filter(idempotency_key=key).values_list("pk", flat=True).first()
    if entry_id is None:
        return None
    view = posted_payment(entry_id)
    named = None if payment.items is None else sorted(payment.items)
    was_named = sorted((s.charge_id, s.cents) for s in view.settled) if view.is_named else None
    if (view.account_number, view.cents, view.channel, view.reference, was_named) != (
        payment.account_number,
        payment.cents,
        payment.channel,
        payment.reference,
        named,
    ):
        raise KeyUsedBefore(
            "This idempotency key was used for another payment; send a new one with a new key.",
            field="Idempotency-Key",
        )
    return view


_VIEW = """
    SELECT e.id, a.number, sum(t.cents)::bigint, max(d.code), e.document, e.reason, b.day, c.code,
        e.posted_at, coalesce(nullif(u.display_name, ''), u.username),
        coalesce(array_agg(ARRAY[t.charge_id, t.cents] ORDER BY t.id)
            FILTER (WHERE t.effect = 'settle'), '{}'),
        coalesce(sum(t.cents) FILTER (WHERE t.effect = 'none'), 0)::bigint,
        EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)
    FROM ledger_entry e
    JOIN ledger_transfer t ON t.entry_id = e.id
    JOIN ledger_account a ON a.id = t.account_id
    JOIN ledger_ledgeraccount d ON d.id = t.debit_id
    JOIN ledger_businessday b ON b.id = e.business_day_id
    JOIN identity_center c ON c.id = b.center_id
    JOIN identity_user u ON u.id = e.actor_id
    WHERE e.kind = 'payment' AND d.code LIKE '1040-%%' AND
"""


def _view(where: str, value: int) -> PaymentView | None:
    with connection.cursor() as cursor:
        cursor.execute(
            _VIEW + where + " GROUP BY e.id, a.number, b.day, c.code, u.display_name, u.username",
            [value],
        )
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        return None
    settled = tuple(Settled(int(pair[0]), int(pair[1])) for pair in row[10])
    channel = str(row[3]).partition("-")[2]
    return PaymentView(
        payment_id=row[0],
        account_number=row[1],
        cents=row[2],
        channel=channel,
        reference=row[4],
        is_named=row[5] == _AS_NAMED,
        day=row[6],
        center=row[7],
        posted_at=row[8],
        actor=row[9],
        settled=settled,
        credit_cents=row[11],
        is_reversed=row[12],
    )

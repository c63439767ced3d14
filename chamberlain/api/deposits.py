"""Deposits of customers: asked for by the city's rule, held, released."""

from datetime import date
from typing import Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from chamberlain.api.fields import (
    Body,
    Cursor,
    DocumentNumber,
    IdempotencyKey,
    Limit,
    Number,
    Page,
    Text,
    offset_of,
    page_of,
    shown,
)
from chamberlain.api.posting import own_key, posting_day_id, refuse_other_body
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.deposits import operations, queries, requiring
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Deposits"])


class DepositReasonIn(Body):
    """Why; it stays with the deposit."""

    reason: Text


class DepositOut(Schema):
    """A deposit. whole_on: since when it is paid in full; closed_on: null while it is open."""

    number: str
    account: str
    basis: str
    asked_on: date
    asked_by: str
    cents: int
    held_cents: int
    unpaid_cents: int
    whole_on: date | None
    closed_on: date | None


class MovementOut(Schema):
    """Cents by which what is owed back rose or fell."""

    on: date
    kind: str
    label: str
    cents: int
    entry_id: int
    by: str


class DepositWithMovements(DepositOut):
    """A deposit with what moved on it, and the interest that it would bring today.

    waits: why it is not released yet, in a sentence; "" when its term is over.
    """

    accrued_cents: int
    waits: str
    movements: list[MovementOut]


class RequiredOut(Schema):
    """What the city's rule asks of the account today, and the account's deposits."""

    required_cents: int
    basis: str
    deposits: list[DepositOut]


class MovedOut(Schema):
    """Cents that were taken back or released."""

    number: str
    cents: int


@router.get("/accounts/{number}/deposits", response=RequiredOut, summary="Of an account")
def of_account(request: HttpRequest, number: Number) -> RequiredOut:
    """What the rule asks of an account, and its deposits, the latest first."""
    actor_of_request(request).require("account.view")
    account_id = account_id_of(number)
    try:
        required = requiring.required_of(account_id, timezone.localdate())
        cents, basis = required.cents, required.basis
    except NotFound as refusal:
        cents, basis = 0, refusal.sentence
    found = queries.deposits_of_account(account_id)
    return RequiredOut(
        required_cents=cents, basis=basis, deposits=[shown(DepositOut, each) for each in found]
    )


@router.post(
    "/accounts/{number}/deposits",
    response={201: DepositWithMovements, 200: DepositWithMovements},
    summary="Ask for a deposit",
)
def ask(
    request: HttpRequest, number: Number, idempotency_key: IdempotencyKey
) -> Status[DepositWithMovements]:
    """Asks the deposit that the city's rule requires, once; any counter takes it."""
    actor = actor_of_request(request)
    actor.require("customer_deposit.ask")
    before = {each.number for each in queries.deposits_of_account(account_id_of(number))}
    made = operations.ask_deposit(
        actor, number, posting_day_id(), timezone.now(), own_key(actor, idempotency_key)
    )
    found = _seen(made)
    refuse_other_body(found.account == number)
    return Status(200 if made in before else 201, found)


@router.get("/deposits", response=Page[DepositOut], summary="Deposits")
def listed(
    request: HttpRequest,
    state: Literal["held", "unpaid", "closed"] = "held",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[DepositOut]:
    """Deposits that are held, to be paid, or given back."""
    actor_of_request(request).require("billing.view")
    start = offset_of(cursor)
    rows, following = page_of(queries.deposits(state, limit + 1, start), start, limit)
    return Page(items=[shown(DepositOut, row) for row in rows], next=following)


@router.get("/deposits/{document}", response=DepositWithMovements, summary="A deposit")
def one(request: HttpRequest, document: DocumentNumber) -> DepositWithMovements:
    """A deposit, what moved on it, and why it is not released yet."""
    actor_of_request(request).require("account.view")
    return _seen(document)


@router.post("/deposits/{document}/cancel", response=MovedOut, summary="Ask for no more of it")
def cancel(request: HttpRequest, document: DocumentNumber, body: DepositReasonIn) -> MovedOut:
    """Takes back what is not paid; what was paid stays held."""
    cents = operations.cancel_deposit(
        actor_of_request(request), document, body.reason, posting_day_id(), timezone.now()
    )
    return MovedOut(number=document, cents=cents)


@router.post("/deposits/{document}/release", response=MovedOut, summary="Release a deposit")
def release(request: HttpRequest, document: DocumentNumber) -> MovedOut:
    """Releases a deposit whose term is over, with interest, as credit of the account."""
    cents = operations.release_deposit(
        actor_of_request(request), document, posting_day_id(), timezone.now()
    )
    return MovedOut(number=document, cents=cents)


def _seen(number: str) -> DepositWithMovements:
    row, today = queries.deposit(number), timezone.localdate()
    return DepositWithMovements(
        **shown(DepositOut, row).model_dump(),
        accrued_cents=queries.accrued(row.deposit_id, today) if row.is_open else 0,
        waits=operations.not_yet([row.deposit_id], today).get(row.deposit_id, ""),
        movements=[shown(MovementOut, each) for each in queries.movements(number)],
    )

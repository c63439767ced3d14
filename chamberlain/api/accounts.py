"""Accounts, who holds them, and what they owe.

A search is posted, so that no name stands in an address or a log.
"""

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import BeforeValidator, Field

from chamberlain.api.fields import Body, Cursor, Id, Limit, Number, Page, offset_of, page_of, whole
from chamberlain.api.tokens import actor_of_request
from chamberlain.ledger import queries
from chamberlain.registry import queries as registry

router = Router(tags=["Accounts and charges"])


class SearchIn(Body):
    """What a person would type: a number, a name, an address, a phone number, a parcel."""

    text: Annotated[str, Field(strict=True, pattern=r"^[^\x00-\x1f]{1,80}$")]
    limit: Annotated[int, Field(ge=1, le=100), BeforeValidator(whole)] = 20


class FoundOut(Schema):
    """An account that fits, and what of it fitted."""

    account: str
    customer: str
    address: str
    matched: str


class ContactOut(Schema):
    """A way to reach the customer; masked without the scope contact.view."""

    kind: str
    value: str


class AccountOut(Schema):
    """An account with its latest holder and property, and what it owes and has in credit."""

    account: str
    opened_on: date
    owed_cents: int
    credit_cents: int
    customer: str
    customer_kind: str
    held_from: date | None
    held_until: date | None
    address: str
    postal_code: str
    parcel_number: str
    property_type: str
    dwelling_units: int
    contacts: list[ContactOut]


class ChargeOut(Schema):
    """A charge: what for, how much, what of it is open."""

    charge_id: int
    account: str
    kind: str
    kind_name: str
    document: str
    raised_on: date
    due_on: date
    cents: int
    open_cents: int


class TransferOut(Schema):
    """Cents that moved on a charge: raised, settled, or opened again."""

    transfer_id: int
    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    reason: str
    actor: str
    debit: str
    credit: str
    cents: int
    effect: str


class ChargeWithTransfers(ChargeOut):
    """A charge with everything that moved on it, the oldest first."""

    transfers: list[TransferOut]


@router.post("/accounts/search", response=list[FoundOut], summary="Search accounts")
def search(request: HttpRequest, body: SearchIn) -> list[FoundOut]:
    """Accounts that fit, the best first; typing errors are allowed for."""
    actor_of_request(request).require("account.view")
    return [
        FoundOut(
            account=found.account_number,
            customer=found.customer_name,
            address=found.address,
            matched=found.matched,
        )
        for found in registry.search(body.text, body.limit)
    ]


@router.get("/accounts/{number}", response=AccountOut, summary="An account")
def account(request: HttpRequest, number: Number) -> AccountOut:
    """An account with its balance and its latest holder."""
    actor = actor_of_request(request)
    actor.require("account.view")
    found = registry.account_summary(number)
    contacts = (
        registry.contacts(found.customer_id, unmasked=actor.may("contact.view"))
        if found.customer_id
        else []
    )
    return AccountOut(
        account=found.account_number,
        opened_on=found.opened_on,
        owed_cents=found.owed_cents,
        credit_cents=found.credit_cents,
        customer=found.customer_name,
        customer_kind=found.customer_kind,
        held_from=found.held_from,
        held_until=found.held_until,
        address=found.address,
        postal_code=found.postal_code,
        parcel_number=found.parcel_number,
        property_type=found.property_type,
        dwelling_units=found.dwelling_units,
        contacts=[ContactOut(kind=c.kind, value=c.value) for c in contacts],
    )


@router.get(
    "/accounts/{number}/charges",
    response=Page[ChargeOut],
    summary="Open charges of an account",
)
def open_charges(
    request: HttpRequest, number: Number, limit: Limit = 50, cursor: Cursor = ""
) -> Page[ChargeOut]:
    """What is open, in the order in which a payment on account settles it."""
    actor_of_request(request).require("account.view")
    start = offset_of(cursor)
    found = queries.open_charges([queries.account_id_of(number)])[start : start + limit + 1]
    rows, following = page_of(found, start, limit)
    return Page(items=[_charge(row) for row in rows], next=following)


@router.get("/charges/{charge_id}", response=ChargeWithTransfers, summary="A charge")
def charge(request: HttpRequest, charge_id: Id) -> ChargeWithTransfers:
    """A charge, open or not, with its transfers."""
    actor_of_request(request).require("account.view")
    found = queries.charge(charge_id)
    transfers = [
        TransferOut(
            transfer_id=t.transfer_id,
            entry_id=t.entry_id,
            day=t.day,
            posted_at=t.posted_at,
            kind=t.kind,
            document=t.document,
            reason=t.reason,
            actor=t.actor,
            debit=t.debit,
            credit=t.credit,
            cents=t.cents,
            effect=t.effect,
        )
        for t in queries.transfers_of_charge(charge_id)
    ]
    return ChargeWithTransfers(**_charge(found).model_dump(), transfers=transfers)


def _charge(row: queries.OpenCharge | queries.ChargeRow) -> ChargeOut:
    return ChargeOut(
        charge_id=row.charge_id,
        account=row.account_number,
        kind=row.kind,
        kind_name=row.kind_name,
        document=row.document,
        raised_on=row.raised_on,
        due_on=row.due_on,
        cents=row.cents,
        open_cents=row.open_cents,
    )

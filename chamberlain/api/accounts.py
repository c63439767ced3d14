"""Accounts and what they owe."""

from datetime import date, datetime

from django.http import HttpRequest
from ninja import Router, Schema

from chamberlain.api.fields import Cursor, Id, Limit, Number, Page, offset_of, page_of
from chamberlain.api.tokens import actor_of_request
from chamberlain.ledger import queries

router = Router(tags=["Accounts and charges"])


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

"""Moving out: the final read, the final bill, and the balance that goes on."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import (
    AccountNumber,
    Body,
    Cursor,
    Day,
    Id,
    Limit,
    Number,
    Page,
    Text,
    offset_of,
    page_of,
    shown,
    whole,
)
from chamberlain.api.posting import posting_day_id
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.finals import carrying, operations, queries, reading
from chamberlain.billing.finals.showing import ShownBill, shown_bills
from chamberlain.billing.occupancy import Forwarding
from chamberlain.billing.queries import bills_by_id
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Final bills"])


class ForwardingIn(Body):
    """Where the mail of the account goes from then on."""

    address: Text
    postal_code: Text
    addressee: Text | Literal[""] = ""


class LeavingIn(Body):
    """When the holder leaves; `left_on` is the first day that is not billed to the account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "left_on": "2026-04-01",
                "forwarding": {"address": "18 Cedar Court, Evanston IL", "postal_code": "60201"},
            }
        },
    )

    left_on: Day
    forwarding: ForwardingIn | None = None
    next_account: AccountNumber | Literal[""] = ""


class FinalReadIn(Body):
    """What the meter shows on a day; without `register` the usage is estimated."""

    read_on: Day | None = None
    register: Annotated[int, BeforeValidator(whole)] | None = Field(None, ge=0, le=10**12)


class CarryIn(Body):
    """The holder's account that takes the balance over; "" for the one named at the move."""

    next_account: AccountNumber | Literal[""] = ""


class MoveOutRowOut(Schema):
    """A move-out as lists show it: `to_read`, `to_bill` or `billed`."""

    move_out_id: int
    account: str
    state: str
    holder: str
    address: str
    left_on: date
    next_account: str
    asked_by: str
    asked_at: datetime
    billed_by: str
    billed_at: datetime | None
    carried_by: str
    owed_cents: int
    credit_cents: int


class MoveReadOut(Schema):
    """An order of a final read; `read_on` null while no read reaches the move."""

    order_id: int
    service_point: str
    serial: str
    unit: str
    last_on: date
    last_register: int | None
    read_on: date | None
    quality: str
    usage_thousandths: int | None


class ShownLineOut(Schema):
    """A line of a bill that would be made."""

    label: str
    cents: int


class ShownBillOut(Schema):
    """A bill that would end the account now."""

    from_on: date
    to_on: date
    usage_thousandths: int | None
    unit: str | None
    lines: list[ShownLineOut]
    cents: int


class MoveOutOut(MoveOutRowOut):
    """A move-out with its reads, the bills as they would be made now, and those that were made.

    obstacle: why they cannot be made yet, in a sentence.
    """

    reads: list[MoveReadOut]
    would_bill: list[ShownBillOut]
    obstacle: str
    bills: list[str]


class BilledOut(MoveOutOut):
    """What the final bill came to, with the deposit that went with it."""

    cents: int
    deposit_cents: int


class CarriedOut(Schema):
    """The adjustments that carry the balance; another user approves them."""

    adjustments: list[str]


State = Literal["to_read", "to_bill", "billed"]


@router.post("/accounts/{number}/move-out", response=MoveOutOut, summary="Move out")
def move_out(request: HttpRequest, number: Number, body: LeavingIn) -> MoveOutOut:
    """Ends service and holding and asks for the final read; the same day again answers the same."""
    actor = actor_of_request(request)
    to = None if body.forwarding is None else Forwarding(**body.forwarding.model_dump())
    leaving = operations.Leaving(number, body.left_on, to, body.next_account)
    made = operations.ask_final_bill(actor, leaving, timezone.localdate(), timezone.now())
    return _seen(made)


@router.get("/move-outs", response=Page[MoveOutRowOut], summary="Move-outs")
def listed(
    request: HttpRequest, state: State = "to_bill", limit: Limit = 50, cursor: Cursor = ""
) -> Page[MoveOutRowOut]:
    """Move-outs that wait for a read or for the bill, or that are billed."""
    _may(request)
    start = offset_of(cursor)
    rows, following = page_of(queries.move_outs(state, limit + 1, start), start, limit)
    return Page(items=[_row(row) for row in rows], next=following)


@router.get("/accounts/{number}/move-outs", response=list[MoveOutRowOut], summary="Of an account")
def of_account(request: HttpRequest, number: Number) -> list[MoveOutRowOut]:
    """Move-outs of an account, the latest first."""
    _may(request)
    return [_row(row) for row in queries.move_outs_of_account(account_id_of(number))]


@router.get("/move-outs/{move_out_id}", response=MoveOutOut, summary="A move-out")
def one(request: HttpRequest, move_out_id: Id) -> MoveOutOut:
    """A move-out, what it waits for, and the bills as they would be made."""
    _may(request)
    return _seen(move_out_id)


@router.post(
    "/move-outs/{move_out_id}/reads/{order_id}", response=MoveOutOut, summary="Enter a final read"
)
def take_read(request: HttpRequest, move_out_id: Id, order_id: Id, body: FinalReadIn) -> MoveOutOut:
    """Records what the meter shows, or estimates the usage up to the move."""
    actor, today = _may(request), timezone.localdate()
    if order_id not in {order.order_id for order in queries.final_reads(move_out_id)}:
        raise NotFound("This move-out has no such order of a final read; look at it again.")
    if body.register is None:
        reading.estimate_final_read(actor, order_id, today)
    else:
        reading.take_final_read(actor, order_id, body.read_on or today, body.register, today)
    return _seen(move_out_id)


@router.post("/move-outs/{move_out_id}/bill", response=BilledOut, summary="Make the final bill")
def make_bill(request: HttpRequest, move_out_id: Id) -> BilledOut:
    """Bills what is not billed yet up to the move; credit and deposit are used for it."""
    actor = actor_of_request(request)
    made = operations.make_final_bill(actor, move_out_id, posting_day_id(), timezone.now())
    return BilledOut(
        **_seen(move_out_id).model_dump(), cents=made.cents, deposit_cents=made.deposit_cents
    )


@router.post("/move-outs/{move_out_id}/carry", response=CarriedOut, summary="Carry the balance")
def carry(request: HttpRequest, move_out_id: Id, body: CarryIn) -> CarriedOut:
    """Asks that the balance goes to the holder's next account."""
    numbers = carrying.carry_balance(
        actor_of_request(request),
        move_out_id,
        body.next_account,
        timezone.localdate(),
        timezone.now(),
    )
    return CarriedOut(adjustments=list(numbers))


def _may(request: HttpRequest) -> Actor:
    actor = actor_of_request(request)
    actor.require("final.ask")
    return actor


def _row(row: queries.MoveOutRow) -> MoveOutRowOut:
    return shown(MoveOutRowOut, row, account=row.account_number)


def _seen(move_out_id: int) -> MoveOutOut:
    row = queries.move_out_row(move_out_id)
    bills: tuple[ShownBill, ...] = ()
    obstacle = ""
    if row.billed_at is None:
        try:
            bills = shown_bills(move_out_id)
        except Refused as refusal:
            obstacle = refusal.sentence
    return MoveOutOut(
        **_row(row).model_dump(),
        reads=[shown(MoveReadOut, each) for each in queries.final_reads(move_out_id)],
        would_bill=[_shown(bill) for bill in bills],
        obstacle=obstacle,
        bills=[bill.number for bill in bills_by_id(queries.final_bills(move_out_id))],
    )


def _shown(bill: ShownBill) -> ShownBillOut:
    lines = [ShownLineOut(label=label, cents=cents) for label, cents in bill.lines]
    return shown(ShownBillOut, bill, lines=lines)

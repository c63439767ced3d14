"""Rebills: what was wrong is said, seen old against new, and then posted or set aside."""

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import (
    LARGEST_ID,
    Body,
    Code,
    Cursor,
    Day,
    Id,
    IdempotencyKey,
    Limit,
    Number,
    Page,
    Text,
    offset_of,
    page_of,
    shown,
    whole,
)
from chamberlain.api.posting import own_key, posting_day_id, refuse_other_body
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.rebilling import operations, queries
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.identity.actors import Actor
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Rebills"])
BillNumber = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,39}$")]


class ReadCorrected(Body):
    """A read and the usage that it should have had."""

    read_id: Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole)]
    usage_thousandths: Annotated[int, Field(ge=0, lt=10**12), BeforeValidator(whole)]


class RebillIn(Body):
    """The days and what was wrong in them; what is left out was right."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "from_on": "2026-01-01",
                "to_on": "2026-03-01",
                "reason": "read_wrong",
                "note": "The meter was read as 42; the picture shows 24",
                "reads": [{"read_id": 7, "usage_thousandths": 24000}],
            }
        },
    )

    from_on: Day
    to_on: Day | None = Field(default=None, description="The first day after; null is until now")
    reason: Code
    note: Text
    reads: Annotated[list[ReadCorrected], Field(max_length=400)] = []
    is_spread: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Spreads the usage of the reads over the days"
    )
    rate_class: Code | None = None
    dwelling_units: Annotated[int, Field(ge=1, le=9999), BeforeValidator(whole)] | None = None
    exemptions: Annotated[list[Code], Field(max_length=20)] | None = None
    meter_size: Code | None = None
    tariff: Code | None = None
    started_on: Day | None = Field(
        default=None, description="The day from which the account answers for the service"
    )
    takes_back: Annotated[list[BillNumber], Field(max_length=50)] = Field(
        default=[], description="Bills of which nothing was due"
    )
    bills_again: Annotated[list[BillNumber], Field(max_length=50)] = Field(
        default=[], description="Bills that were taken back though something was due"
    )


class SideOut(Schema):
    """One side of a printed line."""

    cents: int
    quantity_thousandths: int
    rate_micros: int | None
    days: int
    unit: str


class LineChangeOut(Schema):
    """A printed line, old against new; null on the side where there is none."""

    label: str
    old: SideOut | None
    new: SideOut | None
    change_cents: int


class BillChangeOut(Schema):
    """A bill, old against new; `number` is empty when the days were not billed before."""

    account_number: str
    number: str
    replaced_by: str
    from_on: date
    to_on: date
    old_cents: int | None
    new_cents: int | None
    change_cents: int
    lines: list[LineChangeOut]


class RebillRowOut(Schema):
    """A rebill as lists show it."""

    rebill_id: int
    account: str
    from_on: date
    to_on: date | None
    reason: str
    note: str
    status: str
    needs_approval: bool
    difference_cents: int
    moved_cents: int
    penalty_cents: int
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None


class RebillOut(RebillRowOut):
    """A rebill with what was wrong, in words, and every bill, old against new."""

    was_wrong: list[str]
    old_cents: int
    new_cents: int
    bills: list[BillChangeOut]


class PostedOut(Schema):
    """What posting did: bills taken back, bills made, and the difference in cents."""

    rebill_id: int
    taken_back: int
    made: int
    difference_cents: int


@router.post(
    "/accounts/{number}/rebills",
    response={201: RebillOut, 200: RebillOut},
    summary="Draft a rebill",
)
def draft(
    request: HttpRequest, number: Number, body: RebillIn, idempotency_key: IdempotencyKey
) -> Status[RebillOut]:
    """Works out what would change, old against new, and keeps it. Nothing is posted."""
    actor, now = actor_of_request(request), timezone.now()
    asked = _asked(number, body)
    rebill_id = operations.draft_rebill(
        actor, asked, timezone.localdate(), now, own_key(actor, idempotency_key)
    )
    view = queries.rebill(rebill_id)
    kept = (view.row.account_number, view.row.from_on, view.row.to_on, view.row.note)
    is_same = kept == (number, body.from_on, body.to_on, body.note.strip())
    refuse_other_body(is_same and asked.corrections == view.corrections)
    return Status(201 if view.row.asked_at == now else 200, _view(view))


@router.get(
    "/accounts/{number}/rebills", response=Page[RebillRowOut], summary="Rebills of an account"
)
def of_account(
    request: HttpRequest, number: Number, limit: Limit = 50, cursor: Cursor = ""
) -> Page[RebillRowOut]:
    """Rebills of an account, the newest first; drafts that nobody asked for are left out."""
    actor_of_request(request).require("account.view")
    start = offset_of(cursor)
    found = queries.rebills_of_account(account_id_of(number), limit + 1, start)
    rows, following = page_of(found, start, limit)
    return Page(items=[_row(row) for row in rows], next=following)


@router.get("/rebills", response=Page[RebillRowOut], summary="Rebills that wait")
def waiting(request: HttpRequest, limit: Limit = 50, cursor: Cursor = "") -> Page[RebillRowOut]:
    """Rebills of the whole city that wait for a second person, the oldest first."""
    actor_of_request(request).require("billing.view")
    start = offset_of(cursor)
    rows, following = page_of(queries.waiting(limit + 1, start), start, limit)
    return Page(items=[_row(row) for row in rows], next=following)


@router.get("/rebills/{rebill_id}", response=RebillOut, summary="A rebill")
def one(request: HttpRequest, rebill_id: Id) -> RebillOut:
    """A rebill, drafted, posted or set aside, with every bill old against new."""
    actor_of_request(request).require("account.view")
    return _view(queries.rebill(rebill_id))


@router.post("/rebills/{rebill_id}/ask", response=RebillOut, summary="Ask for approval of a rebill")
def ask(request: HttpRequest, rebill_id: Id) -> RebillOut:
    """Hands a rebill that one may not post alone to a second person."""
    operations.ask_for_approval(_actor(request, "bill.rebill"), rebill_id)
    return _view(queries.rebill(rebill_id))


@router.post("/rebills/{rebill_id}/post", response=PostedOut, summary="Post a rebill")
def post(request: HttpRequest, rebill_id: Id) -> PostedOut:
    """Takes the old bills back and posts the new ones, if all is still as it was shown."""
    actor = _actor(request, "bill.rebill")
    done = operations.post_rebill(
        actor, rebill_id, posting_day_id(), timezone.localdate(), timezone.now()
    )
    return shown(PostedOut, done, rebill_id=rebill_id)


@router.post("/rebills/{rebill_id}/decline", response=RebillOut, summary="Set a rebill aside")
def decline(request: HttpRequest, rebill_id: Id) -> RebillOut:
    """Sets a rebill aside; nothing of it is posted."""
    operations.decline_rebill(_actor(request, "bill.rebill"), rebill_id, timezone.now())
    return _view(queries.rebill(rebill_id))


def _actor(request: HttpRequest, permission: str) -> Actor:
    actor = actor_of_request(request)
    actor.require(permission)
    return actor


def _asked(number: str, body: RebillIn) -> operations.NewRebill:
    return operations.NewRebill(
        number,
        body.from_on,
        body.to_on,
        body.reason,
        body.note,
        Corrections(
            reads={read.read_id: read.usage_thousandths for read in body.reads},
            is_spread=body.is_spread,
            rate_class=body.rate_class,
            dwelling_units=body.dwelling_units,
            exemptions=None if body.exemptions is None else tuple(body.exemptions),
            meter_size=body.meter_size,
            tariff_code=body.tariff,
            started_on=body.started_on,
            takes_back=tuple(body.takes_back),
            bills_again=tuple(body.bills_again),
        ),
    )


def _row(row: queries.RebillRow) -> RebillRowOut:
    return shown(RebillRowOut, row, account=row.account_number)


def _view(view: queries.RebillView) -> RebillOut:
    return RebillOut(
        **_row(view.row).model_dump(),
        was_wrong=list(view.was_wrong),
        old_cents=view.old_cents,
        new_cents=view.new_cents,
        bills=[BillChangeOut.model_validate(each) for each in view.bills],
    )

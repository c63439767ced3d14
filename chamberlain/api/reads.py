"""Reads of meters: typed one by one, estimated where nobody read, trued up."""

from datetime import date
from typing import Annotated, Literal

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
from chamberlain.api.posting import own_key, posting_day_id
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.estimating import operations, queries, true_up
from chamberlain.billing.estimating.finding import Wanted
from chamberlain.billing.estimating.weighing import Weighed
from chamberlain.ledger.queries import account_id_of
from chamberlain.metering import operations as metering
from chamberlain.metering import queries as reads
from chamberlain.metering.routes.low_reads import record_typed
from chamberlain.metering.routes.queries import route

router = Router(tags=["Reads"])

_MOST_READS = 200

ReadId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole)]


class ReadIn(Body):
    """What a meter shows on a day; beside: what meters show that are read together with it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"meter": "N100006", "on": "2026-03-02", "register": 2124}},
    )

    meter: Text
    on: Day
    register: Annotated[int, BeforeValidator(whole)] = Field(ge=0, le=10**12)
    quality: Literal["actual", "customer"] = "actual"
    beside: dict[str, int] = {}


class ReadOut(Schema):
    """A read: usage from one day up to another, and how it is known."""

    read_id: int
    meter: str
    from_on: date
    to_on: date
    register: int | None = Field()
    usage_thousandths: int
    unit: str
    quality: str
    is_verified: bool


class RecordedOut(Schema):
    """The read that was recorded."""

    read_id: int


class EstimateIn(Body):
    """Which services of a tariff: those unread between two days, or those of a route."""

    tariff: Code
    route: Code | None = None
    reads_after: Day | None = None
    reads_up_to: Day | None = None


class UnreadOut(Schema):
    """An unread service and its estimate, or the sentence that says why there is none."""

    account: str
    service_point: str
    serial: str | None
    from_on: date
    to_on: date
    in_row: int
    how: str | None
    usage_thousandths: int | None
    unit: str | None
    refusal: str | None


class EstimatedOut(Schema):
    """How many were estimated, and of how many nothing is known."""

    estimates: int
    refused: int


class DueOut(Schema):
    """Estimates that an actual read has ended; refusal: why no true-up can be made, or null."""

    run_id: int
    account: str | None
    service_point: str
    serial: str
    first_on: date
    read_on: date
    estimates: int
    counted_thousandths: int
    total_thousandths: int | None
    unit: str
    refusal: str | None


class TrueUpsIn(Body):
    """The `run_id` of what is due."""

    runs: Annotated[list[ReadId], Field(min_length=1, max_length=true_up.MOST_AT_ONCE)]


class SeenTrueUpsIn(TrueUpsIn):
    """The same, and `seen` of the answer that was looked at."""

    seen: Text


class WeighedOut(Schema):
    """What a true-up would change; refusal: why it is left out, or null."""

    run_id: int
    account: str
    difference_cents: int
    needs_second_person: bool
    refusal: str | None


class LookedOut(Schema):
    """What true-ups would change; `seen` is sent back to post them."""

    seen: str
    true_ups: list[WeighedOut]


class TruedUpOut(Schema):
    """How many were posted, handed to a second person, right as estimated, and left out."""

    posted: int
    asked: int
    right: int
    left_out: int
    difference_cents: int


@router.get("/accounts/{number}/reads", response=list[ReadOut], summary="Reads of an account")
def of_account(request: HttpRequest, number: Number) -> list[ReadOut]:
    """The latest reads at the account's properties, the newest first."""
    actor_of_request(request).require("account.view")
    found = reads.usage_history(account_id_of(number), _MOST_READS)[::-1]
    return [shown(ReadOut, row) for row in found]


@router.post("/reads", response={201: RecordedOut}, summary="Record a read")
def record(request: HttpRequest, body: ReadIn) -> Status[RecordedOut]:
    """Records what a meter shows. A second read of the same day is refused, so it is kept once."""
    actor, today = actor_of_request(request), timezone.localdate()
    if body.quality == "actual" and not body.beside:
        read_id = record_typed(actor, body.meter, body.on, body.register, today)
    else:
        read_id = metering.record_read(
            actor, body.meter, body.on, body.register, today, body.quality, body.beside
        )
    return Status(201, RecordedOut(read_id=read_id))


@router.post("/reads/unread", response=Page[UnreadOut], summary="What is unread")
def unread(
    request: HttpRequest, body: EstimateIn, limit: Limit = 50, cursor: Cursor = ""
) -> Page[UnreadOut]:
    """Services that nobody read, each with its estimate, those without one first."""
    actor_of_request(request).require("billing.view")
    start = offset_of(cursor)
    found = queries.unread(_wanted(body), limit + 1, start)
    rows, following = page_of(found.rows, start, limit)
    items = [shown(UnreadOut, row, account=row.account_number) for row in rows]
    return Page(items=items, next=following)


@router.post("/reads/estimate", response=EstimatedOut, summary="Estimate the unread")
def estimate(
    request: HttpRequest, body: EstimateIn, idempotency_key: IdempotencyKey
) -> EstimatedOut:
    """Estimates every unread service that can be; the same key does nothing again."""
    actor = actor_of_request(request)
    done = operations.estimate_reads(
        actor,
        _wanted(body),
        timezone.localdate(),
        timezone.now(),
        own_key(actor, idempotency_key),
    )
    return EstimatedOut(estimates=done.estimates, refused=done.refused)


@router.get("/true-ups", response=Page[DueOut], summary="True-ups that are due")
def due(request: HttpRequest, limit: Limit = 50, cursor: Cursor = "") -> Page[DueOut]:
    """Estimates that an actual read has ended, the latest first."""
    actor_of_request(request).require("billing.view")
    start = offset_of(cursor)
    found = queries.true_ups_due(timezone.localdate(), None, limit + 1, start)
    rows, following = page_of(found.rows, start, limit)
    items = [shown(DueOut, row, account=row.account_number) for row in rows]
    return Page(items=items, next=following)


@router.post("/true-ups/look", response=LookedOut, summary="What true-ups would change")
def look(request: HttpRequest, body: TrueUpsIn) -> LookedOut:
    """What true-ups would change. Nothing is posted."""
    found = true_up.look_at_true_ups(actor_of_request(request), body.runs, timezone.localdate())
    return LookedOut(seen=found.seen, true_ups=[_weighed(each) for each in found.true_ups])


@router.post("/true-ups/post", response=TruedUpOut, summary="Post true-ups")
def post(request: HttpRequest, body: SeenTrueUpsIn) -> TruedUpOut:
    """Posts true-ups that were looked at; what is due is due once, so again posts nothing."""
    done = true_up.post_true_ups(
        actor_of_request(request),
        body.runs,
        body.seen,
        posting_day_id(),
        timezone.localdate(),
        timezone.now(),
    )
    return shown(TruedUpOut, done)


def _weighed(each: Weighed) -> WeighedOut:
    return shown(WeighedOut, each, account=each.account_number, needs_second_person=each.is_for_two)


def _wanted(body: EstimateIn) -> Wanted:
    today = timezone.localdate()
    if body.route is None:
        return Wanted(
            body.tariff, body.reads_after or today.replace(day=1), body.reads_up_to or today
        )
    row = route(body.route, today)
    return Wanted(
        body.tariff,
        body.reads_after or row.reads_after,
        body.reads_up_to or min(row.due_on, today),
        points=queries.points_of_route(row.code),
    )

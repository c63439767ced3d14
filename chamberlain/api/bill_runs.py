"""Bill runs: planned, started, watched, stopped."""

import hashlib
from datetime import date, datetime
from typing import Annotated

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from chamberlain.api.fields import (
    Body,
    CenterCode,
    Cursor,
    Day,
    Id,
    IdempotencyKey,
    Limit,
    Months,
    Page,
    offset_of,
    page_of,
)
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing import operations, queries
from chamberlain.billing.tasks import defer_bill_run
from chamberlain.identity import queries as offices
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.payments import KeyUsedBefore
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.queries import open_day

router = Router(tags=["Bill runs"])
Text = Annotated[str, Field(strict=True, pattern=r"^[^\x00-\x1f]{1,120}$")]
Code = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_.\-]{1,40}$")]


class RunIn(Body):
    """What to bill. Metered: reads that end by `reads_up_to`. Otherwise a season."""

    name: Text
    tariff: Code
    due_on: Day
    reads_up_to: Day
    is_metered: Annotated[bool, Field(strict=True)] = True
    reads_after: Day | None = None
    season_from_on: Day | None = None
    season_to_on: Day | None = None
    cycle_months: Months | None = None
    center: CenterCode | None = None
    start: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Starts at once; otherwise the run is only planned"
    )


class RunOut(Schema):
    """A run and how far it is."""

    run_id: int
    name: str
    tariff: str
    is_metered: bool
    day: date
    due_on: date
    status: str
    created_at: datetime
    finished_at: datetime | None
    chunks: int
    chunks_done: int
    bills: int
    held: int
    cents: int


class HoldOut(Schema):
    """What could not be billed, why, and what to do."""

    hold_id: int
    account: str
    rate_class: str
    from_on: date | None
    to_on: date | None
    usage_thousandths: int | None
    unit: str | None
    code: str
    sentence: str
    resolved_at: datetime | None
    resolution: str


@router.post("", response={201: RunOut, 200: RunOut}, summary="Plan or start a bill run")
def plan(request: HttpRequest, body: RunIn, idempotency_key: IdempotencyKey) -> Status[RunOut]:
    """Plans a run on the open business day, and hands it to the workers if it is to start."""
    actor, now = actor_of_request(request), timezone.now()
    center = offices.center_by_code(body.center) if body.center else offices.revenue_office()
    actor.require("bill_run.start", center.center_id)
    day = open_day(center.center_id)
    if day is None:
        raise DayClosed("The center has no open business day; open one and plan again.")
    wanted = operations.RunPlan(
        name=body.name,
        tariff_code=body.tariff,
        business_day_id=day.pk,
        due_on=body.due_on,
        reads_up_to=body.reads_up_to,
        is_metered=body.is_metered,
        reads_after=body.reads_after,
        season_from_on=body.season_from_on,
        season_to_on=body.season_to_on,
        cycle_months=body.cycle_months,
    )
    digest = hashlib.sha256(f"{actor.user_id}:{idempotency_key}".encode()).hexdigest()
    with transaction.atomic():
        run_id = operations.plan_bill_run(actor, wanted, now, f"api:{digest}"[:64])
        run = queries.run_status(run_id)
        if (run.name, run.due_on, run.is_metered) != (body.name, body.due_on, body.is_metered):
            raise KeyUsedBefore(
                "This idempotency key was used for another bill run; send a new key.",
                field="Idempotency-Key",
            )
        is_new = run.created_at == now
        if body.start and is_new:
            defer_bill_run(run_id)
    return Status(201 if is_new else 200, _shown(run))


@router.get("", response=Page[RunOut], summary="Bill runs")
def runs(request: HttpRequest, limit: Limit = 50, cursor: Cursor = "") -> Page[RunOut]:
    """Bill runs, the newest first."""
    actor_of_request(request).require("billing.view")
    start = offset_of(cursor)
    rows, following = page_of(queries.runs(limit + 1, start), start, limit)
    return Page(items=[_shown(row) for row in rows], next=following)


@router.get("/{run_id}", response=RunOut, summary="A bill run")
def run_status(request: HttpRequest, run_id: Id) -> RunOut:
    """One run and how far it is."""
    actor_of_request(request).require("billing.view")
    return _shown(queries.run_status(run_id))


@router.get("/{run_id}/holds", response=Page[HoldOut], summary="Worklist of a bill run")
def holds(
    request: HttpRequest, run_id: Id, limit: Limit = 50, cursor: Cursor = ""
) -> Page[HoldOut]:
    """What the run could not bill, the unresolved first."""
    actor_of_request(request).require("billing.view")
    queries.run_status(run_id)
    start = offset_of(cursor)
    rows, following = page_of(queries.worklist(run_id, limit + 1, start), start, limit)
    return Page(items=[_hold(row) for row in rows], next=following)


@router.post("/{run_id}/start", response={202: RunOut}, summary="Start or resume a bill run")
def start(request: HttpRequest, run_id: Id) -> Status[RunOut]:
    """Hands a planned or stopped run to the workers; what is posted is not posted again."""
    actor_of_request(request).require("bill_run.start")
    run = queries.run_status(run_id)
    if run.status == "done":
        raise Refused(f"The run “{run.name}” is done; plan another one.")
    defer_bill_run(run_id)
    return Status(202, _shown(run))


@router.post("/{run_id}/stop", response={202: RunOut}, summary="Stop a bill run")
def stop(request: HttpRequest, run_id: Id) -> Status[RunOut]:
    """Asks the run to stop after the chunks under way; what is posted stays."""
    operations.request_stop(actor_of_request(request), run_id)
    return Status(202, _shown(queries.run_status(run_id)))


def _shown(row: queries.RunRow) -> RunOut:
    return RunOut(
        run_id=row.run_id,
        name=row.name,
        tariff=row.tariff,
        is_metered=row.is_metered,
        day=row.day,
        due_on=row.due_on,
        status=row.status,
        created_at=row.created_at,
        finished_at=row.finished_at,
        chunks=row.chunks,
        chunks_done=row.done,
        bills=row.bills,
        held=row.held,
        cents=row.cents,
    )


def _hold(row: queries.HoldRow) -> HoldOut:
    return HoldOut(
        hold_id=row.hold_id,
        account=row.account_number,
        rate_class=row.rate_class,
        from_on=row.from_on,
        to_on=row.to_on,
        usage_thousandths=row.usage_thousandths,
        unit=row.unit,
        code=row.code,
        sentence=row.sentence,
        resolved_at=row.resolved_at,
        resolution=row.resolution,
    )

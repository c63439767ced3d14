"""Adjustments: asked for by one, approved or refused by another, undone by an entry."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import (
    LARGEST_ID,
    Body,
    Cents,
    ChargeId,
    Code,
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
    whole,
)
from chamberlain.api.posting import own_key, posting_day_id
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.adjusting import operations, queries, undoing
from chamberlain.billing.adjusting.reasons import reasons_on
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Adjustments"])


class AdjustmentIn(Body):
    """What is asked for. Without `charges`: the open charges, in the order of payment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"reason": "leak", "cents": 4200, "note": "Plumber's bill of 3 March"}
        },
    )

    reason: Code
    cents: Cents | None = Field(
        default=None, description="Whole cents; left out where charges are moved whole"
    )
    note: Text
    charges: Annotated[list[ChargeId], Field(max_length=200)] = []
    other_account: (
        Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,23}$")] | None
    ) = Field(default=None, description="The account that something is moved to")
    payment_id: Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole)] | None = Field(
        default=None, description="The payment that was posted wrongly"
    )


class NoteIn(Body):
    """Why; it stays with the adjustment."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"note": "The leak was mended in March"}}
    )

    note: Text


class AdjustmentOut(Schema):
    """An adjustment. `batch` is empty for one that was asked for alone."""

    number: str
    kind: str
    kind_name: str
    reason: str
    account: str
    other_account: str
    cents: int
    status: str
    note: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision: str
    entry_id: int | None
    payment_id: int | None
    batch: str
    reversed_by_id: int | None
    paid_reference: str


class ReasonOut(Schema):
    """A reason that may be given today, and the largest credit that it may leave."""

    code: str
    kind: str
    name: str
    charge_kinds: list[str]
    largest_credit_cents: int
    needs_nothing_owed: bool
    source: str
    is_verified: bool


@router.get(
    "/adjustment-reasons", response=list[ReasonOut], summary="Reasons that may be given today"
)
def reasons(request: HttpRequest) -> list[ReasonOut]:
    """The city's reasons in force today, by kind and name."""
    actor_of_request(request).require("account.view")
    return [
        shown(ReasonOut, row, charge_kinds=list(row.charge_kinds))
        for row in reasons_on(timezone.localdate())
    ]


@router.post(
    "/accounts/{number}/adjustments",
    response={201: AdjustmentOut, 200: AdjustmentOut},
    summary="Ask for an adjustment",
)
def ask(
    request: HttpRequest, number: Number, body: AdjustmentIn, idempotency_key: IdempotencyKey
) -> Status[AdjustmentOut]:
    """Asks once for an adjustment, if it could be posted now. Another one approves it."""
    actor, now = actor_of_request(request), timezone.now()
    wanted = operations.Wanted(
        account=number,
        reason=body.reason,
        cents=body.cents or 0,
        note=body.note,
        charge_ids=tuple(body.charges),
        other_account=body.other_account or "",
        payment_id=body.payment_id,
    )
    key = own_key(actor, idempotency_key)
    made = queries.adjustment(
        operations.ask_adjustment(actor, wanted, timezone.localdate(), now, key)
    )
    return Status(201 if made.asked_at == now else 200, shown(AdjustmentOut, made))


@router.get(
    "/accounts/{number}/adjustments",
    response=Page[AdjustmentOut],
    summary="Adjustments of an account",
)
def of_account(
    request: HttpRequest, number: Number, limit: Limit = 50, cursor: Cursor = ""
) -> Page[AdjustmentOut]:
    """Adjustments of an account, and those that moved something to it, the newest first."""
    actor_of_request(request).require("account.view")
    start = offset_of(cursor)
    found = queries.adjustments_of_account(account_id_of(number), limit + 1, start)
    rows, following = page_of(found, start, limit)
    return Page(items=[shown(AdjustmentOut, row) for row in rows], next=following)


_LISTS = {
    "waiting": queries.waiting,
    "decided": queries.decided,
    "refunds": queries.refunds_to_pay,
}


@router.get("/adjustments", response=Page[AdjustmentOut], summary="Adjustments of the city")
def listed(
    request: HttpRequest,
    which: Literal["waiting", "decided", "refunds"] = "waiting",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Page[AdjustmentOut]:
    """What waits for approval, what was decided, or refunds that are to be paid out."""
    actor_of_request(request).require("billing.view")
    start = offset_of(cursor)
    rows, following = page_of(_LISTS[which](limit + 1, start), start, limit)
    return Page(items=[shown(AdjustmentOut, row) for row in rows], next=following)


@router.get("/adjustments/{document}", response=AdjustmentOut, summary="An adjustment")
def one(request: HttpRequest, document: DocumentNumber) -> AdjustmentOut:
    """One adjustment and what became of it."""
    actor_of_request(request).require("account.view")
    return _shown(document)


@router.post(
    "/adjustments/{document}/approve", response=AdjustmentOut, summary="Approve an adjustment"
)
def approve(request: HttpRequest, document: DocumentNumber) -> AdjustmentOut:
    """Posts an adjustment that another asked for; the role has to allow the amount."""
    actor = actor_of_request(request)
    actor.require("adjustment.approve")
    operations.approve_adjustment(actor, document, posting_day_id(), timezone.now())
    return _shown(document)


@router.post(
    "/adjustments/{document}/refuse", response=AdjustmentOut, summary="Refuse an adjustment"
)
def refuse(request: HttpRequest, document: DocumentNumber, body: NoteIn) -> AdjustmentOut:
    """Turns down what another asked for, with a reason."""
    operations.refuse_adjustment(actor_of_request(request), document, body.note, timezone.now())
    return _shown(document)


@router.post(
    "/adjustments/{document}/withdraw", response=AdjustmentOut, summary="Withdraw an adjustment"
)
def withdraw(request: HttpRequest, document: DocumentNumber) -> AdjustmentOut:
    """Takes back what one asked for oneself and nobody decided yet."""
    operations.withdraw_adjustment(actor_of_request(request), document, timezone.now())
    return _shown(document)


@router.post(
    "/adjustments/{document}/reverse", response=AdjustmentOut, summary="Undo a posted adjustment"
)
def reverse(request: HttpRequest, document: DocumentNumber, body: NoteIn) -> AdjustmentOut:
    """Undoes a posted adjustment by an entry that points at its own."""
    actor = actor_of_request(request)
    actor.require("adjustment.approve")
    undoing.reverse_adjustment(actor, document, posting_day_id(), timezone.now(), body.note)
    return _shown(document)


def _shown(document: str) -> AdjustmentOut:
    return shown(AdjustmentOut, queries.adjustment(document))

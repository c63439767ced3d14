"""Payment plans: worked out, made, approved, and how they stand."""

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import (
    Body,
    ChargeId,
    Code,
    DocumentNumber,
    IdempotencyKey,
    Number,
    Text,
    shown,
    whole,
)
from chamberlain.api.posting import own_key, refuse_other_body
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.plans import offers, operations, queries
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Payment plans"])


class PlanIn(Body):
    """Which charges, under which of the city's terms, in how many instalments."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"charges": [41, 57], "terms": "standard", "instalments": 6}},
    )

    charges: Annotated[list[ChargeId], Field(min_length=1, max_length=500)]
    terms: Code
    instalments: Annotated[int, Field(ge=1, le=120), BeforeValidator(whole)]


class ReasonIn(Body):
    """Why; it stays with the plan."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "The customer moved away"}}
    )

    reason: Text


class OfferedInstalment(Schema):
    """What would be paid by when; number 0 is a down payment."""

    number: int
    due_on: date
    cents: int


class OfferOut(Schema):
    """A plan that could be made today. `approvers`: roles of which one approves it, or none."""

    terms: str
    total_cents: int
    instalments: list[OfferedInstalment]
    approvers: list[str]


class InstalmentOut(OfferedInstalment):
    """An instalment and what is paid of it."""

    paid_cents: int
    open_cents: int


class PlanChargeOut(Schema):
    """A charge in a plan: the cents that the plan covers, and what is open of them."""

    charge_id: int
    kind_name: str
    document: str
    due_on: date
    cents: int
    open_cents: int


class ReinstatementOut(Schema):
    """That a plan in default be taken up again."""

    reason: str
    asked_by: str
    asked_at: datetime
    approved_by: str
    approved_at: datetime | None
    refused_at: datetime | None
    arrears_due_on: date | None


class PlanRowOut(Schema):
    """A plan as lists show it; `sentence` says why it ended or is in default."""

    number: str
    account: str
    terms_name: str
    status: str
    total_cents: int
    paid_cents: int
    open_cents: int
    starts_on: date
    ended_on: date | None
    sentence: str
    offered_by: str
    approved_by: str
    asks_reinstatement: bool


class PlanOut(PlanRowOut):
    """A plan with all that belongs to it, and how it stands today."""

    due_cents: int
    late_cents: int
    next_due_on: date | None
    next_cents: int | None
    instalments: list[InstalmentOut]
    charges: list[PlanChargeOut]
    reinstatements: list[ReinstatementOut]


@router.post("/accounts/{number}/plan-offer", response=OfferOut, summary="Work out a plan")
def offer(request: HttpRequest, number: Number, body: PlanIn) -> OfferOut:
    """The plan that would be made today. Nothing is changed."""
    actor_of_request(request).require("account.view")
    found = offers.what_if(_wanted(number, body), timezone.localdate())
    return OfferOut(
        terms=found.terms.name,
        total_cents=found.total_cents,
        instalments=[shown(OfferedInstalment, each) for each in found.instalments],
        approvers=list(found.approval.roles),
    )


@router.post(
    "/accounts/{number}/plans", response={201: PlanOut, 200: PlanOut}, summary="Make a plan"
)
def make(
    request: HttpRequest, number: Number, body: PlanIn, idempotency_key: IdempotencyKey
) -> Status[PlanOut]:
    """Makes a plan once; it is in force at once, or offered until another approves it."""
    actor, now, today = actor_of_request(request), timezone.now(), timezone.localdate()
    actor.require("plan.offer")
    before = {row.number for row in queries.plans_of_account(account_id_of(number))}
    made = operations.offer_plan(
        actor, _wanted(number, body), today, now, own_key(actor, idempotency_key)
    )
    view = queries.plan_view(made, today)
    counted = sum(1 for each in view.instalments if each.number)
    same = ({each.charge_id for each in view.charges}, view.plan.account_number, counted)
    refuse_other_body(same == (set(body.charges), number, body.instalments))
    return Status(200 if made in before else 201, _view(view))


@router.get("/accounts/{number}/plans", response=list[PlanRowOut], summary="Plans of an account")
def of_account(request: HttpRequest, number: Number) -> list[PlanRowOut]:
    """Plans of an account, the newest first."""
    actor_of_request(request).require("account.view")
    return [_row(row) for row in queries.plans_of_account(account_id_of(number))]


@router.get("/plans/{document}", response=PlanOut, summary="A plan")
def one(request: HttpRequest, document: DocumentNumber) -> PlanOut:
    """A plan, its instalments and how it stands today."""
    actor_of_request(request).require("account.view")
    return _seen(document)


@router.post("/plans/{document}/approve", response=PlanOut, summary="Approve a plan")
def approve(request: HttpRequest, document: DocumentNumber) -> PlanOut:
    """Puts an offered plan in force; another than who offered it, whose role allows the amount."""
    operations.approve_plan(
        actor_of_request(request), document, timezone.localdate(), timezone.now()
    )
    return _seen(document)


@router.post("/plans/{document}/withdraw", response=PlanOut, summary="End a plan")
def withdraw(request: HttpRequest, document: DocumentNumber, body: ReasonIn) -> PlanOut:
    """Takes an offered plan back, or ends one in force; its charges are due as without it."""
    operations.withdraw_plan(actor_of_request(request), document, body.reason, timezone.localdate())
    return _seen(document)


@router.post(
    "/plans/{document}/ask-reinstatement", response=PlanOut, summary="Ask to reinstate a plan"
)
def ask_reinstatement(request: HttpRequest, document: DocumentNumber, body: ReasonIn) -> PlanOut:
    """Asks that a plan in default be taken up again; another approves it."""
    operations.ask_reinstatement(actor_of_request(request), document, body.reason, timezone.now())
    return _seen(document)


@router.post("/plans/{document}/reinstate", response=PlanOut, summary="Reinstate a plan")
def reinstate(request: HttpRequest, document: DocumentNumber) -> PlanOut:
    """Puts a plan in force again that another asked for."""
    operations.approve_reinstatement(
        actor_of_request(request), document, timezone.localdate(), timezone.now()
    )
    return _seen(document)


def _wanted(number: str, body: PlanIn) -> offers.Wanted:
    charges = tuple(dict.fromkeys(body.charges))
    return offers.Wanted(account_id_of(number), charges, body.terms, body.instalments)


def _seen(document: str) -> PlanOut:
    return _view(queries.plan_view(document, timezone.localdate()))


def _row(row: queries.PlanRow) -> PlanRowOut:
    return shown(PlanRowOut, row, account=row.account_number)


def _view(view: queries.PlanView) -> PlanOut:
    return PlanOut(
        **_row(view.plan).model_dump(),
        due_cents=view.due_cents,
        late_cents=view.late_cents,
        next_due_on=view.next_due_on,
        next_cents=view.next_cents,
        instalments=[shown(InstalmentOut, each) for each in view.instalments],
        charges=[shown(PlanChargeOut, each) for each in view.charges],
        reinstatements=[shown(ReinstatementOut, each) for each in view.reinstatements],
    )

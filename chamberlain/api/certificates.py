"""Full payment certificates: applied for, worked on step by step, issued, and the deed."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import (
    AccountNumber,
    Body,
    Code,
    Cursor,
    Day,
    DocumentNumber,
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
from chamberlain.api.people import CustomerIn
from chamberlain.api.posting import own_key, posting_day_id, refuse_other_body
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.certificates import operations, queries
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Full payment certificates"])

_UNDER_PAYOFF = ("accepted", "payable")


class ApplicationIn(Body):
    """Who applies, for which account, and when the closing is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "account": "1004-220-817",
                "role": "attorney",
                "applicant": "Ada Brenner",
                "phone": "312-555-0143",
                "seller": "Maria Kowalski",
                "buyer": "Irene Castellanos",
                "closing_on": "2026-04-30",
                "attorney_card": "6201-77",
            }
        },
    )

    account: AccountNumber
    role: Literal["buyer", "seller", "attorney"]
    applicant: Text
    phone: Text
    seller: Text
    buyer: Text
    closing_on: Day
    attorney_card: Text | Literal[""] = ""
    exemption: Code | Literal[""] = ""


class AcceptIn(Body):
    """What the person at the desk has seen with own eyes."""

    government_id: bool
    attorney_card: bool = False


class OrderedReadIn(Body):
    """What the meter shows on a day."""

    read_on: Day
    register: Annotated[int, BeforeValidator(whole)] = Field(ge=0, le=10**12)


class ReviewIn(Body):
    """What was found at an account without a meter."""

    review: Text


class ClosingIn(Body):
    """The new closing date."""

    closing_on: Day


class WhyIn(Body):
    """Why; it stays with the application."""

    reason: Text


class DeedIn(Body):
    """The recorded deed and who owns from it."""

    deed: Text
    owned_from: Day
    buyer: CustomerIn


class ApplicationRowOut(Schema):
    """An application as lists show it; the telephone is masked without contact.view."""

    number: str
    account: str
    address: str
    stage: str
    role: str
    applicant: str
    phone: str
    seller: str
    buyer: str
    closing_on: date
    exemption: str
    is_from_public: bool
    received_at: datetime
    accepted_at: datetime | None
    accepted_by: str
    fee_cents: int | None
    payoff_at: datetime | None
    open_cents: int
    reads_waiting: int
    withdrawn_because: str
    deed: str
    buyer_account: str


class WaitingOut(ApplicationRowOut):
    """An application under way, and whether it misses its closing as things usually go."""

    age_days: int
    ready_on: date
    misses: bool


class OrderedReadOut(Schema):
    """An order of a final read, and the read that came of it."""

    order_id: int
    service_point: str
    meter_serial: str
    ordered_on: date
    wanted_by: date
    read_on: date | None
    register: int | None = Field()
    usage_thousandths: int | None
    unit: str | None
    last_on: date | None
    last_register: int | None


class PayoffChargeOut(Schema):
    """An open charge that the certificate covers."""

    charge_id: int
    kind: str
    document: str
    due_on: date
    open_cents: int


class PayoffLineOut(Schema):
    """A line of a bill that is not made yet."""

    label: str
    cents: int


class PayoffBillOut(Schema):
    """What is not billed yet for some days."""

    from_on: date
    to_on: date
    usage_thousandths: int | None
    unit: str | None
    is_estimate: bool
    lines: list[PayoffLineOut]
    cents: int


class PayoffPenaltyOut(Schema):
    """A penalty that falls due before the closing."""

    document: str
    falls_on: date
    cents: int


class PayoffOut(Schema):
    """All that is to be paid up to the closing.

    open_cents and new_cents, less credit_cents, are to_pay_cents.
    """

    open_charges: list[PayoffChargeOut]
    bills: list[PayoffBillOut]
    penalties: list[PayoffPenaltyOut]
    open_cents: int
    new_cents: int
    credit_cents: int
    to_pay_cents: int


class CertificateOut(Schema):
    """A certificate that was issued."""

    number: str
    code: str
    closing_on: date
    issued_on: date
    valid_until: date
    issued_by: str
    paid_cents: int
    reason: str
    is_replaced: bool


class ApplicationOut(ApplicationRowOut):
    """An application with its reads, its payoff while one is worked out, and its certificates.

    obstacle: why there is no payoff yet, in a sentence.
    """

    reads: list[OrderedReadOut]
    payoff: PayoffOut | None
    obstacle: str
    certificates: list[CertificateOut]


@router.get("/certificates/applications", response=Page[WaitingOut], summary="Under way")
def under_way(request: HttpRequest, limit: Limit = 50, cursor: Cursor = "") -> Page[WaitingOut]:
    """Applications under way: those that will miss their closing first, then by age."""
    actor = actor_of_request(request)
    actor.require("account.view")
    start = offset_of(cursor)
    found = queries.board(timezone.localdate())[start : start + limit + 1]
    rows, following = page_of(found, start, limit)
    items = [
        WaitingOut(
            **_row(actor, row.application).model_dump(),
            age_days=row.age_days,
            ready_on=row.ready_on,
            misses=row.misses,
        )
        for row in rows
    ]
    return Page(items=items, next=following)


@router.post(
    "/certificates/applications",
    response={201: ApplicationOut, 200: ApplicationOut},
    summary="Apply for a certificate",
)
def apply(
    request: HttpRequest, body: ApplicationIn, idempotency_key: IdempotencyKey
) -> Status[ApplicationOut]:
    """Receives an application once; everything that is missing is named at once."""
    actor, now = actor_of_request(request), timezone.now()
    given = body.model_dump(exclude={"account"})
    asked = operations.NewApplication(account_number=body.account, **given)
    number = operations.submit_application(
        actor, asked, timezone.localdate(), now, own_key(actor, idempotency_key)
    )
    found = queries.application(number)
    kept = (found.account_number, found.role, found.seller, found.buyer, found.applicant)
    refuse_other_body(kept == (body.account, body.role, body.seller, body.buyer, body.applicant))
    return Status(201 if found.received_at == now else 200, _seen(actor, number))


@router.get("/certificates/applications/{document}", response=ApplicationOut, summary="One")
def one(request: HttpRequest, document: DocumentNumber) -> ApplicationOut:
    """An application: how far it is, what it needs next, what is to be paid."""
    actor = actor_of_request(request)
    actor.require("account.view")
    return _seen(actor, document)


@router.get(
    "/accounts/{number}/certificates",
    response=list[ApplicationRowOut],
    summary="Applications of an account",
)
def of_account(request: HttpRequest, number: Number) -> list[ApplicationRowOut]:
    """Applications of an account, the newest first."""
    actor = actor_of_request(request)
    actor.require("account.view")
    return [_row(actor, row) for row in queries.applications_of_account(account_id_of(number))]


@router.post(
    "/certificates/applications/{document}/accept", response=ApplicationOut, summary="Accept"
)
def accept(request: HttpRequest, document: DocumentNumber, body: AcceptIn) -> ApplicationOut:
    """Accepts an application; the fee becomes a charge and the final reads are ordered."""
    actor = actor_of_request(request)
    seen = operations.Identification(body.government_id, body.attorney_card)
    operations.accept_application(actor, document, seen, posting_day_id(), timezone.now())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/reads/{order_id}",
    response=ApplicationOut,
    summary="Enter a final read",
)
def take_read(
    request: HttpRequest, document: DocumentNumber, order_id: Id, body: OrderedReadIn
) -> ApplicationOut:
    """Records what the meter of an order shows."""
    actor = actor_of_request(request)
    actor.require("certificate.work")
    orders = queries.final_reads(queries.application(document).application_id)
    if order_id not in {order.order_id for order in orders}:
        raise _no_order(document)
    operations.record_final_read(actor, order_id, body.read_on, body.register, timezone.localdate())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/review", response=ApplicationOut, summary="Review"
)
def review(request: HttpRequest, document: DocumentNumber, body: ReviewIn) -> ApplicationOut:
    """Says what the review of an account without a meter found."""
    actor = actor_of_request(request)
    operations.review_account(actor, document, body.review, timezone.now())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/payoff", response=ApplicationOut, summary="Set payoff"
)
def payoff(request: HttpRequest, document: DocumentNumber) -> ApplicationOut:
    """Raises what is not billed yet, so that all of it is payable at any counter."""
    actor = actor_of_request(request)
    operations.set_payoff(actor, document, posting_day_id(), timezone.now())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/issue", response=ApplicationOut, summary="Issue"
)
def issue(request: HttpRequest, document: DocumentNumber) -> ApplicationOut:
    """Issues the certificate at zero balance; another than who accepted the application."""
    actor = actor_of_request(request)
    operations.issue_certificate(actor, document, timezone.localdate(), timezone.now())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/reissue", response=ApplicationOut, summary="Issue again"
)
def reissue(request: HttpRequest, document: DocumentNumber, body: WhyIn) -> ApplicationOut:
    """Issues a certificate in the place of one that is lost or misspelled."""
    actor = actor_of_request(request)
    operations.reissue_certificate(
        actor, document, body.reason, timezone.localdate(), timezone.now()
    )
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/move", response=ApplicationOut, summary="Move closing"
)
def move(request: HttpRequest, document: DocumentNumber, body: ClosingIn) -> ApplicationOut:
    """Moves the closing date; the days since are read and paid again."""
    actor = actor_of_request(request)
    operations.move_closing(actor, document, body.closing_on, timezone.localdate())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/withdraw", response=ApplicationOut, summary="Withdraw"
)
def withdraw(request: HttpRequest, document: DocumentNumber, body: WhyIn) -> ApplicationOut:
    """Ends an application of a sale that fell through; a fee that is not paid is taken back."""
    actor = actor_of_request(request)
    operations.withdraw_application(actor, document, body.reason, posting_day_id(), timezone.now())
    return _seen(actor, document)


@router.post(
    "/certificates/applications/{document}/deed", response=ApplicationOut, summary="The deed"
)
def deed(request: HttpRequest, document: DocumentNumber, body: DeedIn) -> ApplicationOut:
    """The buyer owns from the deed's day and is billed from the closing, all of it or nothing."""
    actor = actor_of_request(request)
    recorded = operations.Deed(body.deed, body.owned_from, body.buyer.somebody())
    operations.apply_deed(actor, document, recorded, timezone.localdate(), timezone.now())
    return _seen(actor, document)


def _no_order(document: str) -> Refused:
    return Refused(f"Application {document} has no such order of a final read; look at it again.")


def _row(actor: Actor, row: queries.ApplicationRow) -> ApplicationRowOut:
    phone = row.phone if actor.may("contact.view") else "•••"
    return shown(ApplicationRowOut, row, account=row.account_number, phone=phone)


def _seen(actor: Actor, number: str) -> ApplicationOut:
    found = queries.application(number)
    payoff, obstacle = None, ""
    if found.stage in _UNDER_PAYOFF:
        try:
            payoff = _payoff(queries.payoff_of(found.application_id))
        except Refused as refusal:
            obstacle = refusal.sentence
    return ApplicationOut(
        **_row(actor, found).model_dump(),
        reads=[shown(OrderedReadOut, each) for each in queries.final_reads(found.application_id)],
        payoff=payoff,
        obstacle=obstacle,
        certificates=[
            shown(CertificateOut, each) for each in queries.certificates_of(found.application_id)
        ],
    )


def _payoff(found: queries.Payoff) -> PayoffOut:
    return PayoffOut(
        open_charges=[shown(PayoffChargeOut, each) for each in found.open_charges],
        bills=[
            shown(PayoffBillOut, bill, lines=[shown(PayoffLineOut, line) for line in bill.lines])
            for bill in found.bills
        ],
        penalties=[shown(PayoffPenaltyOut, each) for each in found.penalties],
        open_cents=found.open_cents,
        new_cents=found.new_cents,
        credit_cents=found.credit_cents,
        to_pay_cents=found.to_pay_cents,
    )

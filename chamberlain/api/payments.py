"""Payments that no counter took."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from chamberlain.api.fields import (
    AccountNumber,
    Body,
    CenterCode,
    Cents,
    ChargeId,
    Id,
    IdempotencyKey,
)
from chamberlain.api.tokens import actor_of_request
from chamberlain.identity import queries as offices
from chamberlain.ledger import payments
from chamberlain.ledger.payments import NewPayment, PaymentView

router = Router(tags=["Payments"])


class NamedCharge(Body):
    """A charge that the payer named, and how much of the payment is for it."""

    charge_id: ChargeId
    cents: Cents


class PaymentIn(Body):
    """A payment made elsewhere. Without `items` it is paid on account, in the city's order."""

    account: AccountNumber
    cents: Cents
    channel: Literal["lockbox", "processor", "bank", "agency"]
    reference: Annotated[
        str,
        Field(
            strict=True,
            pattern=r"^[!-~]([ -~]{0,38}[!-~])?$",
            description="The channel's own number of the payment",
        ),
    ]
    items: Annotated[list[NamedCharge], Field(min_length=1, max_length=500)] | None = None
    center: CenterCode | None = Field(
        default=None, description="Posts on this center's day instead of the revenue office's"
    )


class SettledOut(Schema):
    """What was settled of a charge."""

    charge_id: int
    cents: int


class PaymentOut(Schema):
    """A posted payment. What was left after the charges is `credit_cents`."""

    payment_id: int
    account: str
    cents: int
    channel: str
    reference: str
    day: date
    center: str
    posted_at: datetime
    posted_by: str
    settled: list[SettledOut]
    credit_cents: int
    is_reversed: bool


@router.post("", response={201: PaymentOut, 200: PaymentOut}, summary="Post a payment")
def post_payment(
    request: HttpRequest,
    response: HttpResponse,
    body: PaymentIn,
    idempotency_key: IdempotencyKey,
) -> Status[PaymentOut]:
    """Posts a payment once: 201 the first time, 200 with the same payment when sent again."""
    center = offices.center_by_code(body.center) if body.center else offices.revenue_office()
    items = [(item.charge_id, item.cents) for item in body.items] if body.items else None
    payment = NewPayment(body.account, body.cents, body.channel, body.reference, items)
    posted, is_new = payments.post_payment(
        actor_of_request(request), center.center_id, payment, timezone.now(), idempotency_key
    )
    response["Location"] = f"/api/v1/payments/{posted.payment_id}"
    return Status(201 if is_new else 200, _shown(posted))


@router.get("/{payment_id}", response=PaymentOut, summary="A payment")
def payment(request: HttpRequest, payment_id: Id) -> PaymentOut:
    """A payment that was posted here."""
    actor_of_request(request).require("account.view")
    return _shown(payments.posted_payment(payment_id))


def _shown(view: PaymentView) -> PaymentOut:
    return PaymentOut(
        payment_id=view.payment_id,
        account=view.account_number,
        cents=view.cents,
        channel=view.channel,
        reference=view.reference,
        day=view.day,
        center=view.center,
        posted_at=view.posted_at,
        posted_by=view.actor,
        settled=[SettledOut(charge_id=s.charge_id, cents=s.cents) for s in view.settled],
        credit_cents=view.credit_cents,
        is_reversed=view.is_reversed,
    )

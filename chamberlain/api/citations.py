"""Citations from the systems that issue them, and vehicles as the street asks about them."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Router, Schema, Status
from pydantic import Field

from chamberlain.api.fields import AccountNumber, Body, Code, Day, IdempotencyKey, Text, shown
from chamberlain.api.posting import own_key, posting_day_id, refuse_other_body
from chamberlain.api.tokens import actor_of_request
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import account_id_of
from chamberlain.revenue import operations
from chamberlain.revenue.citations import booting, contesting, queries
from chamberlain.revenue.operations import Posting
from chamberlain.revenue.queries import obligation_charges

router = Router(tags=["Citations"])
CitationNumber = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9\-]{0,23}$")]
Plate = Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,12}$")]


class CitationIn(Body):
    """A citation as it was issued. violation: the code of the city's fee."""

    account: AccountNumber
    number: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-]{0,23}$")]
    violation: Code
    plate: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 \-]{0,14}$")]
    issued_on: Day


class ContestIn(Body):
    """What the customer says, and the day of the hearing if it is set."""

    note: Text
    hearing_on: Day | None = None


class CitationChargeOut(Schema):
    """A charge of a citation: the fine, or the penalty of its final determination."""

    charge_id: int
    kind: str
    raised_on: date
    due_on: date
    cents: int
    settled_cents: int


class StageOut(Schema):
    """A change of stage."""

    label: str
    on: date
    by: str
    note: str


class CitationOut(Schema):
    """A citation. label: its stage in words, `Paid` when nothing is open."""

    number: str
    plate: str
    account: str
    violation: str
    issued_on: date
    stage: str
    label: str
    hearing_on: date | None
    cents: int
    open_cents: int


class CitationWhole(CitationOut):
    """A citation with its charges and what happened."""

    charges: list[CitationChargeOut]
    stages: list[StageOut]


class VehicleOut(Schema):
    """A vehicle: its citations, and whether it may be booted, with the reason; "" when not."""

    plate: str
    open_cents: int
    may_be_booted_because: str
    is_booted: bool
    citations: list[CitationOut]


@router.post(
    "/citations", response={201: CitationWhole, 200: CitationWhole}, summary="Enter a citation"
)
def enter(
    request: HttpRequest, body: CitationIn, idempotency_key: IdempotencyKey
) -> Status[CitationWhole]:
    """Enters a citation on the account of the vehicle's owner, once."""
    actor = actor_of_request(request)
    actor.require(operations.PERMISSION)
    number = body.number.upper()
    key = own_key(actor, idempotency_key)
    account_id = account_id_of(body.account)
    is_known = operations.is_entered(number)
    posting = Posting(posting_day_id(), timezone.now(), key)
    made = operations.issue_citation(
        actor, account_id, number, body.violation, body.plate, body.issued_on, posting
    )
    row = queries.citation(operations.number_of(made))
    refuse_other_body(
        (row.number, row.account_id, row.issued_on, row.plate)
        == (number, account_id, body.issued_on, booting.plate_of(body.plate))
    )
    return Status(200 if is_known else 201, _whole(row))


@router.get("/citations/{number}", response=CitationWhole, summary="A citation")
def citation(request: HttpRequest, number: CitationNumber) -> CitationWhole:
    """A citation with its charges and what happened to it."""
    actor_of_request(request).require("account.view")
    return _whole(queries.citation(number))


@router.post("/citations/{number}/contest", response=CitationWhole, summary="Contest a citation")
def contest(request: HttpRequest, number: CitationNumber, body: ContestIn) -> CitationWhole:
    """Enters that a citation is contested; another person enters what was decided."""
    actor = actor_of_request(request)
    contesting.contest(
        actor, number, body.note, timezone.localdate(), timezone.now(), body.hearing_on
    )
    return _whole(queries.citation(number))


@router.get("/vehicles/{plate}", response=VehicleOut, summary="A vehicle")
def vehicle(request: HttpRequest, plate: Plate) -> VehicleOut:
    """The citations of a vehicle, the latest first, and whether it may be booted today."""
    actor_of_request(request).require("account.view")
    kept = booting.plate_of(plate)
    found = queries.citations_of_plate(kept)
    try:
        eligible = booting.eligible(timezone.localdate(), 1, plate=kept)
    except NotFound:  # the city has no rules of citations
        eligible = []
    return VehicleOut(
        plate=kept,
        open_cents=sum(row.open_cents for row in found),
        may_be_booted_because=eligible[0].because if eligible else "",
        is_booted=bool(queries.boots(is_on=True, plate=kept)),
        citations=[_shown(row) for row in found],
    )


def _shown(row: queries.CitationRow) -> CitationOut:
    return shown(CitationOut, row, account=row.account_number)


def _whole(row: queries.CitationRow) -> CitationWhole:
    return shown(
        CitationWhole,
        row,
        account=row.account_number,
        charges=[shown(CitationChargeOut, each) for each in obligation_charges(row.obligation_id)],
        stages=[shown(StageOut, each) for each in queries.events(row.obligation_id)],
    )

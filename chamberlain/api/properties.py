"""Properties: type, units, owners, accounts, documents; who moves in and where service goes."""

import base64
import binascii
from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from chamberlain.api.fields import (
    AccountNumber,
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
)
from chamberlain.api.people import CustomerIn
from chamberlain.api.posting import own_key
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing import occupancy
from chamberlain.billing.finals import operations as finals
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.metering import queries as metering
from chamberlain.registry import document_queries, documents, findings, queries, record
from chamberlain.registry.content import LARGEST_BYTES

router = Router(tags=["Properties"])

_WHOLE_SHARE = 10_000


class UseOut(Schema):
    """What a property is from a day on; from_on null is since it was registered."""

    from_on: date | None
    type_name: str
    dwelling_units: int
    document_id: int | None
    reason: str
    found_by: str
    decided_by: str
    superseded: bool


class OwnerOut(Schema):
    """Who owns or owned a share; 10000 basis points are all of it. until: the first day after."""

    name: str
    share_basis_points: int
    since: date
    until: date | None


class MeterOut(Schema):
    """A meter that is or was in; until: the first day after."""

    serial: str
    size: str
    dials: int
    unit: str
    since: date
    until: date | None


class ServicePointOut(Schema):
    """A place where a service is taken, and its meters, the latest first."""

    code: str
    meters: list[MeterOut]


class HeldOut(Schema):
    """An account that is or was for the property; until: the first day after."""

    account: str
    customer_name: str
    owed_cents: int
    since: date
    until: date | None


class PropertyOut(Schema):
    """A property as it is recorded today, with what it was before."""

    property_id: int
    parcel_number: str
    address: str
    postal_code: str
    type_code: str
    type_name: str
    dwelling_units: int
    uses: list[UseOut]
    owners: list[OwnerOut]
    service_points: list[ServicePointOut]
    accounts: list[HeldOut]


class MoveInIn(Body):
    """Who moves in, and the first day."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"on": "2026-04-01", "customer": {"name": "Ada Brenner"}}},
    )

    on: Day
    customer: CustomerIn


class MovedInOut(Schema):
    """The new account; agreements: how many bill to it. from_type: what the type decided."""

    account: str
    agreements: int
    from_type: list[str]


class TransferIn(Body):
    """Where service goes on: the property of a parcel or an account, and the two days.

    out_on: the first day that is not billed at the old place; in_on: the first at the new one.
    """

    to_property: AccountNumber
    out_on: Day
    in_on: Day


class TransferredOut(Schema):
    """The new account, and bills of the old one that cover days after it."""

    account: str
    bills_after: list[str]


class DocumentIn(Body):
    """A document about the property; content is the file in base64, at most 10 MB."""

    kind: Code
    name: Text
    content: Annotated[str, Field(min_length=8, max_length=4 * (LARGEST_BYTES // 3 + 2))]


class DocumentOut(Schema):
    """A document; reviewed_at null while it waits for its review."""

    document_id: int
    property_id: int
    kind: str
    name: str
    media_type: str
    size_bytes: int
    pages: int
    kept_by: str
    kept_at: datetime
    reviewed_by: str
    reviewed_at: datetime | None
    review_note: str


class FoundOwnerIn(Body):
    """What a document proves about an owner; replaces: whether the owners until then end."""

    from_on: Day
    customer: CustomerIn
    share_basis_points: Annotated[int, Field(ge=1, le=_WHOLE_SHARE)] = _WHOLE_SHARE
    replaces: bool = True


class FoundUseIn(Body):
    """What a document proves about the type or the dwelling units."""

    from_on: Day
    property_type: Code
    dwelling_units: Annotated[int, Field(ge=0, le=10_000)]


class ProposedUseIn(FoundUseIn):
    """The same, known without a document: the reason says how."""

    reason: Text


class DecisionIn(Body):
    """Whether a found change is right; the note says why it is not."""

    is_right: bool
    note: Text | None = None


class FindingOut(Schema):
    """What was found in a document: an owner, or a type or units that another decides on."""

    finding_id: int
    document_id: int | None
    reason: str
    kind: str
    from_on: date
    owner: str
    share_basis_points: int | None
    type_name: str
    dwelling_units: int | None
    state: str
    found_by: str
    decided_by: str
    note: str


@router.get("/accounts/{number}/property", response=PropertyOut, summary="Of an account")
def of_account(request: HttpRequest, number: Number) -> PropertyOut:
    """The property that an account is or was last for."""
    actor_of_request(request).require("account.view")
    return _seen(record.property_named(number).property_id)


@router.get("/properties/{property_id}", response=PropertyOut, summary="A property")
def one(request: HttpRequest, property_id: Id) -> PropertyOut:
    """A property with its owners, service points, accounts, and what it was from when on."""
    actor_of_request(request).require("account.view")
    return _seen(property_id)


@router.post(
    "/properties/{property_id}/move-in",
    response={201: MovedInOut},
    summary="Move in",
)
def move_in(
    request: HttpRequest, property_id: Id, body: MoveInIn, idempotency_key: IdempotencyKey
) -> Status[MovedInOut]:
    """Opens an account for who moves in and bills the service points to it; once for a key."""
    actor = actor_of_request(request)
    made = occupancy.move_in(
        actor,
        property_id,
        body.customer.somebody(),
        body.on,
        timezone.localdate(),
        idempotency_key=own_key(actor, idempotency_key),
    )
    found = MovedInOut(
        account=made.account_number, agreements=made.agreements, from_type=list(made.from_type)
    )
    return Status(201, found)


@router.post("/accounts/{number}/transfer", response=TransferredOut, summary="Transfer service")
def transfer(request: HttpRequest, number: Number, body: TransferIn) -> TransferredOut:
    """The holder moves to another property, and the final bill is asked for; all or nothing."""
    to = record.property_named(body.to_property)
    out, into = finals.transfer(
        actor_of_request(request),
        number,
        to.property_id,
        body.out_on,
        body.in_on,
        timezone.localdate(),
        timezone.now(),
    )
    return TransferredOut(account=into.account_number, bills_after=list(out.bills_after))


@router.get("/properties/{property_id}/documents", response=list[DocumentOut], summary="Documents")
def documents_of(request: HttpRequest, property_id: Id) -> list[DocumentOut]:
    """Documents about a property, the newest first."""
    actor_of_request(request).require("document.view")
    record.property_record(property_id)
    return [shown(DocumentOut, row) for row in document_queries.documents_of_property(property_id)]


@router.post(
    "/properties/{property_id}/documents", response={201: DocumentOut}, summary="Keep a document"
)
def keep(request: HttpRequest, property_id: Id, body: DocumentIn) -> Status[DocumentOut]:
    """Keeps a document; what its content is decides, not its name."""
    try:
        data = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The content is no base64; encode the file.", field="content") from error
    made = documents.keep_document(
        actor_of_request(request), property_id, body.kind, body.name, data, timezone.now()
    )
    return Status(201, shown(DocumentOut, document_queries.document_row(made)))


@router.get("/documents/waiting", response=Page[DocumentOut], summary="Documents to review")
def waiting(request: HttpRequest, limit: Limit = 50, cursor: Cursor = "") -> Page[DocumentOut]:
    """Documents that nobody reviewed, the oldest first."""
    actor_of_request(request).require("document.view")
    start = offset_of(cursor)
    rows, following = page_of(document_queries.waiting_documents(limit + 1, start), start, limit)
    return Page(items=[shown(DocumentOut, row) for row in rows], next=following)


@router.get("/documents/{document_id}/findings", response=list[FindingOut], summary="Findings")
def findings_of(request: HttpRequest, document_id: Id) -> list[FindingOut]:
    """What was found in a document, in the order of finding."""
    documents.document_for(actor_of_request(request), document_id)
    return _findings(document_id)


@router.post("/documents/{document_id}/owner", response=list[FindingOut], summary="Found an owner")
def found_owner(
    request: HttpRequest, document_id: Id, body: FoundOwnerIn, idempotency_key: IdempotencyKey
) -> list[FindingOut]:
    """Records the owner that a document proves, as dated ownership; once for a key."""
    actor = actor_of_request(request)
    owner = findings.FoundOwner(body.customer.somebody(), body.share_basis_points, body.replaces)
    findings.find_owner(
        actor,
        document_id,
        owner,
        body.from_on,
        timezone.now(),
        timezone.localdate(),
        idempotency_key=own_key(actor, idempotency_key),
    )
    return _findings(document_id)


@router.post("/documents/{document_id}/use", response=list[FindingOut], summary="Found a type")
def found_use(request: HttpRequest, document_id: Id, body: FoundUseIn) -> list[FindingOut]:
    """Proposes the type and units that a document proves; another person decides."""
    findings.find_use(
        actor_of_request(request),
        document_id,
        body.property_type,
        body.dwelling_units,
        body.from_on,
        timezone.now(),
        timezone.localdate(),
    )
    return _findings(document_id)


@router.post(
    "/properties/{property_id}/use", response={201: FindingOut}, summary="Ask for another type"
)
def propose_use(request: HttpRequest, property_id: Id, body: ProposedUseIn) -> Status[FindingOut]:
    """Asks for another type or number of units, known without a document; another decides."""
    actor = actor_of_request(request)
    actor.require("document.view")
    use = findings.Use(body.property_type, body.dwelling_units, body.from_on)
    made = findings.propose_use(
        actor, property_id, use, body.reason, timezone.now(), timezone.localdate()
    )
    return Status(201, _finding(actor, made))


@router.post("/documents/findings/{finding_id}/decide", response=FindingOut, summary="Decide")
def decide(request: HttpRequest, finding_id: Id, body: DecisionIn) -> FindingOut:
    """Applies a found change of type or units, or says why not; never who found it."""
    actor = actor_of_request(request)
    actor.require("document.view")
    findings.decide_use(actor, finding_id, body.is_right, timezone.now(), body.note or "")
    return _finding(actor, finding_id)


def _findings(document_id: int) -> list[FindingOut]:
    return [shown(FindingOut, row) for row in document_queries.findings_of_document(document_id)]


def _finding(actor: Actor, finding_id: int) -> FindingOut:
    actor.require("document.view")
    found = document_queries.finding_row(finding_id)
    if found is None:
        raise NotFound("There is no such finding; look at the document.")
    return shown(FindingOut, found)


def _seen(property_id: int) -> PropertyOut:
    found = record.property_record(property_id)
    return shown(
        PropertyOut,
        found,
        uses=[shown(UseOut, each) for each in record.uses(property_id)],
        owners=[shown(OwnerOut, each) for each in queries.owners(property_id)],
        service_points=[
            ServicePointOut(
                code=point.code,
                meters=[
                    shown(MeterOut, meter) for meter in metering.meters(point.service_point_id)
                ],
            )
            for point in queries.service_points(property_id)
        ],
        accounts=[
            shown(HeldOut, each, account=each.account_number)
            for each in record.accounts_at(property_id)
        ],
    )

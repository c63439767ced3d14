"""Letters: what may be written, one to an account, and many at once."""

from datetime import date, datetime
from typing import Annotated

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import (
    AccountNumber,
    Body,
    Cents,
    Code,
    Cursor,
    DocumentNumber,
    Id,
    IdempotencyKey,
    Limit,
    Number,
    Page,
    offset_of,
    page_of,
    shown,
    whole,
)
from chamberlain.api.posting import own_key, refuse_other_body
from chamberlain.api.tokens import actor_of_request
from chamberlain.casework.letters import batches, operations, queries
from chamberlain.casework.letters.tasks import defer_letters
from chamberlain.kernel.errors import Invalid
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Letters"])

Paragraph = Annotated[str, Field(strict=True, max_length=operations.LONGEST_FREE)]


class LetterIn(Body):
    """Which letter, and a paragraph of the writer's own where it has a place for one."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"template": "past_due"}}
    )

    template: Code
    free: Paragraph = ""


class BatchIn(LetterIn):
    """To whom: the accounts named, or those past due by so much for so many days."""

    accounts: Annotated[list[AccountNumber], Field(max_length=10_000)] = []
    past_due_days: Annotated[int, Field(ge=0, le=3660), BeforeValidator(whole)] | None = None
    past_due_cents: Cents | None = None


class TemplateOut(Schema):
    """A letter that may be written today, in the version in use."""

    code: str
    name: str
    language: str
    version: int
    subject: str


class LetterOut(Schema):
    """A letter as sent; the address is masked without contact.view."""

    number: str
    account: str
    template: str
    written_on: date
    addressed_to: list[str]
    is_paperless: bool
    subject: str
    text: str


class BatchOut(Schema):
    """A batch: planned, running, stopped or done, and how far it is."""

    batch_id: int
    name: str
    day: date
    asked: str
    status: str
    asked_by: str
    asked_at: datetime
    accounts: int
    letters: int
    left_out: int


@router.get("/letters/templates", response=list[TemplateOut], summary="Letters in use")
def templates(request: HttpRequest) -> list[TemplateOut]:
    """What may be written today, one version of each, in English."""
    actor_of_request(request).require("letter.write")
    return [shown(TemplateOut, row) for row in queries.templates_for("en", timezone.localdate())]


@router.get("/accounts/{number}/letters", response=Page[LetterOut], summary="Of an account")
def of_account(
    request: HttpRequest, number: Number, limit: Limit = 50, cursor: Cursor = ""
) -> Page[LetterOut]:
    """Letters to an account, the newest first."""
    actor = actor_of_request(request)
    actor.require("account.view")
    start = offset_of(cursor)
    found = queries.letters_of_account(account_id_of(number), limit + 1, start)
    rows, following = page_of(found, start, limit)
    items = [_letter(row, unmasked=actor.may("contact.view")) for row in rows]
    return Page(items=items, next=following)


@router.post(
    "/accounts/{number}/letters",
    response={201: LetterOut, 200: LetterOut},
    summary="Write a letter",
)
def write(
    request: HttpRequest, number: Number, body: LetterIn, idempotency_key: IdempotencyKey
) -> Status[LetterOut]:
    """Keeps a letter to the holder as sent, once."""
    actor, now = actor_of_request(request), timezone.now()
    actor.require("letter.write")
    made = operations.send_letter(
        actor,
        account_id_of(number),
        body.template,
        timezone.localdate(),
        now,
        own_key(actor, idempotency_key),
        body.free,
    )
    found = queries.letter(made)
    refuse_other_body((found.account_number, found.code) == (number, body.template))
    letter = _letter(found, unmasked=actor.may("contact.view"))
    return Status(201 if found.sent_at == now else 200, letter)


@router.get("/letters/{document}/document.pdf", summary="A letter as sent")
def document(request: HttpRequest, document: DocumentNumber) -> HttpResponse:
    """The file that was sent, to the byte."""
    pdf = queries.letter_file(actor_of_request(request), document)
    return HttpResponse(pdf, content_type="application/pdf")


@router.post(
    "/letters/batches", response={201: BatchOut, 200: BatchOut}, summary="Plan letters to many"
)
def plan(request: HttpRequest, body: BatchIn, idempotency_key: IdempotencyKey) -> Status[BatchOut]:
    """Plans a letter to many accounts, once; nothing is written before it is started."""
    actor, now = actor_of_request(request), timezone.now()
    actor.require("letter.batch")
    batch_id = batches.ask_batch(
        actor,
        body.template,
        body.free,
        _chosen(body),
        timezone.localdate(),
        now,
        own_key(actor, idempotency_key),
    )
    found = _batch(batch_id)
    return Status(201 if found.asked_at == now else 200, found)


@router.get("/letters/batches/{batch_id}", response=BatchOut, summary="Letters to many")
def batch(request: HttpRequest, batch_id: Id) -> BatchOut:
    """How far a batch is."""
    actor_of_request(request).require("letter.batch")
    return _batch(batch_id)


@router.post("/letters/batches/{batch_id}/start", response=BatchOut, summary="Write them")
def start(request: HttpRequest, batch_id: Id) -> BatchOut:
    """Hands a planned or stopped batch to the background worker."""
    actor = actor_of_request(request)
    with transaction.atomic():
        batches.start_batch(actor, batch_id)
        defer_letters(batch_id)
    return _batch(batch_id)


@router.post("/letters/batches/{batch_id}/stop", response=BatchOut, summary="Stop")
def stop(request: HttpRequest, batch_id: Id) -> BatchOut:
    """Stops after the letters under way; what is written stays."""
    batches.stop_batch(actor_of_request(request), batch_id)
    return _batch(batch_id)


def _chosen(body: BatchIn) -> batches.Chosen:
    by_amount = body.past_due_days is not None and body.past_due_cents is not None
    if bool(body.accounts) == by_amount:
        raise Invalid(
            "Name the accounts, or give past_due_days and past_due_cents; one of the two.",
            field="accounts",
        )
    if body.accounts:
        ids = sorted({account_id_of(number) for number in body.accounts})
        return batches.Chosen(tuple(ids), "The accounts that a program named")
    assert body.past_due_days is not None
    assert body.past_due_cents is not None
    return batches.past_due(body.past_due_days, body.past_due_cents, timezone.localdate())


def _letter(row: queries.LetterRow, *, unmasked: bool) -> LetterOut:
    address = row.addressed_to if unmasked else ["•••" for _ in row.addressed_to]
    return shown(LetterOut, row, account=row.account_number, addressed_to=address)


def _batch(batch_id: int) -> BatchOut:
    return shown(BatchOut, queries.batch(batch_id))

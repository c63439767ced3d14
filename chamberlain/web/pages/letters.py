"""Letters: one written at an account, many at once, and each as it was sent."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.casework.letters import batches, operations, queries
from chamberlain.casework.letters.documents import paragraphs
from chamberlain.casework.letters.queries import BatchRow, LetterRow
from chamberlain.casework.letters.tasks import defer_letters
from chamberlain.kernel.errors import BadFile, Refused
from chamberlain.registry import queries as registry
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.exporting import csv_file, text_cell
from chamberlain.web.fields import DollarsField
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of

_LETTERS = {"label": "Letters", "url": "/letters/"}
_STATES = {"planned": "waiting", "running": "running", "stopped": "stopped", "done": "done"}


class NoteField(forms.CharField):
    """Words of a clerk's own, at the end of a letter."""

    def __init__(self) -> None:
        super().__init__(
            label="In your own words",
            max_length=operations.NOTE_MAX,
            required=False,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text="At the end of the letter, where the letter takes any",
        )


class LetterForm(forms.Form):
    """Which letter, and what a clerk adds to it."""

    code = forms.ChoiceField(label="Letter")
    note = NoteField()
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"key": secrets.token_urlsafe(16)})
        _choose(self)


class BatchForm(LetterForm):
    """Which letter, and to whom: by what is past due, or by a file."""

    days = forms.IntegerField(
        label="Past due for more than",
        min_value=0,
        max_value=3650,
        required=False,
    )
    amount = DollarsField(label="At least", required=False)
    file = forms.FileField(
        label="Or a file of accounts",
        required=False,
        help_text="CSV with a column account",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    field_order = ("code", "note", "days", "amount", "file", "key")

    def chosen(self) -> batches.Chosen:
        """The accounts that the valid form asks for. Raises Refused."""
        given, today = self.cleaned_data, timezone.localdate()
        if given["file"]:
            file = given["file"]
            return batches.of_file(file.read(batches.LARGEST_FILE_BYTES + 1), file.name)
        return batches.past_due(given["days"] or 0, given["amount"] or 0, today)


def _choose(form: forms.Form) -> None:
    field = form.fields["code"]
    assert isinstance(field, forms.ChoiceField)
    named = {row.code: row.name for row in queries.templates(timezone.localdate())}
    field.choices = list(named.items())


@needs("account.view")
@require_safe
def account_letters(request: OfficeRequest, number: str) -> HttpResponse:
    """Letters to an account, the newest first."""
    account = registry.account_summary(number)

    def fetch(limit: int, offset: int) -> list[LetterRow]:
        return queries.letters_of_account(account.account_id, limit, offset)

    values = {
        "page": page_of(request, queries.count_letters(account.account_id), fetch, 24),
        "may_write": actor_of_page(request).may("letter.write"),
    }
    return show_account(request, account, "letters", values, "letters/account.html")


@needs("letter.write")
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: OfficeRequest, number: str) -> HttpResponse:
    """A letter to an account: chosen, looked at as it would be sent, sent."""
    account = registry.account_summary(number)
    actor, today = actor_of_page(request), timezone.localdate()
    form = LetterForm(request.POST if request.method == "POST" else None)
    shown = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if request.POST.get("do") == "send":
                sent = operations.send_letter(
                    actor, number, given["code"], given["note"], today, timezone.now(),
                    given["key"],
                )  # fmt: skip
                messages.success(request, f"Letter {sent} is kept as sent; print it from here.")
                return redirect("letter", sent)
            draft = operations.draft_letter(actor, number, given["code"], given["note"], today)
            shown = draft.written("", today)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {
        "form": form,
        "shown": shown,
        "paragraphs": paragraphs(shown.text) if shown else [],
        "has_letters": bool(form.fields["code"].choices),  # type: ignore[attr-defined]
    }
    response = show_account(request, account, "letters", values, "letters/write.html")
    response.status_code = 422 if form.errors else 200
    return response


@needs("account.view")
@require_safe
def letter(request: OfficeRequest, number: str) -> HttpResponse:
    """A letter as it was sent."""
    found = queries.letter(number)
    actor = actor_of_page(request)
    values = {
        "letter": found,
        "paragraphs": paragraphs(found.text),
        "sees_contacts": actor.may("contact.view"),
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": found.account_number, "url": f"/accounts/{found.account_number}/"},
            {"label": "Letters", "url": f"/accounts/{found.account_number}/letters/"},
            {"label": found.number},
        ],
    }
    return render(request, "letters/letter.html", values)


@needs("contact.view")
@require_safe
def letter_pdf(request: OfficeRequest, number: str) -> HttpResponse:
    """The letter's PDF, the same as was sent."""
    pdf = queries.letter_as_sent(actor_of_page(request), number)
    return _pdf(pdf, f"letter-{queries.letter(number).number}")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@needs("letter.write")
@require_safe
def letters(request: OfficeRequest) -> HttpResponse:
    """Batches of letters, and the wordings that the city has."""
    values = {
        "page": page_of(request, queries.count_batches(), queries.batches),
        "templates": [
            (row, paragraphs(row.body)) for row in queries.templates(timezone.localdate())
        ],
        "may_batch": actor_of_page(request).may("letter.batch"),
    }
    return render(request, "letters/letters.html", values)


@needs("letter.batch")
@require_http_methods(["GET", "HEAD", "POST"])
def new_batch(request: OfficeRequest) -> HttpResponse:
    """One letter to many: chosen here, looked at on the batch's page; nothing is written yet."""
    posted = request.method == "POST"
    form = BatchForm(request.POST if posted else None, request.FILES if posted else None)
    bad: list[str] = []
    if posted and form.is_valid():
        given = form.cleaned_data
        try:
            batch_id = batches.ask_batch(
                actor_of_page(request), given["code"], given["note"], form.chosen(),
                timezone.localdate(), timezone.now(), given["key"],
            )  # fmt: skip
            return redirect("letter_batch", batch_id)
        except BadFile as refusal:
            form.add_error("file", refusal.sentence)
            bad = [str(record) for record in refusal.records[:50]]
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {"form": form, "bad": bad, "breadcrumbs": [_LETTERS, {"label": "To many"}]}
    return render(request, "letters/new_batch.html", values, status=422 if form.errors else 200)


def _progress(request: OfficeRequest, row: BatchRow) -> dict[str, Any]:
    may_stop = actor_of_page(request).may("letter.batch") and row.status == "running"
    return {
        "batch": row,
        "state": _STATES[row.status],
        "poll": reverse("letter_batch_progress", args=[row.batch_id]),
        "stop": reverse("decide_letter_batch", args=[row.batch_id]) if may_stop else "",
    }


@needs("letter.write")
@require_safe
def batch(request: OfficeRequest, batch_id: int) -> HttpResponse:
    """A batch: what it would write, or how far it is and what came of it."""
    row, actor = queries.batch(batch_id), actor_of_page(request)
    is_planned = row.status == "planned"
    looked = batches.look_at_asked(actor, batch_id) if is_planned and actor.may(
        "letter.batch"
    ) else None  # fmt: skip
    values = _progress(request, row) | {
        "looked": looked,
        "first": [(each, paragraphs(each.text)) for each in looked.first] if looked else [],
        "left_out": looked.left_out if looked else queries.left_out(batch_id),
        "may_batch": actor.may("letter.batch"),
        "files": range(0, row.letters, batches.PRINTED_AT_ONCE),
        "breadcrumbs": [_LETTERS, {"label": f"Batch {batch_id}"}],
    }
    return render(request, "letters/batch.html", values)


@needs("letter.write")
@require_safe
def batch_progress(request: OfficeRequest, batch_id: int) -> HttpResponse:
    """The progress alone; when the batch has ended, the browser shows all of it anew."""
    row = queries.batch(batch_id)
    response = render(request, "letters/progress.html", _progress(request, row))
    if row.status != "running":
        response["HX-Refresh"] = "true"
    return response


@needs("letter.batch")
@require_POST
def decide_batch(request: OfficeRequest, batch_id: int) -> HttpResponse:
    """Writes a batch, stops it, or drops it before anything is written."""
    actor = actor_of_page(request)
    match request.POST.get("do", "stop"):
        case "drop":
            batches.drop_batch(actor, batch_id)
            messages.success(request, "The batch was dropped; nothing was written.")
            return redirect("letters")
        case "write":
            with transaction.atomic():
                batches.start_batch(actor, batch_id)
                defer_letters(batch_id)
        case _:
            batches.stop_batch(actor, batch_id)
            messages.info(request, "The batch stops after the letters that are under way.")
    return redirect("letter_batch", batch_id)


@needs("letter.batch")
@require_safe
def print_batch(request: OfficeRequest, batch_id: int, offset: int) -> HttpResponse:
    """Letters of a batch as one file for the printer."""
    pdf = batches.printed_batch(actor_of_page(request), batch_id, offset)
    return _pdf(pdf, f"letters-{batch_id}-{offset // batches.PRINTED_AT_ONCE + 1}")


@needs("letter.batch")
@require_safe
def mailing(request: OfficeRequest, batch_id: int) -> HttpResponse:
    """Who gets which letter of a batch, in the order of the printer's files."""
    rows = batches.mailing_list(actor_of_page(request), batch_id)
    head = ("letter", "account", "addressee", "address")
    return csv_file(f"mailing-{batch_id}", head, [[text_cell(cell) for cell in r] for r in rows])


urlpatterns = [
    path("accounts/<str:number>/letters/", account_letters, name="account_letters"),
    path("accounts/<str:number>/letters/new/", write, name="write_letter"),
    path("letters/", letters, name="letters"),
    path("letters/batches/new/", new_batch, name="new_letter_batch"),
    path("letters/batches/<int:batch_id>/", batch, name="letter_batch"),
    path("letters/batches/<int:batch_id>/progress/", batch_progress, name="letter_batch_progress"),
    path("letters/batches/<int:batch_id>/decide/", decide_batch, name="decide_letter_batch"),
    path("letters/batches/<int:batch_id>/print/<int:offset>.pdf", print_batch,
         name="print_letters"),
    path("letters/batches/<int:batch_id>/mailing.csv", mailing, name="letter_mailing"),
    path("letters/<str:number>/", letter, name="letter"),
    path("letters/<str:number>/letter.pdf", letter_pdf, name="letter_pdf"),
]  # fmt: skip

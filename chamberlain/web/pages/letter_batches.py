"""One letter to many accounts: chosen, looked at, written, printed."""

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

from chamberlain.casework.letters import batches, queries
from chamberlain.casework.letters.queries import BatchRow
from chamberlain.casework.letters.tasks import defer_letters
from chamberlain.casework.letters.wording import LONGEST_FREE
from chamberlain.kernel.errors import BadFile, Refused
from chamberlain.kernel.tables import Table, columns
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.exporting import csv_file
from chamberlain.web.fields import DollarsField
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of

_LETTERS = {"label": "Letters to many", "url": "/letters/batches/"}
_STATES = {"planned": "waiting", "running": "running", "stopped": "stopped", "done": "done"}


class BatchForm(forms.Form):
    """Which letter, and to whom: by what is past due, or by a file."""

    template = forms.ChoiceField(label="Letter")
    free = forms.CharField(
        label="A paragraph of your own",
        max_length=LONGEST_FREE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where the letter has a place for it",
    )
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
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"key": secrets.token_urlsafe(16)})
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        letters = queries.templates_for("en", timezone.localdate())
        field.choices = [(row.code, row.name) for row in letters]

    def chosen(self) -> batches.Chosen:
        """The accounts that the valid form asks for. Raises Refused."""
        given, today = self.cleaned_data, timezone.localdate()
        if given["file"]:
            file = given["file"]
            return batches.of_file(file.read(batches.LARGEST_FILE_BYTES + 1), file.name)
        return batches.past_due(given["days"] or 0, given["amount"] or 0, today)


@needs("letter.write")
@require_safe
def batch_list(request: OfficeRequest) -> HttpResponse:
    """Batches of letters, the newest first."""
    values = {
        "page": page_of(request, queries.count_batches(), queries.batches),
        "may_batch": actor_of_page(request).may("letter.batch"),
    }
    return render(request, "letters/batches.html", values)


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
                actor_of_page(request), given["template"], given["free"], form.chosen(),
                timezone.localdate(), timezone.now(), given["key"],
            )  # fmt: skip
            return redirect("letter_batch", batch_id)
        except BadFile as refusal:
            form.add_error("file", refusal.sentence)
            bad = [str(record) for record in refusal.records[:50]]
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {"form": form, "bad": bad, "breadcrumbs": [_LETTERS, {"label": "Write to many"}]}
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
        "first": looked.first if looked else (),
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
            return redirect("letter_batches")
        case "write":
            with transaction.atomic():
                batches.start_batch(actor, batch_id)
                defer_letters(batch_id)
        case _:
            batches.stop_batch(actor, batch_id)
            messages.info(request, "The batch stops after the letters that are under way.")
    return redirect("letter_batch", batch_id)


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


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
    head = columns(("letter", "account", "address"))
    return csv_file(f"mailing-{batch_id}", Table("Mailing list", head, rows))


urlpatterns = [
    path("letters/batches/", batch_list, name="letter_batches"),
    path("letters/batches/new/", new_batch, name="new_letter_batch"),
    path("letters/batches/<int:batch_id>/", batch, name="letter_batch"),
    path("letters/batches/<int:batch_id>/progress/", batch_progress, name="letter_batch_progress"),
    path("letters/batches/<int:batch_id>/decide/", decide_batch, name="decide_letter_batch"),
    path("letters/batches/<int:batch_id>/print/<int:offset>.pdf", print_batch,
         name="print_letters"),
    path("letters/batches/<int:batch_id>/mailing.csv", mailing, name="letter_mailing"),
]  # fmt: skip

"""Adjustments of many accounts: a file looked at, asked for together, decided together."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.adjusting import batches, operations, queries, unclaimed
from chamberlain.billing.adjusting.reasons import reasons_on
from chamberlain.kernel.errors import Refused
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.adjusting import DecideForm, posting_day_id, what_may_be_done
from chamberlain.web.paging import page_of

ROWS = 50
RECORDS = 200


class FileForm(forms.Form):
    """A file of accounts and amounts, and why."""

    reason = forms.ChoiceField(label="Reason")
    note = forms.CharField(
        label="Why, in your words",
        max_length=200,
        required=False,
        help_text="For rows that bring no note of their own.",
    )
    file = forms.FileField(
        label="File",
        help_text="CSV with the heading account,amount or account,amount,note.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].choices = [("", "Choose a reason")] + [  # type: ignore[attr-defined]
            (reason.code, f"{reason.kind_row.name}: {reason.name}")
            for reason in reasons_on(timezone.localdate())
            if reason.kind_row.in_batch
        ]


@needs("adjustment.ask")
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: OfficeRequest) -> HttpResponse:
    """Takes a file in to be looked at; nothing is asked for yet."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            file_id = batches.keep_file(
                actor_of_page(request),
                file.read(batches.LARGEST_FILE_BYTES + 1),
                file.name,
                form.cleaned_data["reason"],
                form.cleaned_data["note"],
                timezone.localdate(),
                timezone.now(),
            )
            return redirect("adjustment_file", file_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {"form": form, "breadcrumbs": _crumbs("Adjust many accounts")}
    return render(request, "adjusting/upload.html", values, status=422 if form.errors else 200)


def _crumbs(here: str) -> list[dict[str, str]]:
    return [{"label": "Adjustments", "url": "/adjustments/"}, {"label": here}]


@needs("adjustment.ask")
@require_safe
def file(request: OfficeRequest, file_id: int) -> HttpResponse:
    """What a file would do, row by row, with every bad row on top."""
    kept = batches.kept_file(actor_of_page(request), file_id, timezone.localdate())
    preview = kept.preview
    values = {
        "kept": kept,
        "preview": preview,
        "records": preview.records[:RECORDS],
        "more_records": max(0, len(preview.records) - RECORDS),
        "page": Paginator(preview.rows, ROWS).get_page(request.GET.get("page")),
        "step": preview.reason.step(preview.cents),
        "breadcrumbs": _crumbs(kept.file_name),
    }
    return render(request, "adjusting/file.html", values)


@needs("adjustment.ask")
@require_POST
def ask_for_file(request: OfficeRequest, file_id: int) -> HttpResponse:
    """Asks for all rows of the file, or drops it, as the button says."""
    actor = actor_of_page(request)
    if request.POST.get("act") == "drop":
        batches.drop_file(actor, file_id)
        messages.success(request, "The file was dropped; nothing was asked for.")
        return redirect("adjustments")
    number = batches.ask_for_file(actor, file_id, timezone.localdate(), timezone.now())
    messages.success(request, f"Batch {number} was asked for.")
    return redirect("adjustment_batch", number)


@needs("billing.view")
@require_safe
def batch(request: OfficeRequest, number: str) -> HttpResponse:
    """A batch with its adjustments."""
    return _show(request, number, DecideForm())


def _show(request: OfficeRequest, number: str, form: DecideForm) -> HttpResponse:
    row = queries.batch(number)
    step = queries.step_of_batch(number)

    def fetch(limit: int, offset: int) -> list[queries.AdjustmentRow]:
        return queries.adjustments_of_batch(number, limit, offset)

    values = {
        "row": row,
        "form": form,
        "step": step,
        "page": page_of(request, row.rows, fetch, ROWS),
        "breadcrumbs": _crumbs(number),
        **what_may_be_done(actor_of_page(request), row.asked_by_id, row.waiting > 0, step),
    }
    return render(request, "adjusting/batch.html", values, status=422 if form.errors else 200)


@needs("billing.view")
@require_POST
def decide_batch(request: OfficeRequest, number: str) -> HttpResponse:
    """Approves, refuses or withdraws a batch, as the button says."""
    form = DecideForm(request.POST)
    if form.is_valid():
        try:
            messages.success(request, _decide(request, number, form.cleaned_data["note"]))
            return redirect("adjustment_batch", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, number, form)


def _decide(request: OfficeRequest, number: str, note: str) -> str:
    actor, now = actor_of_page(request), timezone.now()
    if request.POST.get("act") == "withdraw":
        operations.withdraw_batch(actor, number, now)
        return f"Batch {number} was withdrawn."
    if request.POST.get("act") == "refuse":
        operations.refuse_batch(actor, number, note, now)
        return f"Batch {number} was refused."
    count = operations.approve_batch(actor, number, posting_day_id(), now, note)
    return f"Batch {number} was posted: {count:,} adjustments."


@needs("billing.view")
@require_http_methods(["GET", "HEAD", "POST"])
def unclaimed_credits(request: OfficeRequest) -> HttpResponse:
    """Credits past the city's term, and asking to hand them over."""
    actor, today = actor_of_page(request), timezone.localdate()
    refusal = ""
    if request.method == "POST":
        try:
            key = request.POST.get("key", "")[:48] or secrets.token_hex(16)
            number = unclaimed.ask_unclaimed(actor, today, timezone.now(), key)
            messages.success(request, f"Batch {number} was asked for.")
            return redirect("adjustment_batch", number)
        except Refused as refused:
            refusal = refused.sentence
    count, cents = unclaimed.count_unclaimed(today)

    def fetch(limit: int, offset: int) -> list[unclaimed.UnclaimedRow]:
        return unclaimed.unclaimed_credits(today, limit, offset)

    values = {
        "reason": unclaimed.unclaimed_reason(today),
        "page": page_of(request, count, fetch, ROWS),
        "cents": cents,
        "refusal": refusal,
        "key": secrets.token_hex(16),
        "may_ask": actor.may("adjustment.ask"),
        "breadcrumbs": _crumbs("Unclaimed credits"),
    }
    return render(request, "adjusting/unclaimed.html", values, status=409 if refusal else 200)


urlpatterns = [
    path("adjustments/unclaimed/", unclaimed_credits, name="unclaimed_credits"),
    path("adjustments/files/", upload, name="adjustment_upload"),
    path("adjustments/files/<int:file_id>/", file, name="adjustment_file"),
    path("adjustments/files/<int:file_id>/ask/", ask_for_file, name="adjustment_file_ask"),
    path("adjustments/batches/<str:number>/", batch, name="adjustment_batch"),
    path("adjustments/batches/<str:number>/decide/", decide_batch, name="decide_batch"),
]

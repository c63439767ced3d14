"""Payments that came back: entered, found on the bank's statement, and listed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.casework.returned_payments import return_and_tell
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.reconciliation.returned import operations, queries
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of
from chamberlain.web.posting_day import posting_day_id

_LIST = {"label": "Returned payments", "url": "/returned/"}


class ReturnForm(forms.Form):
    """Why a check or card came back."""

    reason = forms.ChoiceField(label="Why it came back")
    note = forms.CharField(label="Note", max_length=operations.NOTE_MAX, required=False)

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_card = kind == "card"
        self.fields["reason"].choices = [  # type: ignore[attr-defined]
            (reason.value, reason.label)
            for reason in operations.Reason
            if (reason == operations.Reason.CHARGEBACK) == is_card
        ]


@needs("payment.trace")
@require_safe
def returned(request: OfficeRequest) -> HttpResponse:
    """Payments that came back; those that the bank's statement does not show yet first."""
    page = page_of(request, queries.count_returned(), queries.returned_items)
    may_find = actor_of_page(request).may("payment.return")
    debits = queries.open_debits() if may_find else {}
    context = {
        "page": page,
        "items": [
            (row, debits.get(row.cents, []) if row.line_on is None else [])
            for row in page.object_list
        ],
        "may_find": may_find,
    }
    return render(request, "returned/returned.html", context)


@needs("payment.return")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: OfficeRequest, tender_id: int) -> HttpResponse:
    """Enters that a check or card came back."""
    tender = queries.tender_row(tender_id)
    if tender is None:
        raise NotFound("There is no such tender; trace the payment again.")
    form = ReturnForm(tender.kind, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            told = return_and_tell(
                actor_of_page(request),
                tender_id,
                form.cleaned_data["reason"],
                form.cleaned_data["note"],
                posting_day_id(),
                timezone.localdate(),
                timezone.now(),
            )
            messages.success(request, "It came back: what it had paid is open again.")
            if told.letter:
                messages.success(request, f"Letter {told.letter} tells the customer.")
            else:
                messages.warning(request, f"No letter was written: {told.why_not}")
            return redirect("returned")
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "tender": tender,
        "breadcrumbs": [_LIST, {"label": tender.receipt}],
    }
    return render(request, "returned/new.html", context)


@needs("payment.return")
@require_POST
def find(request: OfficeRequest, item_id: int) -> HttpResponse:
    """Says which line of the bank an item is."""
    line = str(request.POST.get("line", ""))
    try:
        line_id = int(line) if line.isascii() and line.isdigit() and len(line) < 19 else 0
        operations.find_at_bank(
            actor_of_page(request), item_id, line_id, posting_day_id(), timezone.now()
        )
        messages.success(request, "It is found on the bank's statement.")
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("returned")


urlpatterns = [
    path("returned/", returned, name="returned"),
    path("returned/new/<int:tender_id>/", new, name="returned_new"),
    path("returned/<int:item_id>/find", find, name="returned_find"),
]

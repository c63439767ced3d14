"""Tracing a payment: found by whatever the customer has, and its whole way on one page."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.kernel.errors import Refused
from chamberlain.reconciliation import tracing
from chamberlain.reconciliation.returned.queries import tenders_of
from chamberlain.reconciliation.tracing_paper import steps, way_pdf
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bill_runs import DayInput

_BACK = timedelta(days=90)
_TRACE = {"label": "Trace a payment", "url": "/trace/"}


class TraceForm(forms.Form):
    """What is known of a payment."""

    q = forms.CharField(
        label="What the customer has",
        max_length=tracing.TEXT_MAX,
        help_text="Number of the receipt, check or bill, the amount, a plate, a name.",
    )
    from_on = forms.DateField(label="From", widget=DayInput())
    to_on = forms.DateField(label="To", widget=DayInput())


@needs("payment.trace")
@require_safe
def find(request: OfficeRequest) -> HttpResponse:
    """Payments that fit what is known."""
    today = timezone.localdate()
    initial = {"from_on": today - _BACK, "to_on": today}
    posted = None
    if "q" in request.GET:
        posted = {key: request.GET.get(key) or value for key, value in initial.items()}
        posted["q"] = request.GET["q"]
    form = TraceForm(posted, initial=initial)
    found: list[tracing.FoundPayment] | None = None
    if form.is_bound and form.is_valid():
        typed: dict[str, Any] = form.cleaned_data
        try:
            found = tracing.find_payments(typed["q"], typed["from_on"], typed["to_on"])
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {"form": form, "found": found, "is_cut": len(found or []) >= tracing.FOUND_MAX}
    return render(request, "tracing/find.html", context)


@needs("payment.trace")
@require_safe
def way(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """The whole way of a payment."""
    found = tracing.way_of_payment(receipt_id)
    actor = actor_of_page(request)
    may_return = actor.may("payment.return") and not found.receipt.is_voided
    context = {
        "way": found,
        "receipt": found.receipt,
        "steps": steps(found),
        "may_see_checks": actor.may("check.view"),
        "returnable": tenders_of(receipt_id) if may_return else [],
        "breadcrumbs": [_TRACE, {"label": found.receipt.number}],
    }
    return render(request, "tracing/way.html", context)


@needs("payment.trace")
@require_safe
def way_as_pdf(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """The way of a payment for the customer."""
    found = tracing.way_of_payment(receipt_id)
    response = HttpResponse(way_pdf(found, timezone.localdate()), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="payment-{found.receipt.number}.pdf"'
    return response


urlpatterns = [
    path("trace/", find, name="trace"),
    path("trace/<int:receipt_id>/", way, name="trace_way"),
    path("trace/<int:receipt_id>/pdf", way_as_pdf, name="trace_pdf"),
]

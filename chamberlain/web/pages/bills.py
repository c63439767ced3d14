"""A bill: its lines explained, the bill before beside it, the document, and its reversal."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.billing import queries
from chamberlain.billing.comparing.made_from import counted_by_meter
from chamberlain.billing.documents import bill_pdf
from chamberlain.billing.estimating.queries import how_estimated
from chamberlain.billing.explanation import explain_bill, explain_line
from chamberlain.billing.penalties.operations import reverse_bill_with_penalties
from chamberlain.billing.queries import BillRow
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.queries import open_day
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest


class ReverseForm(forms.Form):
    """Why a bill is reversed."""

    reason = forms.CharField(
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It stays with the bill and is shown to the customer who asks",
    )


def _crumbs(bill: BillRow, last: str = "") -> list[dict[str, str]]:
    account = f"/accounts/{bill.account_number}/"
    crumbs = [
        {"label": "Accounts", "url": "/accounts/"},
        {"label": bill.account_number, "url": account},
        {"label": "Bills", "url": f"{account}bills/"},
    ]
    if not last:
        return [*crumbs, {"label": bill.number}]
    return [*crumbs, {"label": bill.number, "url": f"/bills/{bill.number}/"}, {"label": last}]


@needs("account.view")
@require_safe
def bill(request: OfficeRequest, number: str) -> HttpResponse:
    """A bill with its lines in words, and why it differs from the one before."""
    found = queries.bill(number)
    before = queries.bill_before(found)
    lines = queries.lines_of_bill(found.bill_id)
    lines_before = queries.lines_of_bill(before.bill_id) if before else []
    replaces, replaced_by = queries.replaced_and_replacing(found.bill_id)
    actor = actor_of_page(request)
    values = {
        "bill": found,
        "replaces": replaces,
        "replaced_by": replaced_by,
        "before": before,
        "parts": counted_by_meter([found.bill_id]).get(found.bill_id, []),
        "lines": [(line, explain_line(line)) for line in lines],
        "explanation": explain_bill(found, lines, before, lines_before),
        "how_estimated": how_estimated([found.bill_id]).get(found.bill_id, ""),
        "days": (found.to_on - found.from_on).days,
        "may_reverse": actor.may("bill.reverse") and not found.is_reversed and found.entry_id,
        "may_see_run": actor.may("billing.view"),
        "shows_contact": actor.may("contact.view"),
        "today": timezone.localdate(),
        "breadcrumbs": _crumbs(found),
    }
    return render(request, "bills/bill.html", values)


@needs("account.view")
@require_safe
def document(request: OfficeRequest, number: str) -> HttpResponse:
    """The bill as the customer gets it."""
    found = queries.bill(number)
    actor_of_page(request).require("contact.view")
    response = HttpResponse(bill_pdf([found.bill_id]), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="bill-{found.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@needs("bill.reverse")
@require_http_methods(["GET", "HEAD", "POST"])
def reverse_bill(request: OfficeRequest, number: str) -> HttpResponse:
    """Takes a bill back, with a reason."""
    found = queries.bill(number)
    day = open_day(revenue_office().center_id)
    form = ReverseForm(request.POST or None)
    if day is not None and request.method == "POST" and form.is_valid():
        try:
            reverse_bill_with_penalties(
                actor_of_page(request),
                found.number,
                day.pk,
                timezone.now(),
                form.cleaned_data["reason"],
            )
            messages.success(request, f"Bill {found.number} was reversed.")
            return redirect("bill", found.number)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {
        "bill": found,
        "form": form,
        "day": day.day if day else None,
        "breadcrumbs": _crumbs(found, "Reverse"),
    }
    return render(request, "bills/reverse.html", values, status=422 if form.errors else 200)


urlpatterns = [
    path("bills/<str:number>/", bill, name="bill"),
    path("bills/<str:number>/document.pdf", document, name="bill_document"),
    path("bills/<str:number>/reverse/", reverse_bill, name="reverse_bill"),
]

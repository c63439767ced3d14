"""A bill: its lines explained, the bill before beside it, and the document."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.billing import queries
from chamberlain.billing.comparing.made_from import counted_by_meter
from chamberlain.billing.documents import bill_pdf
from chamberlain.billing.estimating.queries import how_estimated
from chamberlain.billing.explanation import explain_bill, explain_line
from chamberlain.billing.queries import BillRow
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest


def _crumbs(bill: BillRow) -> list[dict[str, str]]:
    account = f"/accounts/{bill.account_number}/"
    return [
        {"label": "Accounts", "url": "/accounts/"},
        {"label": bill.account_number, "url": account},
        {"label": "Bills", "url": f"{account}bills/"},
        {"label": bill.number},
    ]


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
    may_rebill = actor.may("bill.rebill")
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
        "may_take_back": may_rebill and found.entry_id and not found.is_reversed,
        "may_bill_again": may_rebill and found.is_reversed and not replaced_by,
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


urlpatterns = [
    path("bills/<str:number>/", bill, name="bill"),
    path("bills/<str:number>/document.pdf", document, name="bill_document"),
]

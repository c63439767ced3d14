"""The public pages of an account: entering by a code from the bill, what is owed, bills, usage.

Nothing that a person types stands in an address or a log; an address names at most a bill.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.access import operations, queries
from chamberlain.billing.access.queries import Held
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.documents import bill_pdf
from chamberlain.billing.explanation import explain_line, quantity_in_words
from chamberlain.billing.queries import BillRow, lines_of_bill
from chamberlain.cashiering.hosted import queries as hosted
from chamberlain.cashiering.hosted.operations import post_waiting
from chamberlain.cashiering.hosted.providers import is_set_up
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.web import charts
from chamberlain.web.attempts import is_too_often, is_tried_too_often, network_of
from chamberlain.web.languages import choose_language, in_chosen_language
from chamberlain.web.pages.resident_session import for_resident, leave, let_in, present
from chamberlain.web.paging import page_of
from chamberlain.web.saying import month_said

ROWS = 24
DAY = timedelta(days=1)


class EnterForm(forms.Form):
    """Account number and code, as they stand on the bill."""

    number = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=24,
        help_text=gettext_lazy("At the top of your bill"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=24,
        help_text=gettext_lazy("Ten letters and digits at the bottom of a bill of the last months"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )


@never_cache
@in_chosen_language
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """The door. A wrong number and a wrong code get the same answer."""
    if request.method != "POST" and present(request):
        return redirect("resident")
    form = EnterForm(request.POST or None)
    if request.method == "POST":
        number = request.POST.get("number", "").strip().upper()[:24]
        # Both are counted, also where one of them is over.
        over = [is_too_often(request, "enter"), is_tried_too_often("enter", number)]
        if any(over):
            return render(request, "resident/too_often.html", status=429)
        if form.is_valid() and _let_in(request, form):
            return redirect("resident")
    status = 422 if form.errors else 200
    return render(request, "resident/enter.html", {"form": form}, status=status)


def _let_in(request: HttpRequest, form: EnterForm) -> bool:
    typed = form.cleaned_data
    try:
        of = operations.enter(
            typed["number"],
            typed["code"],
            network_of(request),
            timezone.localdate(),
            timezone.now(),
        )
    except Refused:
        form.add_error(None, _("The city has no public pages of accounts yet."))
        return False
    if of is None:
        form.add_error(
            None,
            _(
                "No account has this number together with this code. Copy both from a bill of "
                "the last months, and try again."
            ),
        )
        return False
    let_in(request, of)
    return True


@require_POST
def go(request: HttpRequest) -> HttpResponse:
    """Signs out."""
    leave(request)
    return redirect("resident_enter")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Changes the language and goes back to the page."""
    choose_language(request, request.POST.get("language", ""))
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, None):
        back = reverse("resident_enter")
    return redirect(back)


def show(
    request: HttpRequest,
    of: Held,
    template: str,
    values: dict[str, Any],
    tab: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page of the account with the head that all have."""
    tabs = [
        ("overview", _("Overview"), "resident"),
        ("bills", _("Bills"), "resident_bills"),
        ("usage", _("Usage"), "resident_usage"),
        ("payments", _("Payments"), "resident_payments"),
        ("plan", _("Payment plan"), "resident_plan"),
    ]
    common = {
        "held": of,
        "heading": _("Your account"),
        "tabs": [
            {"label": label, "url": reverse(name), "current": tab == key}
            for key, label, name in tabs
        ],
        "takes_cards": is_set_up(),
    }
    return render(request, f"resident/{template}.html", common | values, status=status)


@require_safe
@for_resident
def overview(request: HttpRequest, of: Held) -> HttpResponse:
    """What is owed, the last bill, and what can be done."""
    today = timezone.localdate()
    for intent in hosted.waiting_of(of.account_id):
        post_waiting(intent, timezone.now())
    bills = queries.bills_of(of, 1)
    values = {
        "owed": queries.owed_by(of, today),
        "last": bills[0] if bills else None,
        "waiting": hosted.waiting_of(of.account_id),
        "today": today,
    }
    return show(request, of, "overview", values, "overview")


@require_safe
@for_resident
def bills(request: HttpRequest, of: Held) -> HttpResponse:
    """The holder's bills, the newest first."""

    def fetch(limit: int, offset: int) -> list[BillRow]:
        return queries.bills_of(of, limit, offset)

    page = page_of(request, queries.count_bills(of), fetch, ROWS)
    return show(request, of, "bills", {"page": page, "today": timezone.localdate()}, "bills")


@require_safe
@for_resident
def document(request: HttpRequest, of: Held, number: str) -> HttpResponse:
    """A bill in the language of the page."""
    found = queries.bill_of(of, number)
    pdf = bill_pdf([found.bill_id], get_language() or "en")
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="bill-{found.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@for_resident
def why_this_much(request: HttpRequest, of: Held, number: str) -> HttpResponse:
    """Why a bill is this much, against the holder's own earlier bills."""
    found = queries.bill_of(of, number)
    values = {
        "bill": found,
        "heading": _("Why is this bill %(amount)s?") % {"amount": show_cents(found.total_cents)},
        "lines": [(line, explain_line(line)) for line in lines_of_bill(found.bill_id)],
        "comparisons": [
            each for each in why(found.number).comparisons if each.before.to_on > of.since
        ],
    }
    return show(request, of, "why", values, "bills")


def _metered(of: Held) -> list[BillRow]:
    """The latest bills with usage of one unit, the oldest first."""
    rows = [each for each in queries.bills_of(of, ROWS) if each.usage_thousandths is not None]
    return [each for each in rows if each.unit == rows[0].unit][::-1]


@require_safe
@for_resident
def usage(request: HttpRequest, of: Held) -> HttpResponse:
    """Usage by bill, as a chart and as a table."""
    rows = _metered(of)
    said = "; ".join(f"{month_said(row.to_on - DAY)} {_used(row)}" for row in rows[-6:])
    values = {
        "rows": rows[::-1],
        "alt": _("Bars of usage by bill: %(usages)s.") % {"usages": said},
        "unit": _unit(rows),
    }
    return show(request, of, "usage", values, "usage")


def _used(row: BillRow) -> str:
    return quantity_in_words(row.usage_thousandths or 0, row.unit or "")


def _unit(rows: list[BillRow]) -> str:
    return quantity_in_words(0, rows[0].unit or "").removeprefix("0 ") if rows else ""


@require_safe
@for_resident
def usage_picture(request: HttpRequest, of: Held) -> HttpResponse:
    """The chart of `usage`."""
    rows = [
        (row.to_on - DAY, max(0, row.usage_thousandths or 0) / 1000, row.quality == "estimate")
        for row in _metered(of)
    ]
    response = HttpResponse(
        charts.usage_chart(rows, _unit(_metered(of))), content_type="image/svg+xml"
    )
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@for_resident
def payments(request: HttpRequest, of: Held) -> HttpResponse:
    """What the holder paid, the newest first."""
    page = Paginator(queries.payments_of(of), ROWS).get_page(request.GET.get("page"))
    return show(request, of, "payments", {"page": page}, "payments")


urlpatterns = [
    path("my-account/enter/", enter, name="resident_enter"),
    path("my-account/leave/", go, name="resident_leave"),
    path("my-account/language/", language, name="resident_language"),
    path("my-account/", overview, name="resident"),
    path("my-account/bills/", bills, name="resident_bills"),
    path("my-account/bills/<str:number>/", why_this_much, name="resident_why"),
    path("my-account/bills/<str:number>/bill.pdf", document, name="resident_document"),
    path("my-account/usage/", usage, name="resident_usage"),
    path("my-account/usage.svg", usage_picture, name="resident_usage_picture"),
    path("my-account/payments/", payments, name="resident_payments"),
]

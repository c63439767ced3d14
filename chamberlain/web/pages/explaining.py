"""Explaining an account: why a bill is this much, a past day's balance, bills held to account."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.billing.comparing import analysis as analyses
from chamberlain.billing.comparing import documents
from chamberlain.billing.comparing.analysis import Analysis, BillAnalysed
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.estimating.queries import how_estimated
from chamberlain.billing.explanation import quantity_in_words
from chamberlain.casework import timeline
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.periods import add_months
from chamberlain.kernel.tables import Column, Table
from chamberlain.ledger import past
from chamberlain.registry import queries as registry
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.explaining_charts import daily_chart
from chamberlain.web.exporting import csv_file, xlsx_file
from chamberlain.web.history_filter import DaysForm, TimelineForm
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of

ANALYSED_MONTHS = 24
_HISTORY = (
    Column("Day", "day"),
    Column("Kind"),
    Column("What"),
    Column("Amount", "cents"),
    Column("State"),
    Column("By"),
    Column("Details"),
)
_ANALYSIS = (
    Column("Bill"),
    Column("From", "day"),
    Column("Last day", "day"),
    Column("Days", "whole"),
    Column("Usage", "thousandths"),
    Column("Unit"),
    Column("Usage a day", "thousandths"),
    Column("Similar, low", "thousandths"),
    Column("Similar, middle", "thousandths"),
    Column("Similar, high", "thousandths"),
    Column("Line"),
    Column("Billed", "cents"),
    Column("Rated again", "cents"),
    Column("Variance", "cents"),
    Column("Not rated because"),
)


@needs("account.view")
@require_safe
def why_this_much(request: OfficeRequest, number: str) -> HttpResponse:
    """A bill against the one before and against the same time last year, in plain words."""
    found = why(number)
    account = f"/accounts/{found.bill.account_number}/"
    values = {
        "bill": found.bill,
        "comparisons": found.comparisons,
        "owing": found.owing,
        "how_estimated": how_estimated([found.bill.bill_id]).get(found.bill.bill_id, ""),
        "shows_contact": actor_of_page(request).may("contact.view"),
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": found.bill.account_number, "url": account},
            {"label": "Bills", "url": f"{account}bills/"},
            {"label": number, "url": f"/bills/{number}/"},
            {"label": "Why this much"},
        ],
    }
    return render(request, "explaining/why.html", values)


@needs("contact.view")
@require_safe
def letter(request: OfficeRequest, number: str) -> HttpResponse:
    """The same as a letter to the customer."""
    return _pdf(documents.letter_pdf(why(number), timezone.localdate()), f"why-bill-{number}")


class DayForm(forms.Form):
    """A past day."""

    on = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}))

    def clean_on(self) -> date:
        """Refuses a day that has not come."""
        on: date = self.cleaned_data["on"]
        if on > timezone.localdate():
            raise forms.ValidationError(f"{on} has not come yet; give today or a day before.")
        return on


@needs("account.view")
@require_safe
def balance(request: OfficeRequest, number: str) -> HttpResponse:
    """What the account owed at the end of a day, and the transfers that made it."""
    account = registry.account_summary(number)
    form = DayForm(request.GET if "on" in request.GET else None)
    is_wrong = form.is_bound and not form.is_valid()
    on = form.cleaned_data["on"] if form.is_bound and not is_wrong else timezone.localdate()
    if not form.is_bound:
        form = DayForm(initial={"on": on})
    found = past.past_balance(account.account_id, on)

    def fetch(limit: int, offset: int) -> list[Any]:
        return past.moves_until(account.account_id, on, limit, offset)

    values = {
        "form": form,
        "balance": found,
        "on": on,
        "page": page_of(request, found.moves, fetch, 40),
        "day_before": on - timedelta(days=1),
        "is_today": on == timezone.localdate(),
    }
    return show_account(request, account, "history", values, "explaining/balance.html")


@needs("account.view")
@require_safe
def history_file(request: OfficeRequest, number: str, kind: str) -> HttpResponse:
    """The chosen part of the timeline as a file."""
    account = registry.account_summary(number)
    events = timeline.timeline(
        account.account_id,
        TimelineForm(request.GET).chosen(),
        timeline.Viewer.of(actor_of_page(request)),
        timeline.EACH_MAX_OF_CHOSEN,
    )
    rows = (
        (
            event.day,
            timeline.KINDS[event.kind],
            event.title,
            event.cents,
            event.tag,
            event.by,
            event.text,
        )
        for event in events
    )
    return _table_file(f"history-{account.account_number}", kind, Table("History", _HISTORY, rows))


def _table_file(name: str, kind: str, table: Table) -> HttpResponse:
    return csv_file(name, table) if kind == "csv" else xlsx_file(name, table.title, table)


def _asked(request: OfficeRequest) -> tuple[DaysForm, date, date]:
    """The days of an analysis: those asked for, else the last two years."""
    today = timezone.localdate()
    since, until = add_months(today, -ANALYSED_MONTHS), today
    form = DaysForm(request.GET or None, initial={"since": since, "until": until})
    if form.is_bound and form.is_valid():
        since = form.cleaned_data["since"] or since
        until = form.cleaned_data["until"] or until
    return form, since, until


def _analysis_of(request: OfficeRequest, account_id: int) -> tuple[DaysForm, Analysis | None]:
    form, since, until = _asked(request)
    if form.is_bound and not form.is_valid():
        return form, None
    try:
        return form, analyses.analysis(account_id, since, until + timedelta(days=1))
    except Invalid as refusal:
        bound = DaysForm({"since": since, "until": until})
        bound.is_valid()
        say_refusal(bound, refusal)
        return bound, None


def _whole_analysis(request: OfficeRequest, account_id: int) -> Analysis:
    """For files, which have no place for a sentence beside a field."""
    form, found = _analysis_of(request, account_id)
    if found is None:
        raise Invalid(" ".join(str(error) for errors in form.errors.values() for error in errors))
    return found


def _charted(bills: tuple[BillAnalysed, ...]) -> list[BillAnalysed]:
    """The latest metered bills, of one unit, that a chart has room for."""
    metered = [each for each in bills if each.bill.unit][-24:]
    return [each for each in metered if each.bill.unit == metered[-1].bill.unit]


def _chart(bills: tuple[BillAnalysed, ...]) -> bytes:
    charted = _charted(bills)
    unit = charted[-1].bill.unit if charted else None
    rows = [
        (
            f"{each.bill.to_on:%b %y}",
            max(0, each.daily_thousandths) / 1000,
            each.similar.low / 1000 if each.similar else None,
            each.similar.high / 1000 if each.similar else None,
        )
        for each in charted
    ]
    return daily_chart(rows, quantity_in_words(0, unit).removeprefix("0 ") if unit else "")


def _alt(bills: tuple[BillAnalysed, ...]) -> str:
    latest = "; ".join(
        f"{each.bill.to_on:%B %Y} {each.daily_thousandths / 1000:,.3f}"
        + (f", similar {each.similar.middle / 1000:,.3f}" if each.similar else "")
        for each in _charted(bills)[-6:]
    )
    return f"Bars of usage a day by bill beside the middle half of similar properties: {latest}."


@needs("account.view")
@require_safe
def analysis(request: OfficeRequest, number: str) -> HttpResponse:
    """Every bill of a period rated again, and usage a day against similar properties."""
    account = registry.account_summary(number)
    form, found = _analysis_of(request, account.account_id)
    values = {
        "form": form,
        "analysis": found,
        "summary": documents.summary(found) if found else "",
        "variances": documents.variances_in_words(found.bills) if found else [],
        "has_chart": bool(found and _charted(found.bills)),
        "alt": _alt(found.bills) if found else "",
        "query": request.GET.urlencode(),
        "shows_contact": actor_of_page(request).may("contact.view"),
    }
    return show_account(request, account, "bills", values, "explaining/analysis.html")


@needs("account.view")
@require_safe
def analysis_picture(request: OfficeRequest, number: str) -> HttpResponse:
    """The chart of the analysis."""
    account = registry.account_summary(number)
    found = _whole_analysis(request, account.account_id)
    response = HttpResponse(_chart(found.bills), content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=60"
    return response


@needs("contact.view")
@require_safe
def analysis_document(request: OfficeRequest, number: str) -> HttpResponse:
    """The analysis as a report."""
    account = registry.account_summary(number)
    found = _whole_analysis(request, account.account_id)
    has_chart = bool(_charted(found.bills))
    address = f"{account.address}, {account.postal_code}" if account.address else ""
    pdf = documents.analysis_pdf(
        found,
        (account.account_number, account.customer_name, address),
        timezone.localdate(),
        _chart(found.bills).decode() if has_chart else "",
        _alt(found.bills) if has_chart else "",
    )
    return _pdf(pdf, f"analysis-{account.account_number}")


@needs("account.view")
@require_safe
def analysis_file(request: OfficeRequest, number: str, kind: str) -> HttpResponse:
    """The analysis for a spreadsheet: a row for each printed line."""
    account = registry.account_summary(number)
    found = _whole_analysis(request, account.account_id)
    rows = [row for each in found.bills for row in _analysis_rows(each)]
    table = Table("Billing analysis", _ANALYSIS, rows)
    return _table_file(f"analysis-{account.account_number}", kind, table)


def _analysis_rows(each: BillAnalysed) -> list[tuple[object, ...]]:
    similar = each.similar
    common = (
        each.bill.number,
        each.bill.from_on,
        each.bill.to_on - timedelta(days=1),
        each.days,
        each.usage_thousandths if each.bill.unit else None,
        each.bill.unit,
        each.daily_thousandths if each.bill.unit else None,
        *((similar.low, similar.middle, similar.high) if similar else [None] * 3),
    )
    return [
        (
            *common,
            line.label,
            line.billed_cents,
            None if each.refusal else line.rated_cents,
            None if each.refusal else line.variance_cents,
            each.refusal,
        )
        for line in each.lines
    ]


def _pdf(pdf: bytes, name: str) -> HttpResponse:
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [
    path("bills/<str:number>/why/", why_this_much, name="why_bill"),
    path("bills/<str:number>/why/letter.pdf", letter, name="why_bill_letter"),
    path("accounts/<str:number>/balance/", balance, name="account_balance"),
    *(
        path(
            f"accounts/<str:number>/{what}.{kind}",
            view,
            {"kind": kind},
            name=f"account_{what}_{kind}",
        )
        for what, view in (("history", history_file), ("analysis", analysis_file))
        for kind in ("csv", "xlsx")
    ),
    path("accounts/<str:number>/analysis/", analysis, name="account_analysis"),
    path("accounts/<str:number>/analysis.svg", analysis_picture, name="account_analysis_picture"),
    path("accounts/<str:number>/analysis.pdf", analysis_document, name="account_analysis_document"),
]

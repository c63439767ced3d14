"""Journals for the city's general ledger: made of closed days, and taken as files."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chamberlain.kernel.errors import Refused
from chamberlain.reconciliation.general_ledger import files, operations, queries
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of

_LIST = {"label": "Journals", "url": "/journals/"}


@needs("reconciliation.view")
@require_safe
def journals(request: OfficeRequest) -> HttpResponse:
    """Closed days, those without a journal first."""
    closed, waiting = queries.count_days()
    page = page_of(request, closed, queries.days)
    context = {
        "page": page,
        "waiting": waiting,
        "may_make": actor_of_page(request).may("general_ledger.export"),
    }
    return render(request, "journals/journals.html", context)


@needs("general_ledger.export")
@require_POST
def make(request: OfficeRequest) -> HttpResponse:
    """Makes the journals of all closed days that have none."""
    try:
        made = operations.make_journals(actor_of_page(request), timezone.now())
        said = f"{len(made):,} journal{'' if len(made) == 1 else 's'} made."
        messages.success(request, said if made else "Every closed day has its journal already.")
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("journals")


@needs("reconciliation.view")
@require_safe
def journal(request: OfficeRequest, number: str) -> HttpResponse:
    """A journal, line by line."""
    lines = queries.lines([number])
    context = {
        "number": number,
        "lines": lines,
        "debit_cents": sum(line.debit_cents for line in lines),
        "credit_cents": sum(line.credit_cents for line in lines),
        "breadcrumbs": [_LIST, {"label": number}],
    }
    return render(request, "journals/journal.html", context)


@needs("reconciliation.view")
@require_safe
def journal_file(request: OfficeRequest, number: str, form: str) -> HttpResponse:
    """A journal as a file; the same each time."""
    lines = queries.lines([number])
    text = files.csv_text(lines) if form == "csv" else files.beancount_text(lines)
    kind = "text/csv" if form == "csv" else "text/plain"
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{number}.{form}"'
    response["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [
    path("journals/", journals, name="journals"),
    path("journals/make", make, name="journals_make"),
    path("journals/<str:number>/", journal, name="journal"),
    path("journals/<str:number>.csv", journal_file, {"form": "csv"}, name="journal_csv"),
    path(
        "journals/<str:number>.beancount",
        journal_file,
        {"form": "beancount"},
        name="journal_beancount",
    ),
]

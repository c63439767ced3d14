"""The books: the proof on demand, the general ledger, and every entry."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.ledger import statements
from chamberlain.ledger.proof import CHECKS, prove
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest

ROWS = 50
_PROOF = {"label": "Proof of the ledger", "url": "/ledger/"}
_BOOK = {"label": "General ledger", "url": "/ledger/accounts/"}


@needs("ledger.prove")
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: OfficeRequest) -> HttpResponse:
    """The proof: asked for by posting, answered on the same page."""
    found = prove(actor_of_page(request)) if request.method == "POST" else None
    values = {"proof": found, "checks": list(CHECKS), "days": statements.closed_days()}
    return render(request, "ledger/proof.html", values)


@needs("ledger.prove")
@require_safe
def general_ledger(request: OfficeRequest) -> HttpResponse:
    """All ledger accounts with their balances."""
    values = {
        "rows": statements.general_ledger(),
        "breadcrumbs": [_PROOF, {"label": "General ledger"}],
    }
    return render(request, "ledger/general_ledger.html", values)


@needs("ledger.prove")
@require_safe
def ledger_account(request: OfficeRequest, ledger_account_id: int) -> HttpResponse:
    """What moved on one ledger account, the newest first."""
    code, name = statements.ledger_account_name(ledger_account_id)
    before = request.GET.get("before", "")
    before_id = int(before) if before.isdecimal() and len(before) < 19 else None
    rows = statements.transfers_of_ledger_account(ledger_account_id, ROWS + 1, before_id)
    values = {
        "code": code,
        "name": name,
        "rows": rows[:ROWS],
        "older": f"?before={rows[ROWS - 1].transfer_id}" if len(rows) > ROWS else "",
        "newest": "?" if before_id else "",
        "breadcrumbs": [_PROOF, _BOOK, {"label": code}],
    }
    return render(request, "ledger/account.html", values)


@needs("account.view")
@require_safe
def entry(request: OfficeRequest, entry_id: int) -> HttpResponse:
    """One entry with its transfers."""
    found = statements.entry(entry_id)
    crumbs = [{"label": f"Entry {entry_id}"}]
    if len(found.account_numbers) == 1:
        number = found.account_numbers[0]
        crumbs = [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": number, "url": f"/accounts/{number}/"},
            *crumbs,
        ]
    values = {"entry": found, "breadcrumbs": crumbs}
    return render(request, "ledger/entry.html", values)


urlpatterns = [
    path("ledger/", proof, name="ledger_proof"),
    path("ledger/accounts/", general_ledger, name="general_ledger"),
    path("ledger/accounts/<int:ledger_account_id>/", ledger_account, name="ledger_account"),
    path("ledger/entries/<int:entry_id>/", entry, name="entry"),
]

"""Finding an account. What is typed is posted, so that no name stands in an address or a log."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods

from chamberlain.kernel.money import show_cents
from chamberlain.registry.queries import Found, search
from chamberlain.web.access import needs
from chamberlain.web.middleware import OfficeRequest

DROPPED = 8
LISTED = 50
_MATCHED = {
    "account": "by number",
    "name": "",
    "address": "by address",
    "phone": "by phone",
    "parcel": "by parcel",
}


def is_dropdown(request: HttpRequest) -> bool:
    """Whether the search box itself asks, and not a person who pressed Enter."""
    return bool(getattr(request, "htmx", False))


def _result(found: Found) -> dict[str, Any]:
    owed = f" · owes {show_cents(found.owed_cents)}" if found.owed_cents else ""
    return {
        "url": f"/accounts/{found.account_number}/",
        "label": found.customer_name or f"Account {found.account_number}",
        "detail": f"{found.account_number} · {found.address or 'no property'}{owed}",
        "tag": _MATCHED.get(found.matched, ""),
    }


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: OfficeRequest) -> HttpResponse:
    """The results as a drop-down for the box, as a page for everybody else."""
    text = request.POST.get("q", "").strip()[:100]
    if is_dropdown(request):
        results = [_result(found) for found in search(text, DROPPED)]
        return render(request, "search_results.html", {"results": results})
    found = search(text, LISTED)
    values = {"text": text, "found": found, "is_cut": len(found) == LISTED}
    return render(request, "search/results.html", values)


urlpatterns = [path("search", find, name="search")]

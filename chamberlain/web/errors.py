"""What a page says when something was refused or went wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chamberlain.kernel.errors import Refused


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The page of a refusal that no form caught: its sentence, and the way back."""
    return render(
        request,
        "refused.html",
        {"sentence": refusal.sentence, "records": getattr(refusal, "records", ())},
        status=refusal.status,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came without this session's token."""
    return _error(request, 403, "403.html")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _error(request, 400, "400.html")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return _error(request, 403, "403.html")


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _error(request, 404, "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: the reference number is the one in the log."""
    return _error(request, 500, "500.html")


def _error(request: HttpRequest, status: int, template: str) -> HttpResponse:
    reference = getattr(request, "reference", "")
    return render(request, template, {"reference": reference}, status=status)

"""The language of the public pages: chosen by the reader, kept in the session."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

CHOSEN = "language"


def language_of(request: HttpRequest) -> str:
    """The chosen language, or else the one that the browser asks for and the pages have."""
    chosen = request.session.get(CHOSEN)
    if chosen in dict(settings.LANGUAGES):
        return str(chosen)
    for part in request.headers.get("Accept-Language", "").split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in dict(settings.LANGUAGES):
            return code
    return "en"


def choose_language(request: HttpRequest, code: str) -> None:
    """Keeps the language in the session; one that the pages do not have changes nothing."""
    if code in dict(settings.LANGUAGES):
        request.session[CHOSEN] = code


def in_chosen_language(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers a request in the language of its reader."""

    @wraps(page)
    def spoken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        code = language_of(request)
        with translation.override(code):
            response = page(request, *args, **kwargs)
        response["Content-Language"] = code
        return response

    return spoken

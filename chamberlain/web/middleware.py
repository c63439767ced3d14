"""What happens around every page: a reference number, and the actor of the request."""

import logging
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from chamberlain.identity.actors import Actor, acting, actor_of
from chamberlain.kernel.errors import Refused
from chamberlain.web import errors

Handler = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger("chamberlain.web")


class OfficeRequest(HttpRequest):
    """A request that passed the middleware: it knows its actor (None before sign-in)."""

    actor: Actor | None
    reference: str


class reference_number:  # noqa: N801 - named as the settings read it
    """Gives every request a short reference; a fault is logged with it and shown with it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.reference = secrets.token_hex(4).upper()  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Reference"] = request.reference  # type: ignore[attr-defined]
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal becomes its page; anything else is a fault and goes to the log."""
        if isinstance(exception, Refused):
            return errors.refused(request, exception)
        match = request.resolver_match
        view = match.view_name if match else "no view"
        log.error(
            "fault %s in %s",
            request.reference,  # type: ignore[attr-defined]
            view,
            exc_info=exception,
        )
        return None


class acting_user:  # noqa: N801 - named as the settings read it
    """Knows the actor of each request, and marks every change as theirs."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        if not request.user.is_authenticated:
            return self.get_response(request)
        actor = actor_of(request.user, timezone.localdate())
        request.actor = actor  # type: ignore[attr-defined]
        if request.method in ("GET", "HEAD"):
            return self.get_response(request)
        with acting(actor):
            return self.get_response(request)

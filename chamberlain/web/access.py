"""Who may see a page: signed in, and with a role that allows it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.web.middleware import OfficeRequest

P = ParamSpec("P")
Page = Callable[Concatenate[OfficeRequest, P], HttpResponse]


def needs(permission: str = "") -> Callable[[Page[P]], Callable[..., HttpResponse]]:
    """A page for those who have the permission at some center; without one, for all who work here.

    Who is not signed in is sent to the sign-in and comes back; who may not is told so. What a
    page changes is checked again by its operation, which also knows the center.
    """

    def for_those(page: Page[P]) -> Callable[..., HttpResponse]:
        @wraps(page)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None:
                return _to_sign_in(request)
            if permission:
                actor.require(permission)
            return page(request, *args, **kwargs)  # type: ignore[arg-type]

        guarded.permission = permission  # type: ignore[attr-defined]  # a test walks all pages
        return guarded

    return for_those


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in, and then back; a request for a part of a page takes the whole page there."""
    details = getattr(request, "htmx", None)
    if not details:
        return redirect_to_login(request.get_full_path())
    return HttpResponseClientRedirect(redirect_to_login(details.current_url_abs_path or "/").url)


def actor_of_page(request: OfficeRequest) -> Actor:
    """Who is signed in; a page under `needs` always has one."""
    assert request.actor is not None
    return request.actor


def say_refusal(form: Form, refusal: Refused) -> None:
    """Shows a refusal beside the field that it is about, or above the form."""
    field: Any = refusal.field if refusal.field in form.fields else None
    form.add_error(field, refusal.sentence)

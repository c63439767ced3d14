"""Who is let in at the public pages of an account, and for how long."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from chamberlain.billing.access.queries import Held, held
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.web.languages import CHOSEN, in_chosen_language

P = ParamSpec("P")
KEY = "resident"
MINUTES = 20


def let_in(request: HttpRequest, of: Held) -> None:
    """Binds a session with a new key to the holder of one account, for 20 minutes without work."""
    request.session.cycle_key()
    request.session[KEY] = {"account": of.account_id, "holding": of.holding_id, "at": time.time()}


def leave(request: HttpRequest) -> None:
    """Ends it. The language stays, and so does the sign-in of somebody who works here."""
    language = request.session.get(CHOSEN)
    request.session.pop(KEY, None)
    if not request.user.is_authenticated:
        request.session.flush()
        if language:
            request.session[CHOSEN] = language


def present(request: HttpRequest) -> Held | None:
    """Whose account the session is for, while it lasts and they hold the account."""
    kept = request.session.get(KEY)
    if not kept:
        return None
    of = None
    if time.time() - kept["at"] <= MINUTES * 60:
        of = held(kept["account"], kept["holding"], timezone.localdate())
    if of is None:
        leave(request)
        return None
    if not request.headers.get("HX-Request"):  # a page that asks by itself is no work
        request.session[KEY] = {**kept, "at": time.time()}
    return of


def for_resident(
    page: Callable[Concatenate[HttpRequest, Held, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """A page for whoever was let in; others go to the door."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        of = present(request)
        if of is None:
            return redirect("resident_enter")
        try:
            return page(request, of, *args, **kwargs)
        except Refused as refusal:
            is_missing = isinstance(refusal, NotFound)
            values = {"held": of, "is_missing": is_missing}
            return render(request, "resident/refused.html", values, status=refusal.status)

    return never_cache(in_chosen_language(guarded))

"""What every page knows: the city, the reader, and where they may go."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chamberlain import __version__
from chamberlain.web.navigation import navigation


def office(request: HttpRequest) -> dict[str, Any]:
    """Context of every template."""
    actor = getattr(request, "actor", None)
    return {
        "city_name": settings.CITY_NAME,
        "is_demo": settings.IS_DEMO,
        "version": __version__,
        "actor": actor,
        "hides_search": actor is not None and not actor.may("account.view"),
        "reference": getattr(request, "reference", ""),
        "navigation": navigation(actor, request.path) if actor else [],
    }

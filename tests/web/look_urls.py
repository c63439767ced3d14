"""Addresses of the page of all components, shown to a made-up cashier without a database."""

from django.contrib.staticfiles.views import serve
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import include, path

from chamberlain.identity.actors import Actor, Grant
from chamberlain.identity.models import Role

CASHIER = Actor(user_id=1, name="Dana Ortiz", grants=frozenset({Grant(Role.CASHIER, 1)}))
PLACES = [
    {"label": "Board", "url": "/", "current": True},
    {"label": "Counter", "url": "/counter/", "current": False},
]
POSTED: list[str] = []


def every_component(request: HttpRequest) -> HttpResponse:
    """The page of components; a form that is sent to it is counted."""
    if request.method == "POST":
        POSTED.append(request.POST.get("cash", ""))
    shown = {"actor": CASHIER, "navigation": PLACES, "center_name": "City Hall"}
    return render(request, "styleguide.html", shown)


def search(request: HttpRequest) -> HttpResponse:
    """One account for any letters."""
    found = {"url": "/accounts/1/", "label": "Kowalski, Maria", "detail": "1004-220-817"}
    return render(request, "search_results.html", {"results": [found]})


def sign_in_card(request: HttpRequest) -> HttpResponse:
    """The sign-in page as a person sees it who is not signed in."""
    return render(request, "account/login.html")


def static_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file of the pages, straight from the source tree."""
    return serve(request, path, insecure=True)


urlpatterns = [
    path("", every_component),
    path("search", search),
    path("sign-in-card", sign_in_card),
    path("sign-in/", include("allauth.urls")),
    path("static/<path:path>", static_file),
]

"""Centers and their days: opened, paid at, counted, deposited, closed and sealed."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from chamberlain.cashiering import listings, operations
from chamberlain.cashiering.days import CenterDay, day_of_center, days_of_center
from chamberlain.cashiering.safe.queries import fund_of
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.reconciliation import queries as reconciliation
from chamberlain.reconciliation.operations import make_deposit
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of


@require_GET
@needs("center.view")
def centers(request: OfficeRequest) -> HttpResponse:
    """All centers with how their day stands."""
    return render(request, "centers/list.html", {"centers": listings.center_board()})


@require_GET
@needs("center.view")
def center(request: OfficeRequest, code: str) -> HttpResponse:
    """A center with its days, the latest first."""
    return _center(request, code)


def _center(request: OfficeRequest, code: str, refusal: str = "") -> HttpResponse:
    found = listings.center_now(code)
    page = page_of(
        request,
        listings.count_days(found.center_id),
        lambda limit, offset: days_of_center(found.center_id, limit, offset),
    )
    today = timezone.localdate()
    context = {
        "center": found,
        "breadcrumbs": [
            {"label": "Centers", "url": reverse("centers")},
            {"label": found.name},
        ],
        "page": page,
        "today": today,
        "refusal": refusal,
        "keeps_safe": fund_of(found.center_id) is not None,
        "may_see_safe": actor_of_page(request).may("safe.count", found.center_id),
        "may_open": not found.is_open
        and found.day != today
        and actor_of_page(request).may("day.open", found.center_id),
    }
    return render(request, "centers/center.html", context)


@require_POST
@needs("day.open")
def open_day(request: OfficeRequest, code: str) -> HttpResponse:
    """Opens today's business day."""
    found = listings.center_now(code)
    try:
        day = operations.open_business_day(
            actor_of_page(request), found.center_id, timezone.localdate(), timezone.now()
        )
    except Refused as refusal:
        return _center(request, code, refusal.sentence)
    return HttpResponseRedirect(reverse("center_day", args=[day.pk]))


@require_GET
@needs("center.view")
def day(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """A center's day: tills, receipts, overs and shorts, deposits, and the closing."""
    return _day(request, business_day_id)


def _day(
    request: OfficeRequest,
    business_day_id: int,
    refusal: str = "",
    refused_deposit: tuple[str, str, str] = ("", "", ""),
) -> HttpResponse:
    actor = actor_of_page(request)
    view = day_of_center(business_day_id)
    page = page_of(
        request,
        view.receipts,
        lambda limit, offset: listings.receipts_of_day(business_day_id, limit, offset),
    )
    is_open = view.closed_at is None
    context = {
        "day": view,
        "page": page,
        "refusal": refusal,
        "breadcrumbs": [
            {"label": "Centers", "url": reverse("centers")},
            {"label": view.center_name, "url": reverse("center", args=[view.center_code])},
            {"label": f"{view.day:%B %-d, %Y}"},
        ],
        "steps": _steps(view),
        "deposits": reconciliation.deposits_of_day(business_day_id),
        "to_deposit": _to_deposit(view, *refused_deposit),
        "keeps_safe": fund_of(view.center_id) is not None,
        "may_deposit": is_open and actor.may("deposit.make", view.center_id),
        "seal": listings.seal_of_day(business_day_id),
        "is_open": is_open,
        "is_blind": _is_blind(actor, view),
        "may_close": is_open and actor.may("day.close", view.center_id),
        "may_open_till": is_open and actor.may("till.open", view.center_id),
    }
    return render(request, "centers/day.html", context)


def _to_deposit(
    view: CenterDay, tender: str, bag_number: str, sentence: str
) -> list[dict[str, Any]]:
    """What lies in the tills, each tender with what was typed for it and why it was refused."""
    return [
        {
            "amount": amount,
            "bag_number": bag_number if amount.code == tender else "",
            "error": sentence if amount.code == tender else "",
        }
        for amount in view.in_tills
    ]


def _is_blind(actor: Actor, view: CenterDay) -> bool:
    """Whether sums would tell a cashier what a drawer should hold before it is counted."""
    is_counting = any(session.state == "open" for session in view.sessions)
    return is_counting and not actor.may("till.verify", view.center_id)


def _steps(view: CenterDay) -> list[dict[str, str]]:
    """What stands between the day and its closing."""
    if not view.sessions:
        return [
            {"label": "No till was opened", "state": "done"},
            {"label": "Day closed and sealed", "state": "current"},
        ]
    is_counted = all(session.state != "open" for session in view.sessions)
    is_verified = all(session.state == "verified" for session in view.sessions)
    done = (is_counted, is_verified, is_verified and not view.in_tills)
    labels = ("Tills counted", "Tills verified", "Deposits made")
    steps: list[dict[str, str]] = []
    for label, is_done in zip(labels, done, strict=True):
        first = not is_done and all(step["state"] == "done" for step in steps)
        state = "done" if is_done else "current" if first else "ahead"
        steps.append({"label": label, "state": state})
    closing = "current" if all(done) else "ahead"
    return [*steps, {"label": "Day closed and sealed", "state": closing}]


@require_POST
@needs("deposit.make")
def deposit(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """Bags all that lies in the tills of one tender."""
    tender = str(request.POST.get("tender", ""))
    bag_number = str(request.POST.get("bag_number", ""))
    try:
        make_deposit(actor_of_page(request), business_day_id, tender, bag_number, timezone.now())
    except Refused as refusal:
        if refusal.field == "bag_number":
            beside = (tender, bag_number[:40], refusal.sentence)
            return _day(request, business_day_id, refused_deposit=beside)
        return _day(request, business_day_id, refusal.sentence)
    return HttpResponseRedirect(reverse("center_day", args=[business_day_id]))


@require_POST
@needs("day.close")
def close_day(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """Closes and seals the day."""
    try:
        operations.close_center_day(actor_of_page(request), business_day_id, timezone.now())
    except Refused as refusal:
        return _day(request, business_day_id, refusal.sentence)
    return HttpResponseRedirect(reverse("center_day", args=[business_day_id]))


urlpatterns = [
    path("centers/", centers, name="centers"),
    path("centers/days/<int:business_day_id>/", day, name="center_day"),
    path("centers/days/<int:business_day_id>/deposit", deposit, name="center_deposit"),
    path("centers/days/<int:business_day_id>/close", close_day, name="center_day_close"),
    path("centers/<slug:code>/", center, name="center"),
    path("centers/<slug:code>/open", open_day, name="center_open"),
]

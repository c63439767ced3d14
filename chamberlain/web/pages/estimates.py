"""Unread services and their estimates, and the true-ups that actual reads have made due."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.estimating import operations, queries, true_up
from chamberlain.billing.estimating.finding import Wanted, wanted_by_run
from chamberlain.billing.queries import run_status
from chamberlain.billing.rebilling.operations import Changed
from chamberlain.billing.rebilling.queries import bill_changes
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.kernel.tables import Table, columns
from chamberlain.ledger.queries import open_day
from chamberlain.metering.routes import queries as routes
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.exporting import csv_file
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.read_routes import fresh_key, reading_tabs
from chamberlain.web.paging import PAGE_ROWS, page_of

SHOWN_AT_ONCE = 50
MOST_IN_A_FILE = 100_000
_CYCLES = ((1, "Monthly"), (2, "Every two months"), (6, "Twice a year"), (12, "Once a year"))


class KeyForm(forms.Form):
    """A form without a question that may be sent twice."""

    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an estimates page is about: what is wanted, where to go back, and the address of the
    file of what cannot be estimated.
    """

    wanted: Wanted
    title: str
    back: str
    file: str
    crumbs: list[dict[str, str]]
    tabs: list[dict[str, Any]]


@needs("billing.view")
@require_http_methods(["GET", "HEAD", "POST"])
def of_run(request: OfficeRequest, run_id: int) -> HttpResponse:
    """What a bill run found unread, and what it would be estimated at."""
    return _estimates(request, _asked_by_run(run_id))


@needs("billing.view")
@require_safe
def file_of_run(request: OfficeRequest, run_id: int) -> HttpResponse:
    """What of a bill run cannot be estimated, for work orders."""
    return _work_orders(_asked_by_run(run_id), f"run-{run_id}-to-visit")


def _asked_by_run(run_id: int) -> _Asked:
    run = run_status(run_id)
    back = reverse("bill_run", args=[run_id])
    crumbs = [
        {"label": "Bill runs", "url": "/bill-runs/"},
        {"label": run.name, "url": back},
        {"label": "Unread"},
    ]
    file = reverse("run_unread_file", args=[run_id])
    return _Asked(wanted_by_run(run_id), run.name, back, file, crumbs, [])


@needs("billing.view")
@require_http_methods(["GET", "HEAD", "POST"])
def of_route(request: OfficeRequest, code: str) -> HttpResponse:
    """What of a route is unread, and what it would be estimated at up to its day."""
    return _estimates(request, _asked_by_route(request, code))


@needs("billing.view")
@require_safe
def file_of_route(request: OfficeRequest, code: str) -> HttpResponse:
    """What of a route cannot be estimated, for work orders."""
    return _work_orders(_asked_by_route(request, code), f"route-{code}-to-visit")


def _asked_by_route(request: OfficeRequest, code: str) -> _Asked:
    today = timezone.localdate()
    row = routes.route(code, today)
    back = reverse("read_route", args=[row.code])
    tariffs = queries.tariffs_of_route(row.code)
    if not tariffs:
        raise Invalid("Nobody is billed by meter on this route, so nothing is estimated.")
    chosen = request.GET.get("tariff", tariffs[0][0])
    wanted = Wanted(
        chosen,
        row.reads_after,
        min(row.due_on, today),
        points=queries.points_of_route(row.code),
    )
    tabs = [
        {"label": name, "url": f"?tariff={tariff}", "current": tariff == chosen}
        for tariff, name in tariffs
    ]
    crumbs = [
        {"label": "Reading routes", "url": "/routes/"},
        {"label": row.code, "url": back},
        {"label": "Unread"},
    ]
    file = f"{reverse('route_unread_file', args=[row.code])}?{urlencode({'tariff': chosen})}"
    shown_tabs = tabs if len(tabs) > 1 else []
    return _Asked(wanted, f"Route {row.code}", back, file, crumbs, shown_tabs)


def _work_orders(asked: _Asked, name: str) -> HttpResponse:
    found = queries.unread(asked.wanted, MOST_IN_A_FILE)
    head = columns(
        ("service_point", "meter", "account", "last_read_on", "estimates_in_a_row", "reason"),
        last_read_on="day",
        estimates_in_a_row="whole",
    )
    lines = (
        (
            row.service_point,
            row.serial,
            row.account_number,
            row.from_on,
            row.in_row,
            row.refusal,
        )
        for row in found.rows
        if row.refusal
    )
    return csv_file(name, Table("Work orders", head, lines))


def _estimates(request: OfficeRequest, asked: _Asked) -> HttpResponse:
    actor, today = actor_of_page(request), timezone.localdate()
    form = KeyForm(request.POST or None, initial={"key": fresh_key()})
    if request.method == "POST" and form.is_valid():
        try:
            done = operations.estimate_reads(
                actor, asked.wanted, today, timezone.now(), form.cleaned_data["key"]
            )
            messages.success(request, _said(done))
            return redirect(asked.back)
        except Refused as refusal:
            say_refusal(form, refusal)
    found = queries.unread(asked.wanted, PAGE_ROWS, _offset(request))

    def fetch(limit: int, offset: int) -> list[queries.UnreadRow]:
        if offset == _offset(request):
            return list(found.rows)
        return list(queries.unread(asked.wanted, limit, offset).rows)

    values = {
        "asked": asked,
        "found": found,
        "page": page_of(request, found.count, fetch),
        "form": form,
        "may_estimate": actor.may("read.estimate") and asked.wanted.reads_up_to <= today,
        "breadcrumbs": asked.crumbs,
    }
    status = 422 if form.errors else 200
    return render(request, "estimates/unread.html", values, status=status)


def _offset(request: HttpRequest) -> int:
    page = request.GET.get("page", "1")
    return (int(page) - 1) * PAGE_ROWS if page.isdecimal() and 0 < int(page) < 10**6 else 0


def _said(done: operations.Estimated) -> str:
    return f"Estimated: {done.estimates:,}. Not estimated, still on the list: {done.refused:,}."


@needs("billing.view")
@require_safe
def due(request: OfficeRequest) -> HttpResponse:
    """True-ups that are due: of all, or of the services of one billing cycle."""
    today, cycle = timezone.localdate(), _cycle(request.GET.get("cycle", ""))
    points = queries.points_of_cycle(cycle) if cycle else None
    found = queries.true_ups_due(today, points, PAGE_ROWS, _offset(request))

    def fetch(limit: int, offset: int) -> list[queries.DueRow]:
        if offset == _offset(request):
            return list(found.rows)
        return list(queries.true_ups_due(today, points, limit, offset).rows)

    values = {
        "found": found,
        "page": page_of(request, found.count, fetch),
        "cycle": cycle,
        "cycles": [
            {
                "label": label,
                "url": f"?cycle={months}",
                "current": months == cycle,
            }
            for months, label in ((0, "Every cycle"), *_CYCLES)
        ],
        "most": true_up.MOST_AT_ONCE,
        "may_post": actor_of_page(request).may("bill.rebill"),
        "tabs": reading_tabs("/routes/true-ups/"),
    }
    return render(request, "estimates/due.html", values)


def _cycle(given: str) -> int:
    return int(given) if given in {str(months) for months, _ in _CYCLES} else 0


def _chosen(request: OfficeRequest) -> list[int]:
    """Ids of the actual reads that were chosen: the ticked ones, or all of a cycle."""
    if request.POST.get("all"):
        cycle = _cycle(request.POST.get("cycle", ""))
        points = queries.points_of_cycle(cycle) if cycle else None
        return list(
            queries.true_ups_due(timezone.localdate(), points, 0).able_ids[: true_up.MOST_AT_ONCE]
        )
    return [int(each) for each in request.POST.getlist("run") if each.isdecimal()]


@needs("bill.rebill")
@require_POST
def look(request: OfficeRequest) -> HttpResponse:
    """What the chosen true-ups would change, old against new, before anything is posted."""
    chosen = _chosen(request)
    if not chosen:
        messages.error(request, "Tick at least one of them.")
        return redirect("true_ups")
    return _show(request, chosen, "")


def _show(request: OfficeRequest, chosen: list[int], problem: str) -> HttpResponse:
    looked = true_up.look_at_true_ups(actor_of_page(request), chosen, timezone.localdate())
    ups = looked.true_ups
    values = {
        "looked": looked,
        "shown": [(each, bill_changes(each.shown)) for each in ups[:SHOWN_AT_ONCE]],
        "more": max(0, len(ups) - SHOWN_AT_ONCE),
        "chosen": ",".join(map(str, chosen)),
        "alone": sum(each.is_posted_alone for each in ups),
        "for_two": sum(each.is_for_two for each in ups),
        "right": sum(each.is_right for each in ups),
        "left_out": sum(bool(each.refusal) for each in ups),
        "day": open_day(revenue_office().center_id),
        "problem": problem,
        "breadcrumbs": [
            {"label": "True-ups due", "url": "/routes/true-ups/"},
            {"label": "Old against new"},
        ],
    }
    return render(request, "estimates/look.html", values, status=409 if problem else 200)


@needs("bill.rebill")
@require_POST
def post(request: OfficeRequest) -> HttpResponse:
    """Posts the true-ups that were looked at, on the revenue office's open day."""
    chosen = [int(each) for each in request.POST.get("runs", "").split(",") if each.isdecimal()]
    today: date = timezone.localdate()
    day = open_day(revenue_office().center_id)
    try:
        done = true_up.post_true_ups(
            actor_of_page(request),
            chosen,
            request.POST.get("seen", ""),
            day.pk if day else 0,
            today,
            timezone.now(),
        )
    except Changed as refusal:
        return _show(request, chosen, refusal.sentence)
    messages.success(
        request,
        f"Posted: {done.posted:,}. For a second person: {done.asked:,}. Right as estimated: "
        f"{done.right:,}. Left out: {done.left_out:,}.",
    )
    return redirect("true_ups")


urlpatterns = [
    path("bill-runs/<int:run_id>/unread/", of_run, name="run_unread"),
    path("routes/r/<str:code>/unread/", of_route, name="route_unread"),
    path("bill-runs/<int:run_id>/unread.csv", file_of_run, name="run_unread_file"),
    path("routes/r/<str:code>/unread.csv", file_of_route, name="route_unread_file"),
    path("routes/true-ups/", due, name="true_ups"),
    path("routes/true-ups/look/", look, name="look_at_true_ups"),
    path("routes/true-ups/post/", post, name="post_true_ups"),
]

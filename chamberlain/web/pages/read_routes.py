"""Routes: what is read of them, the sheet of one, typing its reads, and reading in a file."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.kernel.errors import Refused
from chamberlain.kernel.tables import Table, columns
from chamberlain.metering.routes import files, operations, queries
from chamberlain.metering.routes.queries import RouteRow
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.exporting import csv_file
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bill_runs import DayInput
from chamberlain.web.paging import page_of

ROWS = 50
TYPED_ROWS = 25
RECORDS = 200
_ROUTES = {"label": "Reading routes", "url": "/routes/"}
_LISTS = (("all", "All stops"), ("unread", "Unread"), ("estimated", "Estimated"))


def reading_tabs(current: str) -> list[dict[str, Any]]:
    """The parts of the reading of meters, the present one marked."""
    parts = (("Routes", "/routes/"), ("True-ups due", "/routes/true-ups/"))
    return [{"label": label, "url": url, "current": url == current} for label, url in parts]


class FileForm(forms.Form):
    """A file of routes."""

    file = forms.FileField(
        label="File",
        help_text="CSV with the heading route,name,cycle,work_day,sequence,service_point,note; "
        "name and note may be left out.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )


class ReadsForm(forms.Form):
    """What the meters of a part of a route show; a field for each stop, empty when not read."""

    read_on = forms.DateField(label="Read on", widget=DayInput())

    def __init__(self, stops: list[queries.StopRow], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stops = stops
        for stop in stops:
            self.fields[f"stop_{stop.stop_id}"] = forms.IntegerField(
                label=f"Register at stop {stop.sequence}",
                min_value=0,
                required=False,
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            )

    def rows(self) -> list[tuple[queries.StopRow, forms.BoundField]]:
        """Each stop with its field."""
        return [(stop, self[f"stop_{stop.stop_id}"]) for stop in self.stops]

    def registers(self) -> dict[int, int]:
        """What was typed, by id of the stop."""
        typed = {stop.stop_id: self.cleaned_data[f"stop_{stop.stop_id}"] for stop in self.stops}
        return {stop_id: register for stop_id, register in typed.items() if register is not None}


@needs("billing.view")
@require_safe
def routes(request: OfficeRequest) -> HttpResponse:
    """All routes at their present time to read, the earliest due first."""
    found = queries.routes(timezone.localdate())
    unread = [row for row in found if row.unread]
    values = {
        "page": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "stops": sum(row.stops for row in found),
        "read": sum(row.read for row in found),
        "estimated": sum(row.estimated for row in found),
        "unread": sum(row.unread for row in unread),
        "today": timezone.localdate(),
        "may_change": actor_of_page(request).may("route.change"),
        "tabs": reading_tabs("/routes/"),
    }
    return render(request, "read_routes/routes.html", values)


@needs("billing.view")
@require_safe
def route(request: OfficeRequest, code: str) -> HttpResponse:
    """A route with its stops in order, and what each meter showed."""
    row = queries.route(code, timezone.localdate())
    which = request.GET.get("list", "all")
    which = which if which in dict(_LISTS) else "all"
    counts = {"all": row.stops, "unread": row.unread, "estimated": row.estimated}

    def fetch(limit: int, offset: int) -> list[queries.StopRow]:
        return queries.stops(row, which, limit, offset)

    actor = actor_of_page(request)
    values = {
        "row": row,
        "page": page_of(request, counts[which], fetch),
        "which": which,
        "tabs": [
            {
                "label": label,
                "url": f"?list={name}",
                "current": name == which,
                "count": counts[name],
            }
            for name, label in _LISTS
        ],
        "today": timezone.localdate(),
        "may_type": actor.may("read.import"),
        "may_estimate": actor.may("read.estimate"),
        "breadcrumbs": [_ROUTES, {"label": row.code}],
    }
    return render(request, "read_routes/route.html", values)


@needs("billing.view")
@require_safe
def sheet(request: OfficeRequest, code: str) -> HttpResponse:
    """The reading sheet of a route, to be printed and filled in."""
    row = queries.route(code, timezone.localdate())
    values = {
        "row": row,
        "stops": queries.stops(row),
        "breadcrumbs": [_ROUTES, _crumb(row), {"label": "Sheet"}],
    }
    return render(request, "read_routes/sheet.html", values)


@needs("billing.view")
@require_safe
def sheet_file(request: OfficeRequest, code: str) -> HttpResponse:
    """The sheet for a handheld: filled in, it is a file of reads that the import takes."""
    row = queries.route(code, timezone.localdate())
    head = columns(
        ("sequence", "service_point", "address", "note", "meter", "last_on", "last_register",
         "read_on", "register"),
        sequence="whole", last_on="day", last_register="whole", read_on="day",
    )  # fmt: skip
    lines = (
        (
            stop.sequence,
            stop.service_point,
            stop.address,
            stop.note,
            stop.serial,
            stop.last_on,
            stop.last_register,
            row.due_on,
            None,
        )
        for stop in queries.stops(row)
        if stop.serial
    )
    return csv_file(f"route-{row.code}-{row.due_on}", Table("Route", head, lines))


def _crumb(row: RouteRow) -> dict[str, str]:
    return {"label": row.code, "url": reverse("read_route", args=[row.code])}


@needs("read.import")
@require_http_methods(["GET", "HEAD", "POST"])
def type_reads(request: OfficeRequest, code: str) -> HttpResponse:
    """Types reads in the order of the route; each refusal stands beside its field."""
    today = timezone.localdate()
    row = queries.route(code, today)
    after = request.POST.get("after") or request.GET.get("after") or "0"
    first = int(after) if after.isdecimal() and len(after) < 10 else 0
    shown = [stop for stop in queries.stops(row) if stop.sequence > first]
    if request.method == "POST":
        shown = [stop for stop in shown if f"stop_{stop.stop_id}" in request.POST][:TYPED_ROWS]
    else:
        shown = [stop for stop in shown if stop.quality in (None, "estimate")][:TYPED_ROWS]
    form = ReadsForm(shown, request.POST or None, initial={"read_on": min(row.due_on, today)})
    if request.method == "POST" and form.is_valid():
        typed = form.registers()
        result = operations.type_reads(
            actor_of_page(request), row.code, form.cleaned_data["read_on"], typed, today
        )
        if result.recorded:
            messages.success(request, _said(result.recorded))
        for stop_id, sentence in result.refusals.items():
            form.add_error(f"stop_{stop_id}", sentence)
        if not result.refusals:
            last = shown[-1].sequence if shown else first
            return redirect(f"{reverse('type_reads', args=[row.code])}?after={last}")
        form = _left(form, shown, result.refusals)
    values = {
        "row": row,
        "form": form,
        "first": first,
        "breadcrumbs": [_ROUTES, _crumb(row), {"label": "Type reads"}],
    }
    return render(request, "read_routes/type.html", values, status=422 if form.errors else 200)


def _left(form: ReadsForm, shown: list[queries.StopRow], refusals: Any) -> ReadsForm:
    """The form with only the stops that were refused or left empty; the others are recorded."""
    kept = [
        stop
        for stop in shown
        if stop.stop_id in refusals or not form.data.get(f"stop_{stop.stop_id}")
    ]
    left = ReadsForm(kept, form.data)
    left.full_clean()
    for stop_id, sentence in refusals.items():
        left.add_error(f"stop_{stop_id}", sentence)
    return left


def _said(recorded: int) -> str:
    return f"Recorded: {_count(recorded, 'read')}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@needs("route.change")
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: OfficeRequest) -> HttpResponse:
    """Takes a file of routes in to be looked at; no route is changed yet."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            content = file.read(files.LARGEST_BYTES + 1)
            file_id = operations.keep_route_file(
                actor_of_page(request), content, file.name, timezone.now()
            )
            return redirect("route_file", file_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {"form": form, "breadcrumbs": [_ROUTES, {"label": "Read in routes"}]}
    return render(request, "read_routes/upload.html", values, status=422 if form.errors else 200)


@needs("route.change")
@require_safe
def route_file(request: OfficeRequest, file_id: int) -> HttpResponse:
    """What a file would make of the routes, with every wrong line on top."""
    name, found = operations.look_at_route_file(actor_of_page(request), file_id)
    values = {
        "file_id": file_id,
        "name": name,
        "routes": found.stops["route"].n_unique(),
        "stops": found.stops.height,
        "records": found.faults[:RECORDS],
        "wrong": len(found.faults),
        "more_records": max(0, len(found.faults) - RECORDS),
        "page": Paginator(found.stops.rows(named=True), ROWS).get_page(request.GET.get("page")),
        "breadcrumbs": [_ROUTES, {"label": name}],
    }
    return render(request, "read_routes/file.html", values)


@needs("route.change")
@require_POST
def read_in(request: OfficeRequest, file_id: int) -> HttpResponse:
    """Reads the file in, or drops it, as the button says."""
    actor = actor_of_page(request)
    if request.POST.get("act") == "drop":
        operations.drop_route_file(actor, file_id)
        messages.success(request, "The file was dropped; no route was changed.")
        return redirect("read_routes")
    done = operations.read_in_routes(actor, file_id, timezone.now())
    messages.success(
        request, f"Read in: {_count(done.routes, 'route')}, {_count(done.stops, 'stop')}."
    )
    return redirect("read_routes")


def fresh_key() -> str:
    """A key for a form that may be sent twice."""
    return secrets.token_urlsafe(16)


urlpatterns = [
    path("routes/", routes, name="read_routes"),
    path("routes/read-in/", upload, name="upload_routes"),
    path("routes/files/<int:file_id>/", route_file, name="route_file"),
    path("routes/files/<int:file_id>/read-in/", read_in, name="read_in_routes"),
    path("routes/r/<str:code>/", route, name="read_route"),
    path("routes/r/<str:code>/sheet/", sheet, name="route_sheet"),
    path("routes/r/<str:code>/sheet.csv", sheet_file, name="route_sheet_file"),
    path("routes/r/<str:code>/reads/", type_reads, name="type_reads"),
]

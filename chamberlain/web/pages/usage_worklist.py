"""The usage worklist: what a watch found in the reads, and what is done about it."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chamberlain.billing.operations import release_holds
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.metering import operations as metering
from chamberlain.metering import queries as reads
from chamberlain.metering.watching import operations, queries, tasks, watches
from chamberlain.metering.watching.operations import Seen
from chamberlain.metering.watching.terms import resolutions
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bill_runs import DayInput, ResolveForm
from chamberlain.web.paging import page_of
from chamberlain.web.usage_pictures import HEIGHT, WIDTH, bars, usage_chart

ROWS = 25
_WORKLIST = {"label": "Usage worklist", "url": "/usage-worklist/"}
_AGES = [("", "Any age"), ("7", "A week or more"), ("30", "30 days or more"), ("90", "90 days")]


class ChoiceForm(forms.Form):
    """Which entries are shown."""

    rule = forms.ChoiceField(label="What", required=False)
    severity = forms.TypedChoiceField(
        label="How soon", required=False, coerce=int, empty_value=None
    )
    kind = forms.ChoiceField(label="Class", required=False)
    age = forms.TypedChoiceField(
        label="Found before", required=False, choices=_AGES, coerce=int, empty_value=None
    )
    route = forms.CharField(label="Route", required=False, max_length=24)
    mine = forms.BooleanField(label="Only mine", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("rule", "Everything", queries.RULES)
        self._offer("severity", "Any", queries.SEVERITIES)
        self._offer("kind", "All classes", queries.classes_found())

    def _offer(self, name: str, everything: str, choices: dict[Any, str]) -> None:
        offered = self.fields[name]
        assert isinstance(offered, forms.ChoiceField)
        offered.choices = [("", everything), *choices.items()]


class CloseForm(forms.Form):
    """How entries are closed."""

    resolution = forms.ChoiceField(label="How it is resolved")
    note = forms.CharField(label="Note", max_length=200, required=False)
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = self.fields["resolution"]
        assert isinstance(offered, forms.ChoiceField)
        offered.choices = [("", "Choose"), *((each.code, each.name) for each in resolutions())]


class StepForm(forms.Form):
    """One step about an entry: each of its buttons takes the fields that it needs."""

    note = forms.CharField(label="Note", max_length=200, required=False)
    username = forms.ChoiceField(label="Works on it", required=False)
    kind = forms.ChoiceField(
        label="In the field", required=False, choices=[*queries.FIELD_CHECKS.items()]
    )
    check_by = forms.DateField(label="To be done by", required=False, widget=DayInput)
    resolution = forms.ChoiceField(label="How it is resolved", required=False)
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people, ways = self.fields["username"], self.fields["resolution"]
        assert isinstance(people, forms.ChoiceField)
        assert isinstance(ways, forms.ChoiceField)
        people.choices = [("", "Nobody"), *queries.workers(timezone.localdate()).items()]
        ways.choices = [("", "Choose"), *((each.code, each.name) for each in resolutions())]


@needs("billing.view")
@require_safe
def worklist(request: OfficeRequest) -> HttpResponse:
    """Entries by state, the most urgent first."""
    return _show_list(request, None)


def _tabs(state: str) -> list[dict[str, Any]]:
    counts = queries.counts_by_state()
    tabs = [
        {
            "label": label,
            "url": f"/usage-worklist/?state={name}",
            "current": name == state,
            "count": counts.get(name),
        }
        for name, label in queries.STATES.items()
    ]
    tabs.append(
        {
            "label": "Lines of imports",
            "url": reverse("usage_import_lines"),
            "current": state == "lines",
            "count": reads.count_worklist(),
        }
    )
    return tabs


def _show_list(request: OfficeRequest, form: CloseForm | None) -> HttpResponse:
    actor, today = actor_of_page(request), timezone.localdate()
    state = request.GET.get("state", "open")
    state = state if state in queries.STATES else "open"
    choice = ChoiceForm(request.GET)
    given = choice.cleaned_data if choice.is_valid() else {}
    chosen = queries.Chosen(
        today,
        state,
        rule=given.get("rule") or "",
        severity=given.get("severity"),
        property_type=given.get("kind") or "",
        route=given.get("route") or "",
        older_than=given.get("age"),
        assigned_to=actor.user_id if given.get("mine") else None,
    )

    def fetch(limit: int, offset: int) -> list[queries.FindingRow]:
        return queries.findings(chosen, limit, offset)

    page = page_of(request, queries.count_findings(chosen), fetch, ROWS)
    kept = [(name, value) for name, value in request.GET.items() if name != "page" and value]
    values = {
        "page": page,
        "entries": [(row, bars(row.usage)) for row in page],
        "width": WIDTH,
        "height": HEIGHT,
        "state": state,
        "choice": choice,
        "query": urlencode(kept),
        "form": form or CloseForm(initial={"key": _key()}),
        "chosen_ids": request.POST.getlist("entry"),
        "may_work": actor.may("usage.work") and state != "closed",
        "may_watch": actor.may("usage.watch"),
        "tabs": _tabs(state),
        **_progress(),
    }
    failed = form is not None and bool(form.errors)
    return render(request, "usage_worklist/worklist.html", values, status=422 if failed else 200)


def _key() -> str:
    return secrets.token_urlsafe(16)


def _progress() -> dict[str, Any]:
    watch = queries.latest_watch()
    return {
        "watch": watch,
        "watching": watch is not None and watch.finished_at is None,
        "poll": reverse("usage_watch_progress"),
    }


@needs("billing.view")
@require_safe
def progress(request: OfficeRequest) -> HttpResponse:
    """How far the watch is; when it has ended, the browser is told to show the list anew."""
    values = _progress()
    response = render(request, "usage_worklist/progress.html", values)
    if not values["watching"]:
        response["HX-Refresh"] = "true"
    return response


@needs("usage.watch")
@require_POST
def watch(request: OfficeRequest) -> HttpResponse:
    """Plans a watch of the reads since the last one, and hands it to the workers."""
    with transaction.atomic():
        now = timezone.now()
        actor = actor_of_page(request)
        tasks.defer_watch(watches.plan_watch(actor, timezone.localdate(), now, _key()))
    messages.info(request, "The reads since the last watch are looked at.")
    return redirect("usage_worklist")


@needs("usage.work")
@require_POST
def close_many(request: OfficeRequest) -> HttpResponse:
    """Closes the chosen entries with one resolution, all or none."""
    form = CloseForm(request.POST)
    if form.is_valid():
        actor, now = actor_of_page(request), timezone.now()
        given = form.cleaned_data
        try:
            entries = [_seen(text) for text in request.POST.getlist("entry")]
            with transaction.atomic():
                closed = operations.close(
                    actor, entries, given["resolution"], given["note"], now, given["key"]
                )
                _release(request, [each.finding_id for each in entries])
            messages.success(request, f"{closed} entr{'y' if closed == 1 else 'ies'} closed.")
            return redirect(request.get_full_path().replace("close/", ""))
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show_list(request, form)


def _seen(text: str) -> Seen:
    finding_id, _, version = text.partition(":")
    is_sound = all(part.isascii() and part.isdigit() for part in (finding_id, version))
    if not is_sound or len(text) > 30:
        return Seen(0, 0)
    return Seen(int(finding_id), int(version))


def _release(request: OfficeRequest, finding_ids: list[int]) -> None:
    release_holds(actor_of_page(request), operations.reads_of(finding_ids), timezone.now())


@needs("billing.view")
@require_safe
def entry(request: OfficeRequest, finding_id: int) -> HttpResponse:
    """One entry: its picture and table, what shows it, and what was done."""
    return _show_entry(request, finding_id, None)


def _show_entry(request: OfficeRequest, finding_id: int, form: StepForm | None) -> HttpResponse:
    row = queries.finding(finding_id)
    if form is None:
        form = StepForm(initial={"key": _key(), "version": row.version})
    values = {
        "row": row,
        "form": form,
        "version": row.version,
        "steps": queries.steps(finding_id),
        "sightings": queries.sightings(finding_id),
        "may_work": actor_of_page(request).may("usage.work") and row.is_open,
        "breadcrumbs": [_WORKLIST, {"label": f"Entry {finding_id}"}],
        "key": _key(),
    }
    return render(request, "usage_worklist/entry.html", values, status=422 if form.errors else 200)


@needs("billing.view")
@require_safe
def picture(request: OfficeRequest, finding_id: int) -> HttpResponse:
    """The entry's usage as SVG."""
    row = queries.finding(finding_id)
    drawing = usage_chart(row.usage, row.compared_thousandths)
    response = HttpResponse(drawing, content_type="image/svg+xml")
    response["Cache-Control"] = "private, no-store"
    return response


@needs("usage.work")
@require_POST
def step(request: OfficeRequest, finding_id: int) -> HttpResponse:
    """Takes one step about an entry; a refusal is said beside its field."""
    form = StepForm(request.POST)
    if form.is_valid():
        taken, said = _STEPS.get(request.POST.get("do", ""), _STEPS["note"])
        seen = Seen(finding_id, form.cleaned_data["version"])
        try:
            with transaction.atomic():
                taken(request, seen, form.cleaned_data)
                _release(request, [finding_id])
            messages.success(request, said)
            return redirect("usage_entry", finding_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show_entry(request, finding_id, form)


def _verify(request: OfficeRequest, seen: Seen, given: dict[str, Any]) -> None:
    operations.verify_reads(
        actor_of_page(request), seen, given["note"], timezone.now(), given["key"]
    )


def _note(request: OfficeRequest, seen: Seen, given: dict[str, Any]) -> None:
    operations.note(actor_of_page(request), seen, given["note"], timezone.now(), given["key"])


def _assign(request: OfficeRequest, seen: Seen, given: dict[str, Any]) -> None:
    today, now = timezone.localdate(), timezone.now()
    operations.assign(actor_of_page(request), seen, given["username"], today, now, given["key"])


def _field_check(request: OfficeRequest, seen: Seen, given: dict[str, Any]) -> None:
    if given["check_by"] is None:
        raise Invalid("Give the day by which it is done.", field="check_by")
    today = timezone.localdate()
    operations.ask_field_check(
        actor_of_page(request),
        seen,
        given["kind"],
        given["check_by"],
        given["note"],
        today,
        timezone.now(),
        given["key"],
    )


def _close(request: OfficeRequest, seen: Seen, given: dict[str, Any]) -> None:
    actor, now = actor_of_page(request), timezone.now()
    operations.close(actor, [seen], given["resolution"], given["note"], now, given["key"])


_Taken = Callable[[OfficeRequest, Seen, dict[str, Any]], None]
_STEPS: dict[str, tuple[_Taken, str]] = {
    "verify": (_verify, "The read is verified; the next run bills it."),
    "note": (_note, "The note is kept."),
    "assign": (_assign, "The entry was given on."),
    "field_check": (_field_check, "The field check is asked for."),
    "close": (_close, "The entry is closed."),
}


@needs("billing.view")
@require_safe
def import_lines(request: OfficeRequest) -> HttpResponse:
    """Lines of imported files that could not become reads."""
    return _show_lines(request, None, ResolveForm())


def _show_lines(request: OfficeRequest, failed: int | None, form: forms.Form) -> HttpResponse:
    def fetch(limit: int, offset: int) -> list[reads.ExceptionRow]:
        return reads.worklist(None, limit, offset)

    values = {
        "page": page_of(request, reads.count_worklist(), fetch),
        "form": form,
        "failed": failed,
        "may_resolve": actor_of_page(request).may("read.import"),
        "tabs": _tabs("lines"),
    }
    status = 422 if form.errors else 200
    return render(request, "usage_worklist/import_lines.html", values, status=status)


@needs("read.import")
@require_POST
def resolve_line(request: OfficeRequest, exception_id: int) -> HttpResponse:
    """Takes a line off the worklist, saying what was done about it."""
    form = ResolveForm(request.POST)
    if form.is_valid():
        try:
            said = form.cleaned_data["resolution"]
            metering.resolve_exception(actor_of_page(request), exception_id, said, timezone.now())
            messages.success(request, "Taken off the worklist.")
            return redirect("usage_import_lines")
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show_lines(request, exception_id, form)


urlpatterns = [
    path("usage-worklist/", worklist, name="usage_worklist"),
    path("usage-worklist/watch/", watch, name="watch_usage"),
    path("usage-worklist/progress/", progress, name="usage_watch_progress"),
    path("usage-worklist/close/", close_many, name="close_usage_entries"),
    path("usage-worklist/import-lines/", import_lines, name="usage_import_lines"),
    path("usage-worklist/import-lines/<int:exception_id>/", resolve_line, name="resolve_line"),
    path("usage-worklist/<int:finding_id>/", entry, name="usage_entry"),
    path("usage-worklist/<int:finding_id>/usage.svg", picture, name="usage_entry_picture"),
    path("usage-worklist/<int:finding_id>/step/", step, name="usage_entry_step"),
]

"""Bill runs: plan one, watch it, stop it, and work off what it could not bill."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing import operations, queries
from chamberlain.billing.estimating.queries import reads_asked_by
from chamberlain.billing.queries import RunRow
from chamberlain.billing.tasks import defer_bill_run
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.queries import open_day
from chamberlain.metering.routes.queries import routes_due
from chamberlain.tariffs.catalogue import tariff_rows
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of

_RUNS = {"label": "Bill runs", "url": "/bill-runs/"}
_STATES = {"planned": "running", "running": "running", "stopped": "stopped", "done": "done"}


class DayInput(forms.DateInput):
    """A date control as browsers have it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PlanForm(forms.Form):
    """What a run is to bill."""

    name = forms.CharField(max_length=120, help_text="For example “Bi-monthly water, March 2026”")
    tariff = forms.ChoiceField()
    is_metered = forms.ChoiceField(
        label="Which accounts",
        choices=[("metered", "Metered, from their reads"), ("season", "Non-metered, for a season")],
        initial="metered",
        widget=forms.RadioSelect,
    )
    cycle_months = forms.TypedChoiceField(
        label="Billing cycle",
        choices=[
            ("", "Every cycle"),
            ("1", "Monthly"),
            ("2", "Every two months"),
            ("6", "Twice a year"),
            ("12", "Once a year"),
        ],
        coerce=int,
        empty_value=None,
        required=False,
    )
    reads_after = forms.DateField(
        label="Reads after",
        widget=DayInput,
        required=False,
        help_text="Accounts without a read since this day go to the worklist",
    )
    reads_up_to = forms.DateField(label="Reads up to", widget=DayInput)
    season_from_on = forms.DateField(label="Season from", widget=DayInput, required=False)
    season_to_on = forms.DateField(
        label="Season up to", widget=DayInput, required=False, help_text="The first day after it"
    )
    due_on = forms.DateField(label="Due on", widget=DayInput)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tariff"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(row.code, row.name) for row in tariff_rows()]

    def plan(self, business_day_id: int) -> operations.RunPlan:
        """The plan that the valid form describes."""
        given = self.cleaned_data
        is_metered = given["is_metered"] == "metered"
        return operations.RunPlan(
            name=given["name"],
            tariff_code=given["tariff"],
            business_day_id=business_day_id,
            due_on=given["due_on"],
            reads_up_to=given["reads_up_to"],
            is_metered=is_metered,
            reads_after=given["reads_after"] if is_metered else None,
            season_from_on=None if is_metered else given["season_from_on"],
            season_to_on=None if is_metered else given["season_to_on"],
            cycle_months=given["cycle_months"],
        )


class ResolveForm(forms.Form):
    """What was done about an item of a worklist."""

    resolution = forms.CharField(label="What was done", max_length=200, required=False)


@needs("billing.view")
@require_safe
def runs(request: OfficeRequest) -> HttpResponse:
    """All runs, the newest first."""
    values = {
        "page": page_of(request, queries.count_runs(), queries.runs),
        "waiting": queries.unresolved_count(),
        "may_start": actor_of_page(request).may("bill_run.start"),
    }
    return render(request, "bill_runs/runs.html", values)


@needs("bill_run.start")
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: OfficeRequest) -> HttpResponse:
    """Plans a run and hands it to the workers."""
    day = open_day(revenue_office().center_id)
    form = PlanForm(request.POST or None, initial={"key": secrets.token_urlsafe(16)})
    if day is not None and request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                run_id = operations.plan_bill_run(
                    actor_of_page(request),
                    form.plan(day.pk),
                    timezone.now(),
                    form.cleaned_data["key"],
                )
                defer_bill_run(run_id)
            return redirect("bill_run", run_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {
        "form": form,
        "day": day.day if day else None,
        "breadcrumbs": [_RUNS, {"label": "Plan a run"}],
    }
    return render(request, "bill_runs/plan.html", values, status=422 if form.errors else 200)


def _progress(request: OfficeRequest, run: RunRow) -> dict[str, Any]:
    may_stop = actor_of_page(request).may("bill_run.stop")
    return {
        "run": run,
        "state": _STATES[run.status],
        "poll": reverse("bill_run_progress", args=[run.run_id]),
        "stop": reverse("stop_bill_run", args=[run.run_id]) if may_stop else "",
    }


@needs("billing.view")
@require_safe
def run(request: OfficeRequest, run_id: int) -> HttpResponse:
    """One run: how far it is, what it billed by class, what it held back."""
    found = queries.run_status(run_id)
    values = _progress(request, found) | {
        "classes": queries.billed_by_class(run_id),
        "held": queries.held_by_code(run_id),
        **_reading(run_id),
        "waiting": queries.unresolved_count(run_id),
        "may_resume": found.status in ("planned", "stopped")
        and actor_of_page(request).may("bill_run.start"),
        "breadcrumbs": [_RUNS, {"label": found.name}],
    }
    return render(request, "bill_runs/run.html", values)


def _reading(run_id: int) -> dict[str, Any]:
    """Whether the run asks for reads, and how far the routes due within its days are."""
    asked = reads_asked_by(run_id)
    if asked is None:
        return {"asks_for_reads": False}
    after, up_to, cycle_months = asked
    return {"asks_for_reads": True, "routes": routes_due(after, up_to, cycle_months)}


@needs("billing.view")
@require_safe
def progress(request: OfficeRequest, run_id: int) -> HttpResponse:
    """The progress alone; when the run has ended, the browser is told to show all of it anew."""
    found = queries.run_status(run_id)
    response = render(request, "bill_runs/progress.html", _progress(request, found))
    if _STATES[found.status] != "running":
        response["HX-Refresh"] = "true"
    return response


@needs("bill_run.stop")
@require_POST
def stop(request: OfficeRequest, run_id: int) -> HttpResponse:
    """Asks a run to stop after the chunks under way."""
    operations.request_stop(actor_of_page(request), run_id)
    messages.info(request, "The run stops after the accounts it is working on.")
    return redirect("bill_run", run_id)


@needs("bill_run.start")
@require_POST
def resume(request: OfficeRequest, run_id: int) -> HttpResponse:
    """Hands a run that was stopped to the workers again."""
    with transaction.atomic():
        operations.resume_bill_run(actor_of_page(request), run_id)
        defer_bill_run(run_id)
    messages.info(request, "The run goes on with what is not billed yet.")
    return redirect("bill_run", run_id)


@needs("billing.view")
@require_safe
def worklist(request: OfficeRequest, run_id: int | None = None) -> HttpResponse:
    """What could not be billed: of one run, or what waits of all."""
    return _show_worklist(request, run_id, None, ResolveForm())


def _show_worklist(
    request: OfficeRequest, run_id: int | None, hold_id: int | None, form: forms.Form
) -> HttpResponse:
    def fetch(limit: int, offset: int) -> list[queries.HoldRow]:
        return queries.worklist(run_id, limit, offset)

    page = page_of(request, queries.count_worklist(run_id), fetch)
    found = queries.run_status(run_id) if run_id is not None else None
    crumbs = [_RUNS, {"label": "Worklist"}]
    if found:
        crumbs.insert(1, {"label": found.name, "url": reverse("bill_run", args=[run_id])})
    values = {
        "run": found,
        "page": page,
        "form": form,
        "failed_hold": hold_id,
        "waiting": queries.unresolved_count(run_id),
        "may_resolve": actor_of_page(request).may("hold.resolve"),
        "breadcrumbs": crumbs,
    }
    status = 422 if form.errors else 200
    return render(request, "bill_runs/worklist.html", values, status=status)


@needs("hold.resolve")
@require_POST
def resolve(request: OfficeRequest, hold_id: int) -> HttpResponse:
    """Takes an item off the worklist, saying what was done about it."""
    form = ResolveForm(request.POST)
    run_id = int(request.POST["run"]) if request.POST.get("run", "").isdecimal() else None
    if form.is_valid():
        try:
            operations.resolve_hold(
                actor_of_page(request), hold_id, form.cleaned_data["resolution"], timezone.now()
            )
            messages.success(request, "Taken off the worklist.")
            if run_id is None:
                return redirect("worklist")
            return redirect("run_worklist", run_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show_worklist(request, run_id, hold_id, form)


urlpatterns = [
    path("bill-runs/", runs, name="bill_runs"),
    path("bill-runs/plan/", plan, name="plan_bill_run"),
    path("bill-runs/worklist/", worklist, name="worklist"),
    path("bill-runs/worklist/<int:hold_id>/", resolve, name="resolve_hold"),
    path("bill-runs/<int:run_id>/", run, name="bill_run"),
    path("bill-runs/<int:run_id>/progress/", progress, name="bill_run_progress"),
    path("bill-runs/<int:run_id>/stop/", stop, name="stop_bill_run"),
    path("bill-runs/<int:run_id>/resume/", resume, name="resume_bill_run"),
    path("bill-runs/<int:run_id>/worklist/", worklist, name="run_worklist"),
]

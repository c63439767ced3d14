"""Citations: found by number or plate, contested, heard, decided; vehicles booted and released."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.revenue.citations import booting, contesting, queries
from chamberlain.revenue.operations import Posting
from chamberlain.revenue.queries import obligation_charges
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bill_runs import DayInput
from chamberlain.web.paging import page_of
from chamberlain.web.posting_day import posting_day_id

_CITATIONS = {"label": "Citations", "url": "/citations/"}


class FindForm(forms.Form):
    """A citation's number or a plate."""

    q = forms.CharField(label="Citation or plate", max_length=24, required=False)


class ContestForm(forms.Form):
    """Why a citation is contested, and when it is heard."""

    note = forms.CharField(label="What the customer says", max_length=160)
    hearing_on = forms.DateField(label="Hearing on", widget=DayInput(), required=False)


class HearingForm(forms.Form):
    """When a citation is heard."""

    hearing_on = forms.DateField(label="Hearing on", widget=DayInput())


class DecideForm(forms.Form):
    """What was decided."""

    is_liable = forms.TypedChoiceField(
        label="Decision",
        choices=[("yes", "Liable: the fine is due"), ("no", "Not liable: dismissed")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="Because", max_length=160)


class BootForm(forms.Form):
    """Where a booted vehicle stands."""

    place = forms.CharField(label="Where it stands", max_length=120)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


@needs("account.view")
@require_safe
def board(request: OfficeRequest) -> HttpResponse:
    """Citations by stage, those to be heard, and vehicles that may be booted."""
    form = FindForm(request.GET or None)
    if form.is_bound and form.is_valid() and (typed := form.cleaned_data["q"].strip()):
        try:
            return redirect("citation", queries.citation(typed).number)
        except NotFound:
            return redirect("vehicle", booting.plate_of(typed) or "-")
    today = timezone.localdate()
    try:
        total = booting.count_eligible(today)
        page = page_of(
            request, total, lambda limit, offset: booting.eligible(today, limit, offset), 25
        )
        why_not = ""
    except NotFound as refusal:
        page, why_not = None, refusal.sentence
    context = {
        "form": form if form.is_bound else FindForm(),
        "stages": queries.by_stage(),
        "hearings": queries.hearings(),
        "boots": queries.boots(is_on=True),
        "page": page,
        "why_not": why_not,
        "today": today,
    }
    return render(request, "citations/board.html", context)


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def citation(request: OfficeRequest, number: str) -> HttpResponse:
    """A citation: what is due on it and why, what happened, and what can be done."""
    row = queries.citation(number)
    form, what = _form(request, row)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            _do(request, row, what, form.cleaned_data)
            return redirect("citation", row.number)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "citation": row,
        "charges": obligation_charges(row.obligation_id),
        "events": queries.events(row.obligation_id),
        "form": form,
        "what": what,
        "breadcrumbs": [_CITATIONS, {"label": row.number}],
    }
    return render(request, "citations/citation.html", context)


def _form(request: OfficeRequest, row: queries.CitationRow) -> tuple[forms.Form | None, str]:
    """The form for what the actor can do next with the citation, and what that is."""
    actor, posted = actor_of_page(request), request.POST or None
    if row.stage in ("issued", "notice") and row.open_cents and actor.may("citation.contest"):
        return ContestForm(posted, auto_id="%s"), "contest"
    if row.stage in ("contested", "hearing"):
        if actor.may("citation.decide"):
            return DecideForm(posted, auto_id="%s"), "decide"
        if actor.may("citation.contest"):
            initial = {"hearing_on": row.hearing_on}
            return HearingForm(posted, initial=initial, auto_id="%s"), "hearing"
    return None, ""


def _do(request: OfficeRequest, row: queries.CitationRow, what: str, typed: dict[str, Any]) -> None:
    actor, today, now = actor_of_page(request), timezone.localdate(), timezone.now()
    if what == "contest":
        contesting.contest(actor, row.number, typed["note"], today, now, typed["hearing_on"])
        messages.success(request, "It is contested; until it is decided nothing more falls due.")
    elif what == "hearing":
        contesting.set_hearing(actor, row.number, typed["hearing_on"], today, now)
        messages.success(request, "The hearing is set.")
    else:
        contesting.decide(
            actor,
            row.number,
            is_liable=typed["is_liable"],
            note=typed["note"],
            business_day_id=posting_day_id(),
            today=today,
            now=now,
        )
        messages.success(request, "The decision is entered.")


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def vehicle(request: OfficeRequest, plate: str) -> HttpResponse:
    """All citations of a vehicle, whether it may be booted, and its boot."""
    plate, today = booting.plate_of(plate), timezone.localdate()
    actor = actor_of_page(request)
    found = queries.citations_of_plate(plate) if plate else []
    try:
        eligible = next(iter(booting.eligible(today, 1, plate=plate)), None) if plate else None
    except NotFound:
        eligible = None
    boots = queries.boots(is_on=True, plate=plate) if plate else []
    may_boot = actor.may("citation.boot")
    form = None
    if eligible and may_boot:
        form = BootForm(
            request.POST or None, initial={"key": secrets.token_urlsafe(16)}, auto_id="%s"
        )
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            posting = Posting(posting_day_id(), timezone.now(), form.cleaned_data["key"])
            booting.boot(actor, plate, form.cleaned_data["place"], posting, today)
            messages.success(request, f"{plate} is booted, and the fee is charged.")
            return redirect("vehicle", plate)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "plate": plate,
        "citations": found,
        "open_cents": sum(row.open_cents for row in found),
        "eligible": eligible,
        "boot": boots[0] if boots else None,
        "held_cents": booting.still_open(plate) if boots else 0,
        "earlier": queries.boots(is_on=False, plate=plate) if plate else [],
        "may_boot": may_boot,
        "form": form,
        "key": secrets.token_urlsafe(16),
        "breadcrumbs": [_CITATIONS, {"label": plate or "No plate"}],
    }
    return render(request, "citations/vehicle.html", context)


@require_POST
@needs("citation.boot")
def work_on_boot(request: OfficeRequest, boot_id: int) -> HttpResponse:
    """Tows a booted vehicle, charges its days in the pound, or releases it."""
    actor, today = actor_of_page(request), timezone.localdate()
    what, key = str(request.POST.get("do", "")), str(request.POST.get("key", ""))[:60]
    plate = booting.plate_of(str(request.POST.get("plate", ""))) or "-"
    try:
        posting = Posting(posting_day_id(), timezone.now(), key or None)
        if what == "tow":
            booting.tow(actor, boot_id, posting, today)
            messages.success(request, "It was towed, and the fee is charged.")
        elif what == "storage":
            days = booting.charge_storage(actor, boot_id, posting, today)
            messages.success(request, f"{days} day{'' if days == 1 else 's'} charged.")
        else:
            booting.release(actor, boot_id, today)
            messages.success(request, "It is released.")
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("vehicle", plate)


urlpatterns = [
    path("citations/", board, name="citations"),
    path("citations/boots/<int:boot_id>", work_on_boot, name="boot_work"),
    path("citations/<str:number>/", citation, name="citation"),
    path("vehicles/<str:plate>/", vehicle, name="vehicle"),
]

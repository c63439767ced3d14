"""Reconciliation: center days that are prepared by one person and signed by another."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.reconciliation import daily, listings, operations, queries
from chamberlain.reconciliation.daily_paper import center_pdf, city_pdf
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of


class NoteForm(forms.Form):
    """What the preparer says about the differences of a day."""

    note = forms.CharField(
        label="Note", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def tabs(here: str) -> list[dict[str, Any]]:
    """The parts of reconciliation, for `c-tabs`."""
    places = (
        ("Days", "reconciliation"),
        ("Bank and deposits", "reconciliation_bank"),
        ("Matched", "reconciliation_matched"),
        ("Questions", "reconciliation_questions"),
        ("Bank files", "reconciliation_files"),
        ("CSV layouts", "reconciliation_layouts"),
    )
    return [
        {"label": label, "url": reverse(name), "current": name == here} for label, name in places
    ]


@require_GET
@needs("reconciliation.view")
def days(request: OfficeRequest) -> HttpResponse:
    """Business days with how far their reconciliation is."""
    page = page_of(
        request,
        listings.count_business_days(),
        lambda limit, offset: queries.reconciliations(limit + offset)[offset:],
    )
    return render(
        request, "reconciliation/days.html", {"page": page, "tabs": tabs("reconciliation")}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reconciliation.view")
def day(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """A center's day: the differences first, then tender by tender; prepared here, signed here."""
    form = NoteForm(request.POST or None)
    refusal = wrong_reason = ""
    if request.method == "POST":
        form.is_valid()
        try:
            _prepare_or_sign(request, business_day_id, form)
            return HttpResponseRedirect(reverse("reconciliation_day", args=[business_day_id]))
        except Refused as refused:
            if refused.field == "reason":
                wrong_reason = refused.sentence
            elif refused.field == "note":
                form.add_error("note", refused.sentence)
            else:
                refusal = refused.sentence
    view = queries.reconciliation(business_day_id)
    if request.method != "POST":
        form = NoteForm(initial={"note": view.note})
    context = _day_context(request, view, form, refusal) | {"wrong_reason": wrong_reason}
    return render(request, "reconciliation/day.html", context)


def _prepare_or_sign(request: OfficeRequest, business_day_id: int, form: NoteForm) -> None:
    actor, now = actor_of_page(request), timezone.now()
    if request.POST.get("do") == "reopen":
        reason = str(request.POST.get("reason", ""))
        operations.reopen_reconciliation(actor, business_day_id, reason, now)
        messages.success(request, "It is open again; what had been signed is kept.")
        return
    if request.POST.get("do") == "sign":
        operations.sign_reconciliation(actor, business_day_id, now)
        messages.success(request, "Signed.")
        return
    note = str(form.cleaned_data.get("note", request.POST.get("note", "")))
    operations.prepare_reconciliation(actor, business_day_id, note, now)
    messages.success(request, "Prepared. Another person signs it.")


def _day_context(
    request: OfficeRequest, view: queries.ReconciliationView, form: NoteForm, refusal: str
) -> dict[str, Any]:
    actor = actor_of_page(request)
    is_prepared, is_signed = view.prepared_at is not None, view.signed_at is not None
    return {
        "day": view,
        "tenders": listings.figures_by_tender(view.business_day_id),
        "form": form,
        "refusal": refusal,
        "may_prepare": view.is_closed and not is_signed and actor.may("reconciliation.prepare"),
        "may_sign": is_prepared and not is_signed and actor.may("reconciliation.sign"),
        "is_preparer": view.prepared_by_id == actor.user_id,
        "may_reopen": is_signed and actor.may("reconciliation.sign"),
        "reopenings": daily.reopenings(view.business_day_id),
        "sources": daily.center_part(view.business_day_id).sources,
        "steps": _steps(view),
        "breadcrumbs": [
            {"label": "Reconciliation", "url": reverse("reconciliation")},
            {"label": f"{view.center_name}, {view.day:%B %-d, %Y}"},
        ],
    }


def _steps(view: queries.ReconciliationView) -> list[dict[str, str]]:
    done = (
        ("Day closed", view.is_closed, ""),
        ("Prepared", view.prepared_at is not None, view.prepared_by),
        ("Signed", view.signed_at is not None, view.signed_by),
    )
    steps: list[dict[str, str]] = []
    for label, is_done, who in done:
        is_next = not is_done and all(step["state"] == "done" for step in steps)
        state = "done" if is_done else "current" if is_next else "ahead"
        steps.append({"label": label, "state": state, "note": who})
    return steps


@require_GET
@needs("reconciliation.view")
def day_pdf(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """A center's daily reconciliation as PDF."""
    part = daily.center_part(business_day_id)
    return _file(center_pdf(part, timezone.now()), f"{part.view.center_code}-{part.view.day}")


@require_GET
@needs("reconciliation.view")
def city(request: OfficeRequest, on: str) -> HttpResponse:
    """The whole city's day, the differences first."""
    found = daily.city_day(_date(on))
    crumbs = [
        {"label": "Reconciliation", "url": reverse("reconciliation")},
        {"label": f"All centers, {found.day:%B %-d, %Y}"},
    ]
    return render(request, "reconciliation/city.html", {"city": found, "breadcrumbs": crumbs})


@require_GET
@needs("reconciliation.view")
def city_as_pdf(request: OfficeRequest, on: str) -> HttpResponse:
    """The whole city's day as PDF."""
    found = daily.city_day(_date(on))
    return _file(city_pdf(found, timezone.now()), f"city-{found.day}")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("There is no such day; write it as 2026-12-31.") from None


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="reconciliation-{name}.pdf"'
    return response


urlpatterns = [
    path("reconciliation/", days, name="reconciliation"),
    path("reconciliation/city/<slug:on>/", city, name="reconciliation_city"),
    path("reconciliation/city/<slug:on>/pdf", city_as_pdf, name="reconciliation_city_pdf"),
    path("reconciliation/days/<int:business_day_id>/pdf", day_pdf, name="reconciliation_day_pdf"),
    path("reconciliation/days/<int:business_day_id>/", day, name="reconciliation_day"),
]

"""A property's type and units: asked for without a document, decided by another person."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from chamberlain.billing.occupancy import billed_otherwise
from chamberlain.kernel.errors import Refused
from chamberlain.registry import document_queries, findings, record
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.registry import ACCOUNTS
from chamberlain.web.pages.registry_forms import UseForm


class ChangeForm(UseForm):
    """A type and units, and how they are known."""

    reason = forms.CharField(
        label="How is it known?",
        max_length=200,
        help_text="A visit, a permit, what the owner said and who checked it",
    )


class NoteForm(forms.Form):
    """Why a change is not right."""

    note = forms.CharField(label="Note", max_length=200, required=False)


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: OfficeRequest, property_id: int) -> HttpResponse:
    """What the property is, what was asked for and waits, and the asking."""
    form = ChangeForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        given = form.cleaned_data
        use = findings.Use(given["property_type"], given["dwelling_units"], given["from_on"])
        try:
            findings.propose_use(
                actor_of_page(request),
                property_id,
                use,
                given["reason"],
                timezone.now(),
                timezone.localdate(),
            )
            messages.success(request, "The change waits for a second person to apply it.")
            return redirect("change_property", property_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, property_id, form)


@needs("property.approve_change")
@require_POST
def decide(request: OfficeRequest, property_id: int, finding_id: int) -> HttpResponse:
    """A second person applies a change, or does not and says why."""
    form = NoteForm(request.POST)
    is_right = request.POST.get("decision") == "apply"
    if form.is_valid():
        try:
            findings.decide_use(
                actor_of_page(request),
                finding_id,
                is_right,
                timezone.now(),
                form.cleaned_data["note"],
            )
            messages.success(
                request,
                "The property is changed from that day on."
                if is_right
                else "The change was not applied.",
            )
            return redirect("change_property", property_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, property_id, None, form)


def _show(
    request: OfficeRequest,
    property_id: int,
    form: forms.Form | None,
    decide_form: forms.Form | None = None,
) -> HttpResponse:
    actor = actor_of_page(request)
    about = record.property_record(property_id)
    use = {"property_type": about.type_code, "dwelling_units": about.dwelling_units}
    values: dict[str, Any] = {
        "property": about,
        "waiting": document_queries.changes_asked(property_id),
        "form": form or ChangeForm(initial=use),
        "decide_form": decide_form or NoteForm(),
        "otherwise": billed_otherwise(property_id) if actor.may("billing.view") else [],
        "may_ask": actor.may("property.change"),
        "may_decide": actor.may("property.approve_change"),
        "may_rebill": actor.may("bill.rebill"),
        "me": actor.user_id,
        "breadcrumbs": [
            ACCOUNTS,
            {"label": about.address, "url": f"/properties/{property_id}/"},
            {"label": "Type and units"},
        ],
    }
    failed = any(each is not None and each.errors for each in (form, decide_form))
    return render(request, "registry/change.html", values, status=422 if failed else 200)


urlpatterns = [
    path("properties/<int:property_id>/change/", change, name="change_property"),
    path("properties/<int:property_id>/change/<int:finding_id>/", decide, name="decide_change"),
]

"""Agreements that say otherwise than their property's type: of one property, and of the city."""

import secrets
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chamberlain.billing.property_terms import operations, queries
from chamberlain.billing.property_terms.queries import Disagreement
from chamberlain.billing.rebilling.queries import reasons
from chamberlain.billing.standing_of_account import as_seen, standing_now
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.tables import Column, Table
from chamberlain.registry import record
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.exporting import csv_file
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.registry import ACCOUNTS
from chamberlain.web.paging import page_of
from chamberlain.web.rebill_forms import DayInput

CSV_ROWS = 100_000
_HEAD = (
    Column("Account"), Column("Address"), Column("Service point"), Column("Type"),
    Column("Units", "whole"), Column("From", "day"), Column("What differs"),
    Column("Agreement"), Column("Right"),
)  # fmt: skip


class BringForm(forms.Form):
    """From which day on an account is billed as its property's type says, and why."""

    account = forms.CharField(max_length=24, widget=forms.HiddenInput)
    on = forms.DateField(label="From", widget=DayInput)
    reason = forms.ChoiceField(label="Why are bills set right?", required=False)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.code, each.name) for each in reasons()]


@needs("billing.view")
@require_safe
def city_terms(request: OfficeRequest) -> HttpResponse:
    """The city's agreements of today that say otherwise than their property's type."""
    today = timezone.localdate()

    def fetch(limit: int, offset: int) -> list[Disagreement]:
        return queries.disagreements(today, limit, offset)

    values = {"page": page_of(request, queries.count_disagreements(today), fetch)}
    return render(request, "property_terms/city.html", values)


@needs("billing.view")
@require_safe
def city_terms_file(request: OfficeRequest) -> HttpResponse:
    """The same as a file, a line for each difference."""
    found = queries.disagreements(timezone.localdate(), CSV_ROWS)
    return csv_file("property-terms", Table("Terms of billing", _HEAD, _cells(found)))


def _cells(found: list[Disagreement]) -> Iterator[list[object]]:
    for each in found:
        for label, old, right in each.differences:
            yield [
                each.account,
                each.address,
                each.service_point,
                each.type_name,
                each.type_units,
                each.from_on,
                label,
                old,
                right,
            ]


@needs("billing.view")
@require_safe
def of_property(request: OfficeRequest, property_id: int) -> HttpResponse:
    """What the type of a property changes in its agreements, old against right."""
    return _show(request, property_id, None)


def _show(request: OfficeRequest, property_id: int, bad: BringForm | None) -> HttpResponse:
    actor = actor_of_page(request)
    about = record.property_record(property_id)
    rows = [
        (each, _form(each, number, bad), standing_now(each.account_id).seen)
        for number, each in enumerate(queries.disagreements_at(property_id))
    ]
    values = {
        "property": about,
        "rows": rows,
        "bad_form": bad,
        "may_agree": actor.may("property.approve_change"),
        "may_rebill": actor.may("bill.rebill"),
        "breadcrumbs": [
            ACCOUNTS,
            {"label": about.address, "url": f"/properties/{property_id}/"},
            {"label": "Terms of billing"},
        ],
    }
    status = 409 if bad else 200
    return render(request, "property_terms/of_property.html", values, status=status)


def _form(found: Disagreement, number: int, bad: BringForm | None) -> BringForm:
    if bad is not None and bad.data.get("account") == found.account:
        return bad
    initial = {
        "account": found.account,
        "on": found.from_on,
        "key": secrets.token_urlsafe(16),
    }
    return BringForm(initial=initial, auto_id=f"terms{number}_%s")


@needs("account.view")
@require_POST
def bring(request: OfficeRequest, property_id: int) -> HttpResponse:
    """Agrees anew from a day, or works out the rebill from that day."""
    form = BringForm(request.POST, auto_id="terms_%s")
    if form.is_valid():
        try:
            return _brought(request, property_id, form.cleaned_data)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, property_id, form)


def _brought(request: OfficeRequest, property_id: int, given: dict[str, Any]) -> HttpResponse:
    actor, today = actor_of_page(request), timezone.localdate()
    number, on = given["account"], given["on"]
    account_id = next(
        (e.account_id for e in queries.disagreements_at(property_id) if e.account == number), None
    )
    if account_id is None:
        raise Refused(f"Account {number} is billed as its property's type says by now.")
    with as_seen(account_id, request.POST.get("seen", "")):
        if request.POST.get("do") == "rebill":
            rebill_id = operations.draft_rebill_to_terms(
                actor, number, property_id, on, given["reason"], today, timezone.now(), given["key"]
            )
            return redirect("rebill", rebill_id)
        operations.agree_anew(actor, number, property_id, on, today)
    messages.success(
        request,
        f"From {on:%B %-d, %Y} on account {number} is billed as the property's type says.",
    )
    return redirect("property_terms", property_id)


urlpatterns = [
    path("property-terms/", city_terms, name="city_property_terms"),
    path("property-terms.csv", city_terms_file, name="city_property_terms_file"),
    path("properties/<int:property_id>/terms/", of_property, name="property_terms"),
    path("properties/<int:property_id>/terms/bring/", bring, name="bring_to_terms"),
]

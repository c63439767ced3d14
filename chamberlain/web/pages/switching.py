"""A service without a meter gets one: seen first, with what it does to the season's bill."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from chamberlain.billing.rebilling import queries as rebilling
from chamberlain.billing.switching import (
    NewMeter,
    Outcome,
    Switch,
    non_metered_accounts,
    show_switch,
    switch_to_metered,
)
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import account_id_of, open_day
from chamberlain.registry import record
from chamberlain.registry.queries import ServicePointRow, service_points
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.meters_forms import MeterForm
from chamberlain.web.pages.registry import ACCOUNTS
from chamberlain.web.pages.registry_forms import DayField

_BY_TYPE = ("", "As the type of the property says")


class SwitchForm(MeterForm):
    """The meter, the first metered day, and the terms from then on."""

    on = DayField(label="Metered from", help_text="The day on which the meter was put in")
    tariff = forms.ChoiceField(label="Tariff from then on", required=False)
    rate_class = forms.ChoiceField(label="Rate class from then on", required=False)
    reason = forms.ChoiceField(label="Why is the season’s bill set right?")
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ("on", "serial", "size", "unit", "dials", "register")

    def __init__(self, choices: rebilling.Choices | None, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        tariffs = choices.tariffs if choices else ()
        classes = choices.rate_classes if choices else ()
        self._choose("tariff", [_BY_TYPE, *tariffs])
        named = [(code, code.replace("_", " ").capitalize()) for code in classes]
        self._choose("rate_class", [_BY_TYPE, *named])
        reasons = [(each.code, each.name) for each in rebilling.reasons()]
        self._choose("reason", [("", "Choose one"), *reasons])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def asked(self, service_point_id: int) -> Switch:
        """What was typed."""
        given = self.cleaned_data
        return Switch(
            service_point_id,
            given["on"],
            NewMeter(given["serial"], **self.meter()),
            given["reason"],
            given["tariff"],
            given["rate_class"],
        )


@needs("bill.rebill")
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: OfficeRequest, property_id: int, point_id: int) -> HttpResponse:
    """The form; what the switch would do; and the switch itself once that was seen."""
    actor_of_page(request).require("property.change")
    point = _point(property_id, point_id)
    form = _form(request, point_id)
    shown: Outcome | None = None
    if request.method == "POST" and form.is_valid():
        asked = form.asked(point_id)
        try:
            if request.POST.get("do") == "switch" and request.POST.get("seen"):
                return _switched(request, property_id, asked, form.cleaned_data["key"])
            shown = show_switch(actor_of_page(request), asked, timezone.localdate(), timezone.now())
        except Refused as refusal:
            say_refusal(form, refusal)
    about = record.property_record(property_id)
    values = {
        "property": about,
        "point": point,
        "form": form,
        "shown": shown,
        "confirm": _form(request, point_id, auto_id=False) if shown else None,
        "back": f"/properties/{property_id}/meters/",
        "breadcrumbs": _crumbs(about),
    }
    status = 422 if form.errors else 200
    return render(request, "switching/switch.html", values, status=status)


def _switched(request: OfficeRequest, property_id: int, asked: Switch, key: str) -> HttpResponse:
    day = open_day(revenue_office().center_id)
    done = switch_to_metered(
        actor_of_page(request),
        asked,
        day.pk if day else None,
        timezone.localdate(),
        timezone.now(),
        key,
        request.POST["seen"],
    )
    said = f"Meter {asked.meter.serial} is in, and account {done.account_number} is metered."
    if done.rebill_id is None:
        messages.success(request, f"{said} No season was billed ahead.")
        return redirect("meters", property_id)
    if done.rebill_status == "asked":
        messages.success(request, f"{said} The season’s bill waits for a second person.")
    else:
        change = show_cents(done.difference_cents)
        messages.success(request, f"{said} The season’s bill was set right by {change}.")
    return redirect("rebill", done.rebill_id)


def _point(property_id: int, point_id: int) -> ServicePointRow:
    for point in service_points(property_id):
        if point.service_point_id == point_id:
            return point
    raise Http404


def _form(request: OfficeRequest, point_id: int, **more: Any) -> SwitchForm:
    today = timezone.localdate()
    numbers = non_metered_accounts(point_id, today)
    choices = rebilling.choices(account_id_of(numbers[0])) if numbers else None
    first = {"on": today, "register": 0, "key": secrets.token_urlsafe(16)}
    return SwitchForm(choices, request.POST or None, initial=first, **more)


def _crumbs(about: record.PropertyRecord) -> list[dict[str, str]]:
    base = f"/properties/{about.property_id}/"
    return [
        ACCOUNTS,
        {"label": about.address, "url": base},
        {"label": "Meters", "url": f"{base}meters/"},
        {"label": "Switch to metered"},
    ]


urlpatterns = [
    path(
        "properties/<int:property_id>/meters/<int:point_id>/switch-to-metered/",
        switch,
        name="switch_to_metered",
    ),
]

"""What if: a tariff's bills imagined otherwise, beside what was billed."""

import hashlib
import json
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.billing.what_if import running
from chamberlain.billing.what_if.results import Band, ClassResult, Extreme, Result
from chamberlain.billing.what_if.running import Scope
from chamberlain.billing.what_if.scenarios import Scenario
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.kernel.periods import add_months
from chamberlain.kernel.tables import Column, Table
from chamberlain.tariffs import queries as tariffs
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.explaining_charts import changes_chart
from chamberlain.web.exporting import xlsx_file
from chamberlain.web.middleware import OfficeRequest

ACCOUNTS_ON_A_PAGE = 20_000
"""A page looks at a sample when the tariff has more; the command looks at all."""
KEPT_SECONDS = 600
IMAGINED_MONTHS = 12
_DAY = {"type": "date"}


class WhatIfForm(forms.Form):
    """Which bills, and what is imagined of them."""

    tariff = forms.ChoiceField(label="Bills under")
    since = forms.DateField(label="That end from", widget=forms.DateInput(attrs=_DAY))
    until = forms.DateField(label="Up to", widget=forms.DateInput(attrs=_DAY))
    account = forms.CharField(
        required=False, max_length=24, help_text="A number; left empty, the whole city"
    )
    other_tariff = forms.ChoiceField(label="Rated by", required=False)
    component = forms.ChoiceField(label="Printed line", required=False)
    change_percent = forms.DecimalField(
        label="Change its rate by", required=False, help_text="Percent; a minus lowers it"
    )
    new_rate = forms.DecimalField(
        label="Or make it", required=False, help_text="Dollars a unit; percent for a share"
    )
    exempt_percent = forms.DecimalField(
        label="Exempt", required=False, help_text="Percent of the line, or of all lines"
    )
    rate_class = forms.ChoiceField(label="Only the class", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = tariffs.tariff_rows()
        names = [(row.code, row.name) for row in rows]
        lines: dict[str, str] = {}
        for row in rows:
            for line in tariffs.components_of(row.code):
                lines.setdefault(line.code, line.label)
        choices: dict[str, list[tuple[str, str]]] = {
            "tariff": names,
            "other_tariff": [("", "The same tariff"), *names],
            "component": [("", "All lines"), *lines.items()],
            "rate_class": [
                ("", "All classes"),
                *((name, name.replace("_", " ").capitalize()) for name in running.rate_classes()),
            ],
        }
        for name, pairs in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = pairs

    def asked(self) -> tuple[Scenario, Scope]:
        """The scenario and its bills. Raises Invalid for what makes no sense together."""
        values = self.cleaned_data
        names = ("change_percent", "new_rate", "exempt_percent")
        numbers: dict[str, Decimal | None] = {name: values[name] for name in names}
        scenario = Scenario(
            tariff=values["tariff"],
            other_tariff=values["other_tariff"],
            component=values["component"],
            rate_class=values["rate_class"],
            **numbers,
        )
        scenario.refuse_nothing()
        account = values["account"].strip()
        every = 1 if account else running.sampling(scenario.tariff, ACCOUNTS_ON_A_PAGE)
        until = values["until"] + timedelta(days=1)
        return scenario, Scope(values["since"], until, account, every)


def _result(actor: Actor, scenario: Scenario, scope: Scope) -> Result:
    """The result, kept a while for the chart and the reader who comes back."""
    actor.require("billing.view")
    asked = json.dumps([asdict(scenario), asdict(scope)], default=str, sort_keys=True)
    key = f"what-if-{hashlib.sha256(asked.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept is not None:
        return _unpacked(kept)
    found = running.what_if(actor, scenario, scope)
    cache.set(key, asdict(found), KEPT_SECONDS)
    return found


def _unpacked(kept: dict[str, Any]) -> Result:
    lists = {"classes": ClassResult, "bands": Band}
    lists |= {"largest_savings": Extreme, "largest_increases": Extreme}
    found = {name: tuple(made(**row) for row in kept[name]) for name, made in lists.items()}
    return Result(**{**kept, **found})


def _asked_form(request: OfficeRequest) -> WhatIfForm:
    if "tariff" in request.GET:
        return WhatIfForm(request.GET)
    today = timezone.localdate()
    return WhatIfForm(initial={"since": add_months(today, -IMAGINED_MONTHS), "until": today})


def _alt(result: Result) -> str:
    words = "; ".join(f"{band.label} {band.accounts:,}" for band in result.bands)
    return f"Bars of how many accounts change by how much: {words}."


_MONEY = (Column("Billed", "cents"), Column("Imagined", "cents"), Column("Change", "cents"))
_CLASSES = (Column("Class"), Column("Accounts", "whole"), Column("Bills", "whole"), *_MONEY)
_BANDS = (Column("Changes by"), Column("Accounts", "whole"), Column("Change", "cents"))
_EXTREMES = (Column("Account"), Column("Class"), *_MONEY)


@needs("billing.view")
@require_safe
def what_if(request: OfficeRequest) -> HttpResponse:
    """The form, and what it comes to: revenue by class, distribution, who gains and loses."""
    form = _asked_form(request)
    result = None
    if form.is_bound and form.is_valid():
        try:
            result = _result(actor_of_page(request), *form.asked())
        except Refused as refusal:
            say_refusal(form, refusal)
    extremes = (*result.largest_savings, *result.largest_increases) if result else ()
    numbers = running.account_numbers([each.account_id for each in extremes])
    values = {
        "form": form,
        "result": result,
        "alt": _alt(result) if result else "",
        "query": request.GET.urlencode(),
        "savings": _numbered(result.largest_savings, numbers) if result else [],
        "increases": _numbered(result.largest_increases, numbers) if result else [],
    }
    return render(request, "what_if/what_if.html", values, status=422 if form.errors else 200)


def _numbered(extremes: tuple[Extreme, ...], numbers: dict[int, str]) -> list[tuple[str, Extreme]]:
    return [(numbers[each.account_id], each) for each in extremes]


@needs("billing.view")
@require_safe
def changes_picture(request: OfficeRequest) -> HttpResponse:
    """The chart of how many accounts change by how much."""
    form = _asked_form(request)
    if not (form.is_bound and form.is_valid()):
        raise Invalid("The chart needs a scenario; open it from the page of one.")
    result = _result(actor_of_page(request), *form.asked())
    rows = [(band.label, band.accounts) for band in result.bands]
    response = HttpResponse(changes_chart(rows, "accounts"), content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=300"
    return response


@needs("billing.view")
@require_safe
def result_file(request: OfficeRequest) -> HttpResponse:
    """The result as a workbook: classes, how many change by how much, who gains and loses most."""
    form = _asked_form(request)
    if not (form.is_bound and form.is_valid()):
        raise Invalid("The file needs a scenario; open it from the page of one.")
    result = _result(actor_of_page(request), *form.asked())
    extremes = (*result.largest_savings, *result.largest_increases)
    numbers = running.account_numbers([each.account_id for each in extremes])
    return xlsx_file(
        "what-if",
        "What if",
        Table(
            "Classes",
            _CLASSES,
            [
                (c.rate_class, c.accounts, c.bills, c.before_cents, c.after_cents, c.change_cents)
                for c in result.classes
            ],
        ),
        Table("Changes", _BANDS, [(b.label, b.accounts, b.change_cents) for b in result.bands]),
        Table(
            "Largest changes",
            _EXTREMES,
            [
                (numbers[e.account_id], e.rate_class, e.before_cents, e.after_cents, e.change_cents)
                for e in extremes
            ],
        ),
    )


urlpatterns = [
    path("what-if/result.xlsx", result_file, name="what_if_file"),
    path("what-if/", what_if, name="what_if"),
    path("what-if/changes.svg", changes_picture, name="what_if_picture"),
]

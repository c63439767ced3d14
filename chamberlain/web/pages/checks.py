"""Checks that were taken, and whose checks are not taken any more."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.cashiering.checks import holds, queries
from chamberlain.kernel.errors import Refused
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of


class FindForm(forms.Form):
    """A check's number."""

    number = forms.CharField(label="Check number", max_length=15, required=False)


class HoldForm(forms.Form):
    """Whose checks are not taken, and why."""

    account = forms.CharField(label="Customer's account", max_length=24, required=False)
    routing = forms.CharField(
        label="Routing number",
        max_length=9,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    bank_account = forms.CharField(
        label="Bank account",
        max_length=17,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label="Why", max_length=200, help_text="The cashier reads it to the customer."
    )


class EndForm(forms.Form):
    """Why a hold ends."""

    note = forms.CharField(label="Why checks are taken again", max_length=200)


def _tabs(current: str) -> list[dict[str, Any]]:
    parts = (("Checks taken", "/checks/"), ("Held", "/checks/held/"))
    return [{"label": label, "url": url, "current": url == current} for label, url in parts]


@needs("check.view")
@require_safe
def checks(request: OfficeRequest) -> HttpResponse:
    """Checks taken at the tills whose bottom line was read."""
    form = FindForm(request.GET or None)
    number = form.cleaned_data["number"] if form.is_bound and form.is_valid() else ""
    page = page_of(
        request,
        queries.count_checks(number),
        lambda limit, offset: queries.checks(number, limit, offset),
    )
    context = {
        "form": form if form.is_bound else FindForm(),
        "number": number,
        "page": page,
        "tabs": _tabs("/checks/"),
        "may_hold": actor_of_page(request).may("check.hold"),
    }
    return render(request, "checks/checks.html", context)


@needs("check.view")
@require_http_methods(["GET", "HEAD", "POST"])
def held(request: OfficeRequest) -> HttpResponse:
    """Whose checks are held, and putting somebody on the list."""
    actor = actor_of_page(request)
    form = HoldForm(request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            holds.hold_checks(
                actor,
                typed["reason"],
                timezone.now(),
                account_number=typed["account"],
                routing=typed["routing"],
                bank_account=typed["bank_account"],
            )
            messages.success(request, "No checks are taken of them from now on.")
            return redirect("checks_held")
        except Refused as refusal:
            say_refusal(form, refusal)
    is_ended = request.GET.get("ended") == "1"
    page = page_of(
        request,
        queries.count_holds(is_ended=is_ended),
        lambda limit, offset: queries.holds(is_ended=is_ended, limit=limit, offset=offset),
    )
    context = {
        "form": form,
        "page": page,
        "is_ended": is_ended,
        "tabs": _tabs("/checks/held/"),
        "may_hold": actor.may("check.hold"),
    }
    return render(request, "checks/held.html", context)


@needs("check.hold")
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: OfficeRequest, hold_id: int) -> HttpResponse:
    """Ends a hold."""
    form = EndForm(request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            holds.end_hold(
                actor_of_page(request), hold_id, form.cleaned_data["note"], timezone.now()
            )
            messages.success(request, "Checks of them are taken again.")
            return redirect("checks_held")
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "checks/end.html", {"form": form})


@require_POST
@needs("check.hold")
def hold_like(request: OfficeRequest, check_id: int) -> HttpResponse:
    """Holds the checks of the bank account and the customer of a check that was taken."""
    reason = str(request.POST.get("reason", ""))
    try:
        holds.hold_checks_like(actor_of_page(request), check_id, reason, timezone.now())
        messages.success(request, "No checks are taken of them from now on.")
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("checks")


urlpatterns = [
    path("checks/", checks, name="checks"),
    path("checks/held/", held, name="checks_held"),
    path("checks/held/<int:hold_id>/end/", end, name="check_hold_end"),
    path("checks/<int:check_id>/hold", hold_like, name="check_hold"),
]

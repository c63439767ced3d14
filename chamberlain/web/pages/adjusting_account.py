"""The part of an account's page about adjustments, late penalties and their holds."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chamberlain.billing.adjusting import queries
from chamberlain.billing.penalties import operations
from chamberlain.billing.penalties.queries import holds_of_account, penalties_of_account
from chamberlain.kernel.errors import Refused
from chamberlain.registry.queries import account_summary
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of

ROWS = 24
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class HoldForm(forms.Form):
    """Why penalties are held, and from which day on."""

    reason = forms.CharField(label="Why are penalties held?", max_length=200)
    from_on = forms.DateField(label="From", widget=_DAY)


class EndForm(forms.Form):
    """When the bill was sent again after it was looked into."""

    resent_on = forms.DateField(label="Bill sent again on", widget=_DAY)


@needs("account.view")
@require_safe
def account_adjustments(request: OfficeRequest, number: str) -> HttpResponse:
    """What was adjusted on an account, which penalties it drew, and what holds them."""
    return _show(request, number)


def _show(
    request: OfficeRequest, number: str, hold: HoldForm | None = None, end: EndForm | None = None
) -> HttpResponse:
    account = account_summary(number)
    actor = actor_of_page(request)

    def fetch(limit: int, offset: int) -> list[queries.AdjustmentRow]:
        return queries.adjustments_of_account(account.account_id, limit, offset)

    today = timezone.localdate()
    values: dict[str, Any] = {
        "page": page_of(request, queries.count_of_account(account.account_id), fetch, ROWS),
        "may_ask": actor.may("adjustment.ask"),
        "may_hold": actor.may("penalty.hold"),
        "penalties": penalties_of_account(account.account_id),
        "holds": holds_of_account(account.account_id),
        "hold_form": hold or HoldForm(initial={"from_on": today}),
        "end_form": end or EndForm(initial={"resent_on": today}),
        "is_refused": bool((hold and hold.errors) or (end and end.errors)),
        "today": today,
    }
    response = show_account(request, account, "adjustments", values, "adjusting/account.html")
    if values["is_refused"]:
        response.status_code = 422
    return response


@needs("penalty.hold")
@require_POST
def hold_penalties(request: OfficeRequest, number: str) -> HttpResponse:
    """Holds the penalties of an account while something is looked into."""
    form = HoldForm(request.POST)
    if form.is_valid():
        try:
            operations.hold_penalties(
                actor_of_page(request),
                number,
                form.cleaned_data["reason"],
                form.cleaned_data["from_on"],
                timezone.now(),
            )
            messages.success(request, "Penalties are held on this account.")
            return redirect("account_adjustments", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, number, hold=form)


@needs("penalty.hold")
@require_POST
def end_hold(request: OfficeRequest, number: str, hold_id: int) -> HttpResponse:
    """Ends a hold; penalties count again some days after the bill was sent again."""
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            until = operations.end_hold(
                actor_of_page(request),
                number,
                hold_id,
                form.cleaned_data["resent_on"],
                timezone.localdate(),
            )
            messages.success(request, f"Penalties count again from {until:%B %-d, %Y} on.")
            return redirect("account_adjustments", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, number, end=form)


urlpatterns = [
    path("accounts/<str:number>/adjustments/", account_adjustments, name="account_adjustments"),
    path("accounts/<str:number>/penalty-holds/", hold_penalties, name="hold_penalties"),
    path(
        "accounts/<str:number>/penalty-holds/<int:hold_id>/end/", end_hold, name="end_penalty_hold"
    ),
]

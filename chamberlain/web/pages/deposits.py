"""Customer deposits: those of an account, one of them, and the lists of the city's."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.deposits import operations, queries, requiring
from chamberlain.billing.deposits.queries import DepositRow
from chamberlain.billing.standing_of_account import as_seen, standing_now
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import account_id_of, open_day
from chamberlain.registry import queries as registry
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of

MISSING_SINCE = timedelta(days=366)


class AskForm(forms.Form):
    """Asks the deposit; sent twice, it asks once."""

    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class ReasonForm(forms.Form):
    """Why the rest of a deposit is not asked for any more."""

    reason = forms.CharField(label="Why is it not asked for any more?", max_length=160)


def _day_id() -> int:
    day = open_day(revenue_office().center_id)
    return day.pk if day else 0


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def of_account(request: OfficeRequest, number: str) -> HttpResponse:
    """The deposits of an account, and what the city's rule asks of it."""
    account = registry.account_summary(number)
    actor = actor_of_page(request)
    form = AskForm(request.POST or None, initial={"key": secrets.token_urlsafe(16)})
    if request.method == "POST" and form.is_valid():
        try:
            with as_seen(account.account_id, request.POST.get("seen", "")):
                made = operations.ask_deposit(
                    actor,
                    account.account_number,
                    _day_id(),
                    timezone.now(),
                    form.cleaned_data["key"],
                )
            messages.success(request, f"Deposit {made} is asked for; any counter takes it.")
            return redirect("customer_deposit", made)
        except Refused as refusal:
            say_refusal(form, refusal)
    found = queries.deposits_of_account(account.account_id)
    required, why_not = _required(account.account_id)
    values = {
        "deposits": found,
        "required": required,
        "why_not": why_not,
        "form": form,
        "seen": standing_now(account.account_id).seen,
        "may_ask": actor.may("customer_deposit.ask")
        and bool(required and required.cents)
        and not any(each.is_open for each in found),
        "has_day": bool(_day_id()),
    }
    response = show_account(request, account, "deposits", values, "deposits/of_account.html")
    response.status_code = 409 if form.errors else 200
    return response


def _required(account_id: int) -> tuple[requiring.Required | None, str]:
    """What the rule asks of the account today, or why nothing is known of it."""
    try:
        return requiring.required_of(account_id, timezone.localdate()), ""
    except NotFound as refusal:
        return None, refusal.sentence


@needs("account.view")
@require_safe
def deposit(request: OfficeRequest, number: str) -> HttpResponse:
    """One deposit: what it holds, what moved on it, and what may be done with it."""
    return _show(request, queries.deposit(number), ReasonForm())


def _show(request: OfficeRequest, row: DepositRow, form: forms.Form) -> HttpResponse:
    actor = actor_of_page(request)
    day = open_day(revenue_office().center_id)
    on = day.day if day else timezone.localdate()
    waits = operations.not_yet([row.deposit_id], on).get(row.deposit_id, "")
    values = {
        "row": row,
        "movements": queries.movements(row.number),
        "payments": queries.payments(row.number),
        "accrued": queries.accrued(row.deposit_id, on) if row.is_open else 0,
        "waits": waits.partition(";")[0].rstrip("."),
        "form": form,
        "seen": standing_now(account_id_of(row.account)).seen,
        "may_cancel": row.is_open and row.unpaid_cents and actor.may("customer_deposit.ask"),
        "may_release": row.is_open and not waits and actor.may("customer_deposit.release"),
        "has_day": day is not None,
        "shows_contact": actor.may("contact.view"),
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": row.account, "url": f"/accounts/{row.account}/"},
            {"label": "Deposits", "url": f"/accounts/{row.account}/deposits/"},
            {"label": row.number},
        ],
    }
    return render(request, "deposits/deposit.html", values, status=409 if form.errors else 200)


def _do(
    request: OfficeRequest, number: str, form: forms.Form, done: Callable[[], str]
) -> HttpResponse:
    row = queries.deposit(number)
    if form.is_valid():
        try:
            with as_seen(account_id_of(row.account), request.POST.get("seen", "")):
                said = done()
            messages.success(request, said)
            return redirect("customer_deposit", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, row, form)


@needs("customer_deposit.ask")
@require_POST
def cancel(request: OfficeRequest, number: str) -> HttpResponse:
    """Takes back what is not paid."""
    actor, form = actor_of_page(request), ReasonForm(request.POST)

    def done() -> str:
        why = form.cleaned_data["reason"]
        cents = operations.cancel_deposit(actor, number, why, _day_id(), timezone.now())
        return f"{show_cents(cents)} of the deposit is not asked for any more."

    return _do(request, number, form, done)


@needs("customer_deposit.release")
@require_POST
def release(request: OfficeRequest, number: str) -> HttpResponse:
    """Releases a deposit whose term is over."""
    actor = actor_of_page(request)

    def done() -> str:
        cents = operations.release_deposit(actor, number, _day_id(), timezone.now())
        return f"{show_cents(cents)} was released, with interest; it is credit of the account now."

    return _do(request, number, ReasonForm({"reason": "-"}), done)


@needs("billing.view")
@require_safe
def deposits(request: OfficeRequest) -> HttpResponse:
    """Deposits that are held, to be paid, given back, and those that nobody asked for."""
    which = request.GET.get("list", "held")
    which = which if which in queries.LISTS or which == "missing" else "held"
    found = queries.in_all()
    counts = {**found.counts, "missing": _count_missing()}
    values = {
        "page": _page(request, which, counts[which]),
        "which": which,
        "held_cents": found.held_cents,
        "unpaid_cents": found.unpaid_cents,
        "tabs": [
            {
                "label": label,
                "url": f"?list={name}",
                "current": name == which,
                "count": counts[name],
            }
            for name, label in {**queries.LISTS, "missing": "Not asked for"}.items()
        ],
    }
    return render(request, "deposits/deposits.html", values)


def _count_missing() -> int:
    today = timezone.localdate()
    try:
        return requiring.count_missing(today, today - MISSING_SINCE)
    except NotFound:
        return 0


def _page(request: OfficeRequest, which: str, total: int) -> Any:
    today = timezone.localdate()

    def fetch(limit: int, offset: int) -> list[Any]:
        if which == "missing":
            since = today - MISSING_SINCE
            return list(requiring.missing_deposits(today, since, limit, offset)) if total else []
        return list(queries.deposits(which, limit, offset))

    return page_of(request, total, fetch)


urlpatterns = [
    path("accounts/<str:number>/deposits/", of_account, name="account_deposits"),
    path("customer-deposits/", deposits, name="customer_deposits"),
    path("customer-deposits/<str:number>/", deposit, name="customer_deposit"),
    path("customer-deposits/<str:number>/cancel/", cancel, name="cancel_deposit"),
    path("customer-deposits/<str:number>/release/", release, name="release_deposit"),
]

"""Moving in, moving out, transfer of service, and where an account's mail goes."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from chamberlain.billing import occupancy
from chamberlain.billing.deposits.requiring import required_of
from chamberlain.billing.finals import operations as finals
from chamberlain.billing.finals.operations import Leaving
from chamberlain.billing.occupancy import Forwarding, MovedIn, MovedOut
from chamberlain.billing.standing_of_account import as_seen, standing_now
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.registry import preferences, queries, record
from chamberlain.registry.queries import AccountSummary
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.registry import ACCOUNTS
from chamberlain.web.pages.registry_forms import (
    MailingForm,
    MoveInForm,
    MoveOutForm,
    TransferForm,
)

_MAY = "customer.change"
_METHODS = require_http_methods(["GET", "HEAD", "POST"])


@needs(_MAY)
@_METHODS
def move_in(request: OfficeRequest, property_id: int) -> HttpResponse:
    """A customer moves into a property and gets an account."""
    found = record.property_record(property_id)
    today = timezone.localdate()
    form = MoveInForm(request.POST or None, initial={"on": today})
    if request.method == "POST" and form.is_valid():
        try:
            made = occupancy.move_in(
                actor_of_page(request),
                property_id,
                form.somebody(form.cleaned_data["language"]),
                form.cleaned_data["on"],
                today,
                idempotency_key=form.cleaned_data["key"],
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, _moved_in(made))
            _say_deposit(request, made)
            return redirect("account_file", made.account_number)
    values = {
        "property": found,
        "form": form,
        "accounts": [a for a in record.accounts_at(property_id) if a.until is None],
        "breadcrumbs": [
            ACCOUNTS,
            {"label": found.address, "url": f"/properties/{property_id}/"},
            {"label": "Move in"},
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "registry/move_in.html", values, status=status)


def _say_deposit(request: OfficeRequest, made: MovedIn) -> None:
    """Names the deposit that the city's rule asks of the new account, if it asks one."""
    try:
        required = required_of(made.account_id, timezone.localdate())
    except NotFound:  # the city has no terms of deposits
        return
    if required.cents:
        messages.info(
            request,
            f"The city's rule asks a deposit of {show_cents(required.cents)} ({required.basis}); "
            "ask for it under Deposits.",
        )


def _moved_in(made: MovedIn) -> str:
    number, agreements = made.account_number, made.agreements
    if agreements == 0:
        return (
            f"Account {number} is open. Nothing was billed at this property before, so an "
            "agreement has to be made for it."
        )
    billed = "one agreement bills" if agreements == 1 else f"{agreements} agreements bill"
    by_type = f" By the property's type: {', '.join(made.from_type)}." if made.from_type else ""
    return f"Account {number} is open, and {billed} to it. Exemptions were not taken over.{by_type}"


@needs(_MAY)
@_METHODS
def move_out(request: OfficeRequest, number: str) -> HttpResponse:
    """The holder of an account leaves."""
    account = queries.account_summary(number)
    today = timezone.localdate()
    form = MoveOutForm(request.POST or None, initial={"on": today})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        to = Forwarding(given["address"], given["postal_code"]) if given["address"] else None
        try:
            with as_seen(account.account_id, request.POST.get("seen", "")):
                out = occupancy.move_out(
                    actor_of_page(request), account.account_id, form.first_day_after(), today, to
                )
                _ask_final_bill(request, account)
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            _say_moved_out(request, account, out)
            return redirect("account_file", account.account_number)
    values = {
        "account": account,
        "form": form,
        "seen": standing_now(account.account_id).seen,
        "breadcrumbs": _crumbs(account, "Move out"),
    }
    status = 422 if form.errors else 200
    return render(request, "registry/move_out.html", values, status=status)


@needs(_MAY)
@_METHODS
def transfer(request: OfficeRequest, number: str) -> HttpResponse:
    """The holder of an account moves to another property."""
    account = queries.account_summary(number)
    today = timezone.localdate()
    first = {"in_on": today, "out_on": today}
    form = TransferForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            to = record.property_named(given["property"])
            with as_seen(account.account_id, request.POST.get("seen", "")):
                out, into = finals.transfer(
                    actor_of_page(request),
                    account.account_number,
                    to.property_id,
                    given["out_on"] + timedelta(days=1),
                    given["in_on"],
                    today,
                    timezone.now(),
                )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            _say_moved_out(request, account, out)
            messages.success(request, _moved_in(into))
            return redirect("account_file", into.account_number)
    values = {
        "account": account,
        "form": form,
        "seen": standing_now(account.account_id).seen,
        "breadcrumbs": _crumbs(account, "Transfer"),
    }
    status = 422 if form.errors else 200
    return render(request, "registry/transfer.html", values, status=status)


def _ask_final_bill(request: OfficeRequest, account: AccountSummary) -> None:
    """Asks for the final reads and the final bill of who has just moved out."""
    today = timezone.localdate()
    leaving = Leaving(account.account_number, today)
    finals.ask_final_bill(actor_of_page(request), leaving, today, timezone.now())


def _say_moved_out(request: OfficeRequest, account: AccountSummary, out: MovedOut) -> None:
    messages.success(
        request,
        f"{account.customer_name} gives account {account.account_number} up. "
        "The last read is asked for; make the final bill once it is in.",
    )
    if out.bills_after:
        messages.warning(
            request,
            f"Bills that cover days after the move: {', '.join(out.bills_after)}. "
            "Prorate and rebill them.",
        )


@needs(_MAY)
@_METHODS
def mailing(request: OfficeRequest, number: str) -> HttpResponse:
    """Where an account's mail goes, apart from the place of service."""
    account = queries.account_summary(number)
    actor = actor_of_page(request)
    actor.require("contact.view")
    today = timezone.localdate()
    form = MailingForm(request.POST or None, initial={"from_on": today})
    if request.method == "POST" and form.is_valid():
        try:
            preferences.mail_elsewhere(actor, account.account_id, **form.cleaned_data)
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, "The account's mail goes to the new address from that day.")
            return redirect("account_mailing", account.account_number)
    values = {
        "account": account,
        "form": form,
        "present": record.mailing_on(account.account_id, today),
        "breadcrumbs": _crumbs(account, "Mailing address"),
    }
    status = 422 if form.errors else 200
    return render(request, "registry/mailing.html", values, status=status)


@needs(_MAY)
@require_POST
def mail_to_property(request: OfficeRequest, number: str) -> HttpResponse:
    """The account's mail goes to its property again from today on."""
    account = queries.account_summary(number)
    preferences.mail_to_property(actor_of_page(request), account.account_id, timezone.localdate())
    messages.success(request, "The account's mail goes to its property again.")
    return redirect("account_mailing", account.account_number)


def _crumbs(account: AccountSummary, last: str) -> list[dict[str, str]]:
    base = f"/accounts/{account.account_number}/"
    return [
        ACCOUNTS,
        {"label": account.account_number, "url": base},
        {"label": "On file", "url": f"{base}file/"},
        {"label": last},
    ]


urlpatterns = [
    path("properties/<int:property_id>/move-in/", move_in, name="move_in"),
    path("accounts/<str:number>/move-out/", move_out, name="move_out"),
    path("accounts/<str:number>/transfer/", transfer, name="transfer_service"),
    path("accounts/<str:number>/mailing/", mailing, name="account_mailing"),
    path("accounts/<str:number>/mailing/property", mail_to_property, name="mail_to_property"),
]

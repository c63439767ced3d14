"""Bills set right: what was wrong is typed at the account, seen old against new, then posted."""

from datetime import date

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing import queries as billing
from chamberlain.billing.rebilling import operations, queries
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.queries import RebillView
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.queries import open_day
from chamberlain.registry import queries as registry
from chamberlain.registry.queries import AccountSummary
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of
from chamberlain.web.rebill_forms import OneBillForm, PeriodForm, RebillForm


@needs("account.view")
@require_safe
def account_rebills(request: OfficeRequest, number: str) -> HttpResponse:
    """Rebills of an account, the newest first."""
    account = registry.account_summary(number)

    def fetch(limit: int, offset: int) -> list[queries.RebillRow]:
        return queries.rebills_of_account(account.account_id, limit, offset)

    values = {
        "page": page_of(request, queries.count_rebills(account.account_id), fetch, 24),
        "may_rebill": actor_of_page(request).may("bill.rebill"),
    }
    return show_account(request, account, "rebills", values, "rebilling/account.html")


@needs("bill.rebill")
@require_http_methods(["GET", "HEAD", "POST"])
def new_rebill(request: OfficeRequest, number: str) -> HttpResponse:
    """Days and what was wrong in them; leads to what would change."""
    account = registry.account_summary(number)
    today = timezone.localdate()
    given = request.POST if request.method == "POST" else request.GET
    period = PeriodForm.of(given, today)
    days = period.days()
    form = _form(request, account, days) if days else None
    if form is not None and days is not None and request.method == "POST" and form.is_valid():
        try:
            rebill_id = operations.draft_rebill(
                actor_of_page(request),
                form.rebill(number, *days),
                today,
                timezone.now(),
                form.cleaned_data["key"],
            )
            return redirect("rebill", rebill_id)
        except Refused as refusal:
            _say(form, period, refusal)
    is_wrong = bool(period.errors or (form and form.errors))
    values = {
        "period": period,
        "form": form,
        "limits": operations.limits_on(today),
        "may_rebill": True,
    }
    response = show_account(request, account, "rebills", values, "rebilling/new.html")
    response.status_code = 422 if is_wrong else 200
    return response


def _form(
    request: OfficeRequest, account: AccountSummary, days: tuple[date, date | None]
) -> RebillForm:
    return RebillForm(
        queries.reads_to_correct(account.account_id, *days),
        queries.reasons(),
        queries.choices(account.account_id),
        request.POST if request.method == "POST" else None,
    )


@needs("bill.rebill")
@require_http_methods(["GET", "HEAD", "POST"])
def one_bill(request: OfficeRequest, number: str, is_again: bool) -> HttpResponse:
    """Why a bill is taken back, or its days billed again; leads to what would change."""
    bill = billing.bill(number)
    form = OneBillForm(queries.reasons(), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        corrections = (
            Corrections(bills_again=(number,)) if is_again else Corrections(takes_back=(number,))
        )
        try:
            rebill_id = operations.draft_rebill(
                actor_of_page(request),
                form.rebill(bill.account_number, bill.from_on, bill.to_on, corrections),
                timezone.localdate(),
                timezone.now(),
                form.cleaned_data["key"],
            )
            return redirect("rebill", rebill_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {
        "bill": bill,
        "form": form,
        "is_again": is_again,
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": bill.account_number, "url": f"/accounts/{bill.account_number}/"},
            {"label": number, "url": f"/bills/{number}/"},
            {"label": "Bill again" if is_again else "Take back"},
        ],
    }
    return render(request, "rebilling/one_bill.html", values, status=422 if form.errors else 200)


def _say(form: RebillForm, period: PeriodForm, refusal: Refused) -> None:
    if refusal.field in ("from_on", "to_on"):
        period.add_error("from_on" if refusal.field == "from_on" else "last_on", refusal.sentence)
    say_refusal(form, refusal)


def _crumbs(view: RebillView) -> list[dict[str, str]]:
    account = f"/accounts/{view.row.account_number}/"
    return [
        {"label": "Accounts", "url": "/accounts/"},
        {"label": view.row.account_number, "url": account},
        {"label": "Rebills", "url": f"{account}rebills/"},
        {"label": f"Rebill {view.row.rebill_id}"},
    ]


@needs("account.view")
@require_safe
def rebill(request: OfficeRequest, rebill_id: int) -> HttpResponse:
    """A rebill, old against new, and what may be done with it."""
    return _show(request, queries.rebill(rebill_id), forms.Form(), 200)


def _show(request: OfficeRequest, view: RebillView, form: forms.Form, status: int) -> HttpResponse:
    actor, row = actor_of_page(request), view.row
    day = open_day(revenue_office().center_id)
    is_open = row.status in ("draft", "asked")
    is_own = actor.user_id == row.asked_by_id
    may_approve = actor.may("bill.approve_rebill")
    values = {
        "view": view,
        "row": row,
        "form": form,
        "day": day.day if day else None,
        "is_open": is_open,
        "is_own": is_own,
        "may_post": is_open
        and day is not None
        and ((may_approve and not is_own) if row.needs_approval else actor.may("bill.rebill")),
        "may_ask": row.status == "draft" and row.needs_approval and actor.may("bill.rebill"),
        "may_decline": is_open and actor.may("bill.rebill") and (is_own or may_approve),
        "limits": operations.limits_on(timezone.localdate()),
        "breadcrumbs": _crumbs(view),
    }
    return render(request, "rebilling/rebill.html", values, status=status)


@needs("bill.rebill")
@require_POST
def decide(request: OfficeRequest, rebill_id: int) -> HttpResponse:
    """Posts a rebill, hands it to a second person, or sets it aside."""
    view = queries.rebill(rebill_id)
    form = forms.Form(request.POST)
    form.is_valid()
    try:
        messages.success(request, _done(request, view))
        return redirect("rebill", rebill_id)
    except Refused as refusal:
        form.add_error(None, refusal.sentence)
    return _show(request, queries.rebill(rebill_id), form, 409)


def _done(request: OfficeRequest, view: RebillView) -> str:
    actor, rebill_id = actor_of_page(request), view.row.rebill_id
    match request.POST.get("do"):
        case "ask":
            operations.ask_for_approval(actor, rebill_id)
            return "It waits for a second person."
        case "decline":
            operations.decline_rebill(actor, rebill_id, timezone.now())
            return "It was set aside; nothing was posted."
    day = open_day(revenue_office().center_id)
    if day is None:
        raise Refused("The revenue office has no open day; a rebill is posted on one.")
    done = operations.post_rebill(actor, rebill_id, day.pk, timezone.localdate(), timezone.now())
    many = "bill was" if done.made == 1 else "bills were"
    return f"{done.made} {many} made, and {done.taken_back} taken back."


@needs("bill.rebill")
@require_safe
def waiting(request: OfficeRequest) -> HttpResponse:
    """What waits for a second person, the oldest first."""
    values = {"page": page_of(request, queries.count_waiting(), queries.waiting)}
    return render(request, "rebilling/waiting.html", values)


urlpatterns = [
    path("accounts/<str:number>/rebills/", account_rebills, name="account_rebills"),
    path("accounts/<str:number>/rebills/new/", new_rebill, name="new_rebill"),
    path("bills/<str:number>/take-back/", one_bill, {"is_again": False}, name="take_bill_back"),
    path("bills/<str:number>/bill-again/", one_bill, {"is_again": True}, name="bill_again"),
    path("rebills/", waiting, name="rebills"),
    path("rebills/<int:rebill_id>/", rebill, name="rebill"),
    path("rebills/<int:rebill_id>/decide/", decide, name="decide_rebill"),
]

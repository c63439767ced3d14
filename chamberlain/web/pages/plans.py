"""Payment plans: the calculator at the account's page, a plan, and the lists of the city's."""

import secrets
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.access.queries import count_asked_plans
from chamberlain.billing.plans import operations, queries
from chamberlain.billing.plans.documents import plan_pdf
from chamberlain.billing.plans.offers import Offer, Wanted, charges_for_plan, what_if
from chamberlain.billing.plans.queries import PlanView
from chamberlain.billing.plans.terms import Terms, terms_on
from chamberlain.billing.standing_of_account import as_seen, standing_now
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import OpenCharge, account_id_of
from chamberlain.registry import queries as registry
from chamberlain.registry.queries import AccountSummary
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of

SUGGESTED_INSTALMENTS = 12


class CalculatorForm(forms.Form):
    """Which bills, under which terms, in how many instalments."""

    documents = forms.MultipleChoiceField(
        label="What is paid in instalments", widget=forms.CheckboxSelectMultiple
    )
    terms = forms.ChoiceField(label="Kind of plan")
    instalments = forms.IntegerField(
        label="Instalments", min_value=1, max_value=120, initial=SUGGESTED_INSTALMENTS
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, charges: list[OpenCharge], terms: list[Terms], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.by_document: dict[str, list[OpenCharge]] = {}
        for charge in charges:
            self.by_document.setdefault(charge.document, []).append(charge)
        documents, kinds = self.fields["documents"], self.fields["terms"]
        assert isinstance(documents, forms.MultipleChoiceField)
        assert isinstance(kinds, forms.ChoiceField)
        documents.choices = [(name, _said(of)) for name, of in self.by_document.items()]
        documents.initial = list(self.by_document)
        kinds.choices = [(each.code, each.name) for each in terms]

    def charge_ids(self) -> tuple[int, ...]:
        """The charges of the chosen documents."""
        return tuple(
            charge.charge_id
            for name in self.cleaned_data["documents"]
            for charge in self.by_document[name]
        )


class ReasonForm(forms.Form):
    """Why something is done to a plan."""

    reason = forms.CharField(max_length=200, widget=forms.Textarea(attrs={"rows": 2}))


def _said(charges: list[OpenCharge]) -> str:
    first = min(charges, key=lambda charge: charge.due_on)
    kinds = ", ".join(dict.fromkeys(charge.kind_name for charge in charges))
    cents = sum(charge.open_cents for charge in charges)
    return (
        f"{first.document}: {show_cents(cents)}, due {first.due_on:%b} {first.due_on.day}, "
        f"{first.due_on.year} ({kinds})"
    )


@needs("account.view")
@require_http_methods(["GET", "HEAD", "POST"])
def of_account(request: OfficeRequest, number: str) -> HttpResponse:
    """The account's plans, and what a new one would be, before anything is saved."""
    account = registry.account_summary(number)
    today = timezone.localdate()
    actor = actor_of_page(request)
    terms = terms_on(today)
    charges = charges_for_plan(account.account_id, terms)
    plans = queries.plans_of_account(account.account_id)
    why_not = _why_not(actor, terms, charges, plans)
    form, offer = None, None
    if not why_not:
        form = CalculatorForm(
            charges,
            terms,
            request.POST or None,
            initial={"key": secrets.token_urlsafe(16)},
        )
        if form.is_bound and form.is_valid():
            made = _answer(request, actor, account, form)
            if isinstance(made, str):
                return redirect("plan", made)
            offer = made
    elif request.method == "POST":
        messages.error(request, why_not)
    values = {
        "plans": plans,
        "form": form,
        "offer": offer,
        "why_not": why_not,
        "may_offer": actor.may("plan.offer"),
        "seen": standing_now(account.account_id).seen,
        "plan_due": queries.due_with_plan(account.account_id, today),
    }
    response = show_account(request, account, "plans", values, "plans/of_account.html")
    if form is not None and form.errors and not getattr(request, "htmx", False):
        response.status_code = 422
    return response


def _why_not(
    actor: Actor, terms: list[Terms], charges: list[OpenCharge], plans: list[queries.PlanRow]
) -> str:
    """Why no plan can be offered now, or nothing."""
    if not actor.may("plan.offer"):
        return "This account never had a payment plan."
    if not terms:
        return "The city offers no payment plan today."
    running = next((plan for plan in plans if plan.status in ("offered", "in_force")), None)
    if running is not None:
        return f"Plan {running.number} has to end before another is offered."
    if not charges:
        return "Nothing is owed that could be paid in instalments."
    return ""


def _answer(
    request: OfficeRequest, actor: Actor, account: AccountSummary, form: CalculatorForm
) -> Offer | str | None:
    """The plan that would be; its number when it was made; None when it was refused."""
    cleaned = form.cleaned_data
    wanted = Wanted(account.account_id, form.charge_ids(), cleaned["terms"], cleaned["instalments"])
    today = timezone.localdate()
    try:
        if request.POST.get("do") != "offer":
            return what_if(wanted, today)
        with as_seen(account.account_id, request.POST.get("seen", "")):
            number = operations.offer_plan(actor, wanted, today, timezone.now(), cleaned["key"])
    except Refused as refusal:
        refusal.field = "documents" if refusal.field == "charges" else refusal.field
        say_refusal(form, refusal)
        return None
    messages.success(request, f"Plan {number} was made. Print its page and let it be signed.")
    return number


@needs("plan.offer")
@require_safe
def plans(request: OfficeRequest) -> HttpResponse:
    """The city's plans: those that wait, that are in force, in default, and ended."""
    which = request.GET.get("list", "waiting")
    which = which if which in queries.LISTS else "waiting"

    def fetch(limit: int, offset: int) -> list[Any]:
        return queries.plans_listed(which, limit, offset)

    values = {
        "page": page_of(request, queries.count_plans(which), fetch),
        "which": which,
        "tabs": [
            {
                "label": "Asked for by residents",
                "url": reverse("plans_asked"),
                "current": False,
                "count": count_asked_plans(),
            },
            *(
                {
                    "label": label,
                    "url": f"?list={name}",
                    "current": name == which,
                    "count": queries.count_plans(name) if name != "ended" else None,
                }
                for name, label in queries.LISTS.items()
            ),
        ],
    }
    return render(request, "plans/plans.html", values)


@needs("account.view")
@require_safe
def plan(request: OfficeRequest, number: str) -> HttpResponse:
    """A plan: its instalments and charges, how it stands, and what may be done with it."""
    return _show(request, queries.plan_view(number, timezone.localdate()), ReasonForm())


def _show(request: OfficeRequest, view: PlanView, form: ReasonForm) -> HttpResponse:
    actor = actor_of_page(request)
    row = view.plan
    approval = view.terms.approval(row.total_cents)
    asked = next((each for each in view.reinstatements if each.is_waiting), None)
    decides = actor.may("plan.approve") and (
        not approval.roles or bool(actor.roles & set(approval.roles))
    )
    offers = actor.may("plan.offer")
    values = {
        "view": view,
        "plan": row,
        "form": form,
        "approval": approval,
        "asked": asked,
        "decided": [each for each in view.reinstatements if not each.is_waiting],
        "may_approve_plan": row.status == "offered"
        and decides
        and row.offered_by_id != actor.user_id,
        "may_reinstate": decides and asked is not None and asked.asked_by_id != actor.user_id,
        "may_ask_reinstatement": offers and row.status == "defaulted" and asked is None,
        "may_withdraw": offers and row.status in ("offered", "in_force"),
        "shows_contact": actor.may("contact.view"),
        "seen": standing_now(account_id_of(row.account_number)).seen,
        "today": timezone.localdate(),
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": row.account_number, "url": f"/accounts/{row.account_number}/"},
            {"label": "Payment plans", "url": f"/accounts/{row.account_number}/plans/"},
            {"label": row.number},
        ],
    }
    return render(request, "plans/plan.html", values, status=422 if form.errors else 200)


@needs("account.view")
@require_safe
def document(request: OfficeRequest, number: str) -> HttpResponse:
    """The page that the customer signs."""
    actor_of_page(request).require("contact.view")
    view = queries.plan_view(number, timezone.localdate())
    response = HttpResponse(
        plan_pdf(view, view.plan.holder or "The customer"), content_type="application/pdf"
    )
    response["Content-Disposition"] = f'inline; filename="plan-{view.plan.number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def _do(request: OfficeRequest, number: str, done: Callable[[], object], said: str) -> HttpResponse:
    """Does one thing to a plan that needs no reason; a refusal is said above the plan."""
    try:
        done()
    except Refused as refusal:
        form = ReasonForm({"reason": "-"})
        form.is_valid()
        say_refusal(form, refusal)
        return _show(request, queries.plan_view(number, timezone.localdate()), form)
    messages.success(request, said)
    return redirect("plan", number)


def _do_with_reason(
    request: OfficeRequest, number: str, done: Callable[[str], object], said: str
) -> HttpResponse:
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            done(form.cleaned_data["reason"])
            messages.success(request, said)
            return redirect("plan", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, queries.plan_view(number, timezone.localdate()), form)


@needs("plan.approve")
@require_POST
def approve_plan(request: OfficeRequest, number: str) -> HttpResponse:
    """Puts a plan that another person offered in force."""
    actor, today, now = actor_of_page(request), timezone.localdate(), timezone.now()
    view = queries.plan_view(number, today)

    def approve() -> None:
        account_id = account_id_of(view.plan.account_number)
        with as_seen(account_id, request.POST.get("seen", "")):
            operations.approve_plan(actor, number, today, now)

    return _do(request, number, approve, f"Plan {number} is in force.")


@needs("plan.offer")
@require_POST
def withdraw_plan(request: OfficeRequest, number: str) -> HttpResponse:
    """Ends a plan, with a reason."""
    actor, today = actor_of_page(request), timezone.localdate()
    return _do_with_reason(
        request,
        number,
        lambda reason: operations.withdraw_plan(actor, number, reason, today),
        f"Plan {number} was withdrawn.",
    )


@needs("plan.offer")
@require_POST
def ask_reinstatement(request: OfficeRequest, number: str) -> HttpResponse:
    """Asks that a plan in default be taken up again, with a reason."""
    actor, now = actor_of_page(request), timezone.now()
    return _do_with_reason(
        request,
        number,
        lambda reason: operations.ask_reinstatement(actor, number, reason, now),
        "Another person decides on the reinstatement.",
    )


@needs("plan.approve")
@require_POST
def approve_reinstatement(request: OfficeRequest, number: str) -> HttpResponse:
    """Takes a plan in default up again, or leaves it in default."""
    actor, today, now = actor_of_page(request), timezone.localdate(), timezone.now()
    if request.POST.get("do") == "refuse":
        return _do(
            request,
            number,
            lambda: operations.refuse_reinstatement(actor, number, now),
            f"Plan {number} stays in default.",
        )
    return _do(
        request,
        number,
        lambda: operations.approve_reinstatement(actor, number, today, now),
        f"Plan {number} is in force again.",
    )


urlpatterns = [
    path("plans/", plans, name="plans"),
    path("plans/<str:number>/", plan, name="plan"),
    path("plans/<str:number>/document.pdf", document, name="plan_document"),
    path("plans/<str:number>/approve/", approve_plan, name="approve_plan"),
    path("plans/<str:number>/withdraw/", withdraw_plan, name="withdraw_plan"),
    path("plans/<str:number>/reinstate/", ask_reinstatement, name="ask_reinstatement"),
    path("plans/<str:number>/reinstatement/", approve_reinstatement, name="approve_reinstatement"),
    path("accounts/<str:number>/plans/", of_account, name="account_plans"),
]

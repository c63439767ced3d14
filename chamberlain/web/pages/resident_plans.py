"""A resident asks for a payment plan; a clerk makes it or answers."""

import secrets
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from chamberlain.billing.access import operations, queries
from chamberlain.billing.access.queries import AskedPlan, Held
from chamberlain.billing.plans.offers import Offer
from chamberlain.billing.plans.queries import LISTS, count_plans, plans_of_account
from chamberlain.cashiering.hosted.queries import count_to_look_at, to_look_at
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.resident import show
from chamberlain.web.pages.resident_session import for_resident
from chamberlain.web.paging import page_of


class AskForm(forms.Form):
    """In how many instalments, and how to reach the holder."""

    plan = forms.ChoiceField(label=gettext_lazy("Instalments"), widget=forms.RadioSelect)
    phone = forms.CharField(
        label=gettext_lazy("Telephone"),
        max_length=32,
        help_text=gettext_lazy("In case we have a question"),
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
    )
    key = forms.CharField(
        max_length=64, widget=forms.HiddenInput, initial=lambda: secrets.token_urlsafe(16)
    )

    def __init__(self, offers: Sequence[Offer], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan: Any = self.fields["plan"]
        plan.choices = [(_name(offer), _said(offer)) for offer in offers]


def _count(offer: Offer) -> int:
    return sum(1 for each in offer.instalments if each.number > 0)


def _name(offer: Offer) -> str:
    return f"{offer.terms.code} {_count(offer)}"


def _said(offer: Offer) -> str:
    count = _count(offer)
    largest = max(each.cents for each in offer.instalments if each.number > 0)
    return ngettext(
        "%(count)d instalment of up to %(amount)s",
        "%(count)d instalments of up to %(amount)s",
        count,
    ) % {"count": count, "amount": show_cents(largest)}


@require_http_methods(["GET", "HEAD", "POST"])
@for_resident
def ask(request: HttpRequest, of: Held) -> HttpResponse:
    """Asks for a plan, or says how the last application and the running plan stand."""
    today = timezone.localdate()
    running = next(
        (p for p in plans_of_account(of.account_id)
         if p.status in ("offered", "in_force") and p.starts_on >= of.since), None
    )  # fmt: skip
    asked = queries.latest_asked_plan(of.account_id, of.customer_id)
    offers = []
    if running is None and not (asked and asked.is_waiting):
        offers = operations.plan_choices(of, today)
    form = AskForm(offers, request.POST or None) if offers else None
    if form is not None and request.method == "POST" and form.is_valid():
        terms_code, _between, count = form.cleaned_data["plan"].rpartition(" ")
        try:
            operations.ask_for_plan(
                of,
                terms_code,
                int(count),
                form.cleaned_data["phone"],
                today,
                timezone.now(),
                form.cleaned_data["key"],
            )
            return redirect("resident_plan")
        except Refused:
            form.add_error(None, _("This plan cannot be asked for any more. Open the page again."))
    values = {
        "form": form,
        "asked": asked,
        "running": running,
        "total_cents": offers[0].total_cents if offers else 0,
    }
    return show(request, of, "plan", values, "plan", 422 if form and form.errors else 200)


class ReplyForm(forms.Form):
    """What a clerk answers."""

    application = forms.IntegerField(widget=forms.HiddenInput)
    reply = forms.CharField(
        label="Answer to the resident", max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )


def _tabs() -> list[dict[str, Any]]:
    plans = reverse("plans")
    asked = {
        "label": "Asked for by residents",
        "url": reverse("plans_asked"),
        "current": True,
        "count": queries.count_asked_plans(),
    }
    return [
        asked,
        *(
            {
                "label": label,
                "url": f"{plans}?list={name}",
                "current": False,
                "count": count_plans(name) if name != "ended" else None,
            }
            for name, label in LISTS.items()
        ),
    ]


@needs("plan.offer")
@require_http_methods(["GET", "HEAD", "POST"])
def asked_for(request: OfficeRequest) -> HttpResponse:
    """What residents asked for: the clerk makes the plan at the account, or answers here."""
    form = ReplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            operations.answer_plan_application(
                actor_of_page(request), typed["application"], typed["reply"], timezone.now()
            )
            messages.success(request, "The resident finds the answer at their account.")
            return redirect("plans_asked")
        except Refused as refusal:
            say_refusal(form, refusal)

    def fetch(limit: int, offset: int) -> list[AskedPlan]:
        return queries.asked_plans(limit, offset)

    values = {
        "page": page_of(request, queries.count_asked_plans(), fetch),
        "tabs": _tabs(),
        "form": form,
        "answered": request.POST.get("application", ""),
    }
    status = 422 if form.errors else 200
    return render(request, "resident/plans_asked.html", values, status=status)


@needs("reconciliation.view")
@require_http_methods(["GET", "HEAD"])
def card_payments(request: OfficeRequest) -> HttpResponse:
    """What the provider told and what posted nothing although money may have moved."""
    page = page_of(request, count_to_look_at(), to_look_at)
    return render(request, "resident/card_payments.html", {"page": page})


urlpatterns = [
    path("my-account/plan/", ask, name="resident_plan"),
    path("plans/asked/", asked_for, name="plans_asked"),
    path("card-payments/", card_payments, name="card_payments"),
]

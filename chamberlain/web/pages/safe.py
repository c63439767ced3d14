"""A center's safe: its fund and counts, change for tills, bags for the courier, handovers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.cashiering import listings
from chamberlain.cashiering import queries as cashiering
from chamberlain.cashiering.days import day_of_center
from chamberlain.cashiering.safe import operations, queries
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound, NotPermitted, Refused
from chamberlain.reconciliation import queries as reconciliation
from chamberlain.reconciliation.operations import hand_to_courier, make_deposit
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.fields import CountForm, DenominationRow, DollarsField
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.second_person import SecondPersonForm


class SurpriseForm(CountForm):
    """What was found in an open drawer."""

    note = forms.CharField(label="Note", max_length=200, required=False)


class FundForm(forms.Form):
    """The fixed sum of a center."""

    cents = DollarsField(label="Change fund")
    reason = forms.CharField(label="Why?", max_length=200)


class SafeCountForm(CountForm, SecondPersonForm):
    """The loose cash as two people counted it."""

    moment = forms.ChoiceField(label="When", choices=operations.Moment.choices)
    note = forms.CharField(label="Note", max_length=200, required=False)


class CourierForm(forms.Form):
    """Who takes the bags, and against which receipt."""

    courier = forms.CharField(label="Courier", max_length=80)
    receipt_number = forms.CharField(label="Courier's receipt number", max_length=40)


class BagForm(SecondPersonForm):
    """The bag's number, and who seals it beside the one who makes it."""

    bag_number = forms.CharField(label="Bag number", max_length=40)

    field_order = ("bag_number", "username", "password")


class HandoverForm(CountForm, SecondPersonForm):
    """The drawer as it was counted, what stays in it, and who takes it."""

    checks = DollarsField(label="Checks added up", required=False)
    money_orders = DollarsField(label="Money orders added up", required=False)

    def clean(self) -> dict[str, Any]:
        """Reads what stays beside what was counted."""
        cleaned = super().clean()
        cleaned["stays"], lines = self.read_counts("stays")
        for line in lines:
            if line.error:
                self.add_error(None, f"What stays, {line.label}: {line.error}")
        return cleaned

    @property
    def staying(self) -> list[DenominationRow]:
        """The lines of what stays, for the page."""
        return self.read_counts("stays")[1]


def _crumbs(code: str, name: str, last: str = "") -> list[dict[str, str]]:
    crumbs = [
        {"label": "Centers", "url": "/centers/"},
        {"label": name, "url": f"/centers/{code}/"},
    ]
    if not last:
        return [*crumbs, {"label": "The safe"}]
    return [*crumbs, {"label": "The safe", "url": f"/centers/{code}/safe/"}, {"label": last}]


def _center(actor: Actor, code: str) -> listings.CenterRow:
    found = listings.center_now(code)
    actor.require("safe.count", found.center_id)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@needs("safe.count")
def safe(request: OfficeRequest, code: str) -> HttpResponse:
    """The safe of a center today: counted, what went in and out, what waits."""
    actor = actor_of_page(request)
    center = _center(actor, code)
    do = request.POST.get("do", "")
    fund = FundForm(request.POST if do == "fund" else None, auto_id="fund_%s")
    courier = CourierForm(request.POST if do == "courier" else None, auto_id="courier_%s")
    form = {"fund": fund, "courier": courier}.get(do)
    if form is not None and form.is_valid():
        try:
            messages.success(request, _do(request, center, do, form))
            return redirect("safe", code)
        except Refused as refusal:
            say_refusal(form, refusal)
    day_id = center.business_day_id if center.is_open else None
    bags = reconciliation.bags_in_safe(center.center_id)
    context = {
        "center": center,
        "fund": queries.fund_of(center.center_id),
        "counts": queries.counts_of_day(day_id) if day_id else [],
        "log": queries.log_of_day(day_id) if day_id else [],
        "orders": queries.waiting_orders(center.center_id),
        "bags": bags,
        "fund_form": fund,
        "courier_form": courier,
        "failed": form if form is not None and form.errors else None,
        "may_set": actor.may("safe.set_fund", center.center_id),
        "breadcrumbs": _crumbs(code, center.name),
    }
    return render(request, "safe/safe.html", context)


def _do(request: OfficeRequest, center: listings.CenterRow, do: str, form: forms.Form) -> str:
    actor, now, told = actor_of_page(request), timezone.now(), form.cleaned_data
    if do == "fund":
        operations.set_fund(actor, center.center_id, told["cents"], told["reason"], now)
        return "The change fund was set; the safe is counted from now on."
    ticked = [int(each) for each in request.POST.getlist("deposit") if _is_id(each)]
    hand_to_courier(actor, center.center_id, ticked, told["courier"], told["receipt_number"], now)
    return f"{told['courier']} took {len(ticked)} bag{'s' * (len(ticked) != 1)}."


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


@require_http_methods(["GET", "HEAD", "POST"])
@needs("safe.count")
def count(request: OfficeRequest, code: str) -> HttpResponse:
    """Counts the safe, blind, with a witness who signs in here."""
    actor = actor_of_page(request)
    center = _center(actor, code)
    if not center.is_open or center.business_day_id is None:
        raise NotFound(f"{center.name} has no open day; open it first.")
    form = SafeCountForm(request, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid() and form.approver is not None:
        told = form.cleaned_data
        try:
            operations.count_safe(
                actor,
                form.approver,
                center.business_day_id,
                told["moment"],
                told["counts"],
                told["note"],
                timezone.now(),
            )
            messages.success(request, "The count was kept.")
            return redirect("safe", code)
        except NotPermitted as refusal:
            form.add_error("username", refusal.sentence)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "center": center,
        "breadcrumbs": _crumbs(code, center.name, "Count"),
    }
    return render(request, "safe/count.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("safe.change")
def fill(request: OfficeRequest, code: str, order_id: int) -> HttpResponse:
    """Gives a till the change that it asked for."""
    actor = actor_of_page(request)
    center = listings.center_now(code)
    actor.require("safe.change", center.center_id)
    orders = {row.order_id: row for row in queries.waiting_orders(center.center_id)}
    if order_id not in orders:
        raise NotFound("This change order waits no more.")
    form = CountForm(request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            operations.fill_change(actor, order_id, form.cleaned_data["counts"], timezone.now())
            messages.success(request, f"Till {orders[order_id].till} has its change.")
            return redirect("safe", code)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "order": orders[order_id],
        "breadcrumbs": _crumbs(code, center.name, "Change"),
    }
    return render(request, "safe/fill.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("payment.take")
def order(request: OfficeRequest, session_id: int) -> HttpResponse:
    """Asks the safe for change for my till."""
    session = cashiering.session(session_id)
    form = CountForm(request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            operations.order_change(
                actor_of_page(request), session_id, form.cleaned_data["counts"], timezone.now()
            )
            messages.success(request, "The supervisor sees what you need.")
            return redirect("drawer", session_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "session": session,
        "waiting": queries.waiting_order(session_id),
    }
    return render(request, "safe/order.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("till.close")
def hand_over(request: OfficeRequest, session_id: int) -> HttpResponse:
    """Counts my drawer and passes the till to the next cashier, who signs in beside me."""
    session = cashiering.session(session_id)
    form = HandoverForm(request, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid() and form.approver is not None:
        told = form.cleaned_data
        try:
            operations.hand_over(
                actor_of_page(request),
                form.approver,
                session_id,
                told["counts"],
                told["checks"] or 0,
                told["stays"],
                timezone.now(),
                told["money_orders"] or 0,
            )
            messages.success(request, f"{form.approver.name} has till {session.till} now.")
            return redirect("drawer", session_id)
        except NotPermitted as refusal:
            form.add_error("username", refusal.sentence)
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "safe/hand_over.html", {"form": form, "session": session})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("till.verify")
def surprise(request: OfficeRequest, session_id: int) -> HttpResponse:
    """Counts an open drawer without notice."""
    actor = actor_of_page(request)
    session = cashiering.session(session_id)
    actor.require("till.verify", session.center_id)
    form = SurpriseForm(request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            operations.count_by_surprise(
                actor, session_id, told["counts"], told["note"], timezone.now()
            )
            messages.success(request, "The count was kept.")
            return redirect("drawer", session_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "safe/surprise.html", {"form": form, "session": session})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("deposit.make")
def bag(request: OfficeRequest, business_day_id: int, tender: str) -> HttpResponse:
    """Bags one tender of a day and seals it by two people."""
    day = day_of_center(business_day_id)
    form = BagForm(request, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid() and form.approver is not None:
        try:
            make_deposit(
                actor_of_page(request),
                business_day_id,
                tender,
                form.cleaned_data["bag_number"],
                timezone.now(),
                form.approver,
            )
            messages.success(request, "The bag is sealed by two.")
            return redirect("center_day", business_day_id)
        except NotPermitted as refusal:
            form.add_error("username", refusal.sentence)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "tender": tender,
        "day": day,
        "amounts": [row for row in day.in_tills if row.code == tender],
        "breadcrumbs": [
            {"label": day.center_name, "url": f"/centers/{day.center_code}/"},
            {"label": f"{day.day:%B %-d, %Y}", "url": f"/centers/days/{business_day_id}/"},
            {"label": "Bag"},
        ],
    }
    return render(request, "safe/bag.html", context)


@require_safe
@needs("safe.count")
def log(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """The log of a center's safe on a past day."""
    day = day_of_center(business_day_id)
    actor_of_page(request).require("safe.count", day.center_id)
    context = {
        "day": day,
        "counts": queries.counts_of_day(business_day_id),
        "log": queries.log_of_day(business_day_id),
        "breadcrumbs": _crumbs(day.center_code, day.center_name, f"{day.day:%B %-d, %Y}"),
    }
    return render(request, "safe/log_of_day.html", context)


urlpatterns = [
    path("centers/<slug:code>/safe/", safe, name="safe"),
    path("centers/<slug:code>/safe/count/", count, name="safe_count"),
    path("centers/<slug:code>/safe/orders/<int:order_id>/", fill, name="safe_fill"),
    path("centers/days/<int:business_day_id>/safe/", log, name="safe_log"),
    path("centers/days/<int:business_day_id>/bag/<slug:tender>/", bag, name="safe_bag"),
    path("tills/<int:session_id>/change/", order, name="safe_order"),
    path("tills/<int:session_id>/surprise/", surprise, name="safe_surprise"),
    path("tills/<int:session_id>/hand-over/", hand_over, name="safe_hand_over"),
]

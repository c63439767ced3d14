"""Tills: a drawer opened by count, closed blind, verified by another; receipts voided."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chamberlain.cashiering import operations, queries
from chamberlain.cashiering.approvals import void_at_the_till
from chamberlain.cashiering.listings import receipts_of_drawer
from chamberlain.cashiering.queries import SessionView
from chamberlain.cashiering.safe.queries import surprise_counts
from chamberlain.cashiering.stock import counting, selling
from chamberlain.cashiering.stock import queries as stock
from chamberlain.identity.actors import Actor
from chamberlain.identity.queries import centers
from chamberlain.kernel.errors import NotPermitted, Refused
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.fields import CountForm, DollarsField
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of
from chamberlain.web.second_person import SecondPersonForm


class OpenTillForm(CountForm):
    """Which till, and the float in it."""

    till = forms.TypedChoiceField(label="Till", coerce=int)

    def __init__(self, choices: list[tuple[int, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["till"].choices = choices  # type: ignore[attr-defined]


class CloseTillForm(CountForm):
    """The drawer as it was counted; the papers as they were added up."""

    checks = DollarsField(label="Checks added up", required=False)
    money_orders = DollarsField(label="Money orders added up", required=False)


class DropForm(forms.Form):
    """Cash that is taken out of a drawer that got too full, into the safe."""

    cents = DollarsField(label="Cash taken out")
    bag_number = forms.CharField(label="Bag number", max_length=40)


class VoidForm(SecondPersonForm):
    """Why a receipt is voided, and who approves it at the till."""

    reason = forms.CharField(label="Why is it voided?", max_length=200)

    field_order = ("reason", "username", "password")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("till.open")
def tills(request: OfficeRequest) -> HttpResponse:
    """My till now; or, when I have none open, the form that opens one."""
    actor = actor_of_page(request)
    mine = queries.open_session_of(actor.user_id)
    if mine is not None:
        return HttpResponseRedirect(reverse("drawer", args=[mine.session_id]))
    choices = _tills_of(actor)
    form = OpenTillForm(choices, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            cleaned = form.cleaned_data
            operations.open_till(actor, cleaned["till"], cleaned["counts"], timezone.now())
            return HttpResponseRedirect(reverse("counter"))
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "tills/open.html", {"form": form, "tills": choices})


def _tills_of(actor: Actor) -> list[tuple[int, str]]:
    """Tills where the actor may work, those that are taken left out."""
    return [
        (row.till_id, f"{row.till} — {center.name}")
        for center in centers()
        if actor.may("till.open", center.center_id)
        for row in queries.till_board(center.center_id)
        if row.session is None
    ]


@require_GET
@needs("center.view")
def drawer(request: OfficeRequest, session_id: int) -> HttpResponse:
    """A drawer: its receipts; after closing what was counted, and what was over or short."""
    return _drawer(request, session_id, DropForm(auto_id="%s"))


def _drawer(request: OfficeRequest, session_id: int, form: DropForm) -> HttpResponse:
    actor = actor_of_page(request)
    session = queries.session(session_id)
    page = page_of(
        request,
        session.receipts,
        lambda limit, offset: receipts_of_drawer(session_id, limit, offset),
    )
    context = {
        "session": session,
        "page": page,
        "counts": queries.counts(session_id, "closing") if session.closed_at else [],
        "is_mine": session.cashier_id == actor.user_id,
        "may_close": session.state == "open" and _may_close(actor, session),
        "may_verify": session.state == "closed" and actor.may("till.verify", session.center_id),
        "may_drop": session.state == "open"
        and session.cashier_id != actor.user_id
        and actor.may("till.verify", session.center_id),
        "drop": form,
        "surprises": surprise_counts(session_id)
        if session.cashier_id != actor.user_id and actor.may("till.verify", session.center_id)
        else [],
        "result": _result(session),
        "uncounted": _uncounted(session),
        "no_sales": queries.no_sales(session_id) if session.no_sales else [],
        "unpaid": selling.unpaid_sales(session_id) if session.state == "open" else [],
    }
    return render(request, "tills/drawer.html", context)


def _uncounted(session: SessionView) -> dict[str, Any]:
    """The kinds of stock of an open till that are to be counted before it is closed."""
    if session.state != "open":
        return {}
    kinds = counting.to_be_counted(session.till_id)
    return {"place": stock.place_of_till(session.till_id), "kinds": kinds} if kinds else {}


def _may_close(actor: Actor, session: SessionView) -> bool:
    if session.cashier_id == actor.user_id:
        return actor.may("till.close", session.center_id)
    return actor.may("till.verify", session.center_id)


def _result(session: SessionView) -> tuple[str, str]:
    """What the count found, in a word, and its tone."""
    found = session.over_short_cents
    if found is None:
        return ("", "")
    return ("Exact", "ok") if found == 0 else ("Over", "wait") if found > 0 else ("Short", "bad")


@require_POST
@needs("till.verify")
def drop(request: OfficeRequest, session_id: int) -> HttpResponse:
    """Takes cash out of an open drawer into the safe, by another person than its cashier."""
    form = DropForm(request.POST, auto_id="%s")
    if form.is_valid():
        taken = form.cleaned_data
        try:
            operations.make_drop(
                actor_of_page(request),
                session_id,
                taken["cents"],
                taken["bag_number"],
                timezone.now(),
            )
            messages.success(request, f"Bag {taken['bag_number']} goes into the safe.")
            return HttpResponseRedirect(reverse("drawer", args=[session_id]))
        except Refused as refusal:
            say_refusal(form, refusal)
    return _drawer(request, session_id, form)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("till.close")
def close(request: OfficeRequest, session_id: int) -> HttpResponse:
    """Closes a drawer blind: nothing on this page tells what should be in it."""
    actor = actor_of_page(request)
    session = queries.session(session_id)
    if not _may_close(actor, session):
        raise NotPermitted(f"Till {session.till} is closed by its cashier or its supervisor.")
    form = CloseTillForm(request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            operations.close_till(
                actor,
                session_id,
                cleaned["counts"],
                cleaned["checks"] or 0,
                timezone.now(),
                cleaned["money_orders"] or 0,
            )
            return HttpResponseRedirect(reverse("drawer", args=[session_id]))
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {"form": form, "session": session, "uncounted": _uncounted(session)}
    return render(request, "tills/close.html", context)


@require_POST
@needs("till.verify")
def verify(request: OfficeRequest, session_id: int) -> HttpResponse:
    """Confirms a counted drawer."""
    operations.verify_till(actor_of_page(request), session_id, timezone.now())
    return HttpResponseRedirect(reverse("drawer", args=[session_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("receipt.void")
def void(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """Voids a receipt with another person's approval, given here with their own password."""
    receipt = queries.receipt(receipt_id)
    form = VoidForm(request, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid() and form.approver is not None:
        try:
            void_at_the_till(
                actor_of_page(request),
                form.approver,
                receipt_id,
                form.cleaned_data["reason"],
                timezone.now(),
            )
            return HttpResponseRedirect(reverse("receipt", args=[receipt_id]))
        except NotPermitted as refusal:
            form.add_error("username", refusal.sentence)
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "tills/void.html", {"form": form, "receipt": receipt})


@require_POST
@needs("receipt.void")
def ask_void(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """Asks for a void that a supervisor decides at their own screen."""
    form = VoidForm(request, request.POST, auto_id="%s")
    try:
        reason = str(request.POST.get("reason", ""))
        operations.ask_for_void(actor_of_page(request), receipt_id, reason, timezone.now())
        return HttpResponseRedirect(reverse("receipt", args=[receipt_id]))
    except Refused as refusal:
        form.full_clean()
        form.errors.clear()
        say_refusal(form, refusal)
    receipt = queries.receipt(receipt_id)
    return render(request, "tills/void.html", {"form": form, "receipt": receipt})


@require_POST
@needs("receipt.approve_void")
def decide_void(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """Approves or declines a void that was asked for."""
    approves = request.POST.get("decision") == "approve"
    decide = operations.void_receipt if approves else operations.decline_void
    decide(actor_of_page(request), receipt_id, timezone.now())
    return HttpResponseRedirect(reverse("receipt", args=[receipt_id]))


urlpatterns = [
    path("tills/", tills, name="tills"),
    path("tills/<int:session_id>/", drawer, name="drawer"),
    path("tills/<int:session_id>/close/", close, name="drawer_close"),
    path("tills/<int:session_id>/drop", drop, name="drawer_drop"),
    path("tills/<int:session_id>/verify", verify, name="drawer_verify"),
    path("tills/receipts/<int:receipt_id>/void/", void, name="void"),
    path("tills/receipts/<int:receipt_id>/ask", ask_void, name="void_ask"),
    path("tills/receipts/<int:receipt_id>/decide", decide_void, name="void_decide"),
]

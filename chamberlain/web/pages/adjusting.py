"""Adjustments: asked for from the account, looked at and decided by another person."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.adjusting import operations, queries, undoing
from chamberlain.billing.adjusting.kinds import KINDS
from chamberlain.billing.adjusting.reasons import Reason, reasons_on
from chamberlain.billing.approving import Approval
from chamberlain.billing.standing_of_account import as_seen, standing_now
from chamberlain.identity.actors import Actor
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import statements
from chamberlain.ledger.queries import (
    OpenCharge,
    account_id_of,
    balance,
    open_charges,
    open_day,
    transfers_of_entry,
)
from chamberlain.registry.queries import account_summary
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.fields import DollarsField
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of

PAYMENTS_OFFERED = 24
CHARGES_OFFERED = 60


class AskForm(forms.Form):
    """What is asked for; only the fields that the reason's kind needs."""

    payment = forms.TypedChoiceField(label="Which payment was posted wrongly?", coerce=int)
    charges = forms.TypedMultipleChoiceField(
        label="Which charges?", coerce=int, widget=forms.CheckboxSelectMultiple, required=False
    )
    cents = DollarsField(label="Amount")
    other_account = forms.CharField(
        label="Account to move it to",
        max_length=24,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    note = forms.CharField(
        label="Why, in your words",
        max_length=200,
        help_text="The person who approves it reads this, and it stays on the account.",
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, reason: Reason, charges: list[OpenCharge], account_id: int, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        kind = reason.kind_row
        if kind.needs_payment:
            self.fields["payment"].choices = _payments(account_id)  # type: ignore[attr-defined]
        if charges and (kind.settles or kind.needs_charges):
            field = self.fields["charges"]
            field.choices = [(c.charge_id, _charge_label(c)) for c in charges]  # type: ignore[attr-defined]
            field.help_text = (
                "They move whole."
                if kind.needs_charges
                else "Without a choice, the open charges in the order in which they are paid."
            )
        unneeded = {
            "payment": not kind.needs_payment,
            "charges": not (kind.settles or kind.needs_charges) or not charges,
            "cents": kind.needs_charges,
            "other_account": not kind.moves,
        }
        for name, is_unneeded in unneeded.items():
            if is_unneeded:
                del self.fields[name]


class PayForm(forms.Form):
    """By what a refund was paid out."""

    reference = forms.CharField(label="Number of the check or transfer", max_length=40)


class DecideForm(forms.Form):
    """What the deciding person says; needed where it is refused."""

    note = forms.CharField(label="Note", max_length=200, required=False)


def _payments(account_id: int) -> list[tuple[str, str]]:
    rows = statements.payments_of_account(account_id, PAYMENTS_OFFERED)
    return [("", "Choose a payment")] + [
        (str(row.entry_id), f"{row.day:%b %-d, %Y} · {row.document} · {show_cents(row.cents)}")
        for row in rows
        if not row.is_reversed
    ]


def _charge_label(charge: OpenCharge) -> str:
    return (
        f"{charge.kind_name}, {charge.document}, due {charge.due_on:%b %-d, %Y}: "
        f"{show_cents(charge.open_cents)} open"
    )


@needs("adjustment.ask")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: OfficeRequest, number: str) -> HttpResponse:
    """Asks for an adjustment: first why, then what that needs."""
    account_id = account_id_of(number)
    today = timezone.localdate()
    reasons = reasons_on(today)
    reason = next((r for r in reasons if r.code == request.GET.get("reason")), None)
    values: dict[str, Any] = {
        "number": number,
        "account": account_summary(number),
        "balance": balance(account_id),
        "reason": reason,
        "groups": _by_kind(reasons),
        "breadcrumbs": _account_crumbs(number, "Ask for an adjustment"),
    }
    if reason is None:
        return render(request, "adjusting/ask.html", values)
    charges = [
        charge
        for charge in open_charges([account_id])
        if not reason.charge_kinds or charge.kind in reason.charge_kinds
    ][:CHARGES_OFFERED]
    form = AskForm(
        reason,
        charges,
        account_id,
        request.POST or None,
        initial={"key": secrets.token_hex(16)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            with as_seen(account_id, request.POST.get("seen", "")):
                made = operations.ask_adjustment(
                    actor_of_page(request),
                    _wanted(number, reason, form.cleaned_data),
                    today,
                    timezone.now(),
                    form.cleaned_data["key"],
                )
            messages.success(request, f"Adjustment {made} was asked for.")
            return redirect("adjustment", made)
        except Refused as refusal:
            say_refusal(form, refusal)
    seen = standing_now(account_id).seen
    values |= {"form": form, "steps": reason.approvals, "seen": seen}
    return render(request, "adjusting/ask.html", values, status=422 if form.errors else 200)


def _wanted(number: str, reason: Reason, given: dict[str, Any]) -> operations.Wanted:
    return operations.Wanted(
        account=number,
        reason=reason.code,
        cents=given.get("cents") or 0,
        note=given["note"],
        charge_ids=tuple(given.get("charges") or ()),
        other_account=given.get("other_account", ""),
        payment_id=given.get("payment"),
    )


def _by_kind(reasons: list[Reason]) -> list[tuple[str, list[Reason]]]:
    return [
        (kind.name, found)
        for code, kind in KINDS.items()
        if (found := [reason for reason in reasons if reason.kind == code])
    ]


def _account_crumbs(number: str, here: str) -> list[dict[str, str]]:
    return [
        {"label": "Accounts", "url": "/accounts/"},
        {"label": number, "url": f"/accounts/{number}/"},
        {"label": here},
    ]


_PARTS = {
    "": ("Waiting for approval", queries.count_waiting, queries.waiting),
    "refunds": ("Refunds to pay out", queries.count_refunds_to_pay, queries.refunds_to_pay),
    "decided": ("Decided", queries.count_decided, queries.decided),
}


@needs("billing.view")
@require_safe
def adjustments(request: OfficeRequest) -> HttpResponse:
    """What waits for approval; or refunds to pay out, or what was decided."""
    actor = actor_of_page(request)
    part = request.GET.get("part", "")
    part = part if part in _PARTS else ""
    _, count, fetch = _PARTS[part]
    values = {
        "page": page_of(request, count(), fetch),
        "part": part,
        "batches": [] if part else queries.waiting_batches(),
        "actor_id": actor.user_id,
        "may_ask": actor.may("adjustment.ask"),
        "tabs": [
            {"label": label, "url": f"?part={name}" if name else "?", "current": name == part}
            for name, (label, _, _) in _PARTS.items()
        ],
    }
    return render(request, "adjusting/adjustments.html", values)


@needs("account.view")
@require_safe
def adjustment(request: OfficeRequest, number: str) -> HttpResponse:
    """One adjustment: what, why, by whom, and what it moved."""
    return _show(request, number, DecideForm())


def _show(
    request: OfficeRequest, number: str, form: DecideForm, pay: PayForm | None = None
) -> HttpResponse:
    row = queries.adjustment(number)
    actor = actor_of_page(request)
    step = queries.step_of(number)
    values = {
        "row": row,
        "form": form,
        "step": step,
        "charges": queries.charges_of(number),
        "transfers": transfers_of_entry(row.entry_id) if row.entry_id else [],
        "balance": balance(account_id_of(row.account)),
        "seen": standing_now(account_id_of(row.account)).seen,
        "breadcrumbs": [{"label": "Adjustments", "url": "/adjustments/"}, {"label": number}],
        "pay_form": pay or PayForm(),
        **what_may_be_done(actor, row.asked_by_id, row.status == "asked" and not row.batch, step),
        **_what_follows(actor, row),
    }
    refused = form.errors or (pay and pay.errors)
    return render(request, "adjusting/adjustment.html", values, status=422 if refused else 200)


def _what_follows(actor: Actor, row: queries.AdjustmentRow) -> dict[str, Any]:
    """Whether the person may undo what was posted, or pay a refund out."""
    stands = row.status == "posted" and not row.reversed_by_id and not row.paid_entry_id
    other = stands and actor.user_id != row.asked_by_id
    return {
        "may_reverse": other and actor.may("adjustment.approve"),
        "may_pay": other and row.kind == "refund" and actor.may("refund.pay"),
    }


def what_may_be_done(actor: Actor, asked_by_id: int, waits: bool, step: Approval) -> dict[str, Any]:
    """What the person may do now, and, where nothing, the sentence that says who may."""
    is_own = actor.user_id == asked_by_id
    may = actor.may("adjustment.approve")
    return {
        "waits": waits,
        "may_withdraw": waits and is_own and actor.may("adjustment.ask"),
        "may_approve": waits and not is_own and may and bool(actor.roles & set(step.roles)),
        "may_refuse": waits and not is_own and may,
        "day": posting_day_id() if waits else 0,
    }


def posting_day_id() -> int:
    """The revenue office's open day; 0 when none is open, which an operation then refuses."""
    day = open_day(revenue_office().center_id)
    return day.pk if day else 0


@needs("account.view")
@require_POST
def decide(request: OfficeRequest, number: str) -> HttpResponse:
    """Approves, refuses, withdraws or reverses an adjustment, as the button says."""
    form = DecideForm(request.POST)
    if form.is_valid():
        try:
            messages.success(request, _decide(request, number, form.cleaned_data["note"]))
            return redirect("adjustment", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, number, form)


def _decide(request: OfficeRequest, number: str, note: str) -> str:
    actor, now = actor_of_page(request), timezone.now()
    if request.POST.get("act") == "withdraw":
        operations.withdraw_adjustment(actor, number, now)
        return f"Adjustment {number} was withdrawn."
    if request.POST.get("act") == "refuse":
        operations.refuse_adjustment(actor, number, note, now)
        return f"Adjustment {number} was refused."
    row = queries.adjustment(number)
    others = [account_id_of(row.other_account)] if row.other_account else []
    with as_seen(account_id_of(row.account), request.POST.get("seen", ""), *others):
        if request.POST.get("act") == "reverse":
            undoing.reverse_adjustment(actor, number, posting_day_id(), now, note)
            return f"Adjustment {number} was reversed."
        operations.approve_adjustment(actor, number, posting_day_id(), now, note)
        return f"Adjustment {number} was posted."


@needs("refund.pay")
@require_POST
def pay_out(request: OfficeRequest, number: str) -> HttpResponse:
    """Records that a refund was paid out."""
    form = PayForm(request.POST)
    if form.is_valid():
        try:
            undoing.pay_out_refund(
                actor_of_page(request),
                number,
                form.cleaned_data["reference"],
                posting_day_id(),
                timezone.now(),
            )
            messages.success(request, f"Refund {number} was paid out.")
            return redirect("adjustment", number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, number, DecideForm(), form)


urlpatterns = [
    path("accounts/<str:number>/adjust/", ask, name="ask_adjustment"),
    path("adjustments/", adjustments, name="adjustments"),
    path("adjustments/<str:number>/", adjustment, name="adjustment"),
    path("adjustments/<str:number>/decide/", decide, name="decide_adjustment"),
    path("adjustments/<str:number>/pay/", pay_out, name="pay_refund"),
]

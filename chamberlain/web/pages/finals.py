"""Final bills: what waits for a read or a bill, one move-out, and its balance carried over."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.deposits.queries import deposits_of_account
from chamberlain.billing.finals import carrying, operations, queries, reading
from chamberlain.billing.finals.operations import Leaving
from chamberlain.billing.finals.queries import MoveOutRow
from chamberlain.billing.finals.showing import ShownBill, shown_bills
from chamberlain.billing.queries import bills_by_id
from chamberlain.billing.standing_of_account import as_seen, standing_now
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import account_id_of, open_day
from chamberlain.registry import queries as registry
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bill_runs import DayInput
from chamberlain.web.paging import page_of


class AskForm(forms.Form):
    """Where the balance of an account that was given up goes."""

    next_account = forms.CharField(
        label="Carry the balance to account",
        max_length=24,
        required=False,
        help_text="Another account of the same holder; leave it empty to settle it here",
    )


class ReadForm(forms.Form):
    """What the meter shows."""

    read_on = forms.DateField(label="Read on", widget=DayInput())
    register = forms.IntegerField(label="Register", min_value=0)


@needs("final.ask")
@require_safe
def finals(request: OfficeRequest) -> HttpResponse:
    """Move-outs: to be read, to be billed, billed."""
    which = request.GET.get("list", "to_read")
    which = which if which in queries.LISTS else "to_read"

    def fetch(limit: int, offset: int) -> list[Any]:
        return queries.move_outs(which, limit, offset)

    counts = {name: queries.count_move_outs(name) for name in queries.LISTS}
    values = {
        "page": page_of(request, counts[which], fetch),
        "which": which,
        "tabs": [
            {
                "label": label,
                "url": f"?list={name}",
                "current": name == which,
                "count": counts[name] if name != "billed" else None,
            }
            for name, label in queries.LISTS.items()
        ],
    }
    return render(request, "finals/finals.html", values)


@needs("final.ask")
@require_http_methods(["GET", "HEAD", "POST"])
def of_account(request: OfficeRequest, number: str) -> HttpResponse:
    """The final bill of an account that was given up: the one asked for, or the asking."""
    account = registry.account_summary(number)
    asked = [
        row
        for row in queries.move_outs_of_account(account.account_id)
        if row.left_on == account.held_until
    ]
    if asked:
        return redirect("final", asked[0].move_out_id)
    form = AskForm(request.POST or None)
    if account.held_until and request.method == "POST" and form.is_valid():
        leaving = Leaving(
            account.account_number,
            account.held_until,
            next_account=form.cleaned_data["next_account"],
        )
        try:
            made = operations.ask_final_bill(
                actor_of_page(request), leaving, timezone.localdate(), timezone.now()
            )
            return redirect("final", made)
        except Refused as refusal:
            say_refusal(form, refusal)
    values = {
        "account": account,
        "form": form,
        "others": queries.next_accounts(account.account_id),
        "breadcrumbs": _crumbs(account.account_number, "Final bill"),
    }
    return render(request, "finals/ask.html", values, status=422 if form.errors else 200)


def _crumbs(number: str, last: str) -> list[dict[str, str]]:
    return [
        {"label": "Final bills", "url": "/finals/"},
        {"label": number, "url": f"/accounts/{number}/"},
        {"label": last},
    ]


@needs("final.ask")
@require_safe
def final(request: OfficeRequest, move_out_id: int) -> HttpResponse:
    """A move-out: its reads, the bill as it would be or was made, and the balance."""
    return _show(request, queries.move_out_row(move_out_id))


def _show(
    request: OfficeRequest,
    row: MoveOutRow,
    form: forms.Form | None = None,
    failed_read: int | None = None,
) -> HttpResponse:
    actor = actor_of_page(request)
    today = timezone.localdate()
    shown, problem = _shown(row)
    reads = [
        (each, form if each.order_id == failed_read else _read_form(row, each.order_id))
        for each in queries.final_reads(row.move_out_id)
    ]
    carry = (
        form if isinstance(form, AskForm) else AskForm(initial={"next_account": row.next_account})
    )
    values = {
        "row": row,
        "reads": reads,
        "form": form,
        "carry": carry,
        "shown": shown,
        "shown_cents": sum(bill.cents for bill in shown),
        "problem": problem,
        "bills": bills_by_id(queries.final_bills(row.move_out_id)),
        "others": queries.next_accounts(row.account_id),
        "day": open_day(revenue_office().center_id),
        "seen": standing_now(row.account_id).seen,
        "deposits": [d for d in deposits_of_account(row.account_id) if d.is_open],
        "may_bill": actor.may("final.bill"),
        "may_carry": actor.may("adjustment.ask")
        and row.state == "billed"
        and not row.carried_by
        and bool(row.owed_cents or row.credit_cents),
        "may_estimate": today >= row.left_on,
        "shows_contact": actor.may("contact.view"),
        "steps": _steps(row),
        "breadcrumbs": _crumbs(row.account_number, "Final bill"),
    }
    has_errors = form is not None and bool(form.errors)
    return render(request, "finals/final.html", values, status=422 if has_errors else 200)


def _read_form(row: MoveOutRow, order_id: int) -> ReadForm:
    return ReadForm(initial={"read_on": row.left_on}, auto_id=f"id_{order_id}_%s")


def _shown(row: MoveOutRow) -> tuple[tuple[ShownBill, ...], str]:
    """The bills that would be made, and why they cannot be made now."""
    if row.billed_at is not None:
        return (), ""
    after = queries.bills_after(row.account_id, row.left_on)
    if after:
        return (), (
            f"Bill {after[0]} covers days after the move; rebill it first, so that it ends with "
            "the move."
        )
    try:
        return shown_bills(row.move_out_id), ""
    except Refused as refusal:
        return (), refusal.sentence


def _steps(row: MoveOutRow) -> list[dict[str, str]]:
    at = {"to_read": 1, "to_bill": 2, "billed": 3}[row.state]
    settled = row.state == "billed" and not row.owed_cents and not row.credit_cents
    at = 4 if settled else at
    labels = ("Moved out", "Final read", "Final bill", "Balance settled")
    return [
        {
            "label": label,
            "state": "done" if number < at else "current" if number == at else "ahead",
        }
        for number, label in enumerate(labels)
    ]


@needs("final.ask")
@require_POST
def take_read(request: OfficeRequest, move_out_id: int, order_id: int) -> HttpResponse:
    """Enters what the meter shows, or estimates it."""
    actor, today = actor_of_page(request), timezone.localdate()
    form = ReadForm(request.POST, auto_id=f"id_{order_id}_%s")
    is_estimate = request.POST.get("do") == "estimate"
    if is_estimate:
        form = ReadForm({"read_on": today, "register": 0}, auto_id=f"id_{order_id}_%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            if is_estimate:
                reading.estimate_final_read(actor, order_id, today)
            else:
                reading.take_final_read(actor, order_id, given["read_on"], given["register"], today)
            messages.success(request, "The final read is entered.")
            return redirect("final", move_out_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, queries.move_out_row(move_out_id), form, order_id)


def _do(
    request: OfficeRequest, move_out_id: int, form: AskForm, done: Callable[[], str]
) -> HttpResponse:
    """Does one thing if the account stands as it was seen, and says what came of it; a refusal is
    said beside its field.
    """
    if form.is_valid():
        row = queries.move_out_row(move_out_id)
        others = [account_id_of(row.next_account)] if row.next_account else []
        try:
            with as_seen(row.account_id, request.POST.get("seen", ""), *others):
                said = done()
            messages.success(request, said)
            return redirect("final", move_out_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, queries.move_out_row(move_out_id), form)


@needs("final.bill")
@require_POST
def make_bill(request: OfficeRequest, move_out_id: int) -> HttpResponse:
    """Makes the final bill on the revenue office's open day."""
    actor, now = actor_of_page(request), timezone.now()

    def bill() -> str:
        day = open_day(revenue_office().center_id)
        made = operations.make_final_bill(actor, move_out_id, day.pk if day else 0, now)
        deposit = (
            f" {show_cents(made.deposit_cents)} of the deposit went with it."
            if made.deposit_cents
            else ""
        )
        if not made.bill_numbers:
            return f"Everything was billed before; no further bill was needed.{deposit}"
        return f"Final bill {', '.join(made.bill_numbers)} was made.{deposit}"

    return _do(request, move_out_id, AskForm({}), bill)


@needs("adjustment.ask")
@require_POST
def carry(request: OfficeRequest, move_out_id: int) -> HttpResponse:
    """Asks that the balance goes to the holder's next account."""
    actor, today, now = actor_of_page(request), timezone.localdate(), timezone.now()
    form = AskForm(request.POST)

    def ask() -> str:
        given = form.cleaned_data["next_account"]
        numbers = carrying.carry_balance(actor, move_out_id, given, today, now)
        return f"Asked for {' and '.join(numbers)}; another person approves it."

    return _do(request, move_out_id, form, ask)


urlpatterns = [
    path("finals/", finals, name="finals"),
    path("finals/<int:move_out_id>/", final, name="final"),
    path("finals/<int:move_out_id>/reads/<int:order_id>/", take_read, name="final_read"),
    path("finals/<int:move_out_id>/bill/", make_bill, name="make_final_bill"),
    path("finals/<int:move_out_id>/carry/", carry, name="carry_balance"),
    path("accounts/<str:number>/final-bill/", of_account, name="final_of_account"),
]

"""Around a sale at the counter: a new payer, the price of what is chosen, a sale taken back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chamberlain.cashiering import operations
from chamberlain.cashiering import queries as counter
from chamberlain.cashiering.stock import queries as stock
from chamberlain.cashiering.stock import selling
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.registry.operations import register_payer
from chamberlain.revenue.queries import offers, price_of
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.display import look
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.second_person import SecondPersonForm


class PayerForm(forms.Form):
    """Somebody who has no account yet."""

    kind = forms.ChoiceField(
        label="Who pays",
        choices=[("person", "A person"), ("organization", "A business or organization")],
        widget=forms.RadioSelect,
        initial="person",
    )
    name = forms.CharField(label="Name", max_length=120)
    phone = forms.CharField(label="Telephone", max_length=40)


class UndoForm(SecondPersonForm):
    """Why a sale is taken back; for a spoiled item also who sees it."""

    reason = forms.CharField(label="Why is the sale taken back?", max_length=120)
    is_spoiled = forms.BooleanField(
        label="The item cannot be sold any more; a supervisor sees it", required=False
    )
    field_order = ("reason", "is_spoiled", "username", "password")

    def __init__(self, request: OfficeRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        for name in ("username", "password"):
            self.fields[name].required = bool(self.data.get("is_spoiled"))

    def clean(self) -> dict[str, Any]:
        """Checks the second person only for a spoiled item."""
        if not self.cleaned_data.get("is_spoiled"):
            return self.cleaned_data
        return super().clean()


@needs("customer.register")
@require_http_methods(["GET", "HEAD", "POST"])
def new_payer(request: OfficeRequest) -> HttpResponse:
    """Registers somebody who buys a sticker or license, and puts them into the basket."""
    form = PayerForm(request.POST or None, initial={"name": request.GET.get("name", "")})
    if request.method == "POST" and form.is_valid():
        try:
            number = register_payer(
                actor_of_page(request),
                form.cleaned_data["kind"],
                form.cleaned_data["name"],
                form.cleaned_data["phone"],
                timezone.localdate(),
            )
            return redirect(f"/counter/?account={number}")
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "counter/new_payer.html", {"form": form})


@require_POST
@needs("payment.take")
def price(request: OfficeRequest) -> HttpResponse:
    """What the chosen thing costs, and which item of the till comes next."""
    till = counter.open_session_of(actor_of_page(request).user_id)
    code = str(request.POST.get("sell_fee", ""))
    offer = next((each for each in offers(timezone.localdate()) if each.code == code), None)
    count = str(request.POST.get("sell_months", ""))
    typed = int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 0
    context = {
        "offer": offer,
        "cents": price_of(offer, typed or offer.term_months or 12, typed or 1) if offer else 0,
        "months": typed or (offer.term_months if offer else 0),
        "times": typed or 1,
        "next": stock.next_at_till(till.till_id, code) if till and offer else None,
    }
    return render(request, "counter/price.html", context)


@needs("payment.take")
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: OfficeRequest, sale_id: int) -> HttpResponse:
    """Takes back a sale that was not paid."""
    actor = actor_of_page(request)
    till = counter.open_session_of(actor.user_id)
    unpaid = selling.unpaid_sales(till.session_id) if till else []
    sale = next((each for each in unpaid if each.sale_id == sale_id), None)
    if sale is None:
        raise NotFound("This sale is not among your till's unpaid ones; look at your till.")
    form = UndoForm(request, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        try:
            selling.undo_sale(
                actor,
                sale_id,
                form.cleaned_data["reason"],
                timezone.now(),
                spoiled_before=form.approver if form.cleaned_data["is_spoiled"] else None,
            )
            messages.success(request, f"The sale of {sale.kind_name} {sale.number} is taken back.")
            return redirect("counter")
        except Refused as refusal:
            say_refusal(form, refusal)
    return render(request, "counter/undo_sale.html", {"form": form, "sale": sale})


@require_GET
@needs("payment.take")
def customer_display(request: OfficeRequest) -> HttpResponse:
    """The second screen of the cashier's till, turned to the customer."""
    till = counter.open_session_of(actor_of_page(request).user_id)
    context = {"till": till, "shown": look(till.cashier_id) if till else None}
    is_part = bool(getattr(request, "htmx", False))
    return render(request, f"counter/{'displayed' if is_part else 'display'}.html", context)


@require_POST
@needs("payment.take")
def open_drawer(request: OfficeRequest) -> HttpResponse:
    """Opens the cashier's drawer without a payment, with a reason."""
    till = counter.open_session_of(actor_of_page(request).user_id)
    if till is None:
        raise NotFound("You have no till open.")
    try:
        reason = str(request.POST.get("reason", ""))
        operations.open_drawer(actor_of_page(request), till.session_id, reason, timezone.now())
        messages.success(request, "The drawer is open.")
    except operations.PrinterUnreachable:
        messages.warning(request, "It is kept. Open the drawer by its key: no printer opens it.")
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("drawer", till.session_id)


urlpatterns = [
    path("counter/display/", customer_display, name="customer_display"),
    path("counter/no-sale", open_drawer, name="no_sale"),
    path("counter/new-payer/", new_payer, name="new_payer"),
    path("counter/price", price, name="counter_price"),
    path("counter/sales/<int:sale_id>/undo/", undo, name="sale_undo"),
]

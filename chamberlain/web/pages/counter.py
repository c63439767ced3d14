"""The counter: find a customer, see all that is owed, take the money, give the receipt."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from chamberlain.cashiering import operations, parking, queries
from chamberlain.cashiering.baskets import account_of_paper
from chamberlain.cashiering.checks.queries import checks_of_receipt
from chamberlain.cashiering.checks.screening import NotTaken
from chamberlain.cashiering.listings import transfers_of_receipt
from chamberlain.cashiering.paper import receipt_pdf
from chamberlain.cashiering.queries import ReceiptView, SessionView, VoidRow
from chamberlain.cashiering.stock import selling
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.registry.search import ToPay, search_to_pay
from chamberlain.revenue import queries as revenue
from chamberlain.web import display
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.basket import BasketForm
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.second_person import SecondPersonForm

RESULTS_MAX = 8
_DIGITS = 19
_SELLING = {
    "fee": "sell_fee",
    "subject": "sell_subject",
    "months": "sell_months",
    "times": "sell_months",
    "number": "sell_number",
}
_PLACES = {
    "tenders": "cents-0",
    "reference": "number-1",
    "on_account": "on_account",
    "approver": "approver",
}


@require_http_methods(["GET", "HEAD", "POST"])
@needs("payment.take")
def counter(request: OfficeRequest) -> HttpResponse:
    """The counter. Every button of its form comes here with all that was typed."""
    till = queries.open_session_of(actor_of_page(request).user_id)
    if till is None:
        return render(request, "counter/no_till.html")
    posted = _picked_up(request, till)
    if request.method != "POST":
        posted["add"] = request.GET.get("account", "")
    found = _find(posted)
    form = BasketForm(posted, timezone.localdate())
    form.full_clean()
    if request.POST.get("do") == "exact":
        form.fill_in_cash()
    if request.POST.get("do") == "park" and form.accounts and _park(request, till, form):
        return _go(request, reverse("counter"))
    sold = ""
    if request.POST.get("do") == "sell" and form.accounts:
        form, sold = _sell(request, till, form)
    if request.POST.get("do") == "post" and not (found and found.shown) and not form.errors:
        receipt = _take(request, till, form)
        if receipt is not None:
            return _go(request, reverse("receipt", args=[receipt.receipt_id]))
    return _page(request, till, form, found, sold)


def _picked_up(request: OfficeRequest, till: SessionView) -> QueryDict:
    """What was posted; for a parked basket that is picked up, what was typed into it."""
    posted = request.POST.copy()
    parked = str(request.POST.get("pick_up", ""))
    if parked.isascii() and parked.isdigit() and len(parked) < _DIGITS:
        typed = parking.pick_up(
            actor_of_page(request), till.session_id, int(parked), timezone.now()
        )
        for name, values in typed.items():
            posted.setlist(name, values)
    return posted


def _park(request: OfficeRequest, till: SessionView, form: BasketForm) -> bool:
    """Puts the basket aside."""
    try:
        parking.park(
            actor_of_page(request),
            till.session_id,
            form.cleaned_data.get("park_note", ""),
            form.to_park,
            timezone.now(),
        )
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        return False
    messages.success(request, "The basket is parked; it is picked up from the empty counter.")
    return True


def _sell(request: OfficeRequest, till: SessionView, form: BasketForm) -> tuple[BasketForm, str]:
    """Sells what was chosen; the basket then holds its charge. Returns also what was sold."""
    try:
        made = selling.sell(
            actor_of_page(request),
            till.session_id,
            form.order,
            timezone.now(),
            form.cleaned_data["sell_key"],
        )
    except Refused as refusal:
        field = _SELLING.get(refusal.field, refusal.field)
        form.add_error(field if field in form.fields else None, refusal.sentence)
        return form, ""
    charges = revenue.open_charges_of(made.obligation_id)
    what = f"{made.kind} {made.number}".strip()
    price = show_cents(sum(cents for _, cents in charges))
    return form.with_sold(charges), f"{what} is in the basket: {price}."


def _find(posted: QueryDict) -> ToPay | None:
    """Looks up what was typed. A number of a paper puts its account straight into the basket."""
    text = str(posted.get("q", "")).strip()
    if not text or posted.get("add") or posted.get("drop"):
        posted["q"] = ""
        return None
    if account_of_paper(text) is not None:
        posted["add"], posted["q"] = text, ""
        return None
    return search_to_pay(text, RESULTS_MAX)


def _take(request: OfficeRequest, till: SessionView, form: BasketForm) -> ReceiptView | None:
    """Takes the payment; what is refused stands beside its field."""
    try:
        return operations.take_payment(
            actor_of_page(request),
            till.session_id,
            form.payer.account_id if form.payer else 0,
            [*form.amounts.items(), *form.settled_meanwhile],
            form.tenders,
            timezone.now(),
            form.cleaned_data["key"],
            on_account_cents=form.on_account_cents,
            keep_as_credit=form.cleaned_data["keep"],
            approver=_approver(request, form),
        )
    except _NotApproved:
        return None
    except Refused as refusal:
        field = "number-1" if isinstance(refusal, NotTaken) else _PLACES.get(refusal.field)
        form.add_error(field if field in form.fields else None, refusal.sentence)
        return None


class _NotApproved(Exception):
    """The second person could not be told by name and password; the form says so."""


def _approver(request: OfficeRequest, form: BasketForm) -> Actor | None:
    """The supervisor who typed their name, if one did."""
    typed = form.cleaned_data
    if not typed["approver"]:
        return None
    names = {"username": typed["approver"], "password": typed["approver_password"]}
    second = SecondPersonForm(request, names)
    if not second.is_valid():
        sentences = [sentence for each in second.errors.values() for sentence in each]
        form.add_error("approver", " ".join(str(sentence) for sentence in sentences))
        raise _NotApproved
    return second.approver


def _go(request: OfficeRequest, url: str) -> HttpResponse:
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def _page(
    request: OfficeRequest, till: SessionView, form: BasketForm, found: ToPay | None, sold: str
) -> HttpResponse:
    start = _start(form, found, str(request.POST.get("do", "")))
    form.start_at(start)
    context = {
        "till": till,
        "form": form,
        "found": found,
        "figures": form.figures,
        "start": start,
        "today": timezone.localdate(),
        "sold": sold,
        "unpaid": [] if form.accounts else selling.unpaid_sales(till.session_id),
        "parked": [] if form.accounts else parking.parked(till.center_id, timezone.now()),
    }
    display.show_basket(till.cashier_id, form)
    return render(request, "counter/counter.html", context)


def _start(form: BasketForm, found: ToPay | None, done: str) -> str:
    """Where the cashier types next: a wrong field, what was found, the money, the button."""
    if found and found.shown:
        return "found"
    wrong = [name for name in form.errors if name in form.fields]
    if wrong:
        return wrong[0]
    if not form.accounts or found is not None:
        return "q"
    if done == "tender":
        return f"kind-{form.tender_rows - 1}"
    figures = form.figures
    if figures.is_ready:
        return "post"
    return "cents-0" if not form.data.get("cents-0") else "cents-1"


@require_POST
@needs("payment.take")
def find(request: OfficeRequest) -> HttpResponse:
    """Customers while the name is being typed."""
    text = str(request.POST.get("q", "")).strip()[:100]
    found = search_to_pay(text, RESULTS_MAX) if text else None
    return render(request, "counter/found.html", {"found": found, "is_live": True})


@require_POST
@needs("payment.take")
def figures(request: OfficeRequest) -> HttpResponse:
    """The figures while amounts are being typed."""
    form = BasketForm(request.POST, timezone.localdate())
    form.full_clean()
    display.show_basket(actor_of_page(request).user_id, form)
    return render(request, "counter/figures.html", {"form": form, "figures": form.figures})


@require_GET
@needs("center.view")
def receipt(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """A receipt: the change due, what was paid, and what can still be done with it."""
    context = _receipt_context(request, receipt_id)
    if context["is_mine"]:
        display.show_receipt(actor_of_page(request).user_id, context["receipt"])
    return render(request, "counter/receipt.html", context)


def _receipt_context(request: OfficeRequest, receipt_id: int) -> dict[str, Any]:
    actor = actor_of_page(request)
    view = queries.receipt(receipt_id)
    drawer = queries.session(view.session_id)
    is_open = drawer.state == "open" and not view.is_voided
    return {
        "receipt": view,
        "transfers": transfers_of_receipt(receipt_id),
        "checks": checks_of_receipt(receipt_id),
        "has_check": any(tender.kind == "check" for tender in view.tenders),
        "drawer": drawer,
        "asked": _asked(view, drawer) if view.is_void_asked else None,
        "is_mine": drawer.cashier_id == actor.user_id and drawer.state == "open",
        "may_print": actor.may("payment.take", drawer.center_id),
        "may_void": is_open and actor.may("receipt.void", drawer.center_id),
        "may_decide": is_open
        and view.is_void_asked
        and actor.may("receipt.approve_void", drawer.center_id),
    }


def _asked(view: ReceiptView, drawer: SessionView) -> VoidRow | None:
    """Who asked that the receipt be voided, and why."""
    waiting = queries.void_requests(drawer.center_id)
    return next((row for row in waiting if row.receipt_id == view.receipt_id), None)


@require_GET
@needs("center.view")
def receipt_as_pdf(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """The receipt on letter paper."""
    view = queries.receipt(receipt_id)
    response = HttpResponse(receipt_pdf(view), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="receipt-{view.number}.pdf"'
    return response


@require_POST
@needs("payment.take")
def endorse(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """Prints the endorsement of each check of a receipt."""
    context = _receipt_context(request, receipt_id)
    try:
        printed = operations.endorse_checks(actor_of_page(request), receipt_id)
        context["printed"] = f"{printed} check{'' if printed == 1 else 's'} endorsed."
    except operations.PrinterUnreachable as refusal:
        context["not_printed"] = refusal.sentence
    return render(request, "counter/receipt.html", context)


@require_POST
@needs("payment.take")
def print_receipt(request: OfficeRequest, receipt_id: int) -> HttpResponse:
    """Sends the receipt to the till's printer. A printer that fails never undoes a payment."""
    context = _receipt_context(request, receipt_id)
    try:
        is_copy = operations.print_receipt(actor_of_page(request), receipt_id, timezone.now())
        context["printed"] = "A copy was printed." if is_copy else "The receipt was printed."
    except operations.PrinterUnreachable as refusal:
        context["not_printed"] = refusal.sentence
    return render(request, "counter/receipt.html", context)


urlpatterns = [
    path("counter/", counter, name="counter"),
    path("counter/find", find, name="counter_find"),
    path("counter/figures", figures, name="counter_figures"),
    path("counter/receipts/<int:receipt_id>/", receipt, name="receipt"),
    path("counter/receipts/<int:receipt_id>/pdf", receipt_as_pdf, name="receipt_pdf"),
    path("counter/receipts/<int:receipt_id>/endorse", endorse, name="receipt_endorse"),
    path("counter/receipts/<int:receipt_id>/print", print_receipt, name="receipt_print"),
]

"""A customer account: what it owes and why, its bills, payments, usage and history."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.billing import accounts as billed
from chamberlain.billing.explanation import explain_line, quantity_in_words
from chamberlain.billing.plans.queries import charges_in_kept_plans, due_with_plan
from chamberlain.billing.queries import bills_of_account
from chamberlain.casework import timeline
from chamberlain.ledger import statements
from chamberlain.ledger.statements import OpenItem
from chamberlain.registry import queries as registry
from chamberlain.registry import record
from chamberlain.registry.queries import AccountSummary
from chamberlain.revenue.queries import obligations
from chamberlain.web import charts
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.history_filter import TimelineForm
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of

ITEMS = 25
CHARTED_READS = 24
REMEMBERED = 12
SEEN = "accounts_seen"
_TABS = (
    ("owed", "Owed", ""),
    ("bills", "Bills", "bills/"),
    ("payments", "Payments", "payments/"),
    ("usage", "Usage", "usage/"),
    ("other", "Licenses and citations", "other/"),
    ("plans", "Payment plans", "plans/"),
    ("deposits", "Deposits", "deposits/"),
    ("rebills", "Rebills", "rebills/"),
    ("adjustments", "Adjustments", "adjustments/"),
    ("letters", "Letters", "letters/"),
    ("history", "History", "history/"),
    ("file", "On file", "file/"),
)


@needs("account.view")
@require_safe
def accounts(request: OfficeRequest) -> HttpResponse:
    """Where a clerk starts: the search, and the accounts looked at last."""
    seen = [registry.account_summary(number) for number in request.session.get(SEEN, [])]
    return render(request, "accounts/accounts.html", {"seen": seen})


def _remember(request: OfficeRequest, number: str) -> None:
    """Keeps the numbers looked at last in the session, which ends with the working day."""
    seen = [n for n in request.session.get(SEEN, []) if n != number]
    request.session[SEEN] = [number, *seen][:REMEMBERED]


def show_account(
    request: OfficeRequest,
    account: AccountSummary,
    tab: str,
    values: dict[str, Any],
    template: str = "",
) -> HttpResponse:
    """A page of the account: the head that all have, and the tab's own part or the template."""
    actor = actor_of_page(request)
    base = f"/accounts/{account.account_number}/"
    _remember(request, account.account_number)
    common = {
        "account": account,
        "base": base,
        "standing": statements.standing(account.account_id, timezone.localdate()),
        "marks": record.marks(account.customer_id) if account.customer_id else [],
        "may_take_payment": actor.may("payment.take"),
        "tabs": [
            {"label": label, "url": base + part, "current": name == tab}
            for name, label, part in _TABS
        ],
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": account.account_number},
        ],
    }
    return render(request, template or f"accounts/{tab}.html", common | values)


def _explained(items: list[OpenItem]) -> list[dict[str, Any]]:
    """Open items with what made each charge: printed line, read, and everything that moved."""
    ids = [charge.charge_id for item in items for charge in item.charges]
    lines = billed.billed_from(ids)
    moved = statements.transfers_of_charges(ids)
    planned = set(charges_in_kept_plans(charge_ids=ids)["charge_id"])
    explained = []
    for item in items:
        parts = [
            {
                "charge": charge,
                "billed": lines.get(charge.charge_id),
                "sentences": explain_line(lines[charge.charge_id].line)
                if charge.charge_id in lines
                else [],
                "transfers": moved[charge.charge_id],
            }
            for charge in item.charges
        ]
        bill = next((part["billed"] for part in parts if part["billed"]), None)
        in_plan = all(charge.charge_id in planned for charge in item.charges)
        explained.append({"item": item, "bill": bill, "parts": parts, "in_plan": in_plan})
    return explained


@needs("account.view")
@require_safe
def owed(request: OfficeRequest, number: str) -> HttpResponse:
    """What is owed, each figure with its parts, beside who holds the account."""
    account = registry.account_summary(number)
    items = statements.open_items(account.account_id, timezone.localdate())
    page = Paginator(items, ITEMS).get_page(request.GET.get("page"))
    unmasked = actor_of_page(request).may("contact.view")
    contacts = (
        registry.contacts(account.customer_id, unmasked=unmasked) if account.customer_id else []
    )
    values = {
        "page": page,
        "items": _explained(list(page.object_list)),
        "contacts": contacts,
        "latest": timeline.latest(account.account_id, 6),
        "plan_due": due_with_plan(account.account_id, timezone.localdate()),
    }
    return show_account(request, account, "owed", values)


@needs("account.view")
@require_safe
def bills(request: OfficeRequest, number: str) -> HttpResponse:
    """All bills, the newest first."""
    account = registry.account_summary(number)

    def fetch(limit: int, offset: int) -> list[Any]:
        return bills_of_account(account.account_id, limit, offset)

    page = page_of(request, billed.count_bills(account.account_id), fetch, 24)
    return show_account(request, account, "bills", {"page": page, "today": timezone.localdate()})


@needs("account.view")
@require_safe
def payments(request: OfficeRequest, number: str) -> HttpResponse:
    """All payments, the newest first."""
    account = registry.account_summary(number)

    def fetch(limit: int, offset: int) -> list[Any]:
        return statements.payments_of_account(account.account_id, limit, offset)

    page = page_of(request, statements.count_payments(account.account_id), fetch, 24)
    return show_account(request, account, "payments", {"page": page})


@needs("account.view")
@require_safe
def usage(request: OfficeRequest, number: str) -> HttpResponse:
    """Reads as a chart and as a table."""
    account = registry.account_summary(number)

    def fetch(limit: int, offset: int) -> list[Any]:
        return billed.reads_of_account(account.account_id, limit, offset)

    page = page_of(request, billed.count_reads(account.account_id), fetch, CHARTED_READS)
    alt = "; ".join(
        f"{read.to_on:%B %Y} {quantity_in_words(read.usage_thousandths, read.unit)}"
        for read in page.object_list[:6]
    )
    values = {"page": page, "alt": f"Bars of usage by read, the latest being {alt}."}
    return show_account(request, account, "usage", values)


@needs("account.view")
@require_safe
def usage_picture(request: OfficeRequest, number: str) -> HttpResponse:
    """The chart of the reads of a page of `usage`."""
    account = registry.account_summary(number)
    total = billed.count_reads(account.account_id)

    def fetch(limit: int, offset: int) -> list[billed.ReadRow]:
        return billed.reads_of_account(account.account_id, limit, offset)

    reads = list(page_of(request, total, fetch, CHARTED_READS).object_list)[::-1]
    rows = [
        (read.to_on, max(0, read.usage_thousandths) / 1000, read.quality == "estimate")
        for read in reads
    ]
    unit = quantity_in_words(0, reads[-1].unit).removeprefix("0 ") if reads else ""
    response = HttpResponse(charts.usage_chart(rows, unit), content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=60"
    return response


@needs("account.view")
@require_safe
def other(request: OfficeRequest, number: str) -> HttpResponse:
    """Citations, stickers, licenses and fees."""
    account = registry.account_summary(number)
    rows = obligations(account.account_id)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return show_account(request, account, "other", {"page": page})


@needs("account.view")
@require_safe
def history(request: OfficeRequest, number: str) -> HttpResponse:
    """One timeline of everything, or of one kind and some days."""
    account = registry.account_summary(number)
    actor = actor_of_page(request)
    form = TimelineForm(request.GET)
    chosen = form.chosen()
    events = timeline.timeline(account.account_id, chosen, timeline.Viewer.of(actor))
    values = {
        "page": Paginator(events, 40).get_page(request.GET.get("page")),
        "form": form,
        "kind": chosen.kind,
        "query": form.query(),
        "filters": [
            {"label": label, "url": f"?{form.query(kind)}", "current": kind == chosen.kind}
            for kind, label in {"": "Everything", **timeline.kinds_for(actor)}.items()
        ],
    }
    return show_account(request, account, "history", values)


@needs("account.view")
@require_safe
def on_file(request: OfficeRequest, number: str) -> HttpResponse:
    """Holders, contacts, property, owners and agreements."""
    account = registry.account_summary(number)
    unmasked = actor_of_page(request).may("contact.view")
    values: dict[str, Any] = {
        "unmasked": unmasked,
        "may_change": actor_of_page(request).may("customer.change"),
        "mailing": record.mailing_on(account.account_id, timezone.localdate()),
        "holders": registry.holders(account.account_id),
        "agreements": billed.agreements_of_account(account.account_id),
        "contacts": registry.contacts(account.customer_id, unmasked=unmasked)
        if account.customer_id
        else [],
        "owners": registry.owners(account.property_id) if account.property_id else [],
    }
    return show_account(request, account, "file", values)


urlpatterns = [
    path("accounts/", accounts, name="accounts"),
    path("accounts/<str:number>/", owed, name="account"),
    path("accounts/<str:number>/bills/", bills, name="account_bills"),
    path("accounts/<str:number>/payments/", payments, name="account_payments"),
    path("accounts/<str:number>/usage/", usage, name="account_usage"),
    path("accounts/<str:number>/usage.svg", usage_picture, name="account_usage_picture"),
    path("accounts/<str:number>/other/", other, name="account_other"),
    path("accounts/<str:number>/history/", history, name="account_history"),
    path("accounts/<str:number>/file/", on_file, name="account_file"),
]

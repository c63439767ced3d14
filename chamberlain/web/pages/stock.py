"""Numbered stock: where it is, what is under way, what differs, and the way of one number."""

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.cashiering import queries as counter
from chamberlain.cashiering.stock import counting, handing, queries
from chamberlain.identity.actors import Actor
from chamberlain.identity.queries import centers
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.tables import Column, Table
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.exporting import csv_file
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bill_runs import DayInput
from chamberlain.web.paging import page_of
from chamberlain.web.second_person import SecondPersonForm

MOVES = 50
_STOCK = {"label": "Stock", "url": "/stock/"}
_VENDOR = "vendor"
_NUMBERS = {
    "autocomplete": "off",
    "spellcheck": "false",
    "rows": 3,
}


class KindForm(forms.Form):
    """A kind of stock and some of its numbers."""

    kind = forms.ChoiceField(label="Kind")
    numbers = forms.CharField(
        label="Numbers",
        max_length=20_000,
        widget=forms.Textarea(attrs=_NUMBERS),
        help_text="First and last of each range, such as 412-430, 433. Scan one after the other.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.code, f"{kind.name} ({kind.like})") for kind in queries.kinds()
        ]


class SendForm(KindForm):
    """Numbers that go from a place to another."""

    source = forms.ChoiceField(label="From")
    target = forms.TypedChoiceField(label="To", coerce=int)
    document = forms.CharField(
        label="Delivery note, bag or slip",
        max_length=80,
        required=False,
        help_text="A delivery of the vendor has one.",
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ("source", "target", "kind", "numbers", "document", "key")

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vendor = [(_VENDOR, "The vendor")] if actor.may("stock.receive") else []
        sources = [(str(row.place_id), capfirst(row.name)) for row in _own_places(actor)]
        targets = queries.places("store", "safe", "till", "sent_back")
        self.fields["source"].choices = vendor + sources  # type: ignore[attr-defined]
        self.fields["target"].choices = _named(targets)  # type: ignore[attr-defined]


class AcceptForm(forms.Form):
    """What is in the box, as it was counted."""

    numbers = forms.CharField(
        label="Numbers in the box",
        max_length=20_000,
        widget=forms.Textarea(attrs=_NUMBERS),
        help_text="Count, then type first and last of each range; “none” when nothing arrived.",
    )


class SettleForm(forms.Form):
    """What became of numbers that a handover lacks."""

    was_sent = forms.TypedChoiceField(
        label="What was found out",
        choices=[("yes", "They were sent and are missing"), ("no", "They never left")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="What was looked at, and by whom", max_length=200)


class CountForm(KindForm):
    """What lies at a place."""

    place = forms.TypedChoiceField(label="Where", coerce=int)
    field_order = ("place", "kind", "numbers")

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = _named(_own_places(actor))  # type: ignore[attr-defined]
        self.fields["numbers"].help_text = (
            "Count what lies there, then type first and last of each range; “none” when there is "
            "nothing. What should be there is shown afterwards."
        )


class NoteForm(forms.Form):
    """What was found out about a difference."""

    note = forms.CharField(label="What was looked at, and what was found out", max_length=200)


class SpoilForm(SecondPersonForm):
    """Spoiled items, and the person who sees them."""

    place = forms.TypedChoiceField(label="Where", coerce=int)
    kind = forms.ChoiceField(label="Kind")
    numbers = forms.CharField(label="Numbers", max_length=2_000)
    reason = forms.CharField(label="What happened", max_length=200)
    field_order = ("place", "kind", "numbers", "reason", "username", "password")

    def __init__(self, actor: Actor, request: OfficeRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["place"].choices = _named(_own_places(actor))  # type: ignore[attr-defined]
        self.fields["kind"].choices = _kinds()  # type: ignore[attr-defined]


class NumberForm(forms.Form):
    """One number."""

    kind = forms.ChoiceField(label="Kind")
    number = forms.CharField(label="Number", max_length=30)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = _kinds()  # type: ignore[attr-defined]


class SheetForm(forms.Form):
    """A center's day."""

    center = forms.TypedChoiceField(label="Center", coerce=int)
    day = forms.DateField(label="Day", widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["center"].choices = [  # type: ignore[attr-defined]
            (center.center_id, center.name) for center in centers()
        ]


def _named(places: Sequence[queries.PlaceRow]) -> list[tuple[int, str]]:
    """Places to choose from."""
    return [(row.place_id, capfirst(row.name)) for row in places]


def _kinds() -> list[tuple[str, str]]:
    """Kinds of stock to choose from."""
    return [(kind.code, kind.name) for kind in queries.kinds()]


def _own_places(actor: Actor) -> list[queries.PlaceRow]:
    """The places whose stock the actor works with."""
    drawer = counter.open_session_of(actor.user_id)
    own_till = drawer.till_id if drawer else None
    till = queries.place_of_till(own_till) if own_till else None
    return [
        row
        for row in queries.places("store", "safe", "till")
        if (row.role == "store" and actor.may("stock.receive"))
        or (row.center_id is not None and actor.may("stock.move", row.center_id))
        or row.place_id == till
    ]


@needs("stock.view")
@require_safe
def board(request: OfficeRequest) -> HttpResponse:
    """Where all of it is, and what waits for somebody."""
    actor = actor_of_page(request)
    context = {
        "stock": queries.stock(),
        "handovers": queries.handovers(is_open=True),
        "counts": queries.counts(is_settled=False),
        "gone": [
            row for role in ("sold", "spoiled", "missing") for row in queries.what_became(role)
        ],
        "has_kinds": bool(queries.kinds()),
        "may_send": actor.may("stock.move") or actor.may("stock.receive") or _has_till(actor),
        "may_count": bool(_own_places(actor)),
        "number": NumberForm(auto_id="number_%s"),
    }
    return render(request, "stock/board.html", context)


def _has_till(actor: Actor) -> bool:
    return counter.open_session_of(actor.user_id) is not None


@needs("stock.view")
@require_http_methods(["GET", "HEAD", "POST"])
def send(request: OfficeRequest) -> HttpResponse:
    """Sends numbers from a place to another, or enters a delivery of the vendor."""
    actor = actor_of_page(request)
    initial = {"key": secrets.token_urlsafe(16), "kind": request.GET.get("kind", "")}
    form = SendForm(actor, request.POST or None, initial=initial, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        source = None if typed["source"] == _VENDOR else int(typed["source"])
        try:
            made = handing.send(
                actor,
                typed["kind"],
                typed["numbers"],
                source,
                typed["target"],
                typed["document"],
                timezone.now(),
                typed["key"],
            )
            messages.success(
                request, "It is under way; another person counts what arrives and accepts it."
            )
            return redirect("stock_handover", made)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {"form": form, "breadcrumbs": [_STOCK, {"label": "Send or receive"}]}
    return render(request, "stock/send.html", context)


@needs("stock.view")
@require_http_methods(["GET", "HEAD", "POST"])
def handover(request: OfficeRequest, handover_id: int) -> HttpResponse:
    """A handover: accepting what arrived, and settling what did not."""
    actor = actor_of_page(request)
    row = queries.handover(handover_id)
    form = _handover_form(actor, row, request.POST or None)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            _work_on_handover(request, actor, row, form)
            return redirect("stock_handover", handover_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "handover": row,
        "form": form,
        "is_mine": row.sent_by_id == actor.user_id,
        "breadcrumbs": [_STOCK, {"label": f"Handover {handover_id}"}],
    }
    return render(request, "stock/handover.html", context)


def _handover_form(
    actor: Actor, row: queries.HandoverRow, posted: Any
) -> AcceptForm | SettleForm | None:
    if row.state == "sent" and row.sent_by_id != actor.user_id and _may_accept(actor, row):
        return AcceptForm(posted, auto_id="%s")
    involved = (row.sent_by_id, row.accepted_by_id)
    if (
        row.state == "lacking"
        and actor.user_id not in involved
        and _may_settle(actor, row.center_id)
    ):
        return SettleForm(posted, auto_id="%s")
    return None


def _may_settle(actor: Actor, center_id: int | None) -> bool:
    return actor.may("stock.receive" if center_id is None else "stock.settle", center_id)


def _may_accept(actor: Actor, row: queries.HandoverRow) -> bool:
    if row.center_id is None:
        return actor.may("stock.receive")
    return any(place.place_id == row.target_id for place in _own_places(actor))


def _work_on_handover(
    request: OfficeRequest,
    actor: Actor,
    row: queries.HandoverRow,
    form: AcceptForm | SettleForm,
) -> None:
    now, typed = timezone.now(), form.cleaned_data
    if isinstance(form, AcceptForm):
        if handing.accept(actor, row.handover_id, typed["numbers"], now):
            messages.warning(request, "Accepted. Some did not arrive; another person settles it.")
        else:
            messages.success(request, "Accepted: all of it arrived.")
    else:
        handing.settle_handover(
            actor, row.handover_id, now, was_sent=typed["was_sent"], note=typed["note"]
        )
        messages.success(request, "Settled.")


@needs("stock.view")
@require_http_methods(["GET", "HEAD", "POST"])
def count(request: OfficeRequest) -> HttpResponse:
    """Counts what lies at a place, without being told what should."""
    actor = actor_of_page(request)
    initial = {"place": request.GET.get("place", ""), "kind": request.GET.get("kind", "")}
    form = CountForm(actor, request.POST or None, initial=initial, auto_id="%s")
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            made = counting.count_stock(
                actor, typed["place"], typed["kind"], typed["numbers"], timezone.now()
            )
            if made.is_settled:
                messages.success(request, "Counted: it agrees.")
            return redirect("stock_counted", made.pk)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {"form": form, "breadcrumbs": [_STOCK, {"label": "Count"}]}
    return render(request, "stock/count.html", context)


@needs("stock.view")
@require_http_methods(["GET", "HEAD", "POST"])
def counted(request: OfficeRequest, count_id: int) -> HttpResponse:
    """A count: what it found, and how another person settles what differs."""
    actor = actor_of_page(request)
    row = queries.count_row(count_id)
    drawer = counter.open_session_of(actor.user_id)
    is_theirs = row.counted_by_id == actor.user_id
    may_settle = not row.is_settled and not is_theirs and _may_settle(actor, row.center_id)
    form = NoteForm(request.POST or None, auto_id="%s") if may_settle else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            counting.settle_count(actor, count_id, form.cleaned_data["note"], timezone.now())
            messages.success(request, "Settled.")
            return redirect("stock_counted", count_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "count": row,
        "form": form,
        "is_theirs": is_theirs,
        "drawer": drawer,
        "breadcrumbs": [_STOCK, {"label": f"Count {count_id}"}],
    }
    return render(request, "stock/counted.html", context)


@needs("stock.view")
@require_http_methods(["GET", "HEAD", "POST"])
def spoil(request: OfficeRequest) -> HttpResponse:
    """Takes spoiled items out of use before a second person, who signs at this screen."""
    actor = actor_of_page(request)
    form = SpoilForm(actor, request, request.POST or None, auto_id="%s")
    if request.method == "POST" and form.is_valid() and form.approver is not None:
        typed = form.cleaned_data
        try:
            made = handing.spoil(
                actor,
                form.approver,
                typed["place"],
                typed["kind"],
                typed["numbers"],
                typed["reason"],
                timezone.now(),
            )
            messages.success(request, f"{made:,} taken out of use.")
            return redirect("stock")
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {"form": form, "breadcrumbs": [_STOCK, {"label": "Spoiled items"}]}
    return render(request, "stock/spoil.html", context)


@needs("stock.view")
@require_safe
def number(request: OfficeRequest) -> HttpResponse:
    """The way of one number through the city."""
    form = NumberForm(request.GET or None, auto_id="number_%s")
    shown = ""
    moves: list[queries.MoveRow] = []
    if form.is_bound and form.is_valid():
        try:
            shown, moves = queries.way_of_number(
                form.cleaned_data["kind"], form.cleaned_data["number"]
            )
        except Refused as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "shown": shown,
        "moves": moves,
        "sale": queries.sale_of(form.cleaned_data["kind"], shown) if moves else None,
        "breadcrumbs": [_STOCK, {"label": "A number"}],
    }
    return render(request, "stock/number.html", context)


@needs("stock.view")
@require_safe
def place(request: OfficeRequest, place_id: int) -> HttpResponse:
    """One place: what lies there, and what came and went."""
    row = queries.place(place_id)
    page = page_of(
        request,
        queries.count_moves_of(place_id),
        lambda limit, offset: queries.moves_of(place_id, limit, offset),
        MOVES,
    )
    context = {
        "place": row,
        "title": capfirst(row.name),
        "stock": [each for each in queries.stock() if each.place_id == place_id],
        "page": page,
        "is_mine": row in _own_places(actor_of_page(request)),
        "breadcrumbs": [_STOCK, {"label": capfirst(row.name)}],
    }
    return render(request, "stock/place.html", context)


_SHEET_COLUMNS = (
    "In the morning",
    "Received",
    "Sold",
    "Taken back",
    "Spoiled",
    "Handed on",
    "Missing",
    "In the evening",
)
_SHEET = [
    Column("Place"),
    Column("Kind"),
    *(Column(label, "whole") for label in _SHEET_COLUMNS),
]


@needs("stock.view")
@require_safe
def sheet(request: OfficeRequest) -> HttpResponse:
    """The stock sheet of a center's day, on the page or as CSV."""
    known = centers()
    own = [row.center_id for row in known if row.center_id in actor_of_page(request).center_ids]
    first = (own or [row.center_id for row in known] or [0])[0]
    initial = {"center": first, "day": timezone.localdate()}
    form = SheetForm(request.GET if "center" in request.GET else None, initial=initial)
    if not form.is_bound:
        form = SheetForm({key: str(value) for key, value in initial.items()})
    rows: list[queries.SheetRow] = []
    day: date | None = None
    sales: list[queries.SaleRow] = []
    if form.is_valid():
        day = form.cleaned_data["day"]
        rows = queries.sheet(form.cleaned_data["center"], day, settings.TIME_ZONE)
        sales = queries.sales_of_day(form.cleaned_data["center"], day)
        if request.GET.get("form") == "csv":
            table = Table(f"Stock {day}", _SHEET, [_line(row) for row in rows])
            return csv_file(f"stock-{day}", table)
    context = {
        "form": form,
        "rows": rows,
        "labels": _SHEET_COLUMNS,
        "sales": sales,
        "unpaid": [sale for sale in sales if sale.open_cents],
        "day": day,
        "file": f"{reverse('stock_sheet')}?{request.GET.urlencode()}&form=csv",
        "breadcrumbs": [_STOCK, {"label": "Sheet of a day"}],
    }
    return render(request, "stock/sheet.html", context)


def _line(row: queries.SheetRow) -> list[Any]:
    return [
        row.place, row.kind, row.opening, row.received, row.sold, row.taken_back, row.spoiled,
        row.handed_on, row.missing, row.closing,
    ]  # fmt: skip


urlpatterns = [
    path("stock/", board, name="stock"),
    path("stock/send/", send, name="stock_send"),
    path("stock/handovers/<int:handover_id>/", handover, name="stock_handover"),
    path("stock/count/", count, name="stock_count"),
    path("stock/counts/<int:count_id>/", counted, name="stock_counted"),
    path("stock/spoiled/", spoil, name="stock_spoil"),
    path("stock/number/", number, name="stock_number"),
    path("stock/places/<int:place_id>/", place, name="stock_place"),
    path("stock/sheet/", sheet, name="stock_sheet"),
]

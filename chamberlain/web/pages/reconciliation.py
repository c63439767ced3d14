"""Reconciliation: the bank's files, deposits found on them, and days signed by two people."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chamberlain.cashiering.listings import center_board
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import BadFile, Refused
from chamberlain.reconciliation import listings, operations, queries
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.paging import page_of

RECORDS_SHOWN = 200


class BankFileForm(forms.Form):
    """A file from the bank."""

    file = forms.FileField(label="Bank file (BAI2)", max_length=120)


class PostingDayForm(forms.Form):
    """The open business day that a matching is posted on."""

    day = forms.TypedChoiceField(label="Post on the open day of", coerce=int)

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = [
            (row.business_day_id, f"{row.name}, {row.day:%B %-d, %Y}")
            for row in center_board()
            if row.is_open and row.day and actor.may("deposit.match", row.center_id)
        ]
        self.fields["day"].choices = self.choices  # type: ignore[attr-defined]


class ByHandForm(PostingDayForm):
    """Why a deposit and a line of the bank are the same money."""

    deposit = forms.IntegerField(widget=forms.HiddenInput)
    line = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(label="Why are they the same money?", max_length=200)


class NoteForm(forms.Form):
    """What the preparer says about the differences of a day."""

    note = forms.CharField(
        label="Note", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def _tabs(here: str) -> list[dict[str, Any]]:
    places = (
        ("Days", "reconciliation"),
        ("Bank and deposits", "reconciliation_bank"),
        ("Matched", "reconciliation_matched"),
        ("Bank files", "reconciliation_files"),
    )
    return [
        {"label": label, "url": reverse(name), "current": name == here} for label, name in places
    ]


@require_GET
@needs("reconciliation.view")
def days(request: OfficeRequest) -> HttpResponse:
    """Business days with how far their reconciliation is."""
    page = page_of(
        request,
        listings.count_business_days(),
        lambda limit, offset: queries.reconciliations(limit + offset)[offset:],
    )
    return render(
        request, "reconciliation/days.html", {"page": page, "tabs": _tabs("reconciliation")}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reconciliation.view")
def bank(request: OfficeRequest) -> HttpResponse:
    """What is on its way, what the bank shows, and what of it may be the same money."""
    return _bank(request)


def _bank(
    request: OfficeRequest,
    upload: BankFileForm | None = None,
    records: tuple[Any, ...] = (),
    by_hand: ByHandForm | None = None,
    refusal: str = "",
) -> HttpResponse:
    actor = actor_of_page(request)
    deposits, lines = queries.unmatched_deposits(), queries.unmatched_lines()
    possible = queries.possibilities()
    context = {
        "tabs": _tabs("reconciliation_bank"),
        "upload": upload or BankFileForm(),
        "records": records[:RECORDS_SHOWN],
        "more_records": max(len(records) - RECORDS_SHOWN, 0),
        "deposits": page_of(
            request, len(deposits), lambda n, at: deposits[at : at + n], parameter="deposits"
        ),
        "lines": page_of(request, len(lines), lambda n, at: lines[at : at + n], parameter="lines"),
        "clear": sum(pair.kind == "clear" for pair in possible),
        "unclear": [pair for pair in possible if pair.kind != "clear"],
        "matching": PostingDayForm(actor),
        "by_hand": by_hand,
        "refusal": refusal,
        "may_read": actor.may("bank_file.read"),
        "may_match": actor.may("deposit.match"),
    }
    return render(request, "reconciliation/bank.html", context)


@require_POST
@needs("bank_file.read")
def read_file(request: OfficeRequest) -> HttpResponse:
    """Reads a file of the bank, or lists every bad line of it."""
    form = BankFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _bank(request, upload=form)
    file = form.cleaned_data["file"]
    try:
        file_id = operations.read_bank_file(
            actor_of_page(request), file.name, file.read(), timezone.now()
        )
    except BadFile as refusal:
        form.add_error("file", refusal.sentence)
        return _bank(request, upload=form, records=refusal.records)
    except Refused as refusal:
        form.add_error("file", refusal.sentence)
        return _bank(request, upload=form)
    return HttpResponseRedirect(reverse("reconciliation_file", args=[file_id]))


@require_POST
@needs("deposit.match")
def match(request: OfficeRequest) -> HttpResponse:
    """Matches what is clear, and says what was left to a person."""
    actor = actor_of_page(request)
    form = PostingDayForm(actor, request.POST)
    if not form.is_valid():
        return _bank(request, refusal="Choose an open business day to post on.")
    try:
        result = operations.match_deposits(actor, form.cleaned_data["day"], timezone.now())
    except Refused as refusal:
        return _bank(request, refusal=refusal.sentence)
    found = len(result.found)
    left = len(result.ambiguous_deposit_ids) + len(result.differing)
    sentence = f"{found} matched; {left} left for you to decide." if left else f"{found} matched."
    messages.success(request, sentence)
    there = "reconciliation_matched" if found else "reconciliation_bank"
    return HttpResponseRedirect(reverse(there))


@require_http_methods(["GET", "HEAD", "POST"])
@needs("deposit.match")
def match_by_hand(request: OfficeRequest) -> HttpResponse:
    """Matches a deposit with a line because a person knows why."""
    actor = actor_of_page(request)
    form = ByHandForm(actor, request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            operations.match_by_hand(
                actor,
                chosen["deposit"],
                chosen["line"],
                chosen["reason"],
                chosen["day"],
                timezone.now(),
            )
            messages.success(request, "The deposit was matched.")
            return HttpResponseRedirect(reverse("reconciliation_bank"))
        except Refused as refusal:
            say_refusal(form, refusal)
    return _bank(request, by_hand=form if request.method == "POST" else None)


@require_GET
@needs("reconciliation.view")
def matched(request: OfficeRequest) -> HttpResponse:
    """What was matched, and why."""
    context = {
        "tabs": _tabs("reconciliation_matched"),
        "page": page_of(request, listings.count_matches(), listings.matches),
    }
    return render(request, "reconciliation/matched.html", context)


@require_GET
@needs("reconciliation.view")
def files(request: OfficeRequest) -> HttpResponse:
    """The bank's files that were read."""
    context = {"tabs": _tabs("reconciliation_files"), "files": queries.bank_files()}
    return render(request, "reconciliation/files.html", context)


@require_GET
@needs("reconciliation.view")
def file(request: OfficeRequest, file_id: int) -> HttpResponse:
    """One file with its statements and lines."""
    view = queries.bank_file(file_id)
    crumbs = [
        {"label": "Reconciliation", "url": reverse("reconciliation")},
        {"label": "Bank files", "url": reverse("reconciliation_files")},
        {"label": view.name},
    ]
    return render(request, "reconciliation/file.html", {"file": view, "breadcrumbs": crumbs})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reconciliation.view")
def day(request: OfficeRequest, business_day_id: int) -> HttpResponse:
    """A center's day: the differences first, then tender by tender; prepared here, signed here."""
    form = NoteForm(request.POST or None)
    refusal = ""
    if request.method == "POST":
        form.is_valid()
        try:
            _prepare_or_sign(request, business_day_id, form)
            return HttpResponseRedirect(reverse("reconciliation_day", args=[business_day_id]))
        except Refused as refused:
            if refused.field == "note":
                form.add_error("note", refused.sentence)
            else:
                refusal = refused.sentence
    view = queries.reconciliation(business_day_id)
    if request.method != "POST":
        form = NoteForm(initial={"note": view.note})
    return render(request, "reconciliation/day.html", _day_context(request, view, form, refusal))


def _prepare_or_sign(request: OfficeRequest, business_day_id: int, form: NoteForm) -> None:
    actor, now = actor_of_page(request), timezone.now()
    if request.POST.get("do") == "sign":
        operations.sign_reconciliation(actor, business_day_id, now)
        messages.success(request, "Signed.")
        return
    note = str(form.cleaned_data.get("note", request.POST.get("note", "")))
    operations.prepare_reconciliation(actor, business_day_id, note, now)
    messages.success(request, "Prepared. Another person signs it.")


def _day_context(
    request: OfficeRequest, view: queries.ReconciliationView, form: NoteForm, refusal: str
) -> dict[str, Any]:
    actor = actor_of_page(request)
    is_prepared, is_signed = view.prepared_at is not None, view.signed_at is not None
    return {
        "day": view,
        "tenders": listings.figures_by_tender(view.business_day_id),
        "form": form,
        "refusal": refusal,
        "may_prepare": view.is_closed and not is_signed and actor.may("reconciliation.prepare"),
        "may_sign": is_prepared and not is_signed and actor.may("reconciliation.sign"),
        "is_preparer": view.prepared_by_id == actor.user_id,
        "steps": _steps(view),
        "breadcrumbs": [
            {"label": "Reconciliation", "url": reverse("reconciliation")},
            {"label": f"{view.center_name}, {view.day:%B %-d, %Y}"},
        ],
    }


def _steps(view: queries.ReconciliationView) -> list[dict[str, str]]:
    done = (
        ("Day closed", view.is_closed, ""),
        ("Prepared", view.prepared_at is not None, view.prepared_by),
        ("Signed", view.signed_at is not None, view.signed_by),
    )
    steps: list[dict[str, str]] = []
    for label, is_done, who in done:
        is_next = not is_done and all(step["state"] == "done" for step in steps)
        state = "done" if is_done else "current" if is_next else "ahead"
        steps.append({"label": label, "state": state, "note": who})
    return steps


urlpatterns = [
    path("reconciliation/", days, name="reconciliation"),
    path("reconciliation/bank/", bank, name="reconciliation_bank"),
    path("reconciliation/bank/read", read_file, name="reconciliation_read"),
    path("reconciliation/bank/match", match, name="reconciliation_match"),
    path("reconciliation/bank/by-hand", match_by_hand, name="reconciliation_by_hand"),
    path("reconciliation/matched/", matched, name="reconciliation_matched"),
    path("reconciliation/files/", files, name="reconciliation_files"),
    path("reconciliation/files/<int:file_id>/", file, name="reconciliation_file"),
    path("reconciliation/days/<int:business_day_id>/", day, name="reconciliation_day"),
]

"""The bank beside the deposits: what waits, what may be the same money, and what a line is."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chamberlain.cashiering.listings import center_board
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.kernel.money import parse_cents
from chamberlain.reconciliation import listings, operations, queries, question_list
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.fields import DollarsField
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.bank_files import BankFileForm
from chamberlain.web.pages.reconciliation import tabs
from chamberlain.web.paging import page_of
from chamberlain.web.second_person import SecondPersonForm

_HERE = {"label": "Bank and deposits", "url": "/reconciliation/bank/"}


class PostingDayForm(forms.Form):
    """The open business day that something is posted on."""

    day = forms.TypedChoiceField(label="Post on the open day of", coerce=int)

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = [
            (row.business_day_id, f"{row.name}, {row.day:%B %-d, %Y}")
            for row in center_board()
            if row.is_open and row.day and actor.may("deposit.match", row.center_id)
        ]
        self.fields["day"].choices = self.choices  # type: ignore[attr-defined]


class Ids(forms.TypedMultipleChoiceField):
    """Numbers that boxes were ticked for."""

    def __init__(self) -> None:
        super().__init__(coerce=int, widget=forms.MultipleHiddenInput)

    def valid_value(self, value: str) -> bool:
        """Whether it can be an id; whether there is one is for the operation."""
        return value.isascii() and value.isdigit() and len(value) < 19


class ByHandForm(PostingDayForm):
    """Why deposits and lines of the bank are the same money."""

    deposit = Ids()
    line = Ids()
    reason = forms.CharField(label="Why are they the same money?", max_length=200)


class BookForm(PostingDayForm):
    """What a line of the bank is that is no deposit."""

    kind = forms.ChoiceField(label="What it is", choices=operations.LINE_KINDS)
    reason = forms.CharField(label="How do you know?", max_length=200)


class SplitForm(forms.Form):
    """The parts of a line."""

    parts = forms.CharField(
        label="Amounts of the parts, one in each row",
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )


class AskForm(forms.Form):
    """What a center is asked. centers: for a line; a deposit's center is known."""

    center = forms.TypedChoiceField(label="Ask", coerce=int)
    text = forms.CharField(
        label="Question", max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, asks_center: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asks_center:
            choices = [(row.center_id, row.name) for row in center_board()]
            self.fields["center"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["center"]


class ReceiptForm(forms.Form):
    """What the bank acknowledged for a bag."""

    number = forms.CharField(label="Number of the bank's receipt", max_length=40)
    cents = DollarsField(label="Amount that it says")
    received_on = forms.DateField(
        label="Received on", widget=forms.DateInput(attrs={"type": "date"})
    )


@require_GET
@needs("reconciliation.view")
def bank(request: OfficeRequest) -> HttpResponse:
    """What is on its way, what the bank shows, and what of it may be the same money."""
    return show_bank(request)


def show_bank(
    request: OfficeRequest,
    by_hand: ByHandForm | None = None,
    second: SecondPersonForm | None = None,
    refusal: str = "",
) -> HttpResponse:
    """The page, with what was wrong in a form that was sent."""
    actor, today = actor_of_page(request), timezone.localdate()
    deposits = queries.unmatched_deposits()
    possible = queries.possibilities(today)
    context = {
        "tabs": tabs("reconciliation_bank"),
        "upload": BankFileForm(),
        "deposits": page_of(
            request, len(deposits), lambda n, at: deposits[at : at + n], parameter="deposits"
        ),
        "lines": page_of(
            request, queries.count_unmatched_lines(), queries.unmatched_lines, parameter="lines"
        ),
        "ages": queries.ages(today),
        "clear": queries.count_clear(today),
        "unclear": [pair for pair in possible if pair.kind != "clear"],
        "matching": PostingDayForm(actor),
        "by_hand": by_hand or ByHandForm(actor),
        "second": second or SecondPersonForm(request, use_required_attribute=False),
        "chosen": _chosen(by_hand),
        "refusal": refusal,
        "may_read": actor.may("bank_file.read"),
        "may_match": actor.may("deposit.match"),
    }
    return render(request, "reconciliation/bank.html", context)


def _chosen(by_hand: ByHandForm | None) -> dict[str, set[int]]:
    if by_hand is None:
        return {"deposit": set(), "line": set()}
    ticked = {name: by_hand[name].value() or [] for name in ("deposit", "line")}
    return {
        name: {int(each) for each in values if str(each).isdigit()}
        for name, values in ticked.items()
    }


@require_POST
@needs("deposit.match")
def match(request: OfficeRequest) -> HttpResponse:
    """Matches what is clear, and says what was left to a person."""
    actor = actor_of_page(request)
    form = PostingDayForm(actor, request.POST)
    if not form.is_valid():
        return show_bank(request, refusal="Choose an open business day to post on.")
    try:
        result = operations.match_deposits(actor, form.cleaned_data["day"], timezone.now())
    except Refused as refusal:
        return show_bank(request, refusal=refusal.sentence)
    found = len(result.found)
    left = len(result.ambiguous_deposit_ids) + len(result.differing) + result.suggested
    sentence = f"{found} matched; {left} left for you to decide." if left else f"{found} matched."
    messages.success(request, sentence)
    there = "reconciliation_matched" if found else "reconciliation_bank"
    return HttpResponseRedirect(reverse(there))


def _second(request: OfficeRequest) -> tuple[SecondPersonForm | None, bool]:
    """The second person's form when one signed in, and whether it holds."""
    if not request.POST.get("username"):
        return None, True
    second = SecondPersonForm(request, request.POST, use_required_attribute=False)
    return second, second.is_valid()


@require_POST
@needs("deposit.match")
def match_by_hand(request: OfficeRequest) -> HttpResponse:
    """Matches deposits with lines because a person knows why."""
    actor = actor_of_page(request)
    form = ByHandForm(actor, request.POST)
    second, holds = _second(request)
    if form.is_valid() and holds:
        chosen = form.cleaned_data
        try:
            operations.match_by_hand(
                actor,
                chosen["deposit"],
                chosen["line"],
                chosen["reason"],
                chosen["day"],
                timezone.now(),
                second.approver if second else None,
            )
            many = len(chosen["deposit"]) > 1
            messages.success(
                request, "The deposits were matched." if many else "The deposit was matched."
            )
            return HttpResponseRedirect(reverse("reconciliation_bank"))
        except Refused as refusal:
            say_refusal(form, refusal)
    return show_bank(request, by_hand=form, second=second)


@require_GET
@needs("reconciliation.view")
def matched(request: OfficeRequest) -> HttpResponse:
    """What was matched, and why."""
    context = {
        "tabs": tabs("reconciliation_matched"),
        "page": page_of(request, listings.count_matches(), listings.matches),
    }
    return render(request, "reconciliation/matched.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reconciliation.view")
def line(request: OfficeRequest, line_id: int) -> HttpResponse:
    """One line of the bank: booked for what it is, split, or asked about."""
    actor = actor_of_page(request)
    do = request.POST.get("do", "") if request.method == "POST" else ""
    book = BookForm(actor, request.POST if do == "book" else None, auto_id="book_%s")
    split = SplitForm(request.POST if do == "split" else None, auto_id="split_%s")
    ask = AskForm(request.POST if do == "ask" else None, auto_id="ask_%s", asks_center=True)
    second, holds = _second(request)
    form: forms.Form = {"book": book, "split": split, "ask": ask}.get(do, book)
    if do and form.is_valid() and holds:
        try:
            messages.success(request, _do_with_line(request, line_id, do, form, second))
            return redirect("reconciliation_bank")
        except Refused as refusal:
            say_refusal(form, refusal)
    view = queries.bank_line(line_id)
    context = {
        "line": view,
        "book": book,
        "split": split,
        "ask": ask,
        "second": second
        or SecondPersonForm(request, auto_id="book_%s", use_required_attribute=False),
        "failed": form if do else None,
        "questions": question_list.questions_about(line_id=line_id),
        "may_match": actor.may("deposit.match") and not view.became,
        "breadcrumbs": [_HERE, {"label": f"Line of {view.value_on:%B %-d, %Y}"}],
    }
    return render(request, "reconciliation/line.html", context)


def _do_with_line(
    request: OfficeRequest,
    line_id: int,
    do: str,
    form: forms.Form,
    second: SecondPersonForm | None,
) -> str:
    """Does what was asked with the line; what is said of it."""
    actor, now, told = actor_of_page(request), timezone.now(), form.cleaned_data
    if do == "split":
        amounts = [parse_cents(row, field="parts") for row in told["parts"].split() if row]
        sign = 1 if queries.bank_line(line_id).cents > 0 else -1
        operations.split_line(actor, line_id, [sign * each for each in amounts], now)
        return "The line was split; each part waits on its own."
    if do == "ask":
        operations.ask_center(actor, told["text"], now, line_id=line_id, center_id=told["center"])
        return "The question was sent to the center."
    approver = second.approver if second else None
    operations.book_line(actor, line_id, told["kind"], told["reason"], told["day"], now, approver)
    return "The line was booked."


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reconciliation.view")
def deposit(request: OfficeRequest, deposit_id: int) -> HttpResponse:
    """One deposit with the questions about it."""
    actor = actor_of_page(request)
    do = request.POST.get("do", "")
    ask = AskForm(request.POST if do == "ask" else None, asks_center=False, auto_id="ask_%s")
    receipt = ReceiptForm(request.POST if do == "receipt" else None, auto_id="receipt_%s")
    form: forms.Form | None = {"ask": ask, "receipt": receipt}.get(do)
    if form is not None and form.is_valid():
        told, now = form.cleaned_data, timezone.now()
        try:
            if do == "ask":
                operations.ask_center(actor, told["text"], now, deposit_id=deposit_id)
                messages.success(request, "The question was sent to the center.")
            else:
                operations.enter_bank_receipt(
                    actor, deposit_id, told["number"], told["cents"], told["received_on"], now
                )
                messages.success(request, "The bank's receipt was kept.")
            return redirect("reconciliation_deposit", deposit_id)
        except Refused as refusal:
            say_refusal(form, refusal)
    view = queries.deposit(deposit_id)
    context = {
        "deposit": view,
        "ask": ask,
        "receipt": receipt,
        "failed": form if form is not None and form.errors else None,
        "may_receive": not view.receipt_number and actor.may("deposit.make"),
        "questions": question_list.questions_about(deposit_id=deposit_id),
        "may_ask": actor.may("deposit.match"),
        "breadcrumbs": [_HERE, {"label": view.number}],
    }
    return render(request, "reconciliation/deposit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("reconciliation.view")
def questions(request: OfficeRequest) -> HttpResponse:
    """Questions to centers; who answers for a center answers here."""
    actor = actor_of_page(request)
    wrong: tuple[int, str] | None = None
    if request.method == "POST":
        asked = request.POST.get("question", "")
        question_id = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
        try:
            answer = str(request.POST.get("answer", ""))
            operations.answer_question(actor, question_id, answer, timezone.now())
            messages.success(request, "The answer was kept with the question.")
            return redirect("reconciliation_questions")
        except Invalid as refusal:
            wrong = question_id, refusal.sentence
        except Refused as refusal:
            messages.error(request, refusal.sentence)
    found = question_list.questions(actor.center_ids or None)
    context = {
        "tabs": tabs("reconciliation_questions"),
        "questions": [
            (
                row,
                actor.may("question.answer", row.center_id),
                wrong and wrong[0] == row.question_id,
            )
            for row in found
        ],
        "wrong": wrong[1] if wrong else "",
    }
    return render(request, "reconciliation/questions.html", context)


urlpatterns = [
    path("reconciliation/bank/", bank, name="reconciliation_bank"),
    path("reconciliation/bank/match", match, name="reconciliation_match"),
    path("reconciliation/bank/by-hand", match_by_hand, name="reconciliation_by_hand"),
    path("reconciliation/matched/", matched, name="reconciliation_matched"),
    path("reconciliation/lines/<int:line_id>/", line, name="reconciliation_line"),
    path("reconciliation/deposits/<int:deposit_id>/", deposit, name="reconciliation_deposit"),
    path("reconciliation/questions/", questions, name="reconciliation_questions"),
]

"""Letters: written at the account, kept as sent, and the wording of their templates."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.casework.letters import operations, queries
from chamberlain.casework.letters.fields import CATALOG
from chamberlain.casework.letters.wording import LONGEST_FREE, LONGEST_SUBJECT, blocks_of
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.ledger.queries import account_id_of
from chamberlain.registry import queries as registry
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.accounts import show_account
from chamberlain.web.paging import page_of

_LETTERS = {"label": "Letters", "url": "/letters/"}


class WriteForm(forms.Form):
    """Which letter, and the writer's own paragraph."""

    template = forms.ChoiceField(label="Letter")
    free = forms.CharField(
        label="Your own paragraph",
        max_length=LONGEST_FREE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Plain text; an empty line begins another paragraph.",
    )
    key = forms.CharField(max_length=48, widget=forms.HiddenInput)

    def __init__(self, language: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        found = queries.templates_for(language, timezone.localdate())
        field.choices = [(each.code, each.name) for each in found]


class WordingForm(forms.Form):
    """A new version of a template, and an account to see it with."""

    subject = forms.CharField(max_length=LONGEST_SUBJECT)
    body = forms.CharField(label="Wording", widget=forms.Textarea(attrs={"rows": 16}))
    starts_on = forms.DateField(label="In use from", widget=forms.DateInput(attrs={"type": "date"}))


class SeenWithForm(forms.Form):
    """A real account that a version is seen with."""

    account = forms.CharField(label="See it with account", max_length=24)


def _pdf(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


@needs("contact.view")
@require_http_methods(["GET", "HEAD", "POST"])
def of_account(request: OfficeRequest, number: str) -> HttpResponse:
    """The account's letters, and writing another: seen first, as page or PDF, then sent."""
    account = registry.account_summary(number)
    actor, today = actor_of_page(request), timezone.localdate()
    form = WriteForm(
        account.language, request.POST or None, initial={"key": secrets.token_urlsafe(16)}
    )
    preview = None
    if request.method == "POST" and form.is_valid():
        code, free = form.cleaned_data["template"], form.cleaned_data["free"]
        try:
            if request.POST.get("do") == "send":
                key = form.cleaned_data["key"]
                sent = operations.send_letter(
                    actor, account.account_id, code, today, timezone.now(), key, free
                )
                messages.success(request, f"Letter {sent} is kept as sent.")
                return redirect("letter", sent)
            preview = operations.preview_letter(actor, account.account_id, code, today, free)
            if request.POST.get("do") == "pdf":
                return _pdf(preview.pdf, f"preview-{number}")
        except Refused as refusal:
            say_refusal(form, refusal)

    def fetch(limit: int, offset: int) -> list[queries.LetterRow]:
        return queries.letters_of_account(account.account_id, limit, offset)

    values = {
        "form": form if actor.may("letter.write") else None,
        "preview": preview,
        "page": page_of(request, queries.count_letters(account.account_id), fetch),
    }
    response = show_account(request, account, "letters", values, "letters/of_account.html")
    response.status_code = 422 if form.errors else 200
    return response


@needs("contact.view")
@require_safe
def letter(request: OfficeRequest, number: str) -> HttpResponse:
    """A letter as it was sent."""
    row = queries.letter(number)
    account = f"/accounts/{row.account_number}/"
    values = {
        "row": row,
        "blocks": blocks_of(row.text),
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": row.account_number, "url": account},
            {"label": "Letters", "url": f"{account}letters/"},
            {"label": number},
        ],
    }
    return render(request, "letters/letter.html", values)


@needs("contact.view")
@require_safe
def file(request: OfficeRequest, number: str) -> HttpResponse:
    """The file that was sent."""
    return _pdf(queries.letter_file(actor_of_page(request), number), number)


@needs("letter.propose")
@require_safe
def templates(request: OfficeRequest) -> HttpResponse:
    """Every version of every template, the newest first."""
    values = {"rows": queries.template_versions()}
    return render(request, "letters/templates.html", values)


@needs("letter.propose")
@require_http_methods(["GET", "HEAD", "POST"])
def template(request: OfficeRequest, template_id: int) -> HttpResponse:
    """A version: seen with a real account, decided on, or taken as the start of a new one."""
    row = next((v for v in queries.template_versions() if v.template_id == template_id), None)
    if row is None:
        raise NotFound("There is no such version; look at the list of templates.")
    actor, today, does = actor_of_page(request), timezone.localdate(), request.POST.get("do")
    start = {"subject": row.subject, "body": row.body, "starts_on": today}
    form = WordingForm(request.POST if does == "propose" else None, initial=start)
    seen_with = SeenWithForm(request.POST if does == "see" else None)
    preview = None
    if does == "propose" and form.is_valid():
        wording = operations.Wording(row.code, row.name, row.language, **_given(form))
        try:
            made = operations.propose_template(actor, wording, timezone.now())
            messages.success(request, "Proposed; another person approves it before it is used.")
            return redirect("letter_template", made)
        except Refused as refusal:
            say_refusal(form, refusal)
    if does == "see" and seen_with.is_valid():
        try:
            account_id = account_id_of(seen_with.cleaned_data["account"])
            preview = operations.preview_version(actor, template_id, account_id, today)
        except Refused as refusal:
            seen_with.add_error("account", refusal.sentence)
    values = {
        "row": row,
        "form": form,
        "seen_with": seen_with,
        "preview": preview,
        "fields": CATALOG.values(),
        "may_decide": row.status == "proposed" and actor.may("letter.approve"),
        "breadcrumbs": [_LETTERS, {"label": f"{row.name}, version {row.version}"}],
    }
    wrong = form.errors or seen_with.errors
    return render(request, "letters/template.html", values, status=422 if wrong else 200)


def _given(form: WordingForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("starts_on", "subject", "body")}


@needs("letter.approve")
@require_POST
def decide(request: OfficeRequest, template_id: int) -> HttpResponse:
    """Approves or refuses a version, as the button says."""
    approved = request.POST.get("do") == "approve"
    operations.decide_template(
        actor_of_page(request), template_id, timezone.now(), approved=approved
    )
    messages.success(request, "Approved." if approved else "Refused.")
    return redirect("letter_template", template_id)


urlpatterns = [
    path("accounts/<str:number>/letters/", of_account, name="account_letters"),
    path("letters/", templates, name="letter_templates"),
    path("letters/templates/<int:template_id>/", template, name="letter_template"),
    path("letters/templates/<int:template_id>/decide/", decide, name="decide_letter_template"),
    path("letters/<str:number>/", letter, name="letter"),
    path("letters/<str:number>/file.pdf", file, name="letter_file"),
]

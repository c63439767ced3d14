"""Documents: brought in, looked at beside the property's record, and what they prove."""

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp_replace, csp_update
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.occupancy import billed_otherwise
from chamberlain.kernel.errors import Refused
from chamberlain.registry import document_queries, documents, findings, queries, record
from chamberlain.registry.content import LARGEST_BYTES
from chamberlain.registry.document_queries import KINDS
from chamberlain.registry.findings import FoundOwner
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.registry_forms import OwnerForm, UseForm
from chamberlain.web.paging import page_of

_DOCUMENTS = {"label": "Documents", "url": "/documents/"}
# The page of a document shows it in a frame; the document itself may be framed by that page only.
_may_frame = csp_update({"frame-src": [SELF]})
_may_be_framed = csp_replace({"default-src": [NONE], "frame-ancestors": [SELF]})


class KeepForm(forms.Form):
    """A document that came in."""

    kind = forms.ChoiceField(label="What is it?", choices=[("", "Choose"), *KINDS.items()])
    file = forms.FileField(
        help_text=f"PDF, PNG or JPEG, up to {LARGEST_BYTES // 1024**2} MB",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
    )


class NoteForm(forms.Form):
    """Why nothing was found, or why a change is not right."""

    note = forms.CharField(max_length=200, required=False)


@needs("document.view")
@require_safe
def waiting(request: OfficeRequest) -> HttpResponse:
    """Documents that wait for their review, the oldest first."""
    page = page_of(
        request, document_queries.count_waiting_documents(), document_queries.waiting_documents
    )
    return render(request, "documents/waiting.html", {"page": page, **_lists(request, "review")})


@needs("document.view")
@require_safe
def decisions(request: OfficeRequest) -> HttpResponse:
    """Found changes of type or units that wait for a second person, the oldest first."""
    page = page_of(
        request, document_queries.count_waiting_findings(), document_queries.waiting_findings
    )
    values = {"page": page, **_lists(request, "decision")}
    return render(request, "documents/decisions.html", values)


def _lists(request: OfficeRequest, current: str) -> dict[str, Any]:
    return {
        "kinds": KINDS,
        "tabs": [
            {
                "label": "For review",
                "url": "/documents/",
                "current": current == "review",
                "count": document_queries.count_waiting_documents(),
            },
            {
                "label": "For a second person",
                "url": "/documents/decisions/",
                "current": current == "decision",
                "count": document_queries.count_waiting_findings(),
            },
        ],
    }


@needs("document.keep")
@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: OfficeRequest, property_id: int) -> HttpResponse:
    """Brings a document in for a property."""
    found = record.property_record(property_id)
    form = KeepForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = documents.keep_document(
                actor_of_page(request),
                property_id,
                form.cleaned_data["kind"],
                file.name,
                file.read(LARGEST_BYTES + 1),
                timezone.now(),
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, "The document is kept. Say now what it proves.")
            return redirect("document", made)
    values = {
        "property": found,
        "form": form,
        "breadcrumbs": [
            {"label": "Accounts", "url": "/accounts/"},
            {"label": found.address, "url": f"/properties/{property_id}/"},
            {"label": "Add a document"},
        ],
    }
    return render(request, "documents/keep.html", values, status=422 if form.errors else 200)


@needs("document.view")
@require_safe
def document(request: OfficeRequest, document_id: int) -> HttpResponse:
    """A document beside the property's record."""
    return _document(request, document_id)


@needs("document.view")
@require_safe
def content(request: OfficeRequest, document_id: int) -> HttpResponse:
    """The document itself; the view is logged."""
    file = documents.look_at_document(actor_of_page(request), document_id, timezone.now())
    response = HttpResponse(file.data, content_type=file.media_type)
    response["Content-Disposition"] = f'inline; filename="document-{document_id}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Frame-Options"] = "SAMEORIGIN"
    _may_be_framed(lambda _: response)(request)
    return response


@needs("document.review")
@require_POST
def find_owner(request: OfficeRequest, document_id: int) -> HttpResponse:
    """The document proves an owner."""
    form = OwnerForm(request.POST, auto_id="owner_%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            owner = FoundOwner(form.somebody(), int(given["share"] * 100), given["replaces"])
            findings.find_owner(
                actor_of_page(request),
                document_id,
                owner,
                given["from_on"],
                timezone.now(),
                timezone.localdate(),
                idempotency_key=given["key"],
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, "The owner was recorded from that day on.")
            return redirect("document", document_id)
    return _document(request, document_id, owner_form=form)


@needs("document.review")
@require_POST
def find_use(request: OfficeRequest, document_id: int) -> HttpResponse:
    """The document proves a type and dwelling units."""
    form = UseForm(request.POST, auto_id="use_%s")
    if form.is_valid():
        try:
            findings.find_use(
                actor_of_page(request),
                document_id,
                now=timezone.now(),
                today=timezone.localdate(),
                **form.cleaned_data,
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, "The change waits for a second person to apply it.")
            return redirect("document", document_id)
    return _document(request, document_id, use_form=form)


@needs("document.review")
@require_POST
def finish(request: OfficeRequest, document_id: int) -> HttpResponse:
    """The review is done."""
    form = NoteForm(request.POST, auto_id="finish_%s")
    if form.is_valid():
        try:
            documents.finish_review(
                actor_of_page(request), document_id, timezone.now(), form.cleaned_data["note"]
            )
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(request, "The review is done.")
            return redirect("documents")
    return _document(request, document_id, finish_form=form)


@needs("property.approve_change")
@require_POST
def decide(request: OfficeRequest, document_id: int, finding_id: int) -> HttpResponse:
    """A second person applies a change, or does not and says why."""
    form = NoteForm(request.POST, auto_id="decide_%s")
    is_right = request.POST.get("decision") == "apply"
    if form.is_valid():
        try:
            findings.decide_use(
                actor_of_page(request), finding_id, is_right, timezone.now(),
                form.cleaned_data["note"],
            )  # fmt: skip
        except Refused as refusal:
            say_refusal(form, refusal)
        else:
            messages.success(
                request,
                "The property is changed from that day on."
                if is_right
                else "The change was not applied.",
            )
            return redirect("document", document_id)
    return _document(request, document_id, decide_form=form)


def _document(request: OfficeRequest, document_id: int, **bad: forms.Form) -> HttpResponse:
    actor = actor_of_page(request)
    documents.document_for(actor, document_id)
    found = document_queries.document_row(document_id)
    about = record.property_record(found.property_id)
    use = {"property_type": about.type_code, "dwelling_units": about.dwelling_units}
    values = {
        "document": found,
        "kind": KINDS[found.kind],
        "property": about,
        "owners": queries.owners(found.property_id, timezone.localdate()),
        "findings": document_queries.findings_of_document(document_id),
        "may_rebill": actor.may("bill.rebill"),
        "otherwise": billed_otherwise(found.property_id) if actor.may("billing.view") else [],
        "views": document_queries.views_of_document(document_id),
        "may_review": actor.may("document.review"),
        "may_decide": actor.may("property.approve_change"),
        "me": actor.user_id,
        "owner_form": bad.get("owner_form") or OwnerForm(auto_id="owner_%s"),
        "use_form": bad.get("use_form") or UseForm(initial=use, auto_id="use_%s"),
        "finish_form": bad.get("finish_form") or NoteForm(auto_id="finish_%s"),
        "decide_form": bad.get("decide_form") or NoteForm(auto_id="decide_%s"),
        "bad_form": next(iter(bad.values()), None),
        "breadcrumbs": [_DOCUMENTS, {"label": f"{KINDS[found.kind]}, {about.address}"}],
    }
    page = render(request, "documents/document.html", values, status=422 if bad else 200)
    _may_frame(lambda _: page)(request)
    return page


urlpatterns = [
    path("documents/", waiting, name="documents"),
    path("documents/decisions/", decisions, name="document_decisions"),
    path("documents/<int:document_id>/", document, name="document"),
    path("documents/<int:document_id>/content", content, name="document_content"),
    path("documents/<int:document_id>/owner", find_owner, name="find_owner"),
    path("documents/<int:document_id>/use", find_use, name="find_use"),
    path("documents/<int:document_id>/finish", finish, name="finish_review"),
    path("documents/<int:document_id>/decide/<int:finding_id>", decide, name="decide_finding"),
    path("properties/<int:property_id>/documents/new", keep, name="keep_document"),
]

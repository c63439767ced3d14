"""Full payment certificates at the desk: the board, an application and its steps, the document."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.certificates import operations, queries
from chamberlain.billing.certificates.documents import certificate_pdf, spaced
from chamberlain.billing.certificates.queries import ApplicationRow
from chamberlain.identity.actors import Actor
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import open_day
from chamberlain.web.access import actor_of_page, needs, say_refusal
from chamberlain.web.middleware import OfficeRequest
from chamberlain.web.pages.certificates_forms import (
    AcceptForm,
    ApplicationForm,
    DeedForm,
    MoveForm,
    NoForm,
    ReadForm,
    ReasonForm,
    ReviewForm,
)
from chamberlain.web.paging import page_of

_CRUMB = {"label": "Certificates", "url": "/certificates/"}


@needs("account.view")
@require_safe
def board(request: OfficeRequest) -> HttpResponse:
    """Applications under way, those that will miss their closing first; and those that ended."""
    waiting = queries.board(timezone.localdate())
    values = {
        "waiting": waiting,
        "missing": sum(row.misses for row in waiting),
        "page": page_of(request, queries.count_ended(), queries.latest_applications, 25),
        "may_apply": actor_of_page(request).may("certificate.apply"),
    }
    return render(request, "certificates/board.html", values)


def say_missing(form: Form, refusal: Refused) -> None:
    """Shows everything that an application lacks, each beside its field."""
    if isinstance(refusal, operations.Incomplete):
        for field, sentence in refusal.missing:
            form.add_error(field, sentence)
    else:
        say_refusal(form, refusal)


@needs("certificate.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def new_application(request: OfficeRequest) -> HttpResponse:
    """An application at the desk."""
    today = timezone.localdate()
    form = ApplicationForm(queries.exemptions_on(today), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            number = operations.submit_application(
                actor_of_page(request), form.asked(), today, timezone.now(),
                form.cleaned_data["key"],
            )  # fmt: skip
            messages.success(request, f"Application {number} was received.")
            return redirect("certificate_application", number)
        except Refused as refusal:
            say_missing(form, refusal)
    values = {"form": form, "breadcrumbs": [_CRUMB, {"label": "New application"}]}
    status = 422 if form.errors else 200
    return render(request, "certificates/new.html", values, status=status)


Act = Callable[[Actor, ApplicationRow, Any], str]


def _day_id() -> int:
    day = open_day(revenue_office().center_id)
    if day is None:
        raise NotFound("The revenue office has no open day; ask for it to be opened.")
    return int(day.pk)


def _accept(actor: Actor, found: ApplicationRow, form: Form) -> str:
    seen = operations.Identification(
        form.cleaned_data["government_id"], form.cleaned_data["attorney_card"]
    )
    fee = operations.accept_application(actor, found.number, seen, _day_id(), timezone.now())
    return "Accepted. The fee can be paid at any counter." if fee else "Accepted, without a fee."


def _read(actor: Actor, found: ApplicationRow, form: Form) -> str:
    operations.record_final_read(
        actor,
        form.cleaned_data["order"],
        form.cleaned_data["read_on"],
        form.cleaned_data["register"],
        timezone.localdate(),
    )
    return "The final read was taken."


def _review(actor: Actor, found: ApplicationRow, form: Form) -> str:
    operations.review_account(actor, found.number, form.cleaned_data["review"], timezone.now())
    return "The review was noted."


def _payoff(actor: Actor, found: ApplicationRow, form: Form) -> str:
    cents = operations.set_payoff(actor, found.number, _day_id(), timezone.now())
    return f"The payoff was set: {show_cents(cents)} were raised, payable at any counter."


def _issue(actor: Actor, found: ApplicationRow, form: Form) -> str:
    number = operations.issue_certificate(actor, found.number, timezone.localdate(), timezone.now())
    return f"Certificate {number} was issued."


def _reissue(actor: Actor, found: ApplicationRow, form: Form) -> str:
    number = operations.reissue_certificate(
        actor, found.number, form.cleaned_data["reason"], timezone.localdate(), timezone.now()
    )
    return f"Certificate {number} was issued in the place of the one before."


def _move(actor: Actor, found: ApplicationRow, form: Form) -> str:
    operations.move_closing(
        actor, found.number, form.cleaned_data["closing_on"], timezone.localdate()
    )
    return "The closing date was moved."


def _withdraw(actor: Actor, found: ApplicationRow, form: Form) -> str:
    operations.withdraw_application(
        actor, found.number, form.cleaned_data["reason"], _day_id(), timezone.now()
    )
    return f"Application {found.number} was withdrawn."


def _deed(actor: Actor, found: ApplicationRow, form: DeedForm) -> str:
    typed = form.cleaned_data
    deed = operations.Deed(typed["deed"], typed["owned_from"], form.somebody())
    account = operations.apply_deed(actor, found.number, deed, timezone.localdate(), timezone.now())
    return f"The buyer owns the property; the service is billed to account {account}."


STEPS: dict[str, tuple[type[Form], Act]] = {
    "accept": (AcceptForm, _accept),
    "read": (ReadForm, _read),
    "review": (ReviewForm, _review),
    "payoff": (NoForm, _payoff),
    "issue": (NoForm, _issue),
    "reissue": (ReasonForm, _reissue),
    "deed": (DeedForm, _deed),
    "move": (MoveForm, _move),
    "withdraw": (ReasonForm, _withdraw),
}


@needs("account.view")
@require_safe
def application(request: OfficeRequest, number: str) -> HttpResponse:
    """An application: how far it is, what it needs next, what is to be paid."""
    return _show(request, queries.application(number), "", None)


@needs("account.view")
@require_POST
def take_step(request: OfficeRequest, number: str, step: str) -> HttpResponse:
    """Does the next thing with an application; a refusal is shown in its form."""
    found = queries.application(number)
    kind, act = STEPS[step]
    form = kind(request.POST, prefix=step)
    if form.is_valid():
        try:
            messages.success(request, act(actor_of_page(request), found, form))
            return redirect("certificate_application", found.number)
        except Refused as refusal:
            say_refusal(form, refusal)
    return _show(request, found, step, form)


def _show(
    request: OfficeRequest, found: ApplicationRow, failed: str, form: Form | None
) -> HttpResponse:
    actor = actor_of_page(request)
    first = {"deed": {"owned_from": found.closing_on, "name": found.buyer}}
    forms = {name: kind(prefix=name, initial=first.get(name)) for name, (kind, _) in STEPS.items()}
    if form is not None:
        forms[failed] = form
    orders = queries.final_reads(found.application_id)
    payoff, obstacle = _payoff_or_obstacle(found)
    certificates = queries.certificates_of(found.application_id)
    values = {
        "application": found,
        "forms": forms,
        "failed": form,
        "reads": [
            (order, form if failed == "read" and _is_for(form, order.order_id) else ReadForm(
                prefix="read", auto_id=f"id_read_{order.order_id}_%s",
                initial={"order": order.order_id},
            ))
            for order in orders
        ],
        "payoff": payoff,
        "obstacle": obstacle,
        "certificates": [(each, spaced(each.code)) for each in certificates],
        "earlier": [
            row
            for row in queries.applications_of_account(found.account_id)
            if row.number != found.number
        ],
        "today": timezone.localdate(),
        "steps": _progress(found, has_reads=bool(orders)),
        "may_accept": actor.may("certificate.apply"),
        "may_work": actor.may("certificate.work"),
        "may_transfer": actor.may("property.change"),
        "may_issue": actor.may("certificate.issue"),
        "accepted_it": actor.user_id == found.accepted_by_id,
        "sees_contacts": actor.may("contact.view"),
        "breadcrumbs": [_CRUMB, {"label": found.number}],
    }  # fmt: skip
    status = 422 if form is not None and form.errors else 200
    return render(request, "certificates/application.html", values, status=status)


def _is_for(form: Form | None, order_id: int) -> bool:
    return form is not None and str(form.data.get("read-order")) == str(order_id)


def _payoff_or_obstacle(found: ApplicationRow) -> tuple[queries.Payoff | None, str]:
    if found.stage not in ("accepted", "payable"):
        return None, ""
    try:
        return queries.payoff_of(found.application_id), ""
    except Refused as refusal:
        return None, refusal.sentence


_STAGES = ("received", "accepted", "payable", "issued")


def _progress(found: ApplicationRow, *, has_reads: bool) -> list[dict[str, str]]:
    labels = ("Identification", "Final read" if has_reads else "Review", "Payment", "Certificate")
    reached = _STAGES.index(found.stage) if found.stage in _STAGES else -1
    is_done = found.stage == "issued"
    return [
        {
            "label": label,
            "state": "done" if i < reached or is_done else "current" if i == reached else "ahead",
        }
        for i, label in enumerate(labels)
    ]


@needs("account.view")
@require_safe
def document(request: OfficeRequest, number: str) -> HttpResponse:
    """The certificate as the applicant gets it."""
    actor_of_page(request).require("contact.view")
    pdf = certificate_pdf(number, _site(request))
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{number}.pdf"'
    response["Cache-Control"] = "private, no-store"
    return response


def _site(request: HttpRequest) -> str:
    return request.build_absolute_uri("/")


urlpatterns = [
    path("certificates/", board, name="certificates"),
    path("certificates/new/", new_application, name="new_certificate_application"),
    path("certificates/applications/<str:number>/", application, name="certificate_application"),
    *(
        path(
            f"certificates/applications/<str:number>/{step}/",
            take_step,
            {"step": step},
            name=f"certificate_{step}",
        )
        for step in STEPS
    ),
    path("certificates/<str:number>/document.pdf", document, name="certificate_document"),
]

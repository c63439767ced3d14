"""Full payment certificates for the public, without a sign-in: apply, and verify a certificate.

Nothing that a person types stands in an address or a log. Attempts from one network address are
counted, so that neither account numbers nor codes can be tried out.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.billing.access.codes import application_code
from chamberlain.billing.access.operations import application_by_code
from chamberlain.billing.certificates import operations, queries
from chamberlain.kernel.errors import Refused
from chamberlain.web.attempts import is_too_often, is_tried_too_often
from chamberlain.web.languages import in_chosen_language
from chamberlain.web.pages.certificates import say_missing
from chamberlain.web.pages.certificates_forms import ProgressForm, PublicApplicationForm, VerifyForm

RECEIVED = "certificate_application"


@never_cache
@in_chosen_language
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """An application from the public; identification is shown at the desk afterwards."""
    today = timezone.localdate()
    form = PublicApplicationForm(queries.exemptions_on(today), request.POST or None)
    if request.method == "POST":
        if is_too_often(request, "apply"):
            return render(request, "resident/too_often.html", status=429)
        if form.is_valid():
            try:
                request.session[RECEIVED] = operations.submit_application(
                    None, form.asked(), today, timezone.now(), form.cleaned_data["key"]
                )
                return redirect("certificate_received")
            except Refused as refusal:
                say_missing(form, refusal)
    status = 422 if form.errors else 200
    return render(request, "certificates/apply.html", {"form": form}, status=status)


@never_cache
@in_chosen_language
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """The number of the application that was just made, and what comes next."""
    number = request.session.get(RECEIVED)
    if number is None:
        return redirect("apply_for_certificate")
    return render(
        request, "certificates/received.html", {"number": number, "code": application_code(number)}
    )


@never_cache
@in_chosen_language
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Says whether a number and a code are those of a valid certificate, and nothing else."""
    form = VerifyForm(request.POST or None)
    standing = None
    if request.method == "POST":
        if is_too_often(request, "verify"):
            return render(request, "resident/too_often.html", status=429)
        if form.is_valid():
            typed = form.cleaned_data
            standing = operations.standing_of(
                typed["number"], typed["code"], timezone.localdate()
            ).value
    values = {"form": form, "standing": standing}
    return render(request, "certificates/verify.html", values, status=422 if form.errors else 200)


@never_cache
@in_chosen_language
@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: HttpRequest) -> HttpResponse:
    """Says how an application stands to whoever has its number and its code, and no names."""
    form = ProgressForm(request.POST or None)
    found, was_asked = None, False
    if request.method == "POST":
        number = request.POST.get("number", "").strip().upper()[:16]
        over = [is_too_often(request, "progress"), is_tried_too_often("progress", number)]
        if any(over):
            return render(request, "resident/too_often.html", status=429)
        if form.is_valid():
            was_asked = True
            found = application_by_code(form.cleaned_data["number"], form.cleaned_data["code"])
    values = {"form": form, "found": found, "was_asked": was_asked}
    status = 422 if form.errors else 200
    return render(request, "certificates/progress.html", values, status=status)


urlpatterns = [
    path("certificates/progress/", progress, name="certificate_progress"),
    path("certificates/apply/", apply, name="apply_for_certificate"),
    path("certificates/apply/received/", received, name="certificate_received"),
    path("certificates/verify/", verify, name="verify_certificate"),
]

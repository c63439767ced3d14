"""Full payment certificates for the public, without a sign-in: apply, and verify a certificate.

Nothing that a person types stands in an address or a log. Attempts from one network address are
counted, so that neither account numbers nor codes can be tried out.
"""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chamberlain.billing.certificates import operations, queries
from chamberlain.kernel.errors import Refused
from chamberlain.web.pages.certificates import say_missing
from chamberlain.web.pages.certificates_forms import PublicApplicationForm, VerifyForm

ATTEMPTS = 10
WINDOW_SECONDS = 300
RECEIVED = "certificate_application"


def _is_too_often(request: HttpRequest, what: str) -> bool:
    """Counts an attempt from this address; True when there were too many in the last minutes."""
    key = f"certificate:{what}:{get_adapter(request).get_client_ip(request)}"
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return int(cache.incr(key)) > ATTEMPTS
    except ValueError:  # it ran out in between
        return False


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """An application from the public; identification is shown at the desk afterwards."""
    today = timezone.localdate()
    form = PublicApplicationForm(queries.exemptions_on(today), request.POST or None)
    if request.method == "POST":
        if _is_too_often(request, "apply"):
            return render(request, "429.html", status=429)
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
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """The number of the application that was just made, and what comes next."""
    number = request.session.get(RECEIVED)
    if number is None:
        return redirect("apply_for_certificate")
    return render(request, "certificates/received.html", {"number": number})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Says whether a number and a code are those of a valid certificate, and nothing else."""
    form = VerifyForm(request.POST or None)
    standing = None
    if request.method == "POST":
        if _is_too_often(request, "verify"):
            return render(request, "429.html", status=429)
        if form.is_valid():
            typed = form.cleaned_data
            standing = operations.standing_of(
                typed["number"], typed["code"], timezone.localdate()
            ).value
    values = {"form": form, "standing": standing}
    return render(request, "certificates/verify.html", values, status=422 if form.errors else 200)


urlpatterns = [
    path("certificates/apply/", apply, name="apply_for_certificate"),
    path("certificates/apply/received/", received, name="certificate_received"),
    path("certificates/verify/", verify, name="verify_certificate"),
]

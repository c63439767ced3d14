"""Paying by card on the provider's page, coming back from it, and hearing from the provider."""

import logging
import secrets
from typing import Any, cast

from csp.decorators import csp_update
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chamberlain.billing.access import queries
from chamberlain.billing.access.queries import Held
from chamberlain.billing.access.terms import Terms, terms_on
from chamberlain.cashiering.hosted.operations import (
    Back,
    NotAllowed,
    ask_provider,
    hear,
    start_payment,
)
from chamberlain.cashiering.hosted.provider import NotGenuine, NotReached
from chamberlain.cashiering.hosted.providers import city_provider, is_set_up
from chamberlain.cashiering.hosted.queries import intent_of
from chamberlain.kernel.errors import AlreadyDone, Invalid
from chamberlain.kernel.money import parse_cents, show_cents
from chamberlain.web.pages.resident import show
from chamberlain.web.pages.resident_session import for_resident

PAYING = "resident_payment"
_LARGEST_NOTICE = 16_384
log = logging.getLogger("chamberlain.web")


class PayForm(forms.Form):
    """All that is owed, or another amount."""

    which = forms.ChoiceField(label=gettext_lazy("How much?"), widget=forms.RadioSelect)
    amount = forms.CharField(
        label=gettext_lazy("Other amount"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    key = forms.CharField(
        max_length=64, widget=forms.HiddenInput, initial=lambda: secrets.token_urlsafe(16)
    )

    def __init__(self, owed_cents: int, terms: Terms, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owed_cents = owed_cents
        which: Any = self.fields["which"]
        which.choices = [("other", _("Another amount"))]
        can_pay_all = terms.smallest_payment_cents <= owed_cents <= terms.largest_payment_cents
        if can_pay_all:
            all_of_it = _("All that is owed: %(amount)s") % {"amount": show_cents(owed_cents)}
            which.choices.insert(0, ("all", all_of_it))
        which.choices = which.choices
        which.initial = "all" if can_pay_all else "other"
        self.fields["amount"].help_text = limits_said(
            terms.smallest_payment_cents, terms.largest_payment_cents
        )

    def clean(self) -> dict[str, Any]:
        """Puts the cents that are to be paid under `cents`."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("which") == "all":
            cleaned["cents"] = self.owed_cents
        elif cleaned.get("which") == "other":
            try:
                cleaned["cents"] = int(parse_cents(cleaned.get("amount", "")))
            except Invalid:
                self.add_error("amount", _("Type dollars and cents, such as 48.50."))
        return cleaned


def limits_said(smallest_cents: int, largest_cents: int) -> str:
    """The city's limits in the reader's language."""
    return _("From %(smallest)s to %(largest)s") % {
        "smallest": show_cents(smallest_cents),
        "largest": show_cents(largest_cents),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_resident
def pay(request: HttpRequest, of: Held) -> HttpResponse:
    """Chooses the amount, and goes to the provider's page."""
    if not is_set_up():
        return redirect("resident")
    today = timezone.localdate()
    owed = queries.owed_by(of, today)
    form = PayForm(owed.owed_cents, terms_on(today), request.POST or None)
    if request.method == "POST" and form.is_valid():
        page_url = _started(request, of, form)
        if page_url:
            # The form may be answered by a redirect to the provider's page, and to no other.
            return _leading_to_provider(redirect(page_url))
    status = 422 if form.errors else 200
    return _leading_to_provider(
        show(
            request,
            of,
            "pay",
            {"form": form, "owed": owed, "heading": _("Pay by card")},
            status=status,
        )
    )


def _leading_to_provider(response: HttpResponse) -> HttpResponse:
    origin = city_provider().origin

    @csp_update({"form-action": [origin]})
    def answered(_: HttpRequest) -> HttpResponse:
        return response

    return cast(HttpResponse, answered(HttpRequest()))


def _started(request: HttpRequest, of: Held, form: PayForm) -> str:
    """The address of the provider's page; "" when the form says why there is none."""
    back = Back(
        request.build_absolute_uri(reverse("resident_paid")),
        request.build_absolute_uri(reverse("provider_notices")),
        _("Utility bill"),
        (get_language() or "en")[:2],
    )
    try:
        intent = start_payment(
            of,
            form.cleaned_data["cents"],
            back,
            city_provider(),
            timezone.now(),
            form.cleaned_data["key"],
        )
    except NotAllowed as refusal:
        limits = limits_said(refusal.smallest_cents, refusal.largest_cents)
        form.add_error("amount", _("Give another amount. %(limits)s.") % {"limits": limits})
    except AlreadyDone:
        form.add_error(None, _("This form was used for another payment. Open it again."))
    except NotReached:
        form.add_error(
            None,
            _(
                "The payment provider cannot be reached now. Nothing was charged. Try again "
                "later, or pay at any payment center."
            ),
        )
    else:
        request.session[PAYING] = intent.reference
        if intent.status == "sent":
            return intent.page_url
        return reverse("resident_paid")
    return ""


@require_safe
@for_resident
def paid(request: HttpRequest, of: Held) -> HttpResponse:
    """Says whether the payment was made, is waited for, or was not made."""
    intent = intent_of(of.account_id, request.session.get(PAYING, ""))
    if intent is None:
        return redirect("resident")
    try:
        intent = ask_provider(intent, city_provider(), timezone.now())
    except NotReached:
        log.info("the payment provider does not answer")
    values = {
        "intent": intent,
        "owed": queries.owed_by(of, timezone.localdate()),
        "heading": _("Your payment"),
    }
    return show(request, of, "paid", values)


@csrf_exempt
@require_POST
def notices(request: HttpRequest) -> HttpResponse:
    """What the provider tells us, signed. It is told whether we took it, and nothing else."""
    if int(request.headers.get("Content-Length") or 0) > _LARGEST_NOTICE:
        return JsonResponse({"taken": False}, status=413)
    now = timezone.now()
    try:
        told = city_provider().read_notice(request.headers.get("Signature", ""), request.body, now)
    except NotGenuine:
        log.warning("a notice that the payment provider did not sign was refused")
        return JsonResponse({"taken": False}, status=400)
    except NotReached:
        return JsonResponse({"taken": False}, status=404)
    hear(told, now)
    return JsonResponse({"taken": True})


urlpatterns = [
    path("my-account/pay/", pay, name="resident_pay"),
    path("my-account/pay/done/", paid, name="resident_paid"),
    path("card-payments/notices/", notices, name="provider_notices"),
]

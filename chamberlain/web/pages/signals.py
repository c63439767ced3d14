"""What may be worth a look at the tills, with the arithmetic."""

from datetime import timedelta

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.cashiering import signals as looking
from chamberlain.kernel.errors import Invalid
from chamberlain.web.access import needs, say_refusal
from chamberlain.web.middleware import OfficeRequest

_DAYS = 30


class DaysForm(forms.Form):
    """Which business days."""

    from_on = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    to_on = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}))


@require_safe
@needs("signals.view")
def signals(request: OfficeRequest) -> HttpResponse:
    """Cashiers beside their peers, gaps in numbers, split cash, first digits."""
    today = timezone.localdate()
    shown = {"from_on": f"{today - timedelta(days=_DAYS)}", "to_on": f"{today}"}
    form = DaysForm(request.GET if "from_on" in request.GET else shown, auto_id="%s")
    found = None
    if form.is_valid():
        try:
            found = looking.signals(form.cleaned_data["from_on"], form.cleaned_data["to_on"])
        except Invalid as refusal:
            say_refusal(form, refusal)
    context = {
        "form": form,
        "found": found,
        "peers_min": looking.PEERS_MIN,
        "stands_out": looking.STANDS_OUT,
        "benford_min": looking.BENFORD_MIN,
        "limit": looking.CHI_SQUARE_LIMIT,
        "reported_cents": looking.REPORTED_CASH_CENTS,
    }
    return render(request, "signals/signals.html", context)


urlpatterns = [path("signals/", signals, name="signals")]

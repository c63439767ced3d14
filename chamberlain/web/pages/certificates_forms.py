"""Forms of full payment certificates: at the desk, and on the public pages."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chamberlain.billing.certificates.operations import NewApplication
from chamberlain.web.pages.registry_forms import SomebodyForm

_DAY = {"type": "date"}
_ROLES = (
    ("buyer", gettext_lazy("Buyer")),
    ("seller", gettext_lazy("Seller")),
    ("attorney", gettext_lazy("Attorney for the transaction")),
)


class ApplicationForm(forms.Form):
    """An application. Nothing is required here, so that all that is missing is named at once."""

    key = forms.CharField(
        max_length=64, widget=forms.HiddenInput, initial=lambda: secrets.token_urlsafe(16)
    )
    account_number = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=24,
        required=False,
        help_text=gettext_lazy("On the utility bill of the property"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
    )
    closing_on = forms.DateField(
        label=gettext_lazy("Date of the closing"),
        required=False,
        widget=forms.DateInput(attrs=_DAY),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("The applicant is the"),
        choices=_ROLES,
        required=False,
        widget=forms.RadioSelect,
    )
    applicant = forms.CharField(
        label=gettext_lazy("Applicant's name"), max_length=120, required=False
    )
    phone = forms.CharField(
        label=gettext_lazy("Telephone"),
        max_length=32,
        required=False,
        widget=forms.TextInput({"type": "tel"}),
    )
    attorney_card = forms.CharField(
        label=gettext_lazy("Number of the bar card or county attorney card"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("For attorneys only"),
    )
    seller = forms.CharField(label=gettext_lazy("Seller's name"), max_length=120, required=False)
    buyer = forms.CharField(label=gettext_lazy("Buyer's name"), max_length=120, required=False)
    exemption = forms.ChoiceField(
        label=gettext_lazy("Exemption from the transfer tax"),
        required=False,
        help_text=gettext_lazy("An exempt transfer pays no fee"),
    )

    def __init__(self, exemptions: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["exemption"]
        choice.choices = [
            ("", _("None: the transfer is taxed")),
            *((code, _(name)) for code, name in exemptions),
        ]

    def asked(self) -> NewApplication:
        """What was typed; call it after `is_valid`."""
        typed = dict(self.cleaned_data)
        del typed["key"]
        return NewApplication(**typed)


class PublicApplicationForm(ApplicationForm):
    """The same from the public, who name the parcel too."""

    parcel_number = forms.CharField(
        label=gettext_lazy("Parcel number (PIN)"),
        max_length=32,
        required=False,
        help_text=gettext_lazy("14 digits, on the deed or the tax bill"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class VerifyForm(forms.Form):
    """Number and code of a certificate."""

    number = forms.CharField(
        label=gettext_lazy("Certificate number"),
        max_length=20,
        help_text=gettext_lazy("Such as FPC-000000197"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=24,
        help_text=gettext_lazy("Twelve letters and digits, with or without hyphens"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ProgressForm(forms.Form):
    """Number and code of an application."""

    number = forms.CharField(
        label=gettext_lazy("Application number"),
        max_length=16,
        help_text=gettext_lazy("Such as FPA-000197"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=24,
        help_text=gettext_lazy("Ten letters and digits that you were told with the number"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AcceptForm(forms.Form):
    """What the applicant showed at the desk."""

    government_id = forms.BooleanField(
        label="I have seen a government identity document", required=False
    )
    attorney_card = forms.BooleanField(
        label="I have seen the bar card or county attorney card", required=False
    )


class ReadForm(forms.Form):
    """A final read."""

    order = forms.IntegerField(widget=forms.HiddenInput)
    read_on = forms.DateField(label="Day of the read", widget=forms.DateInput(attrs=_DAY))
    register = forms.IntegerField(
        label="The meter shows",
        min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class ReviewForm(forms.Form):
    """What the review of an account without a meter found."""

    review = forms.CharField(
        label="What the review found",
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class MoveForm(forms.Form):
    """Another closing date."""

    closing_on = forms.DateField(label="New closing date", widget=forms.DateInput(attrs=_DAY))


class DeedForm(SomebodyForm):
    """The deed that came in, and who the buyer is: a customer on file, or somebody new."""

    deed = forms.CharField(
        label="Recorder's number of the deed",
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    owned_from = forms.DateField(
        label="Owned from", widget=forms.DateInput(attrs=_DAY), help_text="The day of the deed"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_number"].label = "Buyer's account, if a customer already"
        self.fields["account_number"].help_text = ""
        self.fields["name"].label = "Or the new customer's name"


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(max_length=200, required=False)


class NoForm(forms.Form):
    """A step that needs nothing but the decision."""

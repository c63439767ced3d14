"""What is typed about customers, properties and moves."""

import secrets
from datetime import date, timedelta
from typing import Any

from django import forms

from chamberlain.kernel.errors import Invalid
from chamberlain.registry import queries
from chamberlain.registry.operations import NewCustomer
from chamberlain.registry.preferences import LANGUAGE_NAMES

PERSON_OR_ORGANIZATION = [("person", "Person"), ("organization", "Organization")]
_FIRST_LANGUAGES = ("en", "es", "pl", "zh-hans")
LANGUAGES = [(code, LANGUAGE_NAMES[code]) for code in _FIRST_LANGUAGES] + sorted(
    ((code, name) for code, name in LANGUAGE_NAMES.items() if code not in _FIRST_LANGUAGES),
    key=lambda language: language[1],
)


class DayField(forms.DateField):
    """A day, chosen in the browser's own calendar."""

    widget = forms.DateInput(attrs={"type": "date"})


def fresh_key() -> str:
    """A key for one form, so that sending it twice does what it asks once."""
    return secrets.token_urlsafe(16)


class SomebodyForm(forms.Form):
    """A customer on file, named by an account, or somebody new."""

    key = forms.CharField(max_length=64, widget=forms.HiddenInput, initial=fresh_key)

    account_number = forms.CharField(
        label="Account number",
        max_length=24,
        required=False,
        help_text="Of somebody who is a customer already; leave it empty for somebody new",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    kind = forms.ChoiceField(label="The new customer is a", choices=PERSON_OR_ORGANIZATION)

    def somebody(self, language: str = "en") -> int | NewCustomer:
        """Who was meant. Raises NotFound for an unknown account, Invalid when neither is given."""
        given = self.cleaned_data
        if given["account_number"] and given["name"]:
            raise Invalid(
                "Give an account number or a new name, not both; clear one of them.", field="name"
            )
        if given["name"]:
            return NewCustomer(given["name"], given["kind"], language)
        if not given["account_number"]:
            raise Invalid(
                "Give the account number of a customer, or the name of a new one.", field="name"
            )
        found = queries.account_summary(given["account_number"])
        if found.customer_id is None:
            raise Invalid(
                "Nobody ever held this account; give another one.", field="account_number"
            )
        return found.customer_id


class MoveInForm(SomebodyForm):
    """Who moves in, and when."""

    language = forms.ChoiceField(label="Language of letters", choices=LANGUAGES)
    on = DayField(label="First day", help_text="Billed from this day on")

    field_order = ("on", "account_number", "name", "kind", "language")


class MoveOutForm(forms.Form):
    """When the holder leaves, and where mail goes."""

    on = DayField(label="Last day", help_text="The last day that is billed to the account")
    address = forms.CharField(
        label="Forwarding address", max_length=160, required=False, help_text="For the final bill"
    )
    postal_code = forms.CharField(label="ZIP code", max_length=12, required=False)

    def clean(self) -> dict[str, Any]:
        """An address needs its ZIP code, and a ZIP code its address."""
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("address")) != bool(cleaned.get("postal_code")):
            missing = "postal_code" if cleaned.get("address") else "address"
            self.add_error(missing, "Give both the address and its ZIP code, or neither.")
        return cleaned

    def first_day_after(self) -> date:
        """The day that does not belong to the account any more."""
        day: date = self.cleaned_data["on"]
        return day + timedelta(days=1)


class TransferForm(forms.Form):
    """Where the holder goes, and when."""

    property = forms.CharField(
        label="New place",
        max_length=24,
        help_text="Its parcel number, or the number of an account there",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    in_on = DayField(label="First day at the new place")
    out_on = DayField(label="Last day at the old place")


class MailingForm(forms.Form):
    """Where an account's mail goes from a day on."""

    addressee = forms.CharField(
        label="Addressee",
        max_length=120,
        required=False,
        help_text="Leave it empty for the holder; a management company or an heir, for example",
    )
    address = forms.CharField(label="Address", max_length=160)
    postal_code = forms.CharField(label="ZIP code", max_length=12)
    from_on = DayField(label="From")


class NameForm(forms.Form):
    """A customer's name."""

    name = forms.CharField(max_length=120)


class ContactForm(forms.Form):
    """A way to reach a customer."""

    kind = forms.ChoiceField(
        choices=[("phone", "Phone"), ("email", "E-mail"), ("mail", "Mailing address")]
    )
    value = forms.CharField(label="Number or address", max_length=160)


class MailForm(forms.Form):
    """How a customer wants to be written to."""

    language = forms.ChoiceField(label="Language of letters", choices=LANGUAGES)
    is_paperless = forms.BooleanField(label="Bills by e-mail, without paper", required=False)


class MarkForm(forms.Form):
    """What the office has to know."""

    kind = forms.ChoiceField(
        label="The customer", choices=[("deceased", "Died"), ("bankrupt", "Is bankrupt")]
    )
    from_on = DayField(label="Since")
    reference = forms.CharField(
        label="Number of the case or certificate", max_length=80, required=False
    )


class NumberForm(forms.Form):
    """A personal number."""

    kind = forms.ChoiceField(
        label="Kind of number",
        choices=[
            ("drivers_license", "Driver's license"),
            ("state_id", "State identification"),
            ("passport", "Passport"),
            ("taxpayer", "Taxpayer number"),
        ],
    )
    number = forms.CharField(max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class OwnerForm(SomebodyForm):
    """An owner whom a document proves."""

    share = forms.DecimalField(
        label="Share", min_value=0, max_value=100, decimal_places=2, initial=100
    )
    from_on = DayField(label="Owner from", help_text="The day of the deed or the closing")
    replaces = forms.TypedChoiceField(
        label="The owners until then",
        choices=[("yes", "No longer own it"), ("no", "Own it together with this one")],
        coerce=lambda choice: choice == "yes",
    )

    field_order = ("name", "kind", "account_number", "share", "from_on", "replaces")


class UseForm(forms.Form):
    """A type and dwelling units that a document proves."""

    property_type = forms.ChoiceField(label="Type")
    dwelling_units = forms.IntegerField(label="Dwelling units", min_value=0, max_value=99_999)
    from_on = DayField(label="From")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["property_type"].choices = [  # type: ignore[attr-defined]
            ("", "Choose"),
            *queries.property_types().items(),
        ]

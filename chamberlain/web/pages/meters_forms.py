"""What is typed about meters: put in, read, exchanged, taken out, read together."""

from collections.abc import Sequence
from typing import Any

from django import forms

from chamberlain.metering.parts import ROLE_NAMES, UNIT_NAMES, SideRow
from chamberlain.web.pages.registry_forms import DayField

_FIGURES = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
_BESIDE = "beside-"


def _register(label: str, hint: str = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, help_text=hint, widget=_FIGURES)


class MeterForm(forms.Form):
    """A meter that is put in."""

    serial = forms.CharField(
        label="Serial number", max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    size = forms.CharField(label="Size", max_length=12, help_text="As the tariff names it")
    unit = forms.ChoiceField(label="Counts in", choices=list(UNIT_NAMES.items()))
    dials = forms.IntegerField(
        label="Dials",
        min_value=3,
        max_value=9,
        initial=6,
        help_text="How many digits it shows",
        widget=_FIGURES,
    )
    register = _register("Shows now", "The figure when it is put in")

    def meter(self) -> dict[str, Any]:
        """What an operation takes of a new meter, without its serial number."""
        return {name: self.cleaned_data[name] for name in ("size", "unit", "dials", "register")}


class BesideForm(forms.Form):
    """A form that also takes what the meters show that are read together with the main one."""

    def __init__(self, *args: Any, sides: Sequence[SideRow] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        for side in sides:
            label = f"{ROLE_NAMES[side.role]} {side.serial} shows"
            self.fields[f"{_BESIDE}{side.serial}"] = _register(label, f"Before: {side.register}")

    def beside(self) -> dict[str, int]:
        """Registers by serial number."""
        return {
            name.removeprefix(_BESIDE): value
            for name, value in self.cleaned_data.items()
            if name.startswith(_BESIDE)
        }


class InstallForm(MeterForm):
    """The first meter of a service point."""

    on = DayField(label="Put in on")
    field_order = ("on",)


class ExchangeForm(BesideForm, MeterForm):
    """One meter out, another in."""

    on = DayField(label="Exchanged on")
    last_register = _register("The old meter shows", "Its last figure")
    field_order = ("on", "last_register")


class RemoveForm(BesideForm):
    """A meter out, none in."""

    on = DayField(label="Taken out on")
    last_register = _register("It shows", "Its last figure")


class ReadForm(BesideForm):
    """What a meter shows on a day."""

    read_on = DayField(label="Read on")
    register = _register("It shows")
    quality = forms.ChoiceField(
        label="Read by",
        choices=[("actual", "The office"), ("customer", "The customer")],
    )


class SideForm(MeterForm):
    """A meter that is read together with the one that is there."""

    role = forms.ChoiceField(
        label="It is the",
        choices=[(role, ROLE_NAMES[role]) for role in ("low_flow", "deduct")],
        help_text="Low flow is added; what a deduct meter counts is subtracted",
    )
    on = DayField(label="From")
    field_order = ("role", "on")

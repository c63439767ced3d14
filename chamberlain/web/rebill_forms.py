"""What a clerk types to have bills set right: the days, and what was wrong."""

import secrets
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms

from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.operations import NOTE_MAX, NewRebill
from chamberlain.billing.rebilling.queries import Choices, ReadToCorrect, ReasonRow
from chamberlain.kernel.periods import add_months

SUGGESTED_MONTHS = 12
_SAME = ("", "As it is")
_NONE = "none"


class DayInput(forms.DateInput):
    """A date control as browsers have it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """Which days are to be set right. Sent by GET, since it changes nothing."""

    from_on = forms.DateField(label="First day", widget=DayInput)
    last_on = forms.DateField(
        label="Last day",
        widget=DayInput,
        required=False,
        help_text="Empty: up to today and from now on",
    )

    @classmethod
    def of(cls, given: Any, today: date) -> "PeriodForm":
        """The days that were asked for, or those of the last months."""
        if "from_on" in given:
            return cls(given)
        return cls({"from_on": add_months(today, -SUGGESTED_MONTHS).isoformat()})

    def days(self) -> tuple[date, date | None] | None:
        """The days, with the first day after them; None when the form is not valid."""
        if not self.is_valid():
            return None
        last_on = self.cleaned_data["last_on"]
        return self.cleaned_data["from_on"], last_on and last_on + timedelta(days=1)


class OneBillForm(forms.Form):
    """Why one bill is taken back, or its days billed again."""

    reason = forms.ChoiceField()
    note = forms.CharField(
        label="What happened",
        max_length=NOTE_MAX,
        help_text="It stays with the bill and is shown to the customer who asks",
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, reasons: list[ReasonRow], data: Any = None) -> None:
        super().__init__(data, initial={"key": secrets.token_urlsafe(16)})
        field = self.fields["reason"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.code, each.name) for each in reasons]

    def rebill(
        self, account_number: str, from_on: date, to_on: date, corrections: Corrections
    ) -> NewRebill:
        """The rebill that the valid form asks for."""
        given = self.cleaned_data
        return NewRebill(
            account_number, from_on, to_on, given["reason"], given["note"], corrections
        )


class RebillForm(forms.Form):
    """What was wrong in these days, and why it is set right."""

    reason = forms.ChoiceField()
    note = forms.CharField(
        label="What happened",
        max_length=NOTE_MAX,
        help_text="It stays with the bills and is shown to the customer who asks",
    )
    is_spread = forms.BooleanField(
        label="Spread the usage of these reads evenly over their days", required=False
    )
    rate_class = forms.ChoiceField(required=False)
    dwelling_units = forms.IntegerField(min_value=1, max_value=9999, required=False)
    meter_size = forms.ChoiceField(required=False)
    tariff = forms.ChoiceField(required=False)
    exemptions = forms.MultipleChoiceField(
        label="Exemptions that are right, all of them",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    started_on = forms.DateField(
        label="First day of this account",
        widget=DayInput,
        required=False,
        help_text="The account before it answers up to the day before",
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self,
        reads: list[ReadToCorrect],
        reasons: list[ReasonRow],
        choices: Choices,
        data: Any = None,
    ) -> None:
        super().__init__(data, initial={"key": secrets.token_urlsafe(16)})
        self.reads = {f"read_{read.read_id}": read for read in reads}
        self._choose("reason", [(each.code, each.name) for each in reasons])
        self._choose("rate_class", _or_same(choices.rate_classes))
        self._choose("meter_size", _or_same(choices.meter_sizes))
        self._choose("tariff", [_SAME, *choices.tariffs])
        self._choose(
            "exemptions", [*((code, _words(code)) for code in choices.exemptions), (_NONE, "None")]
        )
        for name, read in self.reads.items():
            self.fields[name] = forms.DecimalField(
                label=f"Usage {read.from_on:%b %-d, %Y} to "
                f"{read.to_on - timedelta(days=1):%b %-d, %Y}",
                min_value=0,
                max_digits=12,
                decimal_places=3,
                required=False,
                initial=_plain(read.usage_thousandths),
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def read_rows(self) -> list[tuple[ReadToCorrect, forms.BoundField]]:
        """The reads with the fields of their usage."""
        return [(read, self[name]) for name, read in self.reads.items()]

    def corrections(self) -> Corrections:
        """What the valid form says was wrong; a usage left as it is was right."""
        given = self.cleaned_data
        exemptions = given["exemptions"]
        return Corrections(
            reads={
                read.read_id: int(given[name] * 1000)
                for name, read in self.reads.items()
                if given[name] is not None and given[name] * 1000 != read.usage_thousandths
            },
            is_spread=given["is_spread"],
            rate_class=given["rate_class"] or None,
            dwelling_units=given["dwelling_units"],
            exemptions=tuple(code for code in exemptions if code != _NONE) if exemptions else None,
            meter_size=given["meter_size"] or None,
            tariff_code=given["tariff"] or None,
            started_on=given["started_on"],
        )

    def rebill(self, account_number: str, from_on: date, to_on: date | None) -> NewRebill:
        """The rebill that the valid form asks for."""
        given = self.cleaned_data
        return NewRebill(
            account_number, from_on, to_on, given["reason"], given["note"], self.corrections()
        )


def _or_same(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [_SAME, *((value, _words(value)) for value in values)]


def _words(code: str) -> str:
    words = code.replace("_", " ")
    return words[:1].upper() + words[1:]


def _plain(thousandths: int) -> str:
    return f"{Decimal(thousandths).scaleb(-3).normalize():f}"

"""Form fields that the office needs: an amount of dollars, and a count of pieces by kind."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import parse_cents, show_cents


class DollarsField(forms.CharField):
    """What a person types for an amount; its value is whole cents, or None when left empty."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "input-money"}
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(max_length=20, **kwargs)

    def clean(self, value: Any) -> int | None:
        """Cents of the text. Raises ValidationError with a sentence to act on."""
        text = str(super().clean(value) or "")
        if not text:
            return None
        try:
            return int(parse_cents(text))
        except Invalid as refusal:
            raise ValidationError(refusal.sentence) from refusal


def dollars(cents: int) -> str:
    """Cents as they are typed into a `DollarsField`."""
    return show_cents(cents).removeprefix("$")


@dataclass(frozen=True, slots=True)
class DenominationRow:
    """A line of `c-denominations`: what was typed, and what is wrong with it."""

    name: str
    label: str
    cents: int
    value: str
    error: str


_LABELS = {
    10_000: "$100 bills",
    5_000: "$50 bills",
    2_000: "$20 bills",
    1_000: "$10 bills",
    500: "$5 bills",
    200: "$2 bills",
    100: "$1 bills and coins",
    50: "Half dollars",
    25: "Quarters",
    10: "Dimes",
    5: "Nickels",
    1: "Pennies",
}
_NOT_WHOLE = "Type a whole number of pieces."


class CountForm(forms.Form):
    """A drawer counted by denomination. Posted as `count-CENTS`; empty lines are none."""

    prefix_of_counts = "count"

    def read_counts(self, prefix: str = "") -> tuple[dict[int, int], list[DenominationRow]]:
        """Pieces by denomination in cents, and the lines as they were typed.

        prefix: of a second count on the same form.
        """
        counts, lines, name = {}, [], prefix or self.prefix_of_counts
        for cents, label in _LABELS.items():
            text = str(self.data.get(f"{name}-{cents}", "")).strip()
            is_whole = text == "" or (text.isascii() and text.isdigit() and len(text) <= 6)
            if is_whole and text:
                counts[cents] = int(text)
            lines.append(
                DenominationRow(str(cents), label, cents, text[:6], "" if is_whole else _NOT_WHOLE)
            )
        return counts, lines

    def clean(self) -> dict[str, Any]:
        """Refuses a line that is not a whole number of pieces."""
        cleaned = super().clean() or self.cleaned_data
        counts, lines = self.read_counts()
        for line in lines:
            if line.error:
                self.add_error(None, f"{line.label}: {line.error}")
        cleaned["counts"] = counts
        return cleaned

    @property
    def lines(self) -> list[DenominationRow]:
        """The lines for the page."""
        return self.read_counts()[1]

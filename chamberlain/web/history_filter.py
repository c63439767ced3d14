"""What a page of history shows: the kind and the days that its address asks for."""

from datetime import date
from urllib.parse import urlencode

from django import forms

from chamberlain.casework import timeline


class DaysForm(forms.Form):
    """The first and the last day, both may be left out."""

    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="Up to", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean_until(self) -> date | None:
        """Refuses a last day before the first."""
        until: date | None = self.cleaned_data.get("until")
        since: date | None = self.cleaned_data.get("since")
        if since and until and until < since:
            raise forms.ValidationError(
                f"The last day, {until}, is before the first, {since}; give a later one."
            )
        return until


class TimelineForm(DaysForm):
    """Days of an account's history, with the kind of event that a link chose."""

    kind = forms.CharField(required=False, widget=forms.HiddenInput)

    def chosen(self) -> timeline.Choice:
        """What is wanted; a value that cannot be read counts as left out."""
        self.is_valid()
        kind = str(self.cleaned_data.get("kind") or "")
        return timeline.Choice(
            kind if kind in timeline.KINDS else "",
            self.cleaned_data.get("since"),
            self.cleaned_data.get("until"),
        )

    def query(self, kind: str | None = None) -> str:
        """The choice as the address has it, with another kind if one is given."""
        chosen = self.chosen()
        wanted = chosen.kind if kind is None else kind
        pairs = {"kind": wanted, "since": chosen.since, "until": chosen.until}
        return urlencode({name: str(value) for name, value in pairs.items() if value})

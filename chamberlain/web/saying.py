"""Days as they are said in the language of the reader."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import pgettext


def month_said(day: date) -> str:
    """`March 2026`, `marzo de 2026`."""
    # Translators: how Django writes a month with its year.
    return date_format(day, pgettext("month", "F Y"))

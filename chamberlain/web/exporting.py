"""Tables as CSV files that a spreadsheet opens."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def dollars_cell(cents: int | None) -> str:
    """Cents as a spreadsheet reads them: `-1234` as `-12.34`, None as an empty cell."""
    if cents is None:
        return ""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def text_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A file to keep; text cells have been through `text_cell`."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows(rows)
    return response

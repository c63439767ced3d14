"""Tables as files to keep: CSV, or a workbook (XLSX)."""

from typing import TextIO, cast

from django.http import HttpResponse
from django.utils import timezone

from chamberlain.kernel.tables import Table, write_csv, xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_file(name: str, table: Table) -> HttpResponse:
    """A table as a CSV file, with the mark by which a spreadsheet knows its letters."""
    response = _file(f"{name}.csv", "text/csv; charset=utf-8")
    response.write("\ufeff")
    write_csv(table, cast(TextIO, response))
    return response


def xlsx_file(name: str, title: str, *tables: Table) -> HttpResponse:
    """Tables as a workbook, a sheet for each."""
    response = _file(f"{name}.xlsx", XLSX)
    response.write(xlsx(tables, title, timezone.localtime()))
    return response


def _file(name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response

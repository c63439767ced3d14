"""Tables as files that a spreadsheet opens: one description, written as CSV or as XLSX.

No cell of a file is taken for a formula, whatever somebody typed into a name or a note.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TextIO

import xlsxwriter

Kind = Literal["text", "whole", "thousandths", "cents", "day"]

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_FORMATS = {"whole": "#,##0", "thousandths": "#,##0.###", "cents": "#,##0.00", "day": "yyyy-mm-dd"}
_WIDTHS = {"text": 24, "whole": 10, "thousandths": 12, "cents": 14, "day": 12}
_LONGEST_SHEET_NAME = 31


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what its cells are.

    text: str; whole: int; thousandths: int, shown in units; cents: int, shown in dollars; day:
    date. None is an empty cell in all of them.
    """

    label: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file; rows have a cell for each column."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[object]]


def columns(names: Iterable[str], **kinds: Kind) -> list[Column]:
    """Columns of text, but for those whose kind is said; underscores stand for blanks."""
    return [Column(name, kinds.get(name.replace(" ", "_"), "text")) for name in names]


def write_csv(table: Table, file: TextIO) -> None:
    """Writes a table with its heading."""
    writer = csv.writer(file)
    writer.writerow([column.label for column in table.columns])
    kinds = [column.kind for column in table.columns]
    writer.writerows(
        [_csv_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in table.rows
    )


def _csv_cell(cell: object, kind: Kind) -> str:
    if cell is None:
        return ""
    if kind == "text":
        text = str(cell)
        return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
    if kind == "day":
        assert isinstance(cell, date)
        return cell.isoformat()
    return f"{_number(cell, kind):f}"


def _number(cell: object, kind: Kind) -> Decimal:
    """The exact number that a cell shows."""
    assert isinstance(cell, int)
    if kind == "cents":
        return Decimal(cell).scaleb(-2)
    if kind == "thousandths":
        exact = Decimal(cell).scaleb(-3)
        return exact.quantize(Decimal(1)) if cell % 1000 == 0 else exact.normalize()
    return Decimal(cell)


def xlsx(tables: Sequence[Table], title: str, made_on: datetime) -> bytes:
    """A workbook with a sheet for each table. Amounts and days are numbers that add up."""
    file = io.BytesIO()
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, {"in_memory": True, **safe})
    book.set_properties({"title": title, "created": made_on.replace(tzinfo=None)})
    formats = {kind: book.add_format({"num_format": shown}) for kind, shown in _FORMATS.items()}
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for table in tables:
        sheet = book.add_worksheet(_sheet_name(table.title))
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, max(_WIDTHS[column.kind], len(column.label) + 2))
            sheet.write_string(0, place, column.label, heading)
        count = 0
        for count, row in enumerate(table.rows, 1):
            for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
                if cell is None:
                    continue
                if column.kind == "text":
                    sheet.write_string(count, place, str(cell))
                elif column.kind == "day":
                    sheet.write_datetime(count, place, cell, formats["day"])
                else:
                    number = _number(cell, column.kind)
                    sheet.write_number(count, place, number, formats[column.kind])
        sheet.autofilter(0, 0, count, max(0, len(table.columns) - 1))
    book.close()
    return file.getvalue()


def _sheet_name(title: str) -> str:
    """A name that a workbook takes: without signs that it refuses, not too long."""
    return "".join(" " if sign in "[]:*?/\\" else sign for sign in title)[:_LONGEST_SHEET_NAME]

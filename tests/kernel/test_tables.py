"""Files for spreadsheets: exact numbers, real days, and nothing that runs as a formula."""

import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from chamberlain.kernel.tables import Column, Table, columns, write_csv, xlsx

COLUMNS = (
    Column("Name"),
    Column("Amount", "cents"),
    Column("Used", "thousandths"),
    Column("Bills", "whole"),
    Column("Day", "day"),
)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets_of(book: bytes) -> dict[str, list[list[object]]]:
    """The cells of a workbook by sheet: texts, exact numbers, None; a formula is an error."""
    with zipfile.ZipFile(io.BytesIO(book)) as files:
        names = [
            str(sheet.get("name"))
            for sheet in ElementTree.fromstring(files.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
        ]
        shared = [
            "".join(part.text or "" for part in each.iter(f"{_MAIN}t"))
            for each in ElementTree.fromstring(files.read("xl/sharedStrings.xml"))
        ]
        return {
            name: _rows(ElementTree.fromstring(files.read(f"xl/worksheets/sheet{n}.xml")), shared)
            for n, name in enumerate(names, 1)
        }


def _rows(sheet: ElementTree.Element, shared: list[str]) -> list[list[object]]:
    found = []
    for row in sheet.iter(f"{_MAIN}row"):
        cells: list[object] = []
        for cell in row:
            assert cell.find(f"{_MAIN}f") is None, "a formula"
            letters = re.sub(r"\d", "", str(cell.get("r")))
            place = sum(26**i * (ord(sign) - 64) for i, sign in enumerate(reversed(letters))) - 1
            cells += [None] * (place - len(cells))
            value = cell.findtext(f"{_MAIN}v", "")
            cells.append(shared[int(value)] if cell.get("t") == "s" else Decimal(value))
        found.append(cells)
    return found


def csv_of(table: Table) -> list[str]:
    file = io.StringIO()
    write_csv(table, file)
    return file.getvalue().splitlines()


def test_a_row_is_written_in_its_kinds() -> None:
    rows = [("Kowalski", -1_234, 18_310, 12, date(2026, 3, 2)), (None, None, None, None, None)]
    table = Table("Bills: open/paid", COLUMNS, rows)
    assert csv_of(table) == [
        "Name,Amount,Used,Bills,Day", "Kowalski,-12.34,18.31,12,2026-03-02", ",,,,",
    ]  # fmt: skip
    [(name, found)] = sheets_of(xlsx([table], "Bills", NOW)).items()
    assert name == "Bills  open paid"
    assert found[0] == [column.label for column in COLUMNS]
    # A day is a number of days since the last day of 1899.
    serial = Decimal((date(2026, 3, 2) - date(1899, 12, 30)).days)
    assert found[1] == ["Kowalski", Decimal("-12.34"), Decimal("18.31"), Decimal(12), serial]


def test_no_text_is_a_formula() -> None:
    names = ["=1+1", "+1", "-1", "@cmd", "\tx", "http://example.org", "0012", "a=b"]
    table = Table("Names", columns(["name"]), [(name,) for name in names])
    cells = csv_of(table)[1:]
    assert all(cell[0] not in "=+-@\t" for cell in cells)
    assert cells[-3:] == names[-3:]
    [sheet] = sheets_of(xlsx([table], "Names", NOW)).values()
    assert [row[0] for row in sheet[1:]] == names


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1),
            st.integers(-(10**12), 10**12),
            st.integers(-(10**12), 10**12),
            st.integers(-(10**9), 10**9),
            st.dates(date(1900, 3, 1), date(2200, 1, 1)),
        ),
        max_size=8,
    )
)
def test_what_is_read_back_is_what_was_written(
    rows: list[tuple[str, int, int, int, date]],
) -> None:
    [sheet] = sheets_of(xlsx([Table("Rows", COLUMNS, rows)], "Rows", NOW)).values()
    assert [
        (
            name,
            Decimal(str(cents)) * 100,
            Decimal(str(used)) * 1000,
            bills,
            date(1899, 12, 30) + timedelta(days=int(str(day))),
        )
        for name, cents, used, bills, day in sheet[1:]
    ] == rows


def test_an_empty_table_still_has_its_heading() -> None:
    [sheet] = sheets_of(xlsx([Table("Nothing", COLUMNS, [])], "Nothing", NOW)).values()
    assert sheet == [[column.label for column in COLUMNS]]

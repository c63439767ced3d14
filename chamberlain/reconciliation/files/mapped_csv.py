"""Downloads of a bank in its own CSV, read by a layout that is kept for that bank.

A layout says which column is what, by the names in the header. With a column for the balance
after each movement, every row is held to the one before; without one, a CSV has nothing to prove
itself by, and the layout's page says so.
"""

import io
from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.kernel.errors import BadFile, BadRecord, Invalid
from chamberlain.kernel.money import show_cents
from chamberlain.reconciliation.files.account_days import (
    LINES_MAX,
    MOVEMENTS,
    REFERENCE_MAX,
    Stretch,
    Told,
    text_of,
    told,
)

DATE_FORMATS = {
    "%m/%d/%Y": "12/31/2026",
    "%Y-%m-%d": "2026-12-31",
    "%m/%d/%y": "12/31/26",
    "%d.%m.%Y": "31.12.2026",
    "%d/%m/%Y": "31/12/2026",
    "%Y%m%d": "20261231",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_BAD_SHOWN = 1000
_NUMBER = r"^([-+]?)(\(?)([-+]?)\$?([0-9]*)(?:\.([0-9]{0,2}))?(\)?)(-?)$"


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column of a bank's CSV is what. Columns by name, "" where there is none.

    account_number: of all rows, when no column names the account. amount: signed; or credit and
    debit apart. balance: after the movement. is_newest_first: the order of the rows.
    """

    name: str
    booked: str
    amount: str = ""
    credit: str = ""
    debit: str = ""
    account: str = ""
    account_number: str = ""
    value: str = ""
    type_code: str = ""
    bank_reference: str = ""
    customer_reference: str = ""
    text: tuple[str, ...] = ()
    balance: str = ""
    delimiter: str = ","
    decimal_mark: str = "."
    date_format: str = "%m/%d/%Y"
    skip_lines: int = 0
    is_newest_first: bool = False

    def columns(self) -> set[str]:
        """The names that the header must have."""
        named = {
            self.booked,
            self.amount,
            self.credit,
            self.debit,
            self.account,
            self.value,
            self.type_code,
            self.bank_reference,
            self.customer_reference,
            self.balance,
            *self.text,
        }
        return named - {""}

    def faults(self) -> list[tuple[str, str]]:
        """What is wrong with the layout itself: field and sentence."""
        return [
            (field, sentence)
            for field, is_wrong, sentence in (
                ("name", not self.name.strip(), "Name the bank or account."),
                ("booked", not self.booked, "Say which column has the day."),
                (
                    "amount",
                    bool(self.amount) == bool(self.credit or self.debit),
                    "Say which column has the signed amount, or which two have credits and debits.",
                ),
                (
                    "credit",
                    bool(self.credit) != bool(self.debit),
                    "Credits and debits apart need both columns.",
                ),
                (
                    "account_number",
                    bool(self.account) == bool(self.account_number),
                    "Say which column has the account, or type the account's number.",
                ),
                (
                    "date_format",
                    self.date_format not in DATE_FORMATS,
                    "Choose how the bank writes days.",
                ),
                ("delimiter", self.delimiter not in DELIMITERS, "Choose what parts the columns."),
                ("decimal_mark", self.decimal_mark not in ".,", "A decimal mark is . or ,"),
            )
            if is_wrong
        ]


def header_of(content: bytes, delimiter: str, skip_lines: int) -> list[str]:
    """The names of the columns. Raises Invalid."""
    return _frame(text_of(content), delimiter, skip_lines).columns


def read(content: bytes, layout: Layout) -> Told:
    """Reads a CSV. Raises Invalid (not of this layout) or BadFile with the bad rows' lines."""
    frame = _frame(text_of(content), layout.delimiter, layout.skip_lines)
    if missing := sorted(layout.columns() - set(frame.columns)):
        raise Invalid(
            f"The file has no column {' and no column '.join(missing)}, which the layout "
            f"“{layout.name}” needs; choose another layout or correct it.",
            field="file",
        )
    rows = _rows(frame, layout)
    bad = _bad_rows(rows, frame, layout)
    if bad:
        raise BadFile(
            f"The bank file has {len(bad)} bad row{'s' * (len(bad) > 1)} and was not read; ask "
            "the bank to send it again, or correct the layout.",
            bad,
        )
    if layout.is_newest_first:
        rows = rows.reverse()
    differences: list[BadRecord] = []
    stretches = []
    for (account,), part in rows.group_by("account", maintain_order=True):
        differences += _breaks(part, str(account)) if layout.balance else []
        stretches.append(_stretch(part, str(account), layout))
    found = told(stretches)
    return Told(found.days, (*differences, *found.differences))


def _frame(text: str, delimiter: str, skip_lines: int) -> pl.DataFrame:
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode("utf-8")),
            separator=delimiter,
            skip_lines=skip_lines,
            infer_schema=False,
            truncate_ragged_lines=False,
            row_index_name=None,
        )
    except (pl.exceptions.PolarsError, ValueError):
        raise Invalid(
            "This cannot be read as a table: its rows have different numbers of columns, or "
            "another sign parts them. Choose the file that the bank sent, or correct the layout.",
            field="file",
        ) from None
    if frame.height > LINES_MAX:
        raise Invalid(f"The file has more than {LINES_MAX:,} rows.", field="file")
    if not frame.width or not frame.height:
        raise Invalid("The file has no row below its header.", field="file")
    return frame.rename({name: name.strip() for name in frame.columns}).with_columns(
        pl.all().str.strip_chars().fill_null("")
    )


def _rows(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """As MOVEMENTS with account, booked_on and balance; null where a value cannot be read."""

    def text(name: str) -> pl.Expr:
        return pl.col(name) if name else pl.lit("")

    def day(name: str) -> pl.Expr:
        return pl.col(name).str.to_date(layout.date_format, strict=False)

    if layout.amount:
        cents = _cents(layout.amount, layout.decimal_mark)
    else:
        credit, debit = (
            pl.when(pl.col(name) == "").then(0).otherwise(_cents(name, layout.decimal_mark).abs())
            for name in (layout.credit, layout.debit)
        )
        cents = credit - debit
    booked = day(layout.booked)
    words = pl.concat_str([pl.col(name) for name in layout.text] or [pl.lit("")], separator=" ")
    return (
        frame.with_row_index("line", layout.skip_lines + 2)
        .select(
            pl.col("line").cast(pl.Int64),
            value_on=day(layout.value).fill_null(booked) if layout.value else booked,
            cents=cents,
            type_code=text(layout.type_code).str.slice(0, 12),
            bank_reference=text(layout.bank_reference),
            customer_reference=text(layout.customer_reference),
            text=words.str.strip_chars(),
            booked_on=booked,
            account=text(layout.account) if layout.account else pl.lit(layout.account_number),
            balance=_cents(layout.balance, layout.decimal_mark)
            if layout.balance
            else pl.lit(None, pl.Int64),
        )
        .cast({"cents": pl.Int64})
    )


def _cents(name: str, decimal_mark: str) -> pl.Expr:
    """`1,234.50`, `-1234.5`, `(1,234.50)` or `1.234,50-` as cents; null for anything else."""
    thousands = "," if decimal_mark == "." else "."
    plain = (
        pl.col(name)
        .str.replace_all(" ", "", literal=True)
        .str.replace_all(thousands, "", literal=True)
        .str.replace(decimal_mark, ".", literal=True)
    )
    parts = plain.str.extract_groups(_NUMBER).struct
    whole, fraction = parts.field("4"), parts.field("5").fill_null("")
    minus = (
        (parts.field("1") == "-").cast(pl.Int8)
        + (parts.field("3") == "-").cast(pl.Int8)
        + (parts.field("2") == "(").cast(pl.Int8)
        + (parts.field("7") == "-").cast(pl.Int8)
    )
    is_number = (
        (whole.str.len_bytes() + fraction.str.len_bytes() > 0)
        & (whole.str.len_bytes() <= 13)
        & ((parts.field("2") == "(") == (parts.field("6") == ")"))
        & (minus <= 1)
    )
    cents = pl.concat_str([whole, fraction.str.pad_end(2, "0")]).cast(pl.Int64, strict=False)
    return pl.when(is_number).then(pl.when(minus == 1).then(-cents).otherwise(cents))


def _bad_rows(rows: pl.DataFrame, frame: pl.DataFrame, layout: Layout) -> list[BadRecord]:
    checks = [
        (rows["booked_on"].is_null(), layout.booked, "is not a day as the layout says"),
        (
            rows["cents"].is_null(),
            layout.amount or layout.credit,
            "is not an amount of whole cents",
        ),
        (rows["account"] == "", layout.account, "names no account"),
    ]
    if layout.balance:
        checks.append((rows["balance"].is_null(), layout.balance, "is not a balance"))
    bad = [
        (line, f"“{str(value)[:20]}” {reason}")
        for mask, column, reason in checks
        for line, value in zip(
            rows["line"].filter(mask).head(_BAD_SHOWN),
            frame[column].filter(mask).head(_BAD_SHOWN) if column else [],
            strict=True,
        )
    ]
    for name in ("bank_reference", "customer_reference"):
        long = rows.filter(pl.col(name).str.len_chars() > REFERENCE_MAX)["line"].head(_BAD_SHOWN)
        bad += [(line, f"a reference of more than {REFERENCE_MAX} characters") for line in long]
    return [BadRecord(f"line {line}", reason) for line, reason in sorted(bad)]


def _breaks(part: pl.DataFrame, account: str) -> list[BadRecord]:
    wrong = part.with_columns(expected=pl.col("balance").shift(1) + pl.col("cents")).filter(
        pl.col("expected") != pl.col("balance")
    )
    return [
        BadRecord(
            f"line {line}",
            f"account {account} stands at {show_cents(balance)} after it, but the row before "
            f"leads to {show_cents(expected)}",
        )
        for line, balance, expected in wrong.select("line", "balance", "expected")
        .head(_BAD_SHOWN)
        .iter_rows()
    ]


def _stretch(part: pl.DataFrame, account: str, layout: Layout) -> Stretch:
    opening = closing = None
    if layout.balance:
        opening = int(part["balance"][0]) - int(part["cents"][0])
        closing = int(part["balance"][-1])
    return Stretch(
        line=int(part["line"][0]),
        account_number=account,
        currency="USD",
        closes_on=date.fromisoformat(str(part["booked_on"].max())),
        opening_cents=opening,
        closing_cents=closing,
        movements=part.select(*MOVEMENTS, "booked_on"),
    )

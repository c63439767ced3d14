"""What every format of bank file is read into: days of accounts with their movements."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.kernel.errors import BadRecord, Invalid
from chamberlain.kernel.money import show_cents

BYTES_MAX = 100 * 1024 * 1024
LINES_MAX = 1_000_000
REFERENCE_MAX = 80
ORIGINAL, TEST, DELETION = "1", "4", "2"

# line: where the movement stands in the file. cents: positive for credits, negative for debits.
MOVEMENTS: dict[str, type[pl.DataType]] = {
    "line": pl.Int64,
    "value_on": pl.Date,
    "cents": pl.Int64,
    "type_code": pl.String,
    "bank_reference": pl.String,
    "customer_reference": pl.String,
    "text": pl.String,
}


@dataclass(frozen=True, slots=True)
class AccountDay:
    """What a file tells of one account on one day. Balances in cents, None if not told.

    movements: a frame as MOVEMENTS, in the file's order. status: BAI2's group status.
    """

    line: int
    account_number: str
    currency: str
    as_of: date
    opening_cents: int | None
    closing_cents: int | None
    movements: pl.DataFrame
    status: str = ORIGINAL


@dataclass(frozen=True, slots=True)
class Told:
    """A file that could be read. differences: where its own totals or counts do not hold."""

    days: tuple[AccountDay, ...]
    differences: tuple[BadRecord, ...] = ()
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A statement over one or more days. movements: as MOVEMENTS, with `booked_on` (Date)."""

    line: int
    account_number: str
    currency: str
    closes_on: date
    opening_cents: int | None
    closing_cents: int | None
    movements: pl.DataFrame

    def difference(self) -> BadRecord | None:
        """Where the movements do not lead from the opening to the closing balance."""
        if self.opening_cents is None or self.closing_cents is None:
            return None
        moved = int(self.movements["cents"].sum())
        if self.opening_cents + moved == self.closing_cents:
            return None
        return BadRecord(
            f"line {self.line}",
            f"account {self.account_number} opens with {show_cents(self.opening_cents)} and closes "
            f"{self.closes_on} with {show_cents(self.closing_cents)}, but its movements add up to "
            f"{show_cents(moved)}",
        )

    def days(self) -> Iterator[AccountDay]:
        """One for each day that something was booked on, and the closing day.

        A day told again, by an intraday notice and then by the statement, can so be replaced.
        """
        balance = self.opening_cents
        booked = {key[0]: day for key, day in self.movements.group_by("booked_on")}
        for on in sorted({self.closes_on, *booked}):
            movements = booked.get(on, self.movements.clear()).sort("line", maintain_order=True)
            opening = balance
            if opening is not None:
                balance = opening + int(movements["cents"].sum())
            told = self.closing_cents if on == self.closes_on else None
            yield AccountDay(
                line=self.line,
                account_number=self.account_number,
                currency=self.currency,
                as_of=on,
                opening_cents=opening,
                closing_cents=balance if balance is not None else told,
                movements=movements.drop("booked_on"),
            )


def told(stretches: list[Stretch]) -> Told:
    """The days of these statements, with what does not add up."""
    return Told(
        tuple(day for stretch in stretches for day in stretch.days()),
        tuple(d for d in (stretch.difference() for stretch in stretches) if d is not None),
    )


def text_of(content: bytes) -> str:
    """A file's text: UTF-8, or Latin-1 as banks still send it. Raises Invalid: empty, too big."""
    if not content.strip():
        raise Invalid("The file is empty; choose the file that the bank sent.", field="file")
    if len(content) > BYTES_MAX:
        raise Invalid(
            f"The file is larger than {BYTES_MAX // 1024 // 1024} MB; no statement is. Choose the "
            "file that the bank sent.",
            field="file",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")

"""Statements of U.S. banks in BAI2, read record by record and then held to their own totals.

A file is a tree of records, one or more physical lines each:

    01 file header
      02 group header: as-of date, currency
        03 account: number, balances by type code
          16 movement: type code, amount, references, text
          88 continuation of the record before it
        49 account trailer: control total, number of records
      98 group trailer
    99 file trailer

The `bai2` package understands each record; it is given one at a time, so that a bad one is named
by its line and the others are still read. Movements in the plain form, which are nearly all, are
read as columns of a frame instead: the same fields, a hundred times as fast. Reading is not
checking: what the trailers say is compared here. Banks do not agree on whether continuations count
as records, so either number is right. Small faults that real banks make are mended before: blanks
around a record, `88:` for `88,`, type codes of the bank's own.

Source: BAI2, Cash Management Balance Reporting Specifications, version 2.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from bai2 import constants, parsers
from bai2.exceptions import IntegrityException, NotSupportedYetException, ParsingException
from bai2.helpers import record_generator

from chamberlain.kernel.errors import BadFile, BadRecord, Invalid
from chamberlain.reconciliation.files.account_days import (
    LINES_MAX,
    MOVEMENTS,
    REFERENCE_MAX,
    AccountDay,
    Told,
    text_of,
)

OPENING_LEDGER, CLOSING_LEDGER = "010", "015"

_AMOUNT = re.compile(r"[+-]?\d{0,15}")
_PLAIN = (
    r"^16,(?<type_code>[0-9]{3}),(?<cents>[0-9]{1,15}),[Z012]?,"
    rf"(?<bank_reference>[^,]{{0,{REFERENCE_MAX}}}),(?<customer_reference>[^,]{{0,{REFERENCE_MAX}}}),"
    r"(?<text>.*)$"
)
_PARSERS = {
    "01": parsers.Bai2FileHeaderParser,
    "02": parsers.GroupHeaderParser,
    "03": parsers.AccountIdentifierParser,
    "16": parsers.TransactionDetailParser,
    "49": parsers.AccountTrailerParser,
    "98": parsers.GroupTrailerParser,
    "99": parsers.Bai2FileTrailerParser,
}
_MAY_FOLLOW = {
    "": {"01"},
    "01": {"02"},
    "02": {"03"},
    "03": {"16", "49"},
    "16": {"16", "49"},
    "49": {"03", "98"},
    "98": {"02", "99"},
    "99": set(),
}
_NAMES = {
    "01": "a file header (01)",
    "02": "a group header (02)",
    "03": "an account (03)",
    "16": "a movement (16)",
    "49": "an account trailer (49)",
    "98": "a group trailer (98)",
    "99": "a file trailer (99)",
}


def _know_every_code() -> None:
    """Codes that the standard leaves to banks: their hundred says whether they are credits."""
    kinds = constants.TypeCodeTransaction
    for number in range(100, 1000):
        credit_or_debit = kinds.credit if number < 400 else kinds.debit if number < 700 else None
        constants.TypeCodes.setdefault(
            str(number),
            constants.TypeCode(
                str(number), credit_or_debit, constants.TypeCodeLevel.detail, "The bank's own code"
            ),
        )


_know_every_code()


@dataclass(slots=True)
class _Section:
    """A level of the tree while it is read: what its trailer must say."""

    line: int
    header: Any
    total: int = 0
    children: int = 0
    records: int = 1
    logical_records: int = 1
    movements: list[tuple[Any, ...]] = field(default_factory=list)
    plain: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    code: str
    rows: tuple[str, ...]


class _One:
    """A single record in the shape that the package's parsers take."""

    def __init__(self, rows: tuple[str, ...]) -> None:
        self.current_record = next(record_generator(iter(rows)))

    def advance(self) -> None:
        """There is no other."""


def read(content: bytes) -> Told:
    """Reads a file. Raises Invalid (not a BAI2 file at all) or BadFile with every bad record."""
    bad: list[BadRecord] = []
    lines = _lines(content)
    plain = _plain_movements(lines)
    is_plain = set(plain["line"])
    reader = _Reader(bad, plain)
    previous, previous_line = "", 0
    for record in _records(lines, is_plain, bad):
        if previous_line and reader.has_plain_between(previous_line, record.line):
            if "16" not in _MAY_FOLLOW[previous]:
                first = reader.first_plain_after(previous_line)
                bad.append(_misplaced(first, "16", previous))
            previous = "16"
        if record.code not in _MAY_FOLLOW[previous]:
            bad.append(_misplaced(record.line, record.code, previous))
        previous, previous_line = record.code, record.line
        if parsed := _parse(record, bad):
            reader.take(record, parsed)
    if previous != "99" or reader.has_plain_between(previous_line, len(lines) + 1):
        bad.append(BadRecord("the end", "the file ends without a file trailer (99)"))
    if bad:
        raise BadFile(
            f"The bank file has {len(bad)} bad record{'s' * (len(bad) > 1)} and was not read; "
            "ask the bank to send it again.",
            bad,
        )
    return Told(tuple(reader.days), tuple(reader.differences), reader.sender)


def _misplaced(line: int, code: str, previous: str) -> BadRecord:
    allowed = " or ".join(_NAMES[code] for code in sorted(_MAY_FOLLOW[previous]))
    return BadRecord(f"line {line}", f"{_NAMES[code]} stands where {allowed or 'nothing'} belongs")


def _lines(content: bytes) -> list[str]:
    text = text_of(content)
    lines = [line.strip() for line in text.splitlines()]
    first = next(line for line in lines if line)
    if not first.startswith("01,") or not all(line.isprintable() for line in lines):
        raise Invalid(
            "This is not a BAI2 file: it must be text that begins with a file header (01). "
            "Choose the file that the bank sent.",
            field="file",
        )
    if len(lines) > LINES_MAX:
        raise Invalid(f"The file has more than {LINES_MAX} records.", field="file")
    return lines


def _plain_movements(lines: list[str]) -> pl.DataFrame:
    """Movements without continuations, of a code whose sign is known, in the form of _PLAIN.

    As MOVEMENTS, without a value date of their own.
    """
    signs = {
        code: 1 if kind.transaction is constants.TypeCodeTransaction.credit else -1
        for code, kind in constants.TypeCodes.items()
        if kind.transaction is not None
        and kind.transaction is not constants.TypeCodeTransaction.misc
    }
    frame = pl.DataFrame({"text": lines}, schema={"text": pl.String}).with_row_index("line", 1)
    told = frame.lazy().filter(pl.col("text") != "")
    return (
        told.with_columns(goes_on=pl.col("text").shift(-1).str.starts_with("88").fill_null(False))
        .filter(pl.col("text").str.starts_with("16,") & ~pl.col("goes_on"))
        .select("line", found=pl.col("text").str.strip_suffix("/").str.extract_groups(_PLAIN))
        .unnest("found")
        .drop_nulls("type_code")
        .with_columns(sign=pl.col("type_code").replace_strict(signs, default=None))
        .drop_nulls("sign")
        .select(
            pl.col("line").cast(pl.Int64),
            pl.lit(None, pl.Date).alias("value_on"),
            (pl.col("cents").cast(pl.Int64) * pl.col("sign")).alias("cents"),
            "type_code",
            "bank_reference",
            "customer_reference",
            pl.col("text").str.strip_chars(),
        )
        .collect()
    )


def _records(lines: list[str], is_plain: set[int], bad: list[BadRecord]) -> Iterator[_Record]:
    """Logical records other than plain movements: a line with its continuations."""
    rows: list[str] = []
    start = 0
    for number, line in enumerate(lines, start=1):
        if not line or number in is_plain:
            continue
        code, mark = line[:2], line[2:3]
        if code == "88" and rows:
            rows.append("88," + line[3:])
        elif code in _PARSERS and mark in (",", "/"):
            if rows:
                yield _Record(start, rows[0][:2], tuple(rows))
            rows, start = [line], number
        else:
            bad.append(BadRecord(f"line {number}", f"“{line[:20]}” is no record of BAI2"))
    if rows:
        yield _Record(start, rows[0][:2], tuple(rows))


def _parse(record: _Record, bad: list[BadRecord]) -> Any:
    parsed, reason = None, ""
    try:
        one = _One(record.rows)
        reason = _wrong_amount(record.code, one.current_record.fields)
        parsed = _PARSERS[record.code](one).parse()
        reason = reason or _wrong_content(record.code, parsed)
    except (ParsingException, NotSupportedYetException, IntegrityException) as error:
        reason = reason or str(error)
    except (ValueError, IndexError, KeyError, TypeError):
        reason = reason or f"{_NAMES[record.code]} with a missing or malformed field"
    if reason:
        bad.append(BadRecord(f"line {record.line}", reason))
        return None
    return parsed


def _wrong_amount(code: str, fields: list[str]) -> str:
    """The package reads numbers as Python does; a bank writes digits only."""
    amounts = {
        "16": fields[1:2],
        "49": fields[:2],
        "98": fields[:3],
        "99": fields[:3],
    }.get(code, [])
    for amount in amounts:
        if not _AMOUNT.fullmatch(amount):
            return f"“{amount[:20]}” is not a whole number"
    if code == "03" and (wrong := next((f for f in fields[2:] if "_" in f), "")):
        return f"“{wrong[:20]}” is not a whole number"
    if code == "16" and fields[1].startswith("-"):
        return f"a movement of {fields[1]}: its type code says the sign, not the amount"
    return ""


def _wrong_content(code: str, parsed: Any) -> str:
    """What a record must have and the package does not ask for; "" when it is all there."""
    reason = ""
    match code:
        case "01" if parsed.creation_date is None:
            reason = "a file header (01) without its date"
        case "02" if parsed.as_of_date is None:
            reason = "a group header (02) without its date"
        case "03" if not parsed.customer_account_number:
            reason = "an account (03) without its number"
        case "03" if any((s.amount or 0) and s.type_code is None for s in parsed.summary_items):
            reason = "an account (03) with an amount without type code"
        case "16" if parsed.type_code is None:
            reason = "a movement (16) without type code"
        case "16" if max(len(parsed.bank_reference or ""), len(parsed.customer_reference or "")) > (
            REFERENCE_MAX
        ):
            reason = f"a reference of more than {REFERENCE_MAX} characters"
        case "49" | "98" | "99" if parsed.number_of_records is None:
            reason = f"{_NAMES[code]} without its number of records"
    return reason


class _Reader:
    """Builds account days from parsed records and compares each trailer with what it closes."""

    def __init__(self, bad: list[BadRecord], plain: pl.DataFrame) -> None:
        self.bad = bad
        self.days: list[AccountDay] = []
        self.differences: list[BadRecord] = []
        self.sender = ""
        self._plain = plain
        self._file = _Section(0, None)
        self._group = _Section(0, None)
        self._account = _Section(0, None)

    def first_plain_after(self, line: int) -> int:
        """The line of the first plain movement after a line."""
        return int(self._plain["line"][int(self._plain["line"].search_sorted(line, "right"))])

    def has_plain_between(self, first: int, last: int) -> bool:
        """Whether a plain movement stands between two lines."""
        return self._plain_between(first, last).height > 0

    def _plain_between(self, first: int, last: int) -> pl.DataFrame:
        begin = int(self._plain["line"].search_sorted(first, "right"))
        end = int(self._plain["line"].search_sorted(last, "left"))
        return self._plain[begin:end]

    def take(self, record: _Record, parsed: Any) -> None:
        """The next record. Records out of place were named before and do no harm here."""
        more = len(record.rows)
        match record.code:
            case "01":
                self.sender = parsed.sender_id or ""
                self._file = _Section(record.line, parsed, records=more)
            case "02":
                self._group = _Section(record.line, parsed, records=more)
            case "03":
                total = sum(item.amount or 0 for item in parsed.summary_items)
                self._account = _Section(record.line, parsed, total, records=more)
            case "16":
                self._account.total += parsed.amount or 0
                self._account.records += more
                self._account.logical_records += 1
                self._movement(record, parsed)
            case "49":
                plain = self._plain_between(self._account.line, record.line)
                self._account.plain = plain
                self._account.total += int(plain["cents"].abs().sum())
                self._account.records += plain.height
                self._account.logical_records += plain.height
                self._close(record, parsed, self._account, parsed.account_control_total, None)
                self._finish_account()
                self._into(self._group, self._account, parsed.account_control_total)
            case "98":
                children = parsed.number_of_accounts
                self._close(record, parsed, self._group, parsed.group_control_total, children)
                self._into(self._file, self._group, parsed.group_control_total)
            case "99":
                children = parsed.number_of_groups
                self._close(record, parsed, self._file, parsed.file_control_total, children)

    def _movement(self, record: _Record, parsed: Any) -> None:
        if not parsed.amount or self._group.header is None:
            return
        sign = {"credit": 1, "debit": -1}.get(getattr(parsed.type_code.transaction, "value", ""))
        if sign is None:
            self.bad.append(
                BadRecord(
                    f"line {record.line}",
                    f"type code {parsed.type_code.code} is neither a credit nor a debit",
                )
            )
            return
        availability = parsed.availability or {}
        self._account.movements.append(
            (
                record.line,
                availability.get("date") or self._group.header.as_of_date,
                sign * parsed.amount,
                parsed.type_code.code,
                parsed.bank_reference or "",
                parsed.customer_reference or "",
                (parsed.text or "").strip(),
            )
        )

    def _finish_account(self) -> None:
        account, group = self._account.header, self._group.header
        if account is None or group is None:
            return
        balances = {
            item.type_code.code: item.amount for item in account.summary_items if item.type_code
        }
        status = group.group_status.value if group.group_status else "1"
        rest = pl.DataFrame(self._account.movements, schema=MOVEMENTS, orient="row")
        plain = self._account.plain
        if plain is not None:
            dated = plain.filter(pl.col("cents") != 0).with_columns(
                value_on=pl.lit(group.as_of_date)
            )
            rest = pl.concat([rest, dated]).sort("line")
        self.days.append(
            AccountDay(
                line=self._account.line,
                account_number=account.customer_account_number,
                currency=account.currency or group.currency,
                as_of=group.as_of_date,
                status=status,
                opening_cents=balances.get(OPENING_LEDGER),
                closing_cents=balances.get(CLOSING_LEDGER),
                movements=rest,
            )
        )

    @staticmethod
    def _into(parent: _Section, child: _Section, stated_total: int) -> None:
        parent.total += stated_total
        parent.children += 1
        parent.records += child.records
        parent.logical_records += child.logical_records

    def _close(
        self, record: _Record, parsed: Any, section: _Section, total: int, children: int | None
    ) -> None:
        section.records += len(record.rows)
        section.logical_records += 1
        faults = []
        if total != section.total:
            faults.append(f"control total {total}, but its records add up to {section.total}")
        if parsed.number_of_records not in (section.records, section.logical_records):
            faults.append(f"{parsed.number_of_records} records, but there are {section.records}")
        if children is not None and children != section.children:
            inside = "accounts" if record.code == "98" else "groups"
            faults.append(f"{children} {inside}, but there are {section.children}")
        self.differences += [
            BadRecord(f"line {record.line}", f"the trailer ({record.code}) says {fault}")
            for fault in faults
        ]

"""SWIFT statements (MT940) and intraday reports (MT942), read by the `mt-940` package.

    :20: reference   :25: account   :60F: opening balance
    :61: movement    :86: its text
    :62F: closing balance           :90D: :90C: number and sum of debits and credits (MT942)

The package reads one statement at a time here, so that a bad one is named by its line and several
statements in a file stay apart. A statement in several pages (:60M:, :62M:) is put together.

Source: SWIFT Standards, category 9, MT940 and MT942.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import mt940
import polars as pl

from chamberlain.kernel.errors import BadFile, BadRecord, Invalid
from chamberlain.kernel.money import show_cents
from chamberlain.reconciliation.files.account_days import (
    MOVEMENTS,
    REFERENCE_MAX,
    Stretch,
    Told,
    text_of,
    told,
)

logging.getLogger("mt940").addHandler(logging.NullHandler())  # a fault is told to the person
logging.getLogger("mt940").propagate = False

_STARTS = re.compile(r"^(?:\{4:\s*)?:20:", re.MULTILINE)
_MOVEMENT = re.compile(r"^:61:", re.MULTILINE)
_MOVEMENT_LINE = re.compile(r"^(:61:.*)$", re.MULTILINE)
_LIKE_MOVEMENT = re.compile(r":61:\d{6}(?:\d{4}|\s{4})?R?[CD][A-Z]?\d[\d,]*[A-Z][A-Z0-9 ]{3}")
_OPTIONS = mt940.Options(reversal_sign=True, case_insensitive_marks=True)
_OPENS = ("final_opening_balance", "intermediate_opening_balance")
_CLOSES = ("final_closing_balance", "intermediate_closing_balance")


def read(content: bytes) -> Told:
    """Reads a file. Raises Invalid (no MT940 at all) or BadFile with every bad statement."""
    text = text_of(content).replace("\r\n", "\n")
    starts = [found.start() for found in _STARTS.finditer(text)]
    if not starts:
        raise Invalid(
            "This is not an MT940 file: it has no statement (:20:). Choose the file that the bank "
            "sent.",
            field="file",
        )
    bad: list[BadRecord] = []
    differences: list[BadRecord] = []
    stretches: list[Stretch] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line = text.count("\n", 0, start) + 1
        try:
            stretch, totals = _stretch(text[start:end], line)
        except _Wrong as wrong:
            bad.append(BadRecord(f"line {line}", str(wrong)))
            continue
        differences += totals
        if stretches and _goes_on(stretches[-1], stretch):
            stretches[-1] = _joined(stretches[-1], stretch)
        else:
            stretches.append(stretch)
    if bad:
        raise BadFile(
            f"The bank file has {len(bad)} bad statement{'s' * (len(bad) > 1)} and was not read; "
            "ask the bank to send it again.",
            bad,
        )
    found = told(stretches)
    return Told(found.days, (*found.differences, *differences))


class _Wrong(ValueError):
    """A statement that cannot be read, and why."""


def _stretch(text: str, line: int) -> tuple[Stretch, list[BadRecord]]:
    parsed = _parsed(text)
    data = parsed.data
    account = str(data.get("account_identification") or "").strip()
    if not account:
        raise _Wrong("it names no account (:25:)")
    expected = len(_MOVEMENT.findall(text))
    moved = [each for each in parsed.transactions if each.data.get("amount") is not None]
    if len(moved) != expected:
        raise _Wrong(f"{expected} movements (:61:), of which {len(moved)} can be read")
    opening = next((data[name] for name in _OPENS if data.get(name)), None)
    closing = next((data[name] for name in _CLOSES if data.get(name)), None)
    rows = list(_movements(moved, line))
    movements = pl.DataFrame(rows, schema={**MOVEMENTS, "booked_on": pl.Date}, orient="row")
    if closing is not None and closing.date is not None:
        closes_on = _day(closing.date)
    elif movements.height:
        closes_on = date.fromisoformat(str(movements["booked_on"].max()))
    elif data.get("date") is not None:
        closes_on = _day(data["date"])
    else:
        raise _Wrong("it has neither a closing balance (:62F:) nor a movement (:61:)")
    stretch = Stretch(
        line=line,
        account_number=account,
        currency=str(parsed.currency or ""),
        closes_on=closes_on,
        opening_cents=_cents(opening.amount.amount) if opening else None,
        closing_cents=_cents(closing.amount.amount) if closing else None,
        movements=movements,
    )
    return stretch, _sums(data, movements, line)


def _parsed(text: str) -> Any:
    """As the standard says, or with the long references of some banks."""
    long_references: dict[int | str, mt940.tags.Tag] = {61: mt940.tags.StatementASNB()}
    for tags in ({}, long_references):
        try:
            parsed = mt940.models.Transactions(tags=tags, options=_OPTIONS)
            parsed.parse(text)
        except Exception:  # the package raises what its parts raise
            continue
        return parsed
    wrong = next((m for m in _MOVEMENT_LINE.findall(text) if not _LIKE_MOVEMENT.match(m)), "")
    raise _Wrong(f"“{wrong[:40]}” cannot be read" if wrong else "a tag of it cannot be read")


def _movements(moved: list[Any], line: int) -> Iterator[tuple[object, ...]]:
    for nth, each in enumerate(moved):
        data = each.data
        value_on = _day(data["date"])
        booked = data.get("entry_date") or data.get("guessed_entry_date") or value_on
        bank, customer = (
            str(data.get(name) or "").strip() for name in ("bank_reference", "customer_reference")
        )
        if max(len(bank), len(customer)) > REFERENCE_MAX:
            raise _Wrong(f"a reference of more than {REFERENCE_MAX} characters")
        words = (data.get("extra_details"), data.get("transaction_details"), data.get("purpose"))
        yield (
            line + nth,
            value_on,
            _cents(data["amount"].amount),
            str(data.get("id") or "")[:12],
            bank,
            "" if customer == "NONREF" else customer,
            " ".join(" ".join(str(word).split()) for word in words if word),
            _day(booked),
        )


def _sums(data: dict[str, Any], movements: pl.DataFrame, line: int) -> list[BadRecord]:
    """What an MT942 says of its debits (:90D:) and credits (:90C:), held against them."""
    found = []
    for name, sign, tag in (
        ("sum_debit_entries", -1, ":90D:"),
        ("sum_credit_entries", 1, ":90C:"),
    ):
        stated = data.get(name)
        if stated is None:
            continue
        counted = movements.filter(pl.col("cents") * sign > 0)
        cents = abs(int(counted["cents"].sum()))
        if int(stated.number) != counted.height:
            found.append(f"{tag} says {stated.number} movements, but there are {counted.height}")
        if abs(_cents(stated.amount)) != cents:
            found.append(
                f"{tag} says {show_cents(abs(_cents(stated.amount)))}, but they add up to "
                f"{show_cents(cents)}"
            )
    return [BadRecord(f"line {line}", reason) for reason in found]


def _goes_on(before: Stretch, after: Stretch) -> bool:
    """Whether a statement is the next page of the one before."""
    return (
        before.account_number == after.account_number
        and before.currency == after.currency
        and before.closing_cents is not None
        and before.closing_cents == after.opening_cents
        and before.difference() is None
    )


def _joined(before: Stretch, after: Stretch) -> Stretch:
    return replace(
        before,
        closes_on=after.closes_on,
        closing_cents=after.closing_cents,
        movements=pl.concat([before.movements, after.movements]),
    )


def _cents(amount: Any) -> int:
    cents = Decimal(str(amount)) * 100
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) > 10**15:
        raise _Wrong(f"{str(amount)[:20]} is not an amount of whole cents")
    return int(cents)


def _day(value: Any) -> date:
    return date(value.year, value.month, value.day)

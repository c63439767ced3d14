"""Downloads of small banks (OFX), read by the `ofxparse` package.

A download has the movements of some days, each with the bank's own id (FITID), and a balance at
its end. It has no control totals; a movement told twice under one id is a fault.

Source: Open Financial Exchange, bank statement download.
"""

import io
import warnings
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from bs4 import XMLParsedAsHTMLWarning
from ofxparse import AccountType, OfxParser

from chamberlain.kernel.errors import BadFile, BadRecord, Invalid
from chamberlain.reconciliation.files.account_days import (
    MOVEMENTS,
    REFERENCE_MAX,
    Stretch,
    Told,
    text_of,
    told,
)


def read(content: bytes) -> Told:
    """Reads a download. Raises Invalid (no OFX) or BadFile with every bad movement."""
    text = text_of(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
            parsed = OfxParser.parse(io.BytesIO(text.encode("utf-8")))
    except Exception:  # the package raises what its parts raise
        raise Invalid(
            "This OFX file cannot be read; download it from the bank again.", field="file"
        ) from None
    accounts = [
        account
        for account in getattr(parsed, "accounts", [])
        if getattr(account, "statement", None) and account.type != AccountType.Investment
    ]
    if not accounts:
        raise Invalid("This OFX file has no statement of a bank account.", field="file")
    bad: list[BadRecord] = []
    stretches = [_stretch(account, nth, bad) for nth, account in enumerate(accounts, start=1)]
    if bad:
        raise BadFile(
            f"The bank file has {len(bad)} bad movement{'s' * (len(bad) > 1)} and was not read; "
            "download it from the bank again.",
            bad,
        )
    return told([stretch for stretch in stretches if stretch is not None])


def _stretch(account: Any, nth: int, bad: list[BadRecord]) -> Stretch | None:
    statement = account.statement
    rows: list[tuple[object, ...]] = []
    seen: set[str] = set()
    for place, each in enumerate(getattr(statement, "transactions", []), start=1):
        where = f"account {nth}, movement {place}"
        reason = _fault(each, seen)
        if reason:
            bad.append(BadRecord(where, reason))
            continue
        seen.add(each.id)
        on = date(each.date.year, each.date.month, each.date.day)
        rows.append(
            (
                place,
                on,
                int(Decimal(each.amount) * 100),
                str(each.type or "")[:12].upper(),
                each.id,
                str(each.checknum or "")[:REFERENCE_MAX],
                " ".join(f"{each.payee or ''} {each.memo or ''}".split()),
                on,
            )
        )
    for warning in getattr(statement, "warnings", []) + getattr(account, "warnings", []):
        bad.append(BadRecord(f"account {nth}", str(warning)[:120]))
    ends = getattr(statement, "balance_date", None) or getattr(statement, "end_date", None)
    if not ends:
        bad.append(BadRecord(f"account {nth}", "it says neither a day of its end nor of balance"))
        return None
    return Stretch(
        line=nth,
        account_number=str(account.account_id or account.number or ""),
        currency=str(getattr(statement, "currency", "") or account.curdef or "").upper(),
        closes_on=date(ends.year, ends.month, ends.day),
        opening_cents=None,
        closing_cents=None,
        movements=pl.DataFrame(rows, schema={**MOVEMENTS, "booked_on": pl.Date}, orient="row"),
    )


def _fault(each: Any, seen: set[str]) -> str:
    if not each.id:
        return "it has no id (FITID)"
    if each.id in seen:
        return f"its id (FITID) {each.id[:40]} stands twice"
    if len(each.id) > REFERENCE_MAX:
        return f"an id (FITID) of more than {REFERENCE_MAX} characters"
    if each.date is None:
        return "it has no day (DTPOSTED)"
    cents = Decimal(each.amount) * 100 if each.amount is not None else Decimal("NaN")
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) > 10**15:
        return "its amount (TRNAMT) is not an amount of whole cents"
    return ""

"""ISO 20022 statements (camt.053), notices (camt.054) and intraday reports (camt.052), any version.

    Document / BkToCstmrStmt, BkToCstmrDbtCdtNtfctn or BkToCstmrAcctRpt
      Stmt, Ntfctn or Rpt
        Acct / Id        the account: IBAN or another number
        Bal              PRCD or OPBD opens, CLBD closes
        TxsSummry        what the entries must count and add up to
        Ntry             one movement: Amt, CdtDbtInd, BookgDt, ValDt, references, text

Only booked entries are movements. The PyPI packages that know camt read some versions of the
statement and no notice, so the tree, read by defusedxml, is walked here; elements are found by
their local names, which all versions share.

Source: ISO 20022 message definitions, Bank-to-Customer Cash Management.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

import polars as pl
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

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

_STATEMENTS = {"Stmt", "Ntfctn", "Rpt"}
_OPENS, _CLOSES = ("OPBD", "PRCD"), ("CLBD",)
_ACCOUNTS = (("IBAN",), ("Othr", "Id"), ("PrtryAcct", "Id"), ("BBAN",), ("UPIC",))
_SIGNS = {"CRDT": 1, "DBIT": -1}


class _Wrong(ValueError):
    """An element that cannot be read, and why."""


def read(content: bytes) -> Told:
    """Reads a message. Raises Invalid (no camt message) or BadFile with every bad element."""
    text_of(content)
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, ValueError):
        raise Invalid(
            "This is not a camt file: its XML is broken or holds definitions of its own. Choose "
            "the file that the bank sent.",
            field="file",
        ) from None
    statements = [each for each in root.iter() if _name(each) in _STATEMENTS]
    if not statements:
        raise Invalid(
            "This XML has no statement (camt.053), notice (camt.054) or report (camt.052). Choose "
            "the file that the bank sent.",
            field="file",
        )
    bad: list[BadRecord] = []
    differences: list[BadRecord] = []
    stretches = []
    for nth, statement in enumerate(statements, start=1):
        try:
            stretches.append(_stretch(statement, nth, bad, differences))
        except _Wrong as wrong:
            bad.append(BadRecord(f"statement {nth}", str(wrong)))
    if bad:
        raise BadFile(
            f"The bank file has {len(bad)} bad element{'s' * (len(bad) > 1)} and was not read; "
            "ask the bank to send it again.",
            bad,
        )
    found = told(stretches)
    return Told(found.days, (*found.differences, *differences))


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _name(child) == name)


def _at(element: Element | None, *path: str) -> Element | None:
    for name in path:
        if element is None:
            return None
        element = next(_all(element, name), None)
    return element


def _text(element: Element | None, *path: str) -> str:
    found = _at(element, *path)
    return " ".join((found.text or "").split()) if found is not None else ""


def _stretch(
    statement: Element, nth: int, bad: list[BadRecord], differences: list[BadRecord]
) -> Stretch:
    account = _at(statement, "Acct", "Id")
    number = next(filter(None, (_text(account, *path) for path in _ACCOUNTS)), "")
    if not number:
        raise _Wrong("it names no account")
    balances = {_text(b, "Tp", "CdOrPrtry", "Cd"): b for b in _all(statement, "Bal")}
    opening = next((balances[code] for code in _OPENS if code in balances), None)
    closing = next((balances[code] for code in _CLOSES if code in balances), None)
    rows, currencies = [], set()
    for place, entry in enumerate(_all(statement, "Ntry"), start=1):
        try:
            if row := _movement(entry, place, statement):
                rows.append(row)
            currencies.add(_currency(entry))
        except _Wrong as wrong:
            bad.append(BadRecord(f"statement {nth}, entry {place}", str(wrong)))
    movements = pl.DataFrame(rows, schema={**MOVEMENTS, "booked_on": pl.Date}, orient="row")
    currencies |= {_currency(b) for b in (opening, closing) if b is not None}
    currencies |= {_text(statement, "Acct", "Ccy")} - {""}
    if len(currencies) > 1:
        raise _Wrong(f"it mixes {', '.join(sorted(currencies))}")
    differences += _summary_differences(statement, nth)
    return Stretch(
        line=nth,
        account_number=number,
        currency=next(iter(currencies), "USD"),
        closes_on=_closes_on(statement, closing, movements),
        opening_cents=_signed(opening) if opening is not None else None,
        closing_cents=_signed(closing) if closing is not None else None,
        movements=movements,
    )


def _closes_on(statement: Element, closing: Element | None, movements: pl.DataFrame) -> date:
    if closing is not None and (on := _date(_at(closing, "Dt"))):
        return on
    if until := _text(statement, "FrToDt", "ToDtTm") or _text(statement, "CreDtTm"):
        return _day(until)
    if movements.height:
        return date.fromisoformat(str(movements["booked_on"].max()))
    raise _Wrong("it says no day")


def _movement(entry: Element, place: int, statement: Element) -> tuple[object, ...] | None:
    status = _text(entry, "Sts") or _text(entry, "Sts", "Cd") or "BOOK"
    if status != "BOOK":
        return None
    booked = _date(_at(entry, "BookgDt")) or _date(_at(entry, "ValDt"))
    if booked is None:
        created = _text(statement, "CreDtTm")
        if not created:
            raise _Wrong("it has no booking date")
        booked = _day(created)
    details = _at(entry, "NtryDtls", "TxDtls")
    references = (
        _text(details, "Refs", "EndToEndId"),
        _text(details, "Refs", "MsgId"),
        _text(details, "Refs", "InstrId"),
        _text(details, "Refs", "ChqNb"),
    )
    customer = next((r for r in references if r and r != "NOTPROVIDED"), "")
    bank = _text(entry, "AcctSvcrRef") or _text(details, "Refs", "AcctSvcrRef")
    for reference in (customer, bank):
        if len(reference) > REFERENCE_MAX:
            raise _Wrong(f"a reference of more than {REFERENCE_MAX} characters")
    return (
        place,
        _date(_at(entry, "ValDt")) or booked,
        _signed(entry),
        _type_code(entry),
        bank,
        customer,
        _words(entry, details),
        booked,
    )


def _type_code(entry: Element) -> str:
    code = _at(entry, "BkTxCd")
    parts = (
        _text(code, "Domn", "Cd"),
        _text(code, "Domn", "Fmly", "Cd"),
        _text(code, "Domn", "Fmly", "SubFmlyCd"),
    )
    return ("".join(parts) or _text(code, "Prtry", "Cd"))[:12]


def _words(entry: Element, details: Element | None) -> str:
    remittance = _at(details, "RmtInf")
    found = [_text(entry, "AddtlNtryInf")]
    if remittance is not None:
        found += [_text(each) for each in _all(remittance, "Ustrd")]
        found += [_text(each, "CdtrRefInf", "Ref") for each in remittance if _name(each) == "Strd"]
    found.append(_text(details, "AddtlTxInf"))
    return " ".join(dict.fromkeys(word for word in found if word))


def _currency(element: Element) -> str:
    amount = _at(element, "Amt")
    return str(amount.get("Ccy", "")) if amount is not None else ""


def _cents(text: str) -> int:
    try:
        cents = Decimal(text) * 100
    except InvalidOperation:
        raise _Wrong(f"“{text[:20]}” is not an amount") from None
    if not cents.is_finite() or cents != cents.to_integral_value() or abs(cents) > 10**15:
        raise _Wrong(f"“{text[:20]}” is not an amount of whole cents")
    return int(cents)


def _signed(element: Element) -> int:
    sign = _SIGNS.get(_text(element, "CdtDbtInd"))
    if sign is None:
        raise _Wrong("an amount that is neither credit nor debit")
    return sign * _cents(_text(element, "Amt"))


def _date(element: Element | None) -> date | None:
    text = _text(element, "Dt") or _text(element, "DtTm")
    return _day(text) if text else None


def _day(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise _Wrong(f"“{text[:20]}” is not a date") from None


def _summary_differences(statement: Element, nth: int) -> list[BadRecord]:
    """What TxsSummry says of the entries, credits and debits, held against them."""
    summary = _at(statement, "TxsSummry")
    if summary is None:
        return []
    entries = list(_all(statement, "Ntry"))
    found = []
    for name, kind in (("TtlNtries", ""), ("TtlCdtNtries", "CRDT"), ("TtlDbtNtries", "DBIT")):
        total = _at(summary, name)
        counted = [e for e in entries if not kind or _text(e, "CdtDbtInd") == kind]
        if total is None:
            continue
        stated, cents = _text(total, "NbOfNtries"), sum(_cents(_text(e, "Amt")) for e in counted)
        if stated and stated != str(len(counted)):
            found.append(f"{name} says {stated[:9]} entries, but there are {len(counted)}")
        if (summed := _text(total, "Sum")) and _cents(summed) != cents:
            found.append(f"{name} says {summed[:20]}, but they add up to {show_cents(cents)}")
    return [BadRecord(f"statement {nth}", reason) for reason in found]

"""What a receipt says on paper: a PDF for letter paper, bytes for a receipt printer."""

import json
from collections.abc import Sequence
from pathlib import Path

import typst
from django.conf import settings
from django.utils import timezone
from escpos.printer import Dummy

from chamberlain.cashiering.models import Tender
from chamberlain.cashiering.receipts import ReceiptTender, ReceiptView
from chamberlain.kernel.money import show_cents

WIDTH_CHARACTERS = 42

_TEMPLATE = Path(__file__).parent / "documents" / "receipt.typ"
_DRAWER_PIN = 2


def receipt_pdf(view: ReceiptView, *, is_copy: bool = False) -> bytes:
    """The receipt as PDF/UA-1. A reprint is marked COPY, a voided receipt VOID."""
    document = typst.compile(
        _TEMPLATE,
        sys_inputs={"receipt": json.dumps(_content(view, is_copy))},
        pdf_standards=["ua-1"],
    )
    return bytes(document)


def receipt_escpos(
    view: ReceiptView, *, is_copy: bool = False, opens_drawer: bool = False
) -> bytes:
    """The receipt as bytes for an ESC/POS printer of 42 characters a line.

    opens_drawer: also kicks the cash drawer that hangs on the printer.
    """
    printer = Dummy()
    printer.set(align="center", bold=True)
    printer.textln(str(settings.CITY_NAME))
    printer.set(align="center", bold=False)
    printer.textln(view.center_name)
    if mark := _mark(view, is_copy):
        printer.set(align="center", bold=True, double_height=True, double_width=True)
        printer.textln(mark)
    printer.set(align="left", bold=False, normal_textsize=True)
    for line in _slip_lines(view):
        printer.textln(line)
    printer.cut()
    if opens_drawer:
        printer.cashdraw(_DRAWER_PIN)
    return bytes(printer.output)


def drawer_kick() -> bytes:
    """What opens the cash drawer that hangs on a printer."""
    printer = Dummy()
    printer.cashdraw(_DRAWER_PIN)
    return bytes(printer.output)


def endorsement_escpos(view: ReceiptView, check: ReceiptTender, lines: Sequence[str]) -> bytes:
    """What is put on the back of a check, as bytes for the printer of the till."""
    printer = Dummy()
    printer.set(align="center", bold=True)
    for line in lines:
        printer.textln(line[:WIDTH_CHARACTERS])
    printer.set(align="left", bold=False)
    printer.textln(_pair(f"Check {check.reference}", show_cents(check.cents)))
    printer.textln(_pair(view.number, f"{timezone.localtime(view.taken_at):%m/%d/%Y}"))
    printer.cut()
    return bytes(printer.output)


def _slip_lines(view: ReceiptView) -> list[str]:
    rule = "-" * WIDTH_CHARACTERS
    lines = [rule, *(_pair(name, value) for name, value in _facts(view)), rule]
    for line in view.lines:
        lines += [_pair(f"{line.account_number}", show_cents(line.cents))]
        lines += [f"  {line.kind_name} {line.document}".rstrip()[:WIDTH_CHARACTERS]]
    lines += [rule, _pair("TOTAL PAID", show_cents(view.total_cents))]
    lines += [
        _pair(f"{_label(tender.kind)} {tender.reference}".strip(), show_cents(tender.cents))
        for tender in view.tenders
    ]
    if view.change_cents:
        lines += [_pair("Change", show_cents(view.change_cents))]
    if view.is_voided:
        lines += [rule, _void(view)]
    return lines


def _pair(left: str, right: str) -> str:
    """A line with one text at each end; the left one gives way."""
    room = WIDTH_CHARACTERS - len(right) - 1
    return f"{left[:room]:<{room}} {right}"


def _facts(view: ReceiptView) -> list[tuple[str, str]]:
    return [
        ("Receipt", view.number),
        ("Time", f"{timezone.localtime(view.taken_at):%m/%d/%Y %-I:%M %p}"),
        ("Till", view.till),
        ("Cashier", view.cashier),
        ("Paid by account", view.payer_account_number),
    ]


def _label(kind: str) -> str:
    return str(Tender.Kind(kind).label)


def _mark(view: ReceiptView, is_copy: bool) -> str:
    return " ".join(["VOID"] * view.is_voided + ["COPY"] * is_copy)


def _void(view: ReceiptView) -> str:
    return f"Voided, approved by {view.void_approved_by}: {view.void_reason}"


def _content(view: ReceiptView, is_copy: bool) -> dict[str, object]:
    tenders = [[_label(t.kind), t.reference, show_cents(t.cents)] for t in view.tenders]
    if view.change_cents:
        tenders.append(["Change given", "", show_cents(-view.change_cents)])
    return {
        "title": f"Receipt {view.number}",
        "city": str(settings.CITY_NAME),
        "center": view.center_name,
        "address": view.center_address,
        "mark": _mark(view, is_copy),
        "facts": [[name, value] for name, value in _facts(view)],
        "lines": [
            [line.account_number, line.kind_name, line.document, show_cents(line.cents)]
            for line in view.lines
        ],
        "tenders": tenders,
        "total": show_cents(view.total_cents),
        "void": _void(view) if view.is_voided else "",
    }

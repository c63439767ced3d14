"""Sending a receipt to the printer of its till. A printer that fails never touches a payment."""

import socket
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from escpos.exceptions import Error as PrinterError
from escpos.printer import Network

from chamberlain.cashiering.checks.terms import terms_on
from chamberlain.cashiering.models import ReceiptPrint, Tender, Till
from chamberlain.cashiering.paper import drawer_kick, endorsement_escpos, receipt_escpos
from chamberlain.cashiering.receipts import receipt
from chamberlain.cashiering.tills import no_sale
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused

TIMEOUT_SECONDS = 3
_FILE = "file:"
_DEFAULT_PORT = 9100


class PrinterUnreachable(Refused):
    """The receipt did not come out of the printer; the payment stands."""


def print_receipt(actor: Actor, receipt_id: int, now: datetime) -> bool:
    """Prints a receipt where its till prints. Returns whether the paper is marked as a copy.

    The first print is the original and opens the cash drawer for cash; each later one is marked
    COPY. Raises NotFound, NotPermitted, and PrinterUnreachable when no paper came out. It is
    never called inside of a payment's transaction.
    """
    actor.require("payment.take")
    view = receipt(receipt_id)
    till = Till.objects.get(sessions=view.session_id)
    actor.require("payment.take", till.center_id)
    is_copy = ReceiptPrint.objects.filter(receipt_id=receipt_id).exists()
    has_cash = any(tender.kind == "cash" for tender in view.tenders)
    slip = receipt_escpos(view, is_copy=is_copy, opens_drawer=has_cash and not is_copy)
    send(till.printer_address or str(settings.PRINTER_ADDRESS), slip, till.code)
    ReceiptPrint.objects.create(receipt_id=receipt_id, printed_by_id=actor.user_id, printed_at=now)
    return is_copy


def open_drawer(actor: Actor, session_id: int, reason: str, now: datetime) -> None:
    """Opens the actor's drawer without a payment; that and the reason are kept first.

    Raises as `tills.no_sale`, and PrinterUnreachable when the drawer did not open by itself.
    """
    no_sale(actor, session_id, reason, now)
    till = Till.objects.get(sessions=session_id)
    send(till.printer_address or str(settings.PRINTER_ADDRESS), drawer_kick(), till.code)


def endorse_checks(actor: Actor, receipt_id: int) -> int:
    """Prints the city's endorsement for each check of a receipt, to be put on its back.

    Returns how many checks. Raises NotFound, NotPermitted, Refused when the receipt has no check
    or the city no endorsement, PrinterUnreachable.
    """
    actor.require("payment.take")
    view = receipt(receipt_id)
    till = Till.objects.get(sessions=view.session_id)
    actor.require("payment.take", till.center_id)
    checks = [tender for tender in view.tenders if tender.kind == Tender.Kind.CHECK]
    terms = terms_on(timezone.localdate(view.taken_at))
    if not checks or terms is None:
        raise Refused(
            f"Receipt {view.number} has no check to endorse, or the city's rules of checks name "
            "no endorsement."
        )
    for check in checks:
        slip = endorsement_escpos(view, check, terms.endorsement.splitlines())
        send(till.printer_address or str(settings.PRINTER_ADDRESS), slip, till.code)
    return len(checks)


def send(address: str, slip: bytes, till_code: str) -> None:
    """Sends bytes to `host:port` or appends them to `file:path`. Raises PrinterUnreachable."""
    if not address:
        raise PrinterUnreachable(
            f"Till {till_code} has no printer; give the customer the PDF, or ask an "
            "administrator to enter the printer's address."
        )
    try:
        if address.startswith(_FILE):
            with Path(address.removeprefix(_FILE)).open("ab") as file:
                file.write(slip)
        else:
            _send_over_network(address, slip)
    except (OSError, ValueError, PrinterError):
        raise PrinterUnreachable(
            f"The printer of till {till_code} at {address} does not answer. What was done stands; "
            "check the printer and print again."
        ) from None


def _send_over_network(address: str, slip: bytes) -> None:
    host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
    printer = Network(host, int(port or _DEFAULT_PORT), timeout=TIMEOUT_SECONDS)
    printer.open()
    try:
        printer._raw(slip)
        if isinstance(printer.device, socket.socket):
            printer.device.shutdown(socket.SHUT_WR)
    finally:
        printer.close()

"""Receipts on paper: PDF, receipt printer, copies, and a printer that does not answer."""

import socket
import threading
from contextlib import closing

import pypdf
import pytest
from django.db import DatabaseError, transaction

from chamberlain.cashiering import queries
from chamberlain.cashiering.models import ReceiptPrint, Till
from chamberlain.cashiering.operations import (
    PrinterUnreachable,
    ask_for_void,
    print_receipt,
    void_receipt,
)
from chamberlain.cashiering.paper import receipt_escpos, receipt_pdf
from chamberlain.kernel.errors import NotFound, NotPermitted
from tests.cashiering.counter import Counter, cash, check, make_counter, pay
from tests.office import NOW, owe

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return make_counter()


@pytest.fixture
def receipt(counter):
    owed = owe(counter.day, "A1", 4000, 2000)
    items = [(owed.charge_ids[0], 4000), (owed.charge_ids[1], 2000)]
    return pay(counter, owed.account_id, items, check(5000, "4711"), cash(2000))


def printer_at(counter: Counter, address: str) -> None:
    Till.objects.filter(pk=counter.till_ids[0]).update(printer_address=address)


def text_of(pdf: bytes, tmp_path) -> str:
    path = tmp_path / "receipt.pdf"
    path.write_bytes(pdf)
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def test_the_pdf_says_what_was_paid_how_and_by_whom_and_is_accessible(receipt, tmp_path):
    pdf = receipt_pdf(receipt)
    text = text_of(pdf, tmp_path)
    for part in (
        receipt.number,
        "Center CH",
        "Ana-Ch",
        "A1-0",
        "$40.00",
        "$60.00",
        "4711",
        "-$10.00",
        "03/02/2026 9:00 AM",
    ):
        assert part in text
    assert "COPY" not in text
    metadata = pypdf.PdfReader(tmp_path / "receipt.pdf").xmp_metadata
    assert metadata is not None
    assert b"pdfuaid" in pdf or "pdfuaid" in str(metadata.rdf_root.toxml())


def test_a_reprint_is_marked_copy_and_a_voided_receipt_void(counter, receipt, tmp_path):
    ask_for_void(counter.cashier, receipt.receipt_id, "wrong account", NOW)
    void_receipt(counter.supervisor, receipt.receipt_id, NOW)
    view = queries.receipt(receipt.receipt_id)
    text = text_of(receipt_pdf(view, is_copy=True), tmp_path)
    assert "VOID COPY" in text
    assert "wrong account" in text
    assert b"VOID COPY" in receipt_escpos(view, is_copy=True)


def test_the_slip_is_as_wide_as_the_paper_and_opens_the_drawer_when_asked(receipt):
    slip = receipt_escpos(receipt)
    assert b"TOTAL PAID                          $60.00" in slip
    assert b"Check 4711                          $50.00" in slip
    assert b"Change                              $10.00" in slip
    assert b"COPY" not in slip
    kick = b"\x1bp"
    assert kick not in slip
    assert kick in receipt_escpos(receipt, opens_drawer=True)


def test_a_slip_comes_out_of_a_network_printer_and_the_second_one_is_a_copy(counter, receipt):
    received: list[bytes] = []

    def receive(paper: socket.socket) -> bytes:
        return b"".join(iter(lambda: paper.recv(4096), b""))

    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def listen() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    received.append(receive(connection))

        thread = threading.Thread(target=listen)
        thread.start()
        printer_at(counter, f"127.0.0.1:{server.getsockname()[1]}")
        assert not print_receipt(counter.cashier, receipt.receipt_id, NOW)
        assert print_receipt(counter.cashier, receipt.receipt_id, NOW)
        thread.join(timeout=10)
    original, copy = received
    assert receipt.number.encode() in original
    assert b"COPY" not in original
    assert b"\x1bp" in original
    assert b"COPY" in copy
    assert b"\x1bp" not in copy
    assert ReceiptPrint.objects.count() == 2


def test_a_slip_goes_into_a_file(counter, receipt, tmp_path):
    printer_at(counter, f"file:{tmp_path / 'slips'}")
    print_receipt(counter.cashier, receipt.receipt_id, NOW)
    print_receipt(counter.cashier, receipt.receipt_id, NOW)
    assert (tmp_path / "slips").read_bytes().count(b"TOTAL PAID") == 2


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:port", "file:/no/such/folder/x"])
def test_a_printer_that_does_not_answer_leaves_the_payment(counter, receipt, address):
    printer_at(counter, address)
    with pytest.raises(PrinterUnreachable, match="What was done stands"):
        print_receipt(counter.cashier, receipt.receipt_id, NOW)
    assert queries.receipt(receipt.receipt_id) == receipt
    assert ReceiptPrint.objects.count() == 0


def test_a_till_without_a_printer_says_so(counter, receipt):
    with pytest.raises(PrinterUnreachable, match="has no printer"):
        print_receipt(counter.cashier, receipt.receipt_id, NOW)


def test_receipts_are_printed_by_the_counter_only(counter, receipt):
    other = make_counter("WE").cashier
    with pytest.raises(NotPermitted):
        print_receipt(other, receipt.receipt_id, NOW)
    with pytest.raises(NotFound):
        print_receipt(counter.cashier, 10**9, NOW)


def test_a_print_stays_recorded(counter, receipt, tmp_path):
    printer_at(counter, f"file:{tmp_path / 'slips'}")
    print_receipt(counter.cashier, receipt.receipt_id, NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        ReceiptPrint.objects.all().delete()

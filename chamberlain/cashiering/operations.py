"""Everything that is done at the counter, in one place for pages, API and commands.

Each operation lives in the file of its subject: `tills` (opening, drops), `payments`, `voids`,
`closing`, `printing`.
"""

from chamberlain.cashiering.closing import (
    Closed,
    DoesNotAddUp,
    close_center_day,
    close_till,
    verify_till,
)
from chamberlain.cashiering.payments import take_payment
from chamberlain.cashiering.printing import (
    PrinterUnreachable,
    endorse_checks,
    open_drawer,
    print_receipt,
)
from chamberlain.cashiering.tendering import TenderLine
from chamberlain.cashiering.tills import ensure_till, make_drop, open_till
from chamberlain.cashiering.voids import ask_for_void, decline_void, void_receipt
from chamberlain.ledger.operations import open_business_day

__all__ = [
    "Closed",
    "DoesNotAddUp",
    "PrinterUnreachable",
    "TenderLine",
    "ask_for_void",
    "close_center_day",
    "close_till",
    "decline_void",
    "endorse_checks",
    "ensure_till",
    "make_drop",
    "open_business_day",
    "open_drawer",
    "open_till",
    "print_receipt",
    "take_payment",
    "verify_till",
    "void_receipt",
]

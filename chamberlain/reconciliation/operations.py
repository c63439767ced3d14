"""Everything that is done with deposits and the bank, in one place for pages, API and commands.

Each operation lives in the file of its subject: `deposits`, `bank_files`, `sign_off`.
"""

from chamberlain.reconciliation.bank_files import ensure_bank_account, read_bank_file
from chamberlain.reconciliation.deposits import (
    Matched,
    make_deposit,
    match_by_hand,
    match_deposits,
)
from chamberlain.reconciliation.sign_off import prepare_reconciliation, sign_reconciliation

__all__ = [
    "Matched",
    "ensure_bank_account",
    "make_deposit",
    "match_by_hand",
    "match_deposits",
    "prepare_reconciliation",
    "read_bank_file",
    "sign_reconciliation",
]

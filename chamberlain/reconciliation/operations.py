"""Everything that is done with deposits and the bank, in one place for pages, API and commands.

Each operation lives in the file of its subject: `deposits`, `bank_files`, `layouts`, `matches`,
`bank_lines`, `questions`, `sign_off`.
"""

from chamberlain.reconciliation.bank_files import ensure_bank_account, read_bank_file
from chamberlain.reconciliation.bank_lines import LINE_KINDS, book_line, split_line
from chamberlain.reconciliation.custody import enter_bank_receipt, hand_to_courier
from chamberlain.reconciliation.deposits import make_deposit
from chamberlain.reconciliation.layouts import save_layout
from chamberlain.reconciliation.matches import Matched, match_by_hand, match_deposits
from chamberlain.reconciliation.questions import answer_question, ask_center
from chamberlain.reconciliation.reopening import reopen_reconciliation
from chamberlain.reconciliation.sign_off import prepare_reconciliation, sign_reconciliation

__all__ = [
    "LINE_KINDS",
    "Matched",
    "answer_question",
    "ask_center",
    "book_line",
    "ensure_bank_account",
    "enter_bank_receipt",
    "hand_to_courier",
    "make_deposit",
    "match_by_hand",
    "match_deposits",
    "prepare_reconciliation",
    "read_bank_file",
    "reopen_reconciliation",
    "save_layout",
    "sign_reconciliation",
    "split_line",
]

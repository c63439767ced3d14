"""Everything that is done with full payment certificates, in one place for pages and commands.

Each operation lives in the file of its subject: `applications`, `ordering`, `payoff`, `issuing`,
`deeds`.
"""

from chamberlain.billing.certificates.applications import (
    Identification,
    Incomplete,
    NewApplication,
    accept_application,
    move_closing,
    submit_application,
    what_is_missing,
    withdraw_application,
)
from chamberlain.billing.certificates.deeds import Deed, apply_deed
from chamberlain.billing.certificates.issuing import (
    Standing,
    issue_certificate,
    reissue_certificate,
    standing_of,
)
from chamberlain.billing.certificates.ordering import record_final_read
from chamberlain.billing.certificates.payoff import review_account, set_payoff

__all__ = [
    "Deed",
    "Identification",
    "Incomplete",
    "NewApplication",
    "Standing",
    "accept_application",
    "apply_deed",
    "issue_certificate",
    "move_closing",
    "record_final_read",
    "reissue_certificate",
    "review_account",
    "set_payoff",
    "standing_of",
    "submit_application",
    "what_is_missing",
    "withdraw_application",
]

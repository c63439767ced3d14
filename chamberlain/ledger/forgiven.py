"""Charges that were settled without money: written off, forgiven, or moved to another account.

Taking back a bill turns what was paid on it into credit. What was forgiven was never paid, so it
has to be taken back first, by whoever may take back an adjustment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import Refused
from chamberlain.ledger import chart


class Forgiven(Refused):
    """An adjustment that still stands settled a charge that was to be taken back."""


_STANDING = """
    FROM ledger_transfer t
    JOIN ledger_ledgeraccount d ON d.id = t.debit_id
    JOIN ledger_entry e ON e.id = t.entry_id
    WHERE t.effect = 'settle' AND (d.kind = 'expense' OR d.code = %(moves)s)
        AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)
"""
_OF_CHARGES = f"""
    SELECT t.charge_id, min(e.document), sum(t.cents)::bigint {_STANDING}
        AND t.charge_id = ANY(%(charges)s)
    GROUP BY t.charge_id ORDER BY 2, 1
"""
_OF_ACCOUNT = f"""
    SELECT e.id, e.document, sum(t.cents)::bigint {_STANDING}
        AND t.account_id = %(account)s AND e.posted_at >= %(since)s
    GROUP BY e.id ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class ForgivenOnAccount:
    """An entry that settled charges of an account without money."""

    entry_id: int
    document: str
    cents: int


def forgiven_on_account(account_id: int, since: datetime) -> tuple[ForgivenOnAccount, ...]:
    """What was settled without money on an account since a moment and stands, the oldest first."""
    values = {"moves": chart.MOVES, "account": account_id, "since": since}
    return tuple(ForgivenOnAccount(*row) for row in rows(_OF_ACCOUNT, values))


def forgiven(charge_ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Those of the charges of which something was forgiven: by which adjustment, and cents."""
    found = rows(_OF_CHARGES, {"moves": chart.MOVES, "charges": list(charge_ids)})
    return {int(charge): (document, int(cents)) for charge, document, cents in found}

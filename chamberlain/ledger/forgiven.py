"""Charges that were settled without money: written off, forgiven, or moved to another account.

Taking back a bill turns what was paid on it into credit. What was forgiven was never paid, so it
has to be taken back first, by whoever may take back an adjustment.
"""

from collections.abc import Sequence

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart


class Forgiven(Refused):
    """An adjustment that still stands settled a charge that was to be taken back."""


_SQL = """
    SELECT t.charge_id, min(e.document), sum(t.cents)::bigint
    FROM ledger_transfer t
    JOIN ledger_ledgeraccount d ON d.id = t.debit_id
    JOIN ledger_entry e ON e.id = t.entry_id
    WHERE t.effect = 'settle' AND t.charge_id = ANY(%s)
        AND (d.kind = 'expense' OR d.code = %s)
        AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = e.id)
    GROUP BY t.charge_id ORDER BY 2, 1
"""


def forgiven(charge_ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Those of the charges of which something was forgiven: by which adjustment, and cents."""
    found = rows(_SQL, [list(charge_ids), chart.MOVES])
    return {int(charge): (document, int(cents)) for charge, document, cents in found}


def refuse_forgiven(charge_ids: Sequence[int]) -> None:
    """Raises Forgiven, naming the first adjustment that settled one of the charges."""
    for document, cents in forgiven(charge_ids).values():
        raise Forgiven(
            f"{document} settled {show_cents(cents)} of this bill without money; take that "
            "adjustment back first."
        )

"""What accounts owe and have in credit, as the rules of adjusting take it."""

from collections.abc import Sequence

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.adjusting.outcomes import (
    CHARGES,
    STANDINGS,
    left_by,
    refund_faults,
    settled_by,
    settling_faults,
)
from chamberlain.billing.adjusting.reasons import Reason
from chamberlain.kernel.frames import read_frame

_CHARGES_SQL = """
    SELECT c.id, c.account_id, c.cents - coalesce(s.settled_cents, 0), k.priority, c.due_on,
        k.receivable_id
    FROM ledger_charge c
    JOIN ledger_chargekind k ON k.id = c.kind_id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE c.account_id = ANY(%(accounts)s) AND c.cents > coalesce(s.settled_cents, 0)
        AND (%(any_kind)s OR k.code = ANY(%(kinds)s))
        AND (%(any_charge)s OR c.id = ANY(%(charges)s))
"""
_STANDINGS_SQL = """
    SELECT account_id, owed_cents, credit_cents FROM ledger_balance
    WHERE account_id = ANY(%(accounts)s)
"""


def adjustable(
    account_ids: Sequence[int], reason: Reason, charge_ids: Sequence[int] = ()
) -> pl.DataFrame:
    """Open charges that a reason may settle, as CHARGES. charge_ids: only these, all when empty."""
    values = {
        "accounts": list(account_ids),
        "any_kind": not reason.charge_kinds,
        "kinds": list(reason.charge_kinds),
        "any_charge": not charge_ids,
        "charges": list(charge_ids),
    }
    with transaction.atomic():
        return read_frame(connection.connection, _CHARGES_SQL, CHARGES, values)


def standings(account_ids: Sequence[int]) -> pl.DataFrame:
    """What accounts owe and have in credit, as STANDINGS."""
    with transaction.atomic():
        return read_frame(
            connection.connection, _STANDINGS_SQL, STANDINGS, {"accounts": list(account_ids)}
        )


def faults(
    wanted: pl.DataFrame, reason: Reason, charge_ids: Sequence[int] = ()
) -> tuple[dict[int, str], pl.DataFrame]:
    """Why adjustments of kinds without another account may not be posted, and what they settle.

    wanted: WANTED. Returns sentences by account id, and what `settled_by` returns.
    """
    ids = wanted["account_id"].to_list()
    kind = reason.kind_row
    if not kind.settles:
        found = refund_faults(wanted, standings(ids), needs_nothing_owed=reason.needs_nothing_owed)
        return found, settled_by(wanted, pl.DataFrame(schema=CHARGES))
    settled = settled_by(wanted, adjustable(ids, reason, charge_ids))
    most = reason.largest_credit_cents if kind.leaves_credit else None
    return settling_faults(left_by(wanted, settled), standings(ids), most), settled

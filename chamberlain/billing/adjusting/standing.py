"""What accounts owe and have in credit, as the rules of adjusting take it."""

from collections.abc import Sequence
from datetime import date

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
from chamberlain.database.rows import rows
from chamberlain.kernel.frames import read_frame
from chamberlain.ledger import chart

_CHARGES_SQL = """
    SELECT c.id, c.account_id, c.cents - coalesce(s.settled_cents, 0), k.priority, c.due_on,
        k.receivable_id
    FROM ledger_charge c
    JOIN ledger_chargekind k ON k.id = c.kind_id
    JOIN ledger_ledgeraccount r ON r.id = k.revenue_id AND r.kind = 'revenue'
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
    """Open charges that a reason may settle, as CHARGES. charge_ids: only these, all when empty.

    A deposit that was asked for is never among them: what the office gave would be owed back.
    """
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


def untouched_since(months: int, today: date) -> date:
    """The day up to which credit moved last, for it to have been untouched so many months."""
    return pl.Series([today]).dt.offset_by(f"-{months}mo").item()  # type: ignore[no-any-return]


_TOUCHED_SQL = """
    SELECT t.account_id, max(d.day)
    FROM ledger_transfer t
    JOIN ledger_entry e ON e.id = t.entry_id
    JOIN ledger_businessday d ON d.id = e.business_day_id
    WHERE t.account_id = ANY(%s) AND t.effect IN ('none', 'settle', 'unsettle')
        AND %s IN (t.debit_id, t.credit_id) AND d.day > %s
    GROUP BY 1
"""


def _touched(account_ids: Sequence[int], since: date) -> dict[int, str]:
    found = rows(_TOUCHED_SQL, [list(account_ids), chart.ledger_account_id(chart.CREDITS), since])
    return {
        account_id: f"Its credit moved on {day:%B %-d, %Y}, so it is not unclaimed yet; leave it."
        for account_id, day in found
    }


def faults(
    wanted: pl.DataFrame, reason: Reason, today: date, charge_ids: Sequence[int] = ()
) -> tuple[dict[int, str], pl.DataFrame]:
    """Why adjustments of kinds without another account may not be posted, and what they settle.

    wanted: WANTED. Returns sentences by account id, and what `settled_by` returns.
    """
    ids = wanted["account_id"].to_list()
    kind = reason.kind_row
    if not kind.settles:
        found = refund_faults(wanted, standings(ids), needs_nothing_owed=reason.needs_nothing_owed)
        if reason.untouched_months is not None:
            found = {**_touched(ids, untouched_since(reason.untouched_months, today)), **found}
        return found, settled_by(wanted, pl.DataFrame(schema=CHARGES))
    settled = settled_by(wanted, adjustable(ids, reason, charge_ids))
    most = reason.largest_credit_cents if kind.leaves_credit else None
    return settling_faults(left_by(wanted, settled), standings(ids), most), settled

"""Penalties, runs and holds as typed rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows


@dataclass(frozen=True, slots=True)
class PenaltyRow:
    """A penalty with the charge that caused it. open_cents: of that charge, on `falls_on`."""

    charge_id: int
    caused_by_id: int
    caused_by: str
    document: str
    falls_on: date
    open_cents: int
    cents: int
    entry_id: int
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold of an account's penalties. until_on: the first day after it, if it ends."""

    hold_id: int
    charge_id: int | None
    from_on: date
    until_on: date | None
    reason: str
    placed_by: str
    placed_at: datetime


_PENALTIES = """
    SELECT p.charge_id, p.caused_by_id, k.name, c.document, p.falls_on, p.open_cents, c.cents,
        c.entry_id, EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)
    FROM penalties_penalty p
    JOIN ledger_charge c ON c.id = p.charge_id
    JOIN ledger_charge b ON b.id = p.caused_by_id
    JOIN ledger_chargekind k ON k.id = b.kind_id
    WHERE {where} ORDER BY p.falls_on DESC, p.charge_id DESC LIMIT 200
"""


def penalties_of_account(account_id: int) -> list[PenaltyRow]:
    """Penalties of an account, the latest first."""
    query = _PENALTIES.format(where="c.account_id = %s")
    return [PenaltyRow(*row) for row in rows(query, [account_id])]


def penalties_caused_by(charge_ids: Sequence[int]) -> list[PenaltyRow]:
    """Penalties that charges caused, the latest first."""
    query = _PENALTIES.format(where="p.caused_by_id = ANY(%s)")
    return [PenaltyRow(*row) for row in rows(query, [list(charge_ids)])]


def holds_of_account(account_id: int) -> list[HoldRow]:
    """Holds of an account's penalties, the newest first."""
    query = """
        SELECT h.id, h.charge_id, lower(h.period), upper(h.period), h.reason,
            coalesce(nullif(u.display_name, ''), u.username), h.placed_at
        FROM penalties_penaltyhold h JOIN identity_user u ON u.id = h.placed_by_id
        WHERE h.account_id = %s ORDER BY h.id DESC LIMIT 50
    """
    return [HoldRow(*row) for row in rows(query, [account_id])]

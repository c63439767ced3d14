"""What is open, what is owed, and what made a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.models import Account, Balance, BusinessDay


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """A charge with something open on it."""

    charge_id: int
    account_id: int
    account_number: str
    kind: str
    kind_name: str
    priority: int
    document: str
    raised_on: date
    due_on: date
    cents: int
    open_cents: int


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """What an account owes in all and what it has in credit, in cents."""

    owed_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge, open or not."""

    charge_id: int
    account_id: int
    account_number: str
    kind: str
    kind_name: str
    document: str
    raised_on: date
    due_on: date
    cents: int
    open_cents: int


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer with the names of its two ledger accounts and its entry."""

    transfer_id: int
    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    reason: str
    actor: str
    debit: str
    credit: str
    cents: int
    effect: str
    charge_id: int | None


_OPEN = """
    SELECT c.id, c.account_id, a.number, k.code, k.name, k.priority, c.document, c.raised_on,
        c.due_on, c.cents, c.cents - coalesce(s.settled_cents, 0)
    FROM ledger_charge c
    JOIN ledger_account a ON a.id = c.account_id
    JOIN ledger_chargekind k ON k.id = c.kind_id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE {where} AND c.cents > coalesce(s.settled_cents, 0)
    ORDER BY k.priority, c.due_on, c.id
"""


# Each arm names the condition of an index, without which all transfers would be read.
OF_CHARGES = """((t.charge_id = ANY(%s) AND t.effect = 'raise')
    OR (t.charge_id = ANY(%s) AND t.effect IN ('settle', 'unsettle')))"""


def open_charges(account_ids: Sequence[int]) -> list[OpenCharge]:
    """Open charges of accounts, in the order in which a payment settles them."""
    return [
        OpenCharge(*row)
        for row in _rows(_OPEN.format(where="c.account_id = ANY(%s)"), [list(account_ids)])
    ]


def charges_by_id(charge_ids: Sequence[int]) -> list[OpenCharge]:
    """Those of the named charges that have something open."""
    return [
        OpenCharge(*row) for row in _rows(_OPEN.format(where="c.id = ANY(%s)"), [list(charge_ids)])
    ]


def open_charges_frame(account_ids: Sequence[int]) -> pl.DataFrame:
    """Open charges as `allocation.allocate` takes them."""
    charges = open_charges(account_ids)
    return pl.DataFrame(
        {
            "charge_id": [c.charge_id for c in charges],
            "account_id": [c.account_id for c in charges],
            "open_cents": [c.open_cents for c in charges],
            "priority": [c.priority for c in charges],
            "due_on": [c.due_on for c in charges],
        },
        schema={
            "charge_id": pl.Int64,
            "account_id": pl.Int64,
            "open_cents": pl.Int64,
            "priority": pl.Int64,
            "due_on": pl.Date,
        },
    )


def balance(account_id: int) -> AccountBalance:
    """What the account owes and has in credit."""
    row = Balance.objects.filter(pk=account_id).values_list("owed_cents", "credit_cents").first()
    return AccountBalance(*(row or (0, 0)))


def account_id_of(number: str) -> int:
    """The id of an account by its number. Raises NotFound."""
    found = Account.objects.filter(number=number).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound(f"There is no account {number}; check the number.", field="account")
    return int(found)


def charge(charge_id: int) -> ChargeRow:
    """One charge, open or not. Raises NotFound."""
    query = """
        SELECT c.id, c.account_id, a.number, k.code, k.name, c.document, c.raised_on, c.due_on,
            c.cents, c.cents - coalesce(s.settled_cents, 0)
        FROM ledger_charge c
        JOIN ledger_account a ON a.id = c.account_id
        JOIN ledger_chargekind k ON k.id = c.kind_id
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE c.id = %s
    """
    rows = _rows(query, [charge_id])
    if not rows:
        raise NotFound(f"There is no charge {charge_id}; look at the account's charges.")
    return ChargeRow(*rows[0])


def transfers_of_charge(charge_id: int) -> list[TransferRow]:
    """Everything that moved on a charge, oldest first."""
    return transfers_where(OF_CHARGES, [[charge_id], [charge_id]])


def transfers_of_entry(entry_id: int) -> list[TransferRow]:
    """The transfers of an entry."""
    return transfers_where("t.entry_id = %s", [entry_id])


def transfers_where(
    where: str, params: list[Any], order: str = "d.day, e.id, t.id", limit: int | None = None
) -> list[TransferRow]:
    """Transfers that a condition of this room's own queries picks. limit: None for all."""
    query = f"""
        SELECT t.id, e.id, d.day, e.posted_at, e.kind, e.document, e.reason,
            coalesce(nullif(u.display_name, ''), u.username), db.name, cr.name, t.cents, t.effect,
            t.charge_id
        FROM ledger_transfer t
        JOIN ledger_entry e ON e.id = t.entry_id
        JOIN ledger_businessday d ON d.id = e.business_day_id
        JOIN identity_user u ON u.id = e.actor_id
        JOIN ledger_ledgeraccount db ON db.id = t.debit_id
        JOIN ledger_ledgeraccount cr ON cr.id = t.credit_id
        WHERE {where} ORDER BY {order} LIMIT %s
    """
    return [TransferRow(*row) for row in _rows(query, [*params, limit])]


def open_day(center_id: int) -> BusinessDay | None:
    """The day that a center has open, if any."""
    return BusinessDay.objects.filter(center_id=center_id, closed_at=None).first()

"""What an account owed on a past day, from the transfers that made it."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows as _rows


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer of an account: what it did to what is owed and to the credit, in cents.

    balance_cents: owed less credit after it.
    """

    transfer_id: int
    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    what: str
    actor: str
    owed_cents: int
    credit_cents: int
    balance_cents: int


@dataclass(frozen=True, slots=True)
class PastBalance:
    """What was owed and in credit at the end of a business day, and by how many transfers."""

    on: date
    owed_cents: int
    credit_cents: int
    moves: int

    @property
    def balance_cents(self) -> int:
        """Owed less credit; below zero is credit."""
        return self.owed_cents - self.credit_cents


_MOVED = """
    FROM (SELECT * FROM ledger_transfer
            WHERE account_id = %(id)s AND effect IN ('none', 'settle', 'unsettle')
        UNION ALL
        SELECT t.* FROM ledger_charge c
        JOIN ledger_transfer t ON t.charge_id = c.id AND t.effect = 'raise'
        WHERE c.account_id = %(id)s) t
    JOIN ledger_entry e ON e.id = t.entry_id
    JOIN ledger_businessday d ON d.id = e.business_day_id
    JOIN ledger_ledgeraccount db ON db.id = t.debit_id
    JOIN ledger_ledgeraccount cr ON cr.id = t.credit_id
    WHERE d.day <= %(on)s
"""
_OWED = "CASE t.effect WHEN 'settle' THEN -t.cents WHEN 'none' THEN 0 ELSE t.cents END"
_CREDIT = """CASE WHEN cr.control = 'credits' THEN t.cents
    WHEN db.control = 'credits' THEN -t.cents ELSE 0 END"""


def past_balance(account_id: int, on: date) -> PastBalance:
    """What the account owed, and had in credit, at the end of a business day."""
    query = f"""SELECT coalesce(sum({_OWED}), 0)::bigint, coalesce(sum({_CREDIT}), 0)::bigint,
        count(*) {_MOVED}"""
    return PastBalance(on, *_rows(query, {"id": account_id, "on": on})[0])


def moves_until(account_id: int, on: date, limit: int = 50, offset: int = 0) -> list[Move]:
    """The transfers that made the balance of a day, the newest first, each with its balance."""
    query = f"""
        SELECT m.id, m.entry_id, m.day, m.posted_at, m.kind, m.document, coalesce(k.name, ''),
            coalesce(nullif(u.display_name, ''), u.username), m.owed, m.credit, m.balance
        FROM (SELECT t.id, t.entry_id, t.charge_id, d.day, e.posted_at, e.kind, e.document,
                e.actor_id, {_OWED} AS owed, {_CREDIT} AS credit,
                sum(({_OWED}) - ({_CREDIT})) OVER (ORDER BY d.day, e.id, t.id)::bigint AS balance
            {_MOVED}) m
        JOIN identity_user u ON u.id = m.actor_id
        LEFT JOIN ledger_charge c ON c.id = m.charge_id
        LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
        ORDER BY m.day DESC, m.entry_id DESC, m.id DESC LIMIT %(limit)s OFFSET %(offset)s
    """
    values = {"id": account_id, "on": on, "limit": limit, "offset": offset}
    return [Move(*row) for row in _rows(query, values)]


@dataclass(frozen=True, slots=True)
class OtherEntry:
    """An entry on an account that is no payment and reverses nothing: what it did, in cents.

    balance_cents: what it changed of owed less credit; moved_cents: all that it moved.
    """

    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    reason: str
    actor: str
    balance_cents: int
    moved_cents: int


def other_entries(account_id: int, limit: int = 50) -> list[OtherEntry]:
    """Adjustments, penalties, credit used, charges that no bill run raised; the newest first."""
    query = f"""
        SELECT m.id, m.day, m.posted_at, m.kind, m.document, m.reason,
            coalesce(nullif(u.display_name, ''), u.username), m.balance, m.moved
        FROM (SELECT e.id, d.day, e.posted_at, e.kind, e.document, e.reason, e.actor_id,
                sum(({_OWED}) - ({_CREDIT}))::bigint AS balance, sum(t.cents)::bigint AS moved
            {_MOVED} AND e.reverses_id IS NULL AND e.kind <> 'bill'
            GROUP BY e.id, d.day
            HAVING NOT bool_or(db.kind = 'asset' AND db.control = 'none' AND cr.control <> 'none')
            ORDER BY d.day DESC, e.id DESC LIMIT %(limit)s) m
        JOIN identity_user u ON u.id = m.actor_id
        ORDER BY m.day DESC, m.id DESC
    """
    values = {"id": account_id, "on": date.max, "limit": limit}
    return [OtherEntry(*row) for row in _rows(query, values)]


@dataclass(frozen=True, slots=True)
class EntryMove:
    """What an entry changed of owed less credit, in cents.

    kind: of the entry that it reverses, for a reversal; reverses_id: that entry, or None.
    """

    entry_id: int
    day: date
    kind: str
    document: str
    reverses_id: int | None
    balance_cents: int


def entries_since(account_id: int, after: date, until: date) -> list[EntryMove]:
    """Entries that changed the balance between the ends of two business days, in their order."""
    query = f"""
        SELECT e.id, d.day,
            coalesce((SELECT r.kind FROM ledger_entry r WHERE r.id = e.reverses_id), e.kind),
            e.document, e.reverses_id, sum(({_OWED}) - ({_CREDIT}))::bigint
        {_MOVED} AND d.day > %(after)s
        GROUP BY e.id, d.day
        HAVING sum(({_OWED}) - ({_CREDIT})) <> 0
        ORDER BY d.day, e.id
    """
    values = {"id": account_id, "after": after, "on": until}
    return [EntryMove(*row) for row in _rows(query, values)]

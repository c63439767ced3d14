"""Deposits for pages: lists, one of them with its movements, and what the office holds in all."""

from dataclasses import dataclass
from datetime import date

from chamberlain.billing.deposits import terms as city
from chamberlain.billing.deposits.accruing import interest
from chamberlain.billing.deposits.models import DepositMovement
from chamberlain.billing.deposits.standing import STANDING_SQL, events_of
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound

LISTS = {"held": "Held", "unpaid": "To be paid", "closed": "Given back"}
_WHERE = {
    "held": "d.closed_on IS NULL AND s.unpaid = 0",
    "unpaid": "d.closed_on IS NULL AND s.unpaid > 0",
    "closed": "d.closed_on IS NOT NULL",
}


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A deposit. whole_on: since when it is paid in full; closed_on: None while it is open."""

    deposit_id: int
    number: str
    account: str
    holder: str
    basis: str
    asked_on: date
    asked_by: str
    cents: int
    held_cents: int
    unpaid_cents: int
    whole_on: date | None
    closed_on: date | None
    carried_from: str
    carried_to: str

    @property
    def is_open(self) -> bool:
        """Whether it still holds or waits for money."""
        return self.closed_on is None


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that came in for a deposit (> 0), or was taken back."""

    on: date
    cents: int
    entry_id: int
    document: str
    by: str


@dataclass(frozen=True, slots=True)
class MovementRow:
    """Cents by which what is owed back rose or fell."""

    on: date
    kind: str
    cents: int
    entry_id: int
    by: str

    @property
    def label(self) -> str:
        """What happened, in words."""
        return str(DepositMovement.Kind(self.kind).label)


_FROM = f"""
    FROM deposits_deposit d
    JOIN ({STANDING_SQL}) s(id, number, account_id, charge_id, unpaid, held, whole_on)
        ON s.id = d.id
"""
_ROWS = f"""
    SELECT d.id, d.number, a.number, coalesce((SELECT c.name FROM registry_accountholding h
            JOIN registry_customer c ON c.id = h.customer_id WHERE h.account_id = d.account_id
            ORDER BY h.period DESC LIMIT 1), ''),
        d.basis, d.asked_on, coalesce(nullif(u.display_name, ''), u.username),
        (SELECT sum(m.cents) FROM deposits_depositmovement m
            WHERE m.deposit_id = d.id AND m.kind IN ('asked', 'carried_in'))::bigint,
        s.held, s.unpaid, s.whole_on, d.closed_on, coalesce(f.number, ''), coalesce(t.number, '')
    {_FROM}
    JOIN ledger_account a ON a.id = d.account_id
    JOIN identity_user u ON u.id = d.asked_by_id
    LEFT JOIN deposits_deposit f ON f.id = d.carried_from_id
    LEFT JOIN deposits_deposit t ON t.carried_from_id = d.id
"""


def deposit(number: str) -> DepositRow:
    """One deposit. Raises NotFound."""
    found = rows(f"{_ROWS} WHERE d.number = %s", [number])
    if not found:
        raise NotFound(f"There is no deposit {number[:16]}; look at the list.")
    return DepositRow(*found[0])


def deposits_of_account(account_id: int) -> list[DepositRow]:
    """The deposits of an account, the latest first."""
    return [
        DepositRow(*row)
        for row in rows(
            f"{_ROWS} WHERE d.account_id = %s ORDER BY d.id DESC LIMIT 50", [account_id]
        )
    ]


def deposits(which: str, limit: int = 50, offset: int = 0) -> list[DepositRow]:
    """Deposits of one of LISTS, the oldest first; those given back the latest first."""
    order = "d.closed_on DESC, d.id DESC" if which == "closed" else "d.id"
    query = f"{_ROWS} WHERE {_WHERE[which]} ORDER BY {order} LIMIT %s OFFSET %s"
    return [DepositRow(*row) for row in rows(query, [limit, offset])]


@dataclass(frozen=True, slots=True)
class InAll:
    """What all deposits come to. counts: of each of LISTS; the cents are of open ones."""

    counts: dict[str, int]
    held_cents: int
    unpaid_cents: int


def in_all() -> InAll:
    """How many deposits each list has, and what the open ones hold and wait for."""
    parts = ", ".join(f"count(*) FILTER (WHERE {where})" for where in _WHERE.values())
    query = f"""
        SELECT {parts}, coalesce(sum(s.held) FILTER (WHERE d.closed_on IS NULL), 0)::bigint,
            coalesce(sum(s.unpaid) FILTER (WHERE d.closed_on IS NULL), 0)::bigint
        {_FROM}
    """
    *counts, held, unpaid = rows(query, [])[0]
    return InAll(dict(zip(_WHERE, counts, strict=True)), held, unpaid)


def movements(number: str) -> list[MovementRow]:
    """What moved on a deposit, the oldest first."""
    query = """
        SELECT m."on", m.kind, m.cents, m.entry_id, coalesce(nullif(u.display_name, ''), u.username)
        FROM deposits_depositmovement m
        JOIN deposits_deposit d ON d.id = m.deposit_id
        JOIN ledger_entry e ON e.id = m.entry_id
        JOIN identity_user u ON u.id = e.actor_id
        WHERE d.number = %s ORDER BY m.id
    """
    return [MovementRow(*row) for row in rows(query, [number])]


def payments(number: str) -> list[PaymentRow]:
    """What was paid on a deposit and taken back again, the oldest first."""
    query = """
        SELECT b.day, (CASE t.effect WHEN 'settle' THEN t.cents ELSE -t.cents END)::bigint, e.id,
            e.document, coalesce(nullif(u.display_name, ''), u.username)
        FROM deposits_deposit d
        JOIN ledger_transfer t ON t.charge_id = d.charge_id AND t.effect IN ('settle', 'unsettle')
        JOIN ledger_entry e ON e.id = t.entry_id
        JOIN ledger_businessday b ON b.id = e.business_day_id
        JOIN identity_user u ON u.id = e.actor_id
        WHERE d.number = %s AND NOT EXISTS (SELECT 1 FROM deposits_depositmovement k
            WHERE k.deposit_id = d.id AND k.entry_id = e.id)
        ORDER BY t.id
    """
    return [PaymentRow(*row) for row in rows(query, [number])]


def accrued(deposit_id: int, today: date) -> int:
    """Interest that a deposit would bring if it were given back on a day, in cents."""
    borne = interest(events_of([deposit_id]), city.rates(), today, city.terms_on(today).year_days)
    return int(borne["interest_cents"].sum())

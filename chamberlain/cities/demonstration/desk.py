"""Who works in the demonstration, and on which accounts: the first of a kind that it can be done
with, in the order of their numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused

KEY = "demonstration"
A_PERSON = "c.kind = 'person' AND coalesce(b.credit_cents, 0) = 0"
PAID_UP = f"{A_PERSON} AND coalesce(b.owed_cents, 0) = 0"
OWES = f"{A_PERSON} AND b.owed_cents BETWEEN 10000 AND 150000"
_TRIED = 40

_ACCOUNTS = """
    SELECT a.id, a.number, h.customer_id, h.property_id
    FROM ledger_account a
    JOIN registry_accountholding h ON h.account_id = a.id AND upper(h.period) IS NULL
    JOIN registry_customer c ON c.id = h.customer_id
    JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    WHERE a.number LIKE 'CH-%%' AND NOT a.id = ANY(%s) AND {which}
    ORDER BY a.number LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Picked:
    """An account that something is done with."""

    account_id: int
    number: str
    customer_id: int
    property_id: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Who works, on which day; taken: the accounts that something is done with already."""

    clerk: Actor
    supervisor: Actor
    day_id: int
    today: date
    now: datetime
    taken: list[int] = field(default_factory=list)


def first_of(which: str, taken: list[int], most: int = _TRIED) -> list[Picked]:
    """The first accounts of a kind. which: a condition in SQL; taken: accounts left out."""
    return [Picked(*row) for row in rows(_ACCOUNTS.format(which=which), [taken, most])]


def one_of(desk: Desk, which: str, do: Callable[[Picked], object]) -> bool:
    """Does something with the first account of a kind that it can be done with.

    which: a condition in SQL. Returns whether there was one among the first few.
    """
    for picked in first_of(which, desk.taken):
        try:
            with transaction.atomic():
                do(picked)
        except Refused:
            continue
        desk.taken.append(picked.account_id)
        return True
    return False

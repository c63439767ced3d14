"""The smallest valid office for a test: people, a center with an open day, charges to pay."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.cashiering.models import Tender
from chamberlain.identity.actors import Actor, actor_of, program_actor
from chamberlain.identity.models import Center, Role, RoleAssignment, User
from chamberlain.ledger import chart, operations
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import NewCharge, NewEntry, raise_charges

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def make_center(code: str = "CH") -> Center:
    """A payment center with its ledger accounts."""
    center = Center.objects.create(code=code, name=f"Center {code}")
    chart.ensure_basic_chart()
    chart.ensure_center_accounts(center, list(Tender.Kind.values))
    return center


def make_user(username: str, role: Role | None = None, center: Center | None = None) -> User:
    """A user with one role from the first of the year on."""
    user = User.objects.create(username=username, display_name=username.title())
    if role is not None:
        RoleAssignment.objects.create(
            user=user,
            role=role,
            center=center,
            period=DateRange(date(2026, 1, 1), None),
            granted_by_id=program_actor().user_id,
        )
    return user


def make_actor(username: str, role: Role | None = None, center: Center | None = None) -> Actor:
    """The actor of such a user, on DAY."""
    return actor_of(make_user(username, role, center), DAY)


def open_day(center: Center, day: date = DAY) -> BusinessDay:
    """An open business day of a center."""
    return operations.open_business_day(program_actor(), center.pk, day, NOW)


@dataclass(frozen=True)
class Owed:
    """An account and the charges raised on it."""

    account_id: int
    charge_ids: list[int]


def owe(
    day: BusinessDay, number: str, *cents: int, kind: str = "water", due_on: date = DAY
) -> Owed:
    """An account that owes a charge of each amount."""
    chart.ensure_basic_chart()
    chart.ensure_charge_kind(kind, kind.title(), priority=10)
    [account_id] = operations.open_accounts([number], date(2020, 1, 1))
    found = chart.charge_kinds()[kind]
    charges = [
        NewCharge(
            account_id,
            found.id,
            found.receivable_id,
            found.revenue_id,
            amount,
            min(due_on, DAY),
            due_on,
            f"{number}-{i}",
        )
        for i, amount in enumerate(cents)
    ]
    entry = NewEntry(day.pk, "bill", program_actor().user_id, NOW, number, [])
    return Owed(account_id, raise_charges(entry, charges)[1] if charges else [])

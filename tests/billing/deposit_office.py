"""Maria's home, in a city that asks deposits of those who do not own the place."""

from datetime import UTC, date, datetime

from chamberlain.billing.deposits.models import Deposit
from chamberlain.billing.deposits.operations import ask_deposit
from chamberlain.billing.deposits.standing import standing_of
from chamberlain.billing.deposits.terms import Rate, Requirement, Terms, load_deposit_terms
from chamberlain.identity.actors import program_actor
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.payments import NewPayment, PaymentView, post_payment
from chamberlain.ledger.queries import open_charges
from tests.billing.final_office import Home, home
from tests.office import NOW

DEPOSIT_TERMS = Terms(
    starts_on=date(2010, 1, 1),
    due_days=30,
    release_months=12,
    grace_days=5,
    year_days=365,
    requirements=(
        Requirement(("municipal",), "any", 0, is_per_unit=False),
        Requirement((), "tenant", 7_500, is_per_unit=True),
    ),
    source="chosen for the tests",
    is_verified=False,
)
RATES = (
    Rate(date(2010, 1, 1), 5_000, "chosen for the tests", is_verified=False),
    Rate(date(2026, 6, 1), 20_000, "chosen for the tests", is_verified=False),
)
ASKED = 15_000
"""For the two dwelling units of Maria's home, in cents."""


def deposit_home() -> Home:
    """Maria's home; she rents it, and the city has terms of deposits."""
    place = home()
    load_deposit_terms(program_actor(), [DEPOSIT_TERMS], RATES, "Customer deposit", 16)
    return place


def asked_of(place: Home, key: str = "ask") -> Deposit:
    """The deposit that Maria is asked for."""
    number = ask_deposit(place.clerk, place.number, place.office.day.pk, NOW, key)
    return Deposit.objects.get(number=number)


def pay(place: Home, deposit: Deposit, cents: int, key: str = "pay") -> PaymentView:
    """A payment on the deposit, on the center's open day."""
    assert deposit.charge_id is not None
    payment = NewPayment(
        place.number, cents, "lockbox", f"LB-{key}", items=[(deposit.charge_id, cents)]
    )
    return post_payment(program_actor(), place.office.center.pk, payment, NOW, key)[0]


def pay_bills(place: Home, key: str = "bills") -> None:
    """All that is owed but the deposit is paid."""
    owed = [c for c in open_charges([place.account_id]) if c.kind != "deposit"]
    payment = NewPayment(
        place.number,
        sum(c.open_cents for c in owed),
        "lockbox",
        f"LB-{key}",
        items=[(c.charge_id, c.open_cents) for c in owed],
    )
    post_payment(program_actor(), place.office.center.pk, payment, NOW, key)


def next_day(place: Home, on: date) -> BusinessDay:
    """The revenue office's day is closed and a later one opened."""
    program = program_actor()
    for day in BusinessDay.objects.filter(center=place.office.center, closed_at=None):
        ledger.seal_business_day(program, day.pk, NOW)
    return ledger.open_business_day(program, place.office.center.pk, on, at(on))


def at(on: date) -> datetime:
    """A moment of a day."""
    return datetime(on.year, on.month, on.day, 15, tzinfo=UTC)


def held(deposit: Deposit) -> tuple[int, int]:
    """What is held of it, and what is not paid, in cents."""
    row = standing_of([deposit.pk]).row(0, named=True)
    return row["held_cents"], row["unpaid_cents"]

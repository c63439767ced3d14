"""An office for the tests of counter pages: a center with a till, its people, accounts that owe."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from chamberlain.cashiering import operations
from chamberlain.identity.actors import Actor, actor_of
from chamberlain.identity.models import Center, Role, User
from chamberlain.ledger.models import BusinessDay
from chamberlain.registry.models import AccountHolding, Customer, Property, PropertyType
from tests import office
from tests.web.conftest import PASSWORD


@dataclass(frozen=True)
class CounterOffice:
    """What the tests walk through. Users: casey (cashier), sol and ray (supervisors)."""

    center: Center
    day: BusinessDay
    till_id: int
    maria: office.Owed
    cafe: office.Owed


def today() -> date:
    """The city's today, as the pages see it."""
    return timezone.localdate()


def set_up(*, opens_day: bool = True) -> CounterOffice:
    """People, a center whose revenue office billed two customers, and a till with a float."""
    center = office.make_center("CH")
    Center.objects.filter(pk=center.pk).update(
        name="City Hall", address="121 N LaSalle St, room 107"
    )
    center.refresh_from_db()
    revenue = office.make_center("REV")
    billed_on = office.open_day(revenue, today() - timedelta(days=1))
    office.make_user("casey", Role.CASHIER, center)
    office.make_user("sol", Role.CENTER_SUPERVISOR, center)
    office.make_user("ray", Role.COORDINATOR)
    office.make_user("ada", Role.AUDITOR)
    past = today() - timedelta(days=40)
    maria = office.owe(billed_on, "1004220817", 6412, 6412, kind="water", due_on=past)
    cafe = office.owe(billed_on, "1004220818", 25000, kind="license", due_on=past)
    hold(maria.account_id, "Maria Kowalski", "2214 W Cortland St", "14313290210000")
    hold(cafe.account_id, "Night Owl Café LLC", "1803 N Milwaukee Ave", "14313290220000")
    till_id = operations.ensure_till(center, "CH-1")
    day = office.open_day(center, today()) if opens_day else billed_on
    return CounterOffice(center, day, till_id, maria, cafe)


def hold(account_id: int, name: str, address: str, parcel: str) -> None:
    """Puts a customer and a property to an account."""
    kind, _ = PropertyType.objects.get_or_create(pk="house", defaults={"name": "House"})
    AccountHolding.objects.create(
        account_id=account_id,
        customer=Customer.objects.create(kind="person", name=name),
        property=Property.objects.create(
            parcel_number=parcel, address=address, postal_code="60647", property_type=kind
        ),
        period=DateRange(date(2020, 1, 1), None),
    )


def actor(username: str) -> Actor:
    """A user as the actor of today."""
    return actor_of(User.objects.get(username=username), today())


def open_till(of: CounterOffice, username: str = "casey", twenties: int = 5) -> int:
    """Opens the till with a float of twenties; returns the session."""
    return operations.open_till(actor(username), of.till_id, {2000: twenties}, timezone.now())


def pay_elsewhere(of: CounterOffice, charge_id: int, cents: int) -> None:
    """Another cashier takes a payment at another till."""
    office.make_user("robin", Role.CASHIER, of.center)
    till_id = operations.ensure_till(of.center, "CH-2")
    robin = actor("robin")
    session_id = operations.open_till(robin, till_id, {2000: 5}, timezone.now())
    operations.take_payment(
        robin,
        session_id,
        of.maria.account_id,
        [(charge_id, cents)],
        [operations.TenderLine("cash", cents)],
        timezone.now(),
        "elsewhere",
    )


def give_password(username: str) -> None:
    """Lets a user sign in with the tests' password."""
    user = User.objects.get(username=username)
    user.set_password(PASSWORD)
    user.save()

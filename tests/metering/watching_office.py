"""A street of metered houses whose reads a watch looks at."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import program_actor
from chamberlain.ledger import operations as ledger
from chamberlain.metering.models import Meter, Read
from chamberlain.metering.watching import watches
from chamberlain.metering.watching.models import Finding
from chamberlain.metering.watching.operations import Seen
from chamberlain.metering.watching.terms import Resolution, Rule, Terms, load_watching
from chamberlain.registry.models import (
    AccountHolding,
    Customer,
    Property,
    PropertyType,
    ServicePoint,
)
from tests.office import DAY, NOW

FIRST = date(2025, 1, 1)
RULES = (
    Rule(
        "high",
        1,
        True,
        {
            "percent_of_last_year": 300,
            "percent_of_usual": 300,
            "percent_of_class": 900,
            "least_more_gallons": 50,
        },
    ),
    Rule(
        "low",
        3,
        False,
        {"percent_of_last_year": 20, "percent_of_usual": 20, "least_before_gallons": 20},
    ),
    Rule("zero", 2, False, {"least_days": 25}, ("vacant",)),
    Rule("reversed", 1, True, {}),
    Rule("stopped", 1, False, {"reads": 2}),
    Rule("estimated", 2, False, {"reads": 3}),
)
RESOLUTIONS = (
    Resolution("usage_right", "Usage is right", True, "test", False),
    Resolution("meter_exchanged", "Meter exchanged", False, "test", False),
)


def load_rules(*rules: Rule) -> None:
    """The city's rules, and how entries are closed."""
    terms = Terms(FIRST, 60, 400, rules or RULES, "test", False)
    load_watching(program_actor(), [terms], RESOLUTIONS)


@dataclass
class House:
    """A house with a meter that is read every thirty days."""

    point: ServicePoint
    meter: Meter
    account_id: int
    number: str

    def read(self, daily_gallons: int, **other: object) -> Read:
        """The next thirty days, at so many gallons a day."""
        last = Read.objects.filter(service_point=self.point).order_by("-to_on").first()
        start = last.to_on if last else FIRST
        register = (last.register or 0) if last else 0
        values: dict[str, object] = {
            "from_on": start,
            "to_on": start + timedelta(days=30),
            "usage_thousandths": daily_gallons * 30_000,
            "register": (register + daily_gallons * 30) % 10**6,
            "unit": "gal",
            "quality": "actual",
            **other,
        }
        source = f"{self.point.code} {Read.objects.count()}"
        return Read.objects.create(
            service_point=self.point, meter=self.meter, source=source, **values
        )

    def reads(self, *daily_gallons: int) -> list[Read]:
        """Thirty days each."""
        return [self.read(each) for each in daily_gallons]


def make_house(number: str, property_type: str = "house") -> House:
    """A house whose account somebody holds."""
    kind, _ = PropertyType.objects.get_or_create(
        code=property_type, defaults={"name": property_type.title()}
    )
    [account_id] = ledger.open_accounts([number], date(2020, 1, 1))
    place = Property.objects.create(
        parcel_number=f"P{number}",
        address=f"{number} Main St",
        postal_code="60601",
        property_type=kind,
    )
    AccountHolding.objects.create(
        account_id=account_id,
        customer=Customer.objects.create(kind="person", name=f"Holder {number}"),
        property=place,
        period=DateRange(date(2020, 1, 1), None),
    )
    point = ServicePoint.objects.create(property=place, code=f"SP-{number}")
    meter = Meter.objects.create(serial=f"M-{number}", size='5/8"', dials=6, unit="gal")
    return House(point, meter, account_id, number)


def watch(on: date = DAY, key: str = "", **other: object) -> watches.WatchResult:
    """Plans a watch and goes through it."""
    key = key or f"watch-{on}-{Read.objects.count()}"
    return watches.run_watch(
        watches.plan_watch(program_actor(), on, NOW, key, **other)  # type: ignore[arg-type]
    )


def entry(house: House, rule: str) -> Finding:
    """The latest entry of a rule about a house."""
    found = Finding.objects.filter(service_point=house.point, rule=rule).order_by("-id").first()
    assert found is not None
    return found


def seen(finding: Finding) -> Seen:
    """The entry as it is now."""
    finding.refresh_from_db()
    return Seen(finding.pk, finding.version)

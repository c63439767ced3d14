"""A small office for tests of pages: an account with bills, payments, reads and a citation."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.models import Bill, BillLine, BillRun, Chunk, Hold, ServiceAgreement
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Center
from chamberlain.ledger import chart
from chamberlain.ledger.models import Account, BusinessDay
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import NewCharge, NewEntry, raise_charges
from chamberlain.metering.models import Installation, Meter, Read
from chamberlain.registry import operations as registry
from chamberlain.registry.models import PropertyType, ServicePoint
from chamberlain.revenue.models import Obligation, ObligationCharge
from chamberlain.tariffs.models import Component, Tariff
from tests import office
from tests.office import DAY, NOW

RATE_MICROS = 4_690_000
"""Dollars for a thousand gallons, in millionths."""


@dataclass(frozen=True)
class Office:
    """The revenue office with its open day, a tariff, and a customer with three bills."""

    center: Center
    day: BusinessDay
    tariff: Tariff
    account: Account
    number: str
    bills: list[Bill]
    run: BillRun


def revenue_office() -> tuple[Center, BusinessDay]:
    """The revenue office with an open day."""
    center = office.make_center("RO")
    center.kind, center.name = Center.Kind.REVENUE_OFFICE, "Revenue office"
    center.save()
    return center, office.open_day(center)


def water_tariff() -> Tariff:
    """A tariff of two printed lines, whose second is unverified."""
    chart.ensure_basic_chart()
    chart.ensure_charge_kind("water", "Water", 10)
    chart.ensure_charge_kind("sewer", "Sewer", 20)
    tariff = Tariff.objects.create(
        code="chicago-metered",
        name="Metered water and sewer",
        kind="city",
        unit="kgal",
        proration="by_day",
        source="Municipal Code of Chicago 11-12-310",
    )
    Component.objects.create(
        tariff=tariff,
        position=1,
        code="water",
        label="Water",
        charge_kind="water",
        formula="Usage at the rate in force",
        terms={
            "type": "flat_rate",
            "unit": "kgal",
            "versions": [
                {"effective": "2021-06-01", "rate": "4.17"},
                {"effective": "2023-06-01", "rate": "4.45"},
                {"effective": "2025-06-01", "rate": "4.69"},
            ],
        },
        source="Municipal Code of Chicago 11-12-310",
    )
    Component.objects.create(
        tariff=tariff,
        position=2,
        code="sewer",
        label="Sewer",
        charge_kind="sewer",
        formula="A share of the water charge",
        terms={
            "type": "percent",
            "of": ["water"],
            "versions": [
                {"effective": "2015-01-01", "percent": "100", "verified": False,
                 "note": "Read from a newspaper"},
            ],
        },
        source="Municipal Code of Chicago 3-12-020",
    )  # fmt: skip
    return tariff


def furnished_office(name: str = "Maria Kowalski", bills: int = 3) -> Office:
    """Everything that the account's page shows."""
    program = program_actor()
    center, day = revenue_office()
    tariff = water_tariff()
    PropertyType.objects.create(code="house", name="Single-family house")
    customer = registry.register_customer(program, "person", name)
    registry.add_contact(program, customer, "phone", "312 555 0142")
    property_id = registry.register_property(
        program, "14-31-329-021-0000", "2214 W Cortland St", "60647", "house", 2
    )
    registry.add_service_point(program, property_id, "SP-1")
    account_id = registry.open_account(
        program, customer, property_id, date(2020, 1, 1), "1004220817"
    )
    account = Account.objects.get(pk=account_id)
    point = ServicePoint.objects.get(code="SP-1")
    meter = Meter.objects.create(serial="M-77120", size='5/8"', dials=6, unit="kgal")
    Installation.objects.create(
        meter=meter, service_point=point, period=DateRange(date(2020, 1, 1), None)
    )
    agreement = ServiceAgreement.objects.create(
        account=account,
        service_point=point,
        tariff=tariff,
        rate_class="residential",
        meter_size='5/8"',
        dwelling_units=2,
        exemptions=["senior"],
        period=DateRange(date(2020, 1, 1), None),
    )
    made = []
    run = bill_run(tariff, day)
    start = DAY - timedelta(days=60 * bills)
    register = 48_000
    for i in range(bills):
        end = start + timedelta(days=60)
        usage = 9_140 + 1_310 * i
        register += usage // 1000
        read = Read.objects.create(
            service_point=point,
            meter=meter,
            from_on=start,
            to_on=end,
            register=register,
            usage_thousandths=usage,
            unit="kgal",
            quality="estimate" if i == 1 else "actual",
            source=f"test:{i}",
        )
        made.append(bill(agreement, read, run, f"88-20341{i}", start + timedelta(days=62)))
        start = end
    post_payment(
        program, center.pk, NewPayment("1004220817", 3000, "lockbox", "LB-1"), NOW, "scene-1"
    )
    citation(account, day)
    Chunk.objects.create(
        run=run,
        number=1,
        first_agreement=agreement.pk,
        last_agreement=agreement.pk,
        posted_at=NOW,
        bills=bills,
        held=2,
        cents=sum(b.total_cents for b in made),
    )
    return Office(center, day, tariff, account, "1004220817", made, run)


def bill(agreement: ServiceAgreement, read: Read, run: BillRun, number: str, due_on: date) -> Bill:
    """A posted bill of two lines: water at RATE_MICROS, sewer as much again."""
    water = (read.usage_thousandths * RATE_MICROS + 5_000_000) // 10_000_000
    kinds = chart.charge_kinds()
    raised = min(read.to_on, DAY)
    charges = [
        NewCharge(
            agreement.account_id,
            kinds[kind].id,
            kinds[kind].receivable_id,
            kinds[kind].revenue_id,
            water,
            raised,
            max(due_on, raised),
            number,
        )
        for kind in ("water", "sewer")
    ]
    entry = NewEntry(run.business_day_id, "bill", program_actor().user_id, NOW, number, [])
    entry_id, charge_ids = raise_charges(entry, charges)
    made = Bill.objects.create(
        number=number,
        account_id=agreement.account_id,
        agreement=agreement,
        read=read,
        run=run,
        entry_id=entry_id,
        from_on=read.from_on,
        to_on=read.to_on,
        issued_on=raised,
        due_on=max(due_on, raised),
        total_cents=2 * water,
        previous_balance_cents=0,
    )
    components = list(agreement.tariff.components.order_by("position"))
    for i, (component, charge_id) in enumerate(zip(components, charge_ids, strict=True)):
        BillLine.objects.create(
            bill=made,
            position=i + 1,
            component=component,
            charge_id=charge_id,
            cents=water,
            quantity_thousandths=read.usage_thousandths if i == 0 else water * 10,
            unit="kgal" if i == 0 else "dollar",
            rate_micros=RATE_MICROS if i == 0 else 1_000_000,
            days=60,
        )
    return made


def citation(account: Account, day: BusinessDay, number: str = "70119245") -> None:
    """A parking citation owed on the account."""
    chart.ensure_charge_kind("citation", "Parking citation", 30)
    kind = chart.charge_kinds()["citation"]
    charge = NewCharge(
        account.pk, kind.id, kind.receivable_id, kind.revenue_id, 6000, DAY, DAY, number
    )
    entry = NewEntry(day.pk, "citation", program_actor().user_id, NOW, number, [])
    _, [charge_id] = raise_charges(entry, [charge])
    obligation = Obligation.objects.create(
        number=number,
        kind="citation",
        account=account,
        subject="Plate AB 1234",
        description="Expired meter",
        arose_on=DAY,
    )
    ObligationCharge.objects.create(charge_id=charge_id, obligation=obligation)


def bill_run(tariff: Tariff, day: BusinessDay) -> BillRun:
    """A run that is done."""
    return BillRun.objects.create(
        name="Bi-monthly water, March 2026",
        tariff=tariff,
        is_metered=True,
        reads_up_to=DAY,
        business_day=day,
        due_on=DAY + timedelta(days=21),
        status="done",
        started_by_id=program_actor().user_id,
        created_at=NOW,
        finished_at=NOW,
        idempotency_key="scene-run",
    )


def hold_two(place: Office) -> None:
    """Two items on the run's worklist."""
    agreement = ServiceAgreement.objects.get(account=place.account)
    for read, code, sentence in (
        (None, "no_read", "No read came for this cycle; get a read or enter an estimate."),
        (
            Read.objects.order_by("pk").first(),
            "absurd_usage",
            "The usage is more than 20 times this account's usual; check the read, then mark it "
            "verified or correct it.",
        ),
    ):
        Hold.objects.create(
            run=place.run, agreement=agreement, read=read, code=code, sentence=sentence
        )

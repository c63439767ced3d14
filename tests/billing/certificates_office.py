"""An office that issues certificates: the city's terms, its people, an account of each kind."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.certificates import operations
from chamberlain.billing.certificates.models import FinalRead
from chamberlain.billing.certificates.terms import Terms, load_certificate_terms
from chamberlain.billing.models import ServiceAgreement
from chamberlain.billing.penalties.policy import Policy, load_late_policies
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger import chart
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.queries import balance
from chamberlain.tariffs.models import Component, Tariff
from tests import office
from tests.office import DAY, NOW
from tests.web import scenes

CLOSING = DAY + timedelta(days=20)
READ_ON = DAY + timedelta(days=10)
SEEN = operations.Identification(government_id=True, attorney_card=True)
TERMS = Terms(
    starts_on=date(2011, 1, 1),
    fee_kind="fee",
    fee_cents=5000,
    covered_kinds=("water", "sewer", "penalty"),
    valid_days=60,
    usage_days=366,
    step_days=(("accept", 1), ("read", 5), ("review", 2), ("payoff", 1), ("payment", 3),
               ("issue", 1)),
    exemptions=(("b", "Government body"), ("k", "Merger")),
    source="chosen for the test",
    is_verified=False,
)  # fmt: skip

LATE = Policy(
    starts_on=date(2010, 1, 1),
    rate_micros=12_500,
    grace_days=24,
    days_after_dispute=10,
    charge_kinds=("water", "sewer"),
    penalty_kind="penalty",
    exempt=("senior",),
    source="Municipal Code of Chicago 11-12-420",
    is_verified=True,
)


@dataclass
class Desk:
    """The office of `scenes`, with its clerk and the supervisor who issues."""

    place: scenes.Office
    clerk: Actor
    supervisor: Actor
    asked: operations.NewApplication = field(init=False)

    def __post_init__(self) -> None:
        self.asked = operations.NewApplication(
            account_number=self.place.number,
            role="buyer",
            applicant="Jan Novak",
            phone="312 555 0177",
            seller="Maria Kowalski",
            buyer="Jan Novak",
            closing_on=CLOSING,
            parcel_number="14-31-329-021-0000",
        )

    def apply(self, key: str = "application-1", **other: Any) -> str:
        """An application at the desk; returns its number."""
        asked = replace(self.asked, **other)
        return operations.submit_application(self.clerk, asked, DAY, NOW, key)

    def accept(self, **other: Any) -> str:
        """An application that was accepted."""
        number = self.apply(**other)
        operations.accept_application(self.clerk, number, SEEN, self.place.day.pk, NOW)
        return number

    def read(self, number: str, register: int = 48_034, on: date = READ_ON) -> None:
        """The final reads that are still to be taken."""
        for order in FinalRead.objects.filter(application__number=number, read=None):
            operations.record_final_read(self.clerk, order.pk, on, register, on)

    def payable(self, **other: Any) -> str:
        """An application whose payoff is set."""
        number = self.accept(**other)
        self.read(number)
        operations.set_payoff(self.clerk, number, self.place.day.pk, NOW)
        return number

    def pay_all(self, key: str = "all") -> None:
        """The account pays what it owes, the citation too."""
        owed = balance(self.place.account.pk).owed_cents
        payment = NewPayment(self.place.number, owed, "lockbox", f"LB-{key}")
        post_payment(program_actor(), self.place.center.pk, payment, NOW, f"pay-{key}")

    def issued(self, **other: Any) -> tuple[str, str]:
        """An application with its certificate: both numbers."""
        number = self.payable(**other)
        self.pay_all(f"for {number}")
        return number, operations.issue_certificate(self.supervisor, number, DAY, NOW)


def make_desk() -> Desk:
    """An account with three bills, a meter and a citation; a clerk and a supervisor."""
    place = scenes.furnished_office()
    load_terms()
    return Desk(
        place,
        office.make_actor("robin", Role.CLERK),
        office.make_actor("sam", Role.ACCOUNTS_SUPERVISOR),
    )


def load_terms() -> None:
    """The city's terms with the charge kinds that they name."""
    chart.ensure_charge_kind("fee", "Other fee", 50)
    chart.ensure_charge_kind("penalty", "Late payment penalty", 15)
    load_certificate_terms(program_actor(), [TERMS])
    load_late_policies(program_actor(), [LATE])


def without_meter(desk: Desk) -> None:
    """Makes the account's agreement one without a meter, from the day of its last read on."""
    agreement = ServiceAgreement.objects.get(account=desk.place.account)
    agreement.period = DateRange(date(2020, 1, 1), DAY)
    agreement.save()
    ServiceAgreement.objects.create(
        account=desk.place.account,
        service_point=agreement.service_point,
        tariff=hose_tariff(),
        rate_class="residential",
        is_metered=False,
        attributes={"hoses": "2"},
        period=DateRange(DAY, None),
    )


def hose_tariff() -> Tariff:
    """$120.00 a season of six months for each hose."""
    tariff = Tariff.objects.create(
        code="hoses", name="Non-metered water", kind="city", unit="kgal", proration="by_day",
        source="chosen for the test",
    )  # fmt: skip
    Component.objects.create(
        tariff=tariff,
        position=1,
        code="hose",
        label="Hoses",
        charge_kind="water",
        formula="Number of them × rate for a season",
        terms={
            "type": "fixtures",
            "count": "hoses",
            "versions": [{"effective": "2015-01-01", "rate": "120.00"}],
        },
        source="chosen for the test",
    )
    return tariff

"""Terms and an account with charges, for tests of payment plans."""

from dataclasses import replace
from datetime import date

from chamberlain.billing.approving import Approval
from chamberlain.billing.plans.models import Plan
from chamberlain.billing.plans.offers import Wanted
from chamberlain.billing.plans.operations import offer_plan
from chamberlain.billing.plans.terms import Terms, load_plan_terms
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.ledger import chart
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import NewCharge, NewEntry, raise_charges
from tests.office import DAY, NOW, Owed

STANDARD = Terms(
    code="standard",
    name="Standard payment plan",
    starts_on=date(2020, 1, 1),
    ends_on=None,
    charge_kinds=("water",),
    down_payment_basis_points=0,
    longest_instalments=36,
    longer_instalments=None,
    longer_above_cents=None,
    interval_months=1,
    smallest_plan_cents=5_000,
    smallest_instalment_cents=1_000,
    grace_days=10,
    needs_new_bills_paid=True,
    reinstatements=1,
    reinstatement_days=14,
    approvals=(
        Approval(100_000, ()),
        Approval(500_000, ("accounts_supervisor", "coordinator")),
        Approval(900_000, ("coordinator",)),
    ),
    source="chosen for the tests",
    is_verified=False,
)


def load_terms(**other: object) -> Terms:
    """The standard terms, changed where wanted."""
    chart.ensure_basic_chart()
    chart.ensure_charge_kind("water", "Water", 10)
    terms = replace(STANDARD, **other)  # type: ignore[arg-type]
    load_plan_terms(program_actor(), [terms])
    return terms


def wanted(owed: Owed, instalments: int = 4, **other: object) -> Wanted:
    """All charges of the account in so many instalments."""
    asked = Wanted(owed.account_id, tuple(owed.charge_ids), "standard", instalments)
    return replace(asked, **other)  # type: ignore[arg-type]


def offered(actor: Actor, owed: Owed, instalments: int = 4, key: str = "plan-1") -> Plan:
    """A plan over all charges of the account."""
    number = offer_plan(actor, wanted(owed, instalments), DAY, NOW, key)
    return Plan.objects.get(number=number)


def pay(center_id: int, number: str, cents: int, key: str) -> None:
    """A payment on account, which settles the oldest charge first."""
    payment = NewPayment(number, cents, "lockbox", key)
    post_payment(program_actor(), center_id, payment, NOW, key)


def bill_more(day_id: int, account_id: int, cents: int, due_on: date, document: str) -> int:
    """A new charge of water; returns its id."""
    kind = chart.charge_kinds()["water"]
    charge = NewCharge(
        account_id, kind.id, kind.receivable_id, kind.revenue_id, cents, DAY, due_on, document
    )
    entry = NewEntry(day_id, "bill", program_actor().user_id, NOW, document, [])
    return raise_charges(entry, [charge])[1][0]

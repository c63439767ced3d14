"""An office that adjusts: a clerk, a supervisor and a coordinator, reasons, accounts that owe."""

from dataclasses import dataclass, replace
from datetime import date

from chamberlain.billing.adjusting.operations import Wanted, ask_adjustment
from chamberlain.billing.adjusting.reasons import Reason, load_reasons
from chamberlain.billing.approving import Approval
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_business_day, seal_business_day
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import NewCharge, NewEntry, raise_charges
from tests import office
from tests.office import DAY, NOW

_STEPS = (
    Approval(10_000, ("accounts_supervisor", "coordinator")),
    Approval(100_000, ("coordinator",)),
)


def reason(code: str, kind: str, **other: object) -> Reason:
    """A reason that two roles approve up to $100, one up to $1,000."""
    plain = Reason(
        code, kind, code.replace("_", " ").capitalize(), date(2020, 1, 1), None, (), 0, False,
        _STEPS, "made for tests", True,
    )  # fmt: skip
    return replace(plain, **other)  # type: ignore[arg-type]


REASONS = (
    reason("leak", "leak_credit", charge_kinds=("water", "sewer"), largest_credit_cents=5_000),
    reason("sorry", "goodwill", largest_credit_cents=2_000),
    reason("bankrupt", "write_off"),
    reason("first_time", "penalty_waiver", charge_kinds=("penalty",)),
    reason("wrong_account", "misapplied_payment", largest_credit_cents=50_000),
    reason("holders_credit", "move_credit", largest_credit_cents=50_000),
    reason("holders_charges", "move_charges"),
    reason("asked_back", "refund", needs_nothing_owed=True),
    reason("unclaimed", "unclaimed_credit", needs_nothing_owed=True, untouched_months=36),
    reason("old", "goodwill", ends_on=date(2025, 1, 1)),
)


@dataclass
class Adjusting:
    """The office: who works in it, and its open day."""

    clerk: Actor
    supervisor: Actor
    coordinator: Actor
    day: BusinessDay
    center_id: int
    keys: int = 0

    def ask(self, account: str, code: str, cents: int, **other: object) -> str:
        """The clerk asks; returns the number."""
        self.keys += 1
        wanted = Wanted(account, code, cents, "because", **other)  # type: ignore[arg-type]
        return ask_adjustment(self.clerk, wanted, DAY, NOW, f"key-{self.keys}")

    def pay(self, account: str, cents: int, reference: str) -> int:
        """A payment by lockbox; returns its entry's id."""
        new = NewPayment(account, cents, "lockbox", reference)
        return post_payment(program_actor(), self.center_id, new, NOW, reference)[0].payment_id

    def reopen(self, day: date) -> BusinessDay:
        """Closes the open day and opens a later one."""
        seal_business_day(program_actor(), self.day.pk, NOW)
        self.day = open_business_day(program_actor(), self.center_id, day, NOW)
        return self.day

    def charge(self, account_id: int, cents: int, kind: str = "water") -> int:
        """One more charge on an account; returns its id."""
        of = chart.charge_kinds()[kind]
        new = NewCharge(
            account_id, of.id, of.receivable_id, of.revenue_id, cents, DAY, DAY, f"{kind}-{cents}"
        )
        entry = NewEntry(self.day.pk, "bill", program_actor().user_id, NOW, "more", [])
        return raise_charges(entry, [new])[1][0]


def make_adjusting_office() -> Adjusting:
    """The office with its people, reasons and an open day."""
    center = office.make_center("RO")
    center.kind = center.Kind.REVENUE_OFFICE
    center.save()
    day = office.open_day(center)
    for kind, priority in (("water", 10), ("sewer", 20), ("penalty", 30)):
        chart.ensure_charge_kind(kind, kind.title(), priority)
    load_reasons(program_actor(), REASONS)
    return Adjusting(
        clerk=office.make_actor("clara", Role.CLERK),
        supervisor=office.make_actor("sam", Role.ACCOUNTS_SUPERVISOR),
        coordinator=office.make_actor("cory", Role.COORDINATOR),
        day=day,
        center_id=center.pk,
    )

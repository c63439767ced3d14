"""Maria, who moves out on a day in April, for tests of final bills."""

from dataclasses import dataclass, replace
from datetime import date

from chamberlain.billing.adjusting.reasons import Reason, load_reasons
from chamberlain.billing.approving import Approval
from chamberlain.billing.finals.operations import Leaving, ask_final_bill
from chamberlain.billing.finals.terms import Terms, load_final_terms
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger import chart
from chamberlain.metering.models import Read
from chamberlain.registry import operations as registry
from chamberlain.registry.queries import account_summary
from tests import office
from tests.office import NOW
from tests.web import scenes

LEFT = date(2026, 4, 1)
TERMS = Terms(
    starts_on=date(2010, 1, 1),
    due_days=24,
    usage_days=366,
    charges_reason="same_holder_charges",
    credit_reason="same_holder_credit",
    source="chosen for the tests",
    is_verified=False,
)


@dataclass(frozen=True)
class Home:
    """The office, Maria's account with three bills, and her next account."""

    office: scenes.Office
    next_number: str
    clerk: Actor
    supervisor: Actor

    @property
    def number(self) -> str:
        """The account that is given up."""
        return self.office.number

    @property
    def account_id(self) -> int:
        """Its id."""
        return self.office.account.pk


def home() -> Home:
    """Maria's home, read and billed up to 2 March 2026."""
    made = scenes.furnished_office()
    chart.ensure_charge_kind("penalty", "Late payment penalty", 15)
    program = program_actor()
    load_final_terms(program, [TERMS])
    reasons = [
        Reason(
            code=code,
            kind=kind,
            name="To the holder's other account",
            starts_on=date(2010, 1, 1),
            ends_on=None,
            charge_kinds=(),
            largest_credit_cents=1_000_000,
            needs_nothing_owed=False,
            approvals=(Approval(500_000, ("accounts_supervisor",)),),
            source="chosen for the tests",
            is_verified=False,
        )
        for code, kind in (
            (TERMS.charges_reason, "move_charges"),
            (TERMS.credit_reason, "move_credit"),
        )
    ]
    load_reasons(program, reasons)
    customer_id = account_summary(made.number).customer_id
    assert customer_id is not None
    registry.open_account(program, customer_id, None, date(2026, 3, 1), "NEXT-1")
    return Home(
        made,
        "NEXT-1",
        office.make_actor("robin", Role.CLERK),
        office.make_actor("sam", Role.ACCOUNTS_SUPERVISOR),
    )


def asked(place: Home, **other: object) -> int:
    """Maria's move-out on LEFT; its id."""
    leaving = replace(Leaving(place.number, LEFT), **other)  # type: ignore[arg-type]
    return ask_final_bill(place.clerk, leaving, date(2026, 3, 20), NOW)


def register_after(thousands: int) -> int:
    """What the meter shows after so many more thousand gallons."""
    last = Read.objects.order_by("-to_on").first()
    assert last is not None
    assert last.register is not None
    return int(last.register) + thousands

"""A town whose bills are set right: the city's limits, an open day, and clerks."""

from datetime import date

from chamberlain.billing.models import Bill
from chamberlain.billing.rebilling import operations
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.operations import NewRebill, ReasonTerms, RuleTerms
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger.models import Account
from tests.billing.town import FROM, Town
from tests.office import DAY, NOW, make_actor

LIMITS = RuleTerms(date(2010, 1, 1), 24, 60, 50_000, 24, "chosen for the test", False)
REASONS = [
    ReasonTerms("read_wrong", "A read was wrong", False, "chosen for the test", False),
    ReasonTerms("court_order", "Order of a court", True, "chosen for the test", False),
]


def load_limits(rule: RuleTerms = LIMITS) -> None:
    """The city's limits and reasons of rebilling."""
    operations.load_rules(program_actor(), [rule], REASONS)


def number_of(account_id: int) -> str:
    """The number of an account."""
    return Account.objects.get(pk=account_id).number


def new(
    account_id: int,
    corrections: Corrections,
    from_on: date = FROM,
    to_on: date | None = None,
    reason: str = "read_wrong",
) -> NewRebill:
    """A rebill of an account over a period."""
    return NewRebill(
        number_of(account_id), from_on, to_on, reason, "The customer called", corrections
    )


def draft(town: Town, asked: NewRebill, key: str = "rebill-1") -> int:
    """A drafted rebill."""
    return operations.draft_rebill(program_actor(), asked, DAY, NOW, key)


def rebill(town: Town, asked: NewRebill, key: str = "rebill-1") -> int:
    """A rebill that is drafted and posted by the program, below the amount of approval."""
    rebill_id = draft(town, asked, key)
    operations.post_rebill(program_actor(), rebill_id, town.day.pk, DAY, NOW)
    return rebill_id


def one_bill(number: str, corrections: Corrections, key: str = "") -> int:
    """A drafted rebill of nothing but one bill; asked for by the program."""
    bill = Bill.objects.select_related("account").get(number=number)
    asked = NewRebill(
        bill.account.number, bill.from_on, bill.to_on, "court_order", "Nothing was due",
        corrections,
    )  # fmt: skip
    return operations.draft_rebill(program_actor(), asked, DAY, NOW, key or f"one bill {number}")


def take_back(number: str, business_day_id: int) -> None:
    """A bill taken back by two people."""
    load_limits()
    rebill_id = one_bill(number, Corrections(takes_back=(number,)))
    boss = make_actor(f"second {number}", Role.ACCOUNTS_SUPERVISOR)
    operations.post_rebill(boss, rebill_id, business_day_id, DAY, NOW)

"""A city with citations: its rules, prices, and people."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_accounts
from chamberlain.revenue.citations.terms import Terms, load_citation_terms
from chamberlain.revenue.operations import FeeTerms, Posting, issue_citation, load_fee
from tests.office import DAY, NOW, make_actor, make_center, open_day

FINE = 5_000
_numbers = count(1)
_SINCE = date(2012, 1, 1)
TERMS = Terms(
    _SINCE, 7, 25, 180, 3, 2, 365, "fee.boot", "fee.tow", 5, "fee.storage", "fee.storage_after",
    "for the tests", False,
)  # fmt: skip
PRICES = {"fee.boot": 10_000, "fee.tow": 15_000, "fee.storage": 2_000, "fee.storage_after": 3_500}


@dataclass(frozen=True)
class CitationOffice:
    """The revenue office, its people and an account that owns a vehicle."""

    day: BusinessDay
    clerk: Actor
    second_clerk: Actor
    supervisor: Actor
    account_id: int

    def posting(self, key: str | None = None) -> Posting:
        """On the open day."""
        return Posting(self.day.pk, NOW, key)


def load() -> None:
    """The city's rules and prices."""
    for priority, kind in enumerate(("citation", "fee"), 1):
        chart.ensure_charge_kind(kind, kind.title(), priority)
    fine = ((_SINCE, FINE, "A newspaper", False),)
    load_fee(
        program_actor(),
        FeeTerms("citation.meter", "citation", "Expired meter", "citation", fine, due_days=25),
    )
    for code, cents in PRICES.items():
        prices = ((_SINCE, cents, "A newspaper", False),)
        load_fee(program_actor(), FeeTerms(code, "fee", code, "fee", prices))
    load_citation_terms(program_actor(), [TERMS])


def make_citation_office() -> CitationOffice:
    """An office with one account."""
    load()
    [account_id] = open_accounts(["A1"], DAY)
    return CitationOffice(
        day=open_day(make_center("REV")),
        clerk=make_actor("clara", Role.CLERK),
        second_clerk=make_actor("cleo", Role.CLERK),
        supervisor=make_actor("amir", Role.ACCOUNTS_SUPERVISOR),
        account_id=account_id,
    )


def cite(office: CitationOffice, days_ago: int, plate: str = "AB 12 345") -> str:
    """A citation of so many days ago; returns its number."""
    number = f"C{next(_numbers):06d}"
    issue_citation(
        office.clerk, office.account_id, number, "citation.meter", plate,
        DAY - timedelta(days=days_ago), office.posting(),
    )  # fmt: skip
    return number

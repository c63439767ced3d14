"""The evening of a day at a center: money taken, tills counted and verified."""

from dataclasses import dataclass

from chamberlain.cashiering.operations import TenderLine, close_center_day, close_till, verify_till
from chamberlain.identity.actors import Actor
from chamberlain.identity.models import Center
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.operations import ensure_bank_account, make_deposit
from tests.cashiering.counter import FLOAT, cash, check, make_counter, pay
from tests.office import NOW, owe
from tests.reconciliation.bank import ACCOUNT

CASH, CHECKS, CARDS = 50_000, 12_000, 3_300


@dataclass(frozen=True)
class Evening:
    """A center's day with $500.00 of cash, $120.00 of checks and $33.00 of cards."""

    center: Center
    day: BusinessDay
    cashier: Actor
    supervisor: Actor
    second_supervisor: Actor

    def deposit_and_close(self) -> None:
        """Bags B-cash, B-check and B-card, and the day sealed."""
        for kind in ("cash", "check", "card"):
            make_deposit(self.supervisor, self.day.pk, kind, f"B-{kind}", NOW)
        close_center_day(self.supervisor, self.day.pk, NOW)


def make_evening(*, closes: bool = True, counted_cash: int = CASH) -> Evening:
    """An evening; counted_cash: what is found of the cash taken."""
    ensure_bank_account(ACCOUNT, "General fund")
    counter = make_counter()
    owed = owe(counter.day, "A1", CASH + CHECKS + CARDS)
    tenders = [cash(CASH), check(CHECKS), TenderLine("card", CARDS, "88")]
    pay(counter, owed.account_id, [(owed.charge_ids[0], CASH + CHECKS + CARDS)], *tenders)
    if closes:
        first = counter.session_id
        close_till(counter.cashier, first, {2000: 5, 1: counted_cash}, CHECKS, NOW)
        close_till(counter.second_cashier, counter.second_session_id, FLOAT, 0, NOW)
        for session_id in (first, counter.second_session_id):
            verify_till(counter.supervisor, session_id, NOW)
    return Evening(
        counter.center,
        counter.day,
        counter.cashier,
        counter.supervisor,
        counter.second_supervisor,
    )

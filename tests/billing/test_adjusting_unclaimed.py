"""Credits that nobody claimed for the city's term are handed over by an approved batch."""

from datetime import date

import pytest

from chamberlain.billing.adjusting import queries
from chamberlain.billing.adjusting.models import AdjustmentReason
from chamberlain.billing.adjusting.operations import approve_batch
from chamberlain.billing.adjusting.unclaimed import (
    ask_unclaimed,
    count_unclaimed,
    unclaimed_credits,
)
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import account_id_of, balance, transfers_of_entry
from tests import office
from tests.billing.adjust_scenes import Adjusting, make_adjusting_office
from tests.office import DAY, NOW

pytestmark = pytest.mark.django_db

TERM_ENDS = date(2029, 3, 2)


@pytest.fixture
def place() -> Adjusting:
    """Three accounts with credit, one of which owes something too."""
    made = make_adjusting_office()
    for number, cents in (("A", 1200), ("B", 800), ("C", 500)):
        owed = office.owe(made.day, number)
        made.pay(number, cents, f"P-{number}")
    made.charge(owed.account_id, 300)
    return made


def test_credit_is_unclaimed_when_nothing_moved_it_for_the_term(place: Adjusting) -> None:
    assert count_unclaimed(date(2029, 3, 1)) == (0, 0)
    assert count_unclaimed(TERM_ENDS) == (2, 2000)
    found = [(row.account, row.cents, row.moved_on) for row in unclaimed_credits(TERM_ENDS)]
    assert found == [("A", 1200, DAY), ("B", 800, DAY)]


def test_all_of_it_is_handed_over_by_one_batch(place: Adjusting) -> None:
    numbers = {ask_unclaimed(place.clerk, TERM_ENDS, NOW, "once") for _ in range(2)}
    [number] = numbers
    assert count_unclaimed(TERM_ENDS) == (0, 0)
    later = place.reopen(TERM_ENDS)
    assert approve_batch(place.supervisor, number, later.pk, NOW) == 2
    row = queries.adjustments_of_batch(number)[0]
    assert row.entry_id is not None
    assert row.note == "Not claimed since March 2, 2026"
    [moved] = transfers_of_entry(row.entry_id)
    assert (moved.credit, moved.cents) == ("Unclaimed credits to be handed over", 1200)
    assert prove(program_actor()).differences == ()


def test_a_credit_that_was_used_meanwhile_is_not_handed_over(place: Adjusting) -> None:
    number = ask_unclaimed(place.clerk, TERM_ENDS, NOW, "k")
    later = place.reopen(TERM_ENDS)
    place.pay("B", 100, "late")
    with pytest.raises(Refused, match="Its credit moved on March 2, 2029"):
        approve_batch(place.supervisor, number, later.pk, NOW)


def test_one_account_alone_is_held_to_the_term_too(place: Adjusting) -> None:
    with pytest.raises(Refused, match="not unclaimed yet"):
        place.ask("A", "unclaimed", 1200)
    assert balance(account_id_of("A")).credit_cents == 1200


def test_nothing_past_the_term_and_no_term_are_said(place: Adjusting) -> None:
    with pytest.raises(Refused, match="nothing to hand over"):
        ask_unclaimed(place.clerk, DAY, NOW, "k")
    AdjustmentReason.objects.filter(code="unclaimed").update(untouched_months=None)
    with pytest.raises(NotFound, match="no term"):
        ask_unclaimed(place.clerk, DAY, NOW, "k")
    assert (unclaimed_credits(TERM_ENDS), count_unclaimed(TERM_ENDS)) == ([], (0, 0))

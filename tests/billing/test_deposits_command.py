"""`chamberlain deposits` as a scheduler of the city runs it, and the worker's own night."""

from datetime import date

import pytest

from chamberlain.billing.deposits.tasks import release_deposits_by_night
from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import seal_business_day
from chamberlain.ledger.queries import balance
from tests.billing.deposit_office import (
    ASKED,
    asked_of,
    deposit_home,
    next_day,
    pay,
    pay_bills,
)
from tests.billing.final_office import Home
from tests.cli.office_commands import chamberlain
from tests.office import NOW


def due_home() -> Home:
    """Maria's deposit is whole since more than a year, and all was paid."""
    place = deposit_home()
    pay(place, asked_of(place), ASKED)
    pay_bills(place)
    next_day(place, date(2027, 3, 5))
    return place


def test_a_night_is_released_and_said_as_json_and_in_words(own_database: str) -> None:
    due_home()
    answer = chamberlain("deposits", "--json", database=own_database)
    assert answer.code == 0, answer.err
    assert answer.json["deposits"] == 1
    assert answer.json["cents"] > ASKED
    again = chamberlain("deposits", database=own_database)
    assert "0 deposits released, $0.00 in all." in again.out
    refused = chamberlain("deposits", "--as", "robin", database=own_database)
    assert refused.code == 2
    assert "supervisor of customer accounts" in refused.err


@pytest.mark.django_db
def test_the_worker_releases_by_night_when_a_day_is_open() -> None:
    place = due_home()
    release_deposits_by_night(0)
    assert balance(place.account_id).credit_cents > ASKED
    for day in BusinessDay.objects.filter(closed_at=None):
        seal_business_day(program_actor(), day.pk, NOW)
    with pytest.raises(NotFound, match="no open day"):
        release_deposits_by_night(0)

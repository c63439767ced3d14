"""`chamberlain penalties` as a scheduler of the city runs it."""

import pytest
from django.utils import timezone

from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Center, Role
from chamberlain.ledger import chart
from chamberlain.ledger.operations import open_business_day
from tests.billing.test_penalties import policy
from tests.cli.office_commands import chamberlain
from tests.office import NOW, make_center, make_user, owe


@pytest.fixture
def books(own_database: str) -> str:
    """A revenue office with an open day, where $100.00 has been late since March 26."""
    center = make_center("REV")
    center.kind = Center.Kind.REVENUE_OFFICE
    center.save()
    day = open_business_day(program_actor(), center.pk, timezone.localdate(), NOW)
    chart.ensure_charge_kind("penalty", "Penalty", 15)
    owe(day, "100-1", 10_000)
    load_late_policies(program_actor(), [policy()])
    make_user("clara", Role.CLERK)
    return own_database


def test_a_night_is_raised_and_said_as_json_and_in_words(books: str) -> None:
    answer = chamberlain(
        "penalties", "--on", "2026-04-01", "--since", "2026-03-01", "--json", database=books
    )
    assert answer.code == 0, answer.err
    assert (answer.json["penalties"], answer.json["cents"], answer.json["reversed"]) == (1, 125, 0)
    again = chamberlain("penalties", "--on", "2026-04-01", database=books)
    assert "0 penalties of $0.00 in all" in again.out


def test_who_may_not_raise_penalties_is_told_who_may(books: str) -> None:
    answer = chamberlain("penalties", "--on", "2026-04-01", "--as", "clara", database=books)
    assert answer.code == 2
    assert "supervisor of customer accounts" in answer.err

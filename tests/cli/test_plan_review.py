"""`chamberlain plan-review` as a person or a scheduler runs it."""

from datetime import date

from chamberlain.identity.models import Role
from tests import office
from tests.billing.plan_office import load_terms, offered
from tests.cli.office_commands import chamberlain


def test_plans_in_default_are_found_and_counted(own_database: str) -> None:
    load_terms()
    owed = office.owe(office.open_day(office.make_center()), "A1", 80_000)
    offered(office.make_actor("robin", Role.CLERK), owed)
    first = date(2026, 3, 13).isoformat()
    answer = chamberlain("plan-review", "--on", first, "--json", database=own_database)
    assert answer.json == {"plans": 1, "defaulted": 1, "kept": 0}, answer.err
    again = chamberlain("plan-review", "--on", first, database=own_database)
    assert "0 plans in force: 0 are in default now" in again.out

"""A rate that was loaded wrong is set right for the whole city, by two people."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from chamberlain.billing.models import Bill
from chamberlain.billing.rebilling import citywide
from chamberlain.billing.rebilling.citywide import CityPlan
from chamberlain.billing.rebilling.operations import RuleTerms
from chamberlain.billing.running import run
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from chamberlain.tariffs.models import Component
from tests.billing.rebilling_scenes import load_limits
from tests.billing.test_rebilling import billed_town, pay
from tests.billing.town import FROM, Town, make_read, make_town, plan
from tests.cli.office_commands import chamberlain
from tests.office import NOW, make_actor


def amend(rate: str) -> None:
    """The rate of the water tariff as it should have been."""
    water = Component.objects.get(code="water")
    water.terms["versions"][-1]["rate"] = rate
    water.save()


def asked(town: Town, **other: object) -> CityPlan:
    values: dict[str, object] = {
        "tariff_code": "chicago-metered",
        "from_on": FROM,
        "to_on": None,
        "reason_code": "read_wrong",
        "note": "The rate was loaded wrong",
        "business_day_id": town.day.pk,
        "chunk_points": 4,
        **other,
    }
    return CityPlan(**values)  # type: ignore[arg-type]


def two_people() -> tuple[Actor, Actor]:
    return (
        make_actor("sam", Role.ACCOUNTS_SUPERVISOR),
        make_actor("ruth", Role.ACCOUNTS_SUPERVISOR),
    )


def approved(town: Town, **other: object) -> int:
    sam, ruth = two_people()
    rebill_id = citywide.ask_city_rebill(sam, asked(town, **other), NOW, "city")
    citywide.approve_city_rebill(ruth, rebill_id, NOW)
    return rebill_id


@pytest.mark.django_db
def test_a_corrected_rate_rebills_every_account_once() -> None:
    town = billed_town(10)
    paid = town.agreements[4].account_id
    pay(town, paid, 5000)
    amend("4.00")
    rebill_id = approved(town)
    done = citywide.run_city_rebill(program_actor(), rebill_id)
    assert (done.chunks, done.done, done.taken_back, done.made, done.left_out) == (3, 3, 10, 10, 0)
    assert done.difference_cents == -2 * 69 * 55
    assert citywide.run_city_rebill(program_actor(), rebill_id) == done
    assert balance(paid).credit_cents == 5000 - 4000
    assert balance(town.agreements[9].account_id).owed_cents == 8000
    assert run(plan(town, "again")).bills == 0
    assert prove(program_actor()).holds


def test_local_workers_rebill_the_same(own_database: str) -> None:
    town = billed_town(10)
    amend("5.00")
    done = citywide.run_city_rebill(program_actor(), approved(town), workers=2)
    assert (done.done, done.made, done.difference_cents) == (3, 10, 2 * 31 * 55)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_an_unchanged_rate_changes_nothing() -> None:
    town = billed_town(3)
    done = citywide.run_city_rebill(program_actor(), approved(town))
    assert (done.done, done.taken_back, done.made) == (1, 0, 0)
    assert Bill.objects.count() == 3


@pytest.mark.django_db
def test_bills_beyond_the_limit_are_left_out_and_counted() -> None:
    town = make_town(2, reads=False)
    load_limits(RuleTerms(date(2010, 1, 1), 6, 1, 50_000, 24, "chosen", False))
    first, second = town.agreements
    make_read(first, 1000, from_on=FROM - timedelta(days=200), to_on=FROM - timedelta(days=140))
    make_read(second, 1000)
    run(plan(town))
    amend("4.00")
    done = citywide.run_city_rebill(program_actor(), approved(town, from_on=date(2025, 1, 1)))
    assert (done.made, done.left_out) == (1, 1)
    other = citywide.ask_city_rebill(
        make_actor("tom", Role.ACCOUNTS_SUPERVISOR),
        asked(town, from_on=date(2025, 1, 1), reason_code="court_order"), NOW, "other",
    )  # fmt: skip
    citywide.approve_city_rebill(program_actor(), other, NOW)
    assert citywide.run_city_rebill(program_actor(), other).made == 1


@pytest.mark.django_db
def test_a_rebill_of_the_city_takes_two_people() -> None:
    town = billed_town(1)
    sam, ruth = two_people()
    rebill_id = citywide.ask_city_rebill(sam, asked(town), NOW, "city")
    assert citywide.ask_city_rebill(sam, asked(town), NOW, "city") == rebill_id
    with pytest.raises(Refused, match="waits for the approval"):
        citywide.run_city_rebill(program_actor(), rebill_id)
    with pytest.raises(NotPermitted, match="another person"):
        citywide.approve_city_rebill(sam, rebill_id, NOW)
    for statement, refusal in (
        ("UPDATE rebilling_citychunk SET posted_at = now()", "not approved"),
        (
            "UPDATE rebilling_cityrebill SET approved_by_id = asked_by_id, approved_at = now()",
            "city_rebill_approved_by_another",
        ),
    ):
        with (
            pytest.raises(DatabaseError, match=refusal),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    citywide.approve_city_rebill(ruth, rebill_id, NOW)
    with pytest.raises(AlreadyDone, match="approved before"):
        citywide.approve_city_rebill(ruth, rebill_id, NOW)
    citywide.post_city_chunk(rebill_id, 99)
    amend("4.00")
    ledger.seal_business_day(program_actor(), town.day.pk, NOW)
    with pytest.raises(DayClosed):
        citywide.run_city_rebill(program_actor(), rebill_id)


@pytest.mark.django_db
def test_a_rebill_of_the_city_needs_a_tariff_a_reason_a_period_and_a_day() -> None:
    town = billed_town(1)
    sam = make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    for plan_of, kind, sentence in (
        (asked(town, tariff_code="none"), NotFound, "no tariff"),
        (asked(town, reason_code="none"), NotFound, "no reason"),
        (asked(town, to_on=FROM), Invalid, "ends before it starts"),
        (asked(town, note=" "), Invalid, "Say what happened"),
        (asked(town, business_day_id=999_999), NotFound, "business day"),
    ):
        with pytest.raises(kind, match=sentence):
            citywide.ask_city_rebill(sam, plan_of, NOW, "x")
    with pytest.raises(NotFound, match="no rebill"):
        citywide.approve_city_rebill(sam, 999_999, NOW)
    with pytest.raises(NotFound, match="no rebill"):
        citywide.run_city_rebill(program_actor(), 999_999)
    ledger.seal_business_day(program_actor(), town.day.pk, NOW)
    with pytest.raises(DayClosed):
        citywide.ask_city_rebill(sam, asked(town), NOW, "x")


def test_the_terminal_asks_approves_and_runs(own_database: str) -> None:
    town = billed_town(3)
    two_people()
    amend("4.00")
    what = ["--tariff", "chicago-metered", "--from", "2026-01-01", "--reason", "read_wrong"]
    said = chamberlain(
        "rebill", "ask", *what, "--note", "Wrong rate", "--as", "sam", database=own_database
    )
    assert "waits for another person" in said.out
    own = chamberlain("rebill", "approve", "1", "--as", "sam", database=own_database)
    assert own.code == 2
    chamberlain("rebill", "approve", "1", "--as", "ruth", database=own_database)
    done = chamberlain("rebill", "run", "1", "--as", "ruth", database=own_database)
    assert "3 bills taken back and 3 made" in done.out
    again = chamberlain("rebill", "run", "1", "--json", database=own_database)
    assert again.json["difference_cents"] == -2 * 69 * 6
    assert balance(town.agreements[0].account_id).owed_cents == 800

"""The demonstration shows the account work: real operations of two people, once."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client

from chamberlain.cashiering.stock import queries as stock
from chamberlain.cities import demonstration
from chamberlain.cities.loading import city_folder, load_city
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import User
from chamberlain.identity.queries import revenue_office
from chamberlain.ledger import proof
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import open_business_day, seal_business_day
from chamberlain.revenue.citations import booting
from chamberlain.revenue.citations import queries as citations

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

_COUNTS = {
    "rebilling_rebill": 2,
    "adjusting_adjustment": 2,
    "plans_plan": 1,
    "finals_moveout": 2,
    "finals_finalbill": 1,
    "certificates_application": 3,
    "certificates_certificate": 1,
    "registry_document": 1,
    "registry_customermark": 1,
    "letters_letter": 2,
    "letters_batch": 1,
    "deposits_deposit": 1,
}


@pytest.fixture
def chicago(own_database):
    load_city(program_actor(), city_folder("chicago"), NOW)
    demonstration.generate_chicago(TODAY, accounts=150, periods=5)
    demonstration.ensure_demonstration_users("correct horse battery", TODAY, NOW)


def counts():
    """How much of each kind of work there is."""
    found = {}
    with connection.cursor() as cursor:
        for table in (*_COUNTS, "ledger_transfer", "watching_finding", "registry_ownership"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
    return found


def test_every_kind_of_account_work_is_there_once_and_the_books_hold(chicago):
    demonstration.do_account_work(TODAY, NOW)
    found = counts()
    assert {table: found[table] for table in _COUNTS if found[table] < _COUNTS[table]} == {}
    assert found["watching_finding"] > 0
    assert proof.prove(program_actor()).holds
    assert decided() == [("clara", "amir")] * 2
    places = demonstration.places()
    assert len({place.address for place in places}) == len(places) >= 17
    clerk = Client()
    clerk.force_login(User.objects.get(username="clara"))
    assert {clerk.get(place.address).status_code for place in places} == {200}

    demonstration.do_account_work(TODAY, NOW)
    demonstration.generate_chicago(TODAY, accounts=150, periods=5)
    assert counts() == found


def test_a_vehicle_may_be_booted_and_one_citation_is_contested(chicago):
    demonstration.do_account_work(TODAY, NOW)
    for _ in range(2):
        demonstration.enter_citations(TODAY, NOW)
    found = citations.citations_of_plate("KX79612")
    assert [row.stage for row in found] == ["hearing", "final", "final", "final", "collection"]
    assert "KX79612" in [row.plate for row in booting.eligible(TODAY, 50)]
    assert "/vehicles/KX79612/" in [place.address for place in demonstration.places()]
    assert proof.prove(program_actor()).holds


def test_the_counters_have_stock_that_two_people_brought(chicago):
    for _ in range(2):
        demonstration.stock_the_counters(TODAY, NOW)
    rows = {(row.kind, row.role): row.count for row in stock.stock()}
    assert rows == {
        ("City sticker", "safe"): 450,
        ("City sticker", "under_way"): 50,
        ("Dog tag", "safe"): 100,
        ("Receipt book", "safe"): 20,
    }
    [waiting] = stock.handovers(is_open=True)
    assert (waiting.sent_by, waiting.target) == ("Sofia Reyes", "till CH-1")


def decided():
    """Who asked for and who decided what is decided."""
    names = dict(User.objects.values_list("pk", "username"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT asked_by_id, decided_by_id FROM rebilling_rebill WHERE status = 'posted'"
            " UNION ALL SELECT asked_by_id, decided_by_id FROM adjusting_adjustment"
            " WHERE decided_by_id IS NOT NULL"
        )
        return [(names[asked], names[by]) for asked, by in cursor.fetchall()]


def test_when_the_office_closed_its_day_the_work_goes_on_the_next(chicago):
    actor = program_actor()
    day = open_business_day(actor, revenue_office().center_id, TODAY, NOW)
    seal_business_day(actor, day.pk, NOW)
    demonstration.do_account_work(TODAY, NOW)
    assert BusinessDay.objects.get(closed_at=None).day == date(2026, 11, 25)

"""The demonstration is made once, the same for the same seed, and its books hold."""

from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest
from django.db import connection

from chamberlain.billing.models import Bill, BillRun, Hold
from chamberlain.cities import demonstration
from chamberlain.cities.demonstration import history, people, santa_monica, usage
from chamberlain.cities.loading import city_folder, load_city
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role, RoleAssignment, User
from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.ledger import proof
from chamberlain.ledger.models import BusinessDay, Entry
from chamberlain.ledger.statements import standing
from chamberlain.metering.models import Installation, Read
from chamberlain.metering.routes import queries as routes
from chamberlain.registry.queries import search

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SEASONS = (5, 11)
CALENDAR = BusinessCalendar("US", "IL")


@pytest.fixture
def chicago(own_database):
    load_city(program_actor(), city_folder("chicago"), NOW)


def generate(**more):
    return demonstration.generate_chicago(TODAY, accounts=150, periods=5, **more)


def shape():
    """What a city came to, in figures that any difference would change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(cents), (SELECT sum(owed_cents) FROM ledger_balance),"
            " (SELECT string_agg(name, ',' ORDER BY id) FROM registry_customer)"
            " FROM ledger_transfer"
        )
        return cursor.fetchone()


def test_a_city_is_made_with_a_history_whose_books_hold(chicago):
    steps = []
    assert generate(progress=steps.append) == 150
    found = proof.prove(program_actor())
    assert found.differences == ()
    assert found.counts["closed_days"] == 14
    assert not BusinessDay.objects.filter(closed_at=None).exists()
    assert set(BillRun.objects.values_list("status", flat=True)) == {"done"}
    assert BillRun.objects.filter(is_metered=False).count() == 2
    assert set(Entry.objects.values_list("kind", flat=True)) >= {"bill", "payment", "citation"}
    assert steps[0] == "Customers of Chicago"
    assert not Hold.objects.exclude(code__in=["absurd_usage", "no_read"]).exists()


def test_metered_places_are_on_routes_street_by_street(chicago):
    generate()
    found = routes.routes(TODAY)
    metered = Installation.objects.count()
    assert sum(row.stops for row in found) == metered > 50
    assert {row.cycle_months for row in found} == {2}
    streets = [stop.address.split(" ", 1)[1] for stop in routes.stops(found[0])]
    assert streets == sorted(streets)


def test_making_it_again_changes_nothing_and_the_same_seed_makes_the_same(chicago):
    generate()
    before = shape()
    steps = []
    assert generate(progress=steps.append) == 150
    assert (steps, shape()) == ([], before)


def test_a_city_that_was_killed_in_the_middle_is_finished(chicago, monkeypatch):
    played = history._play_day
    days = []

    def until_the_fourth(actor, center_id, seed, day, due_days, books):
        days.append(day)
        if len(days) == 4:
            raise KeyboardInterrupt
        played(actor, center_id, seed, day, due_days, books)

    monkeypatch.setattr(history, "_play_day", until_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        generate()
    monkeypatch.setattr(history, "_play_day", played)
    generate()
    assert proof.prove(program_actor()).holds
    assert BusinessDay.objects.count() == 14
    assert Bill.objects.values("read").distinct().count() > 100


def test_some_pay_and_some_owe(chicago):
    generate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id FROM ledger_balance WHERE owed_cents > 0 LIMIT 5")
        owing = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM ledger_balance WHERE owed_cents = 0")
        assert cursor.fetchone()[0] > 20
    assert all(standing(account, TODAY).owed_cents > 0 for account in owing)


def test_the_days_of_the_past_follow_each_other_and_end_before_today():
    past = history.Past(1, date(2026, 11, 1), 30, TODAY)
    days = history.workdays(past, CALENDAR, SEASONS)
    assert [day.day for day in days] == sorted({day.day for day in days})
    assert all(CALENDAR.is_business_day(day.day) and day.day < TODAY for day in days)
    seasons = [day.season for day in days if day.season]
    assert seasons == sorted(set(seasons))
    assert len(seasons) == 10


@pytest.mark.parametrize("month", range(1, 13))
def test_every_season_is_billed_once_whenever_today_is(month):
    past = history.Past(1, date(2026, month, 1), 30, date(2027, 12, 1))
    days = history.workdays(past, CALENDAR, SEASONS)
    seasons = [day.season for day in days if day.season]
    assert seasons == sorted(set(seasons))
    assert 9 <= len(seasons) <= 11
    assert all(later.day > earlier.day for earlier, later in pairwise(days))


def test_people_are_the_same_for_the_same_seed_and_their_numbers_are_their_own():
    starts = [date(2026, month, 1) for month in range(1, 9)]
    one = people.households(np.random.default_rng(3), 3_000, starts)
    other = people.households(np.random.default_rng(3), 3_000, starts)
    assert one.equals(other)
    assert one["parcel_number"].n_unique() == one["number"].n_unique() == 3_000
    assert one["opened_on"].max() < date(2026, 7, 1)
    assert one["phone"].str.contains(r"^(312|773|872)555\d{4}$").all()


@pytest.mark.parametrize("count", [0, people.MOST_ACCOUNTS + 1])
def test_a_city_has_a_number_of_accounts(count):
    with pytest.raises(Invalid):
        people.households(np.random.default_rng(1), count, [TODAY])


def test_periods_end_every_two_months():
    assert usage.period_ends(date(2026, 11, 1), 3) == [
        date(2026, 7, 1), date(2026, 9, 1), date(2026, 11, 1),
    ]  # fmt: skip


@pytest.mark.django_db
def test_each_line_of_santa_monicas_file_is_a_read_of_its_customer():
    load_city(program_actor(), city_folder("santa_monica"), NOW)
    assert demonstration.load_santa_monica() == 218_067
    assert Read.objects.count() == 218_067
    read = Read.objects.get(source="usage.csv.gz:2")
    assert (read.usage_thousandths, read.unit, read.from_on, read.to_on, read.is_verified) == (
        388_000, "ccf", date(2014, 3, 1), date(2014, 5, 1), True,
    )  # fmt: skip
    assert read.service_point.property.holdings.get().account.number == "SM-025886"
    assert search("25886")[0].account_number == "SM-025886"
    assert demonstration.load_santa_monica() == 218_067
    assert Read.objects.count() == 218_067


def test_the_file_of_usages_has_the_classes_that_the_city_knows():
    classes = set(santa_monica.read_usages()["customer_class"])
    assert classes == set(santa_monica._PROPERTY_TYPES)


@pytest.mark.django_db
def test_there_is_a_sign_in_for_each_role_and_its_password_works_at_once():
    load_city(program_actor(), city_folder("chicago"), NOW)
    made = demonstration.ensure_demonstration_users("correct horse battery", TODAY, NOW)
    again = demonstration.ensure_demonstration_users("correct horse battery", TODAY, NOW)
    assert made == again
    assert [sign_in.role for sign_in in made] == [role.label for role in Role]
    assert RoleAssignment.objects.count() == len(Role)
    user = User.objects.get(username=made[0].username)
    assert user.check_password("correct horse battery")
    assert not user.must_change_password


@pytest.mark.django_db
def test_demonstration_users_need_a_loaded_city():
    with pytest.raises(NotFound):
        demonstration.ensure_demonstration_users("correct horse battery", TODAY, NOW)

"""Nobody read these meters: the office estimates them, of one house and of a cycle alike."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import DatabaseError, transaction

from chamberlain.billing.estimating import queries
from chamberlain.billing.estimating.finding import Wanted, reckoned, wanted_by_run
from chamberlain.billing.estimating.models import Estimate, EstimateBatch
from chamberlain.billing.estimating.operations import estimate_reads
from chamberlain.billing.models import Bill, Hold
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import Invalid, NotFound, NotPermitted
from chamberlain.metering.models import Installation, Read
from chamberlain.metering.operations import record_read
from tests.billing.estimating_scenes import TERMS, WANTED, meter_of, metered_town, read_on
from tests.billing.town import Town, plan
from tests.office import DAY, NOW, make_actor

pytestmark = pytest.mark.django_db


def estimate(wanted: Wanted = WANTED, key: str = "e-1") -> int:
    return estimate_reads(program_actor(), wanted, DAY, NOW, key).estimates


def town_with_last_year(houses: int = 1, new: int = 0) -> Town:
    """House i used i + 1 kgal a month in January and February of last year; so many are new."""
    town = metered_town(houses + new)
    for i, agreement in enumerate(town.agreements[:houses]):
        read_on(agreement, date(2025, 1, 1), 100)
        read_on(agreement, date(2025, 3, 1), 100 + 2 * (i + 1))
        read_on(agreement, date(2026, 1, 1), 200)
    return town


def test_an_unread_service_is_estimated_by_the_same_days_of_last_year() -> None:
    town = town_with_last_year(2)
    assert estimate() == 2
    read = Read.objects.get(meter=meter_of(town.agreements[1]), quality="estimate")
    assert (read.from_on, read.to_on) == (date(2026, 1, 1), date(2026, 3, 1))
    assert (read.usage_thousandths, read.register) == (4000, 204)
    made = Estimate.objects.get(read=read)
    assert (made.how, made.basis_thousandths, made.basis_days) == ("last_year", 4000, 59)


def test_the_next_read_counts_on_from_the_estimate() -> None:
    town = town_with_last_year()
    estimate()
    serial = meter_of(town.agreements[0]).serial
    read = Read.objects.get(pk=record_read(program_actor(), serial, DAY, 205, DAY))
    assert (read.from_on, read.usage_thousandths) == (date(2026, 3, 1), 3000)


def test_a_new_house_is_estimated_by_its_class() -> None:
    town = town_with_last_year(2, new=1)
    new = town.agreements[2]
    for agreement in town.agreements[:2]:
        read_on(agreement, date(2026, 3, 1), 200 + 59)
    Installation.objects.filter(service_point_id=new.service_point_id).update(
        period=("2026-01-01", None)
    )
    assert estimate() == 1
    read = Read.objects.get(quality="estimate")
    assert (read.service_point_id, read.usage_thousandths) == (new.service_point_id, 59_000)
    made = Estimate.objects.get()
    assert (made.how, made.basis_services) == ("class_average", 2)


def test_what_nothing_is_known_of_stays_on_the_list_with_a_sentence() -> None:
    metered_town(1)
    assert estimate() == 0
    assert not Read.objects.exists()
    [refused] = reckoned(WANTED)["refusal"].to_list()
    assert "Too little is known" in refused


def test_after_two_estimates_in_a_row_a_person_has_to_go_there() -> None:
    town = town_with_last_year()
    for month in (1, 2):
        wanted = replace(
            WANTED, reads_after=date(2026, month, 2), reads_up_to=date(2026, month, 20)
        )
        assert estimate(wanted, f"e-{month}") == 1
    result = estimate_reads(program_actor(), replace(WANTED, reads_after=date(2026, 2, 25)),
                            DAY, NOW, "e-3")  # fmt: skip
    assert (result.estimates, result.refused) == (0, 1)
    assert "order a read" in reckoned(replace(WANTED, reads_after=date(2026, 2, 25)))["refusal"][0]
    assert town.agreements


def test_estimates_of_a_run_settle_its_worklist_and_are_billed_and_marked() -> None:
    town = town_with_last_year(1, new=1)
    bare = town.agreements[1].pk
    run_id = plan(town, reads_after=date(2026, 1, 10))
    run(run_id)
    assert Hold.objects.filter(code="no_read", resolved_at=None).count() == 2
    assert estimate(wanted_by_run(run_id)) == 1
    waiting = Hold.objects.get(code="no_read", resolved_at=None)
    assert waiting.agreement_id == bare
    assert "Too little is known" in waiting.sentence
    run(plan(town, "run-2", reads_after=date(2026, 1, 10)))
    bill = Bill.objects.get(read__quality="estimate")
    assert queries.how_estimated([bill.pk]) == {
        bill.pk: "Estimated from the same days of last year: 2 thousand gallons in 59 days."
    }
    assert EstimateBatch.objects.get().run_id == run_id


def test_the_same_key_estimates_once_and_another_key_only_what_is_left() -> None:
    town_with_last_year()
    assert estimate() == 1
    again = estimate_reads(program_actor(), WANTED, DAY, NOW, "e-1")
    assert (again.came_before, again.estimates) == (True, 1)
    assert estimate(key="e-2") == 0
    assert Read.objects.filter(quality="estimate").count() == 1


def test_only_the_points_of_a_route_are_estimated_when_it_asks() -> None:
    town = town_with_last_year(2)
    point = town.agreements[1].service_point_id
    assert estimate(replace(WANTED, points=(point,))) == 1
    assert Read.objects.get(quality="estimate").service_point_id == point


def test_a_cycle_of_other_months_is_left_alone() -> None:
    town_with_last_year()
    assert estimate(replace(WANTED, cycle_months=1)) == 0


def test_refusals_change_nothing() -> None:
    town = town_with_last_year()
    clerk = make_actor("clerk", Role.CLERK)
    with pytest.raises(NotPermitted):
        estimate_reads(make_actor("auditor", Role.AUDITOR), WANTED, DAY, NOW, "x")
    with pytest.raises(Invalid, match="has not come yet"):
        estimate_reads(clerk, replace(WANTED, reads_up_to=date(2026, 4, 1)), DAY, NOW, "x")
    with pytest.raises(Invalid, match="swap them"):
        estimate_reads(clerk, replace(WANTED, reads_after=DAY), DAY, NOW, "x")
    with pytest.raises(NotFound, match="no tariff"):
        estimate_reads(clerk, replace(WANTED, tariff_code="none"), DAY, NOW, "x")
    with pytest.raises(NotFound, match="no bill run"):
        wanted_by_run(0)
    with pytest.raises(Invalid, match="nothing is unread"):
        wanted_by_run(plan(town))
    early = replace(WANTED, reads_after=date(2009, 1, 1), reads_up_to=date(2009, 3, 1))
    with pytest.raises(NotFound, match="no terms of estimates"):
        reckoned(early)
    assert not EstimateBatch.objects.exists()


def test_an_estimate_cannot_be_changed_afterwards() -> None:
    town_with_last_year()
    estimate()
    with pytest.raises(DatabaseError), transaction.atomic():
        Estimate.objects.update(basis_days=1)
    assert TERMS.in_row == 2


def test_the_page_shows_what_cannot_be_estimated_first_and_says_how_the_others_come_about() -> None:
    town_with_last_year(2, new=1)
    found = queries.unread(WANTED)
    assert (found.count, found.last_year, found.class_average, found.refused) == (3, 2, 0, 1)
    assert found.estimates == 2
    first, second, third = found.rows
    assert (first.words, third.usage_thousandths) == ("", 4000)
    assert "Too little is known" in str(first.refusal)
    assert second.words == (
        "Estimated from the same days of last year: 2 thousand gallons in 59 days."
    )
    assert queries.unread(WANTED, 1, 2).rows == (third,)
    assert queries.in_words("class_average", 9000, 118, 2, "kgal") == (
        "Estimated from the average of 2 services of this class: 9 thousand gallons in 118 days."
    )


def test_a_run_says_which_reads_it_wants() -> None:
    town = town_with_last_year()
    wants = plan(town, reads_after=date(2026, 1, 10), cycle_months=2)
    assert queries.reads_asked_by(wants) == (date(2026, 1, 10), date(2026, 3, 1), 2)
    assert queries.reads_asked_by(plan(town, "run-2")) is None

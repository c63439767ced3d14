"""The watch finds usage for the worklist once, and people work it off, two at once too."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from chamberlain.billing import operations as billing
from chamberlain.billing.models import Bill, Hold, ServiceAgreement
from chamberlain.billing.running import run
from chamberlain.identity.actors import actor_of, program_actor
from chamberlain.identity.models import Role, User
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.metering.watching import operations, queries, tasks, watches
from chamberlain.metering.watching.models import Finding, Sighting, Step, Watch
from chamberlain.metering.watching.operations import Changed, Seen
from chamberlain.metering.watching.queries import Chosen
from chamberlain.metering.watching.terms import load_watching, resolutions, terms_on
from tests.billing import town
from tests.metering import watching_office as street
from tests.office import DAY, NOW, make_actor, make_user

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def clerk(db):
    street.load_rules()
    return make_actor("clara", Role.CLERK)


@pytest.fixture
def house(clerk):
    made = street.make_house("H1")
    made.reads(*[40] * 13)
    return made


def rules_found(house):
    found = Finding.objects.filter(service_point=house.point).exclude(state="closed")
    return sorted(found.values_list("rule", flat=True))


def test_a_watch_enters_what_its_rules_find_with_a_sentence_and_the_account(house):
    read = house.read(200)
    other = street.make_house("H2")
    other.reads(*[40] * 14)
    result = street.watch()
    assert (result.found, result.seen_again) == (1, 0)
    found = street.entry(house, "high")
    assert found.sentence == (
        "200 gallons a day against 40 in the same period of last year and 40 usually."
    )
    assert (found.account_id, found.severity, found.holds_bill) == (house.account_id, 1, True)
    assert [s.read_id for s in found.sightings.all()] == [read.pk]
    assert rules_found(other) == []


def test_reads_that_ended_too_long_ago_are_not_looked_at(clerk):
    house = street.make_house("H1")
    house.reads(40, 40, 0, 0)
    assert street.watch(date(2025, 12, 1)).reads == 0
    assert street.watch(date(2025, 12, 2), since=date(2025, 1, 1)).found == 2
    assert rules_found(house) == ["stopped", "zero"]


def test_the_next_watch_looks_at_new_reads_only(house):
    house.read(200)
    first = street.watch()
    second = street.watch(DAY + timedelta(days=1))
    assert first.reads > 0
    assert (second.reads, second.found, second.seen_again) == (0, 0, 0)


def test_the_same_finding_is_not_raised_twice_while_it_is_open(house):
    house.read(200)
    street.watch()
    house.read(210, from_on=date(2026, 2, 24), to_on=date(2026, 3, 1))
    result = street.watch(DAY + timedelta(days=1))
    assert (result.found, result.seen_again) == (0, 1)
    found = street.entry(house, "high")
    assert found.sightings.count() == 2
    assert found.version == 2
    assert "1,260 gallons" in found.sentence


def test_a_watch_that_looks_back_again_says_nothing_twice(house):
    house.read(200)
    street.watch()
    result = street.watch(DAY + timedelta(days=1), since=date(2025, 1, 1))
    assert result.reads == 14
    assert (result.found, result.seen_again) == (0, 0)
    assert Sighting.objects.count() == 1


def test_after_it_was_closed_a_new_read_raises_it_again(house, clerk):
    house.read(200)
    street.watch()
    close(clerk, street.entry(house, "high"), "meter_exchanged")
    house.read(210, from_on=date(2026, 2, 24), to_on=date(2026, 3, 1))
    assert street.watch(DAY + timedelta(days=1)).found == 1
    assert Finding.objects.filter(rule="high").count() == 2


def test_the_database_keeps_one_open_entry_of_a_rule_at_a_service_point(house):
    house.read(200)
    street.watch()
    found = street.entry(house, "high")
    found.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        found.save()


def test_many_service_points_are_gone_through_in_chunks_that_can_be_taken_up_again(
    house, monkeypatch
):
    houses = [house, *(street.make_house(f"K{i}") for i in range(4))]
    for each in houses[1:]:
        each.reads(*[40] * 13)
    for each in houses:
        each.read(300)
    watch_id = watches.plan_watch(program_actor(), DAY, NOW, "w")
    done: list[tuple[int, int]] = []

    def killed(points_done: int, points: int) -> None:
        done.append((points_done, points))
        if len(done) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watches.run_watch(watch_id, chunk_points=2, progress=killed)
    assert Finding.objects.count() == 2
    assert queries.latest_watch().finished_at is None
    assert watches.plan_watch(program_actor(), DAY, LATER, "another key") == watch_id
    result = watches.run_watch(watch_id, chunk_points=2, progress=killed)
    assert done == [(2, 5), (4, 5), (5, 5)]
    assert result.found == Finding.objects.count() == 5
    assert watches.run_watch(watch_id) == result


def test_the_history_knows_who_watched(house):
    house.read(200)
    street.watch()
    event = Finding.pgh_event_models["insert"] if hasattr(Finding, "pgh_event_models") else None
    assert event is not None
    assert event.objects.get().pgh_context.metadata["actor"] == str(program_actor().name)


def test_a_night_has_one_watch(house):
    house.read(200)
    tasks.watch_by_night(0)
    tasks.watch_by_night(0)
    assert Watch.objects.count() == 1


def test_a_watch_needs_rules_a_permission_and_an_earlier_day_to_look_back_to(db):
    with pytest.raises(NotFound, match="no rules for watching"):
        watches.plan_watch(program_actor(), DAY, NOW, "w")
    street.load_rules()
    with pytest.raises(NotPermitted):
        watches.plan_watch(make_actor("clara", Role.CLERK), DAY, NOW, "w")
    with pytest.raises(Invalid, match="before the day"):
        watches.plan_watch(program_actor(), DAY, NOW, "w", since=DAY)
    with pytest.raises(NotFound, match="no watch 7"):
        watches.run_watch(7)
    assert queries.latest_watch() is None


def test_two_watches_do_not_run_at_once(house, template_database):
    from tests.conftest import _admin

    watch_id = watches.plan_watch(program_actor(), DAY, NOW, "w")
    name = connection.settings_dict["NAME"]
    with _admin(name) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [watches._LOCK])
        with pytest.raises(AlreadyDone, match="under way"):
            watches.run_watch(watch_id)


def test_loading_the_rules_again_changes_nothing_and_takes_old_ones_away(db):
    street.load_rules()
    before = terms_on(DAY)
    street.load_rules()
    assert terms_on(DAY) == before
    street.load_rules(street.RULES[0])
    assert [rule.code for rule in terms_on(DAY).rules] == ["high"]
    load_watching(program_actor(), [], street.RESOLUTIONS[:1])
    assert [each.code for each in resolutions()] == ["usage_right"]
    load_watching(program_actor(), [], [])
    assert [each.code for each in resolutions()] == ["usage_right"]
    with pytest.raises(NotPermitted):
        load_watching(make_actor("clara", Role.CLERK), [], [])


# What people do


def close(actor, finding, resolution="usage_right", text="", key="close"):
    return operations.close(actor, [street.seen(finding)], resolution, text, LATER, key)


@pytest.fixture
def found(house):
    house.read(200)
    street.watch()
    return street.entry(house, "high")


def test_verifying_the_reads_lets_the_bill_go_and_keeps_the_entry(clerk, found):
    [read_id] = operations.reads_of([found.pk])
    assert queries.keeping_bills_back([read_id])["read_id"].to_list() == [read_id]
    assert queries.finding(found.pk).holds_now
    assert operations.verify_reads(clerk, street.seen(found), "Called the customer", LATER, "v")
    assert queries.keeping_bills_back([read_id]).is_empty()
    row = queries.finding(found.pk)
    assert (row.is_open, row.holds_now, row.usage[-1].is_verified) == (True, False, True)
    with pytest.raises(AlreadyDone, match="verified before"):
        operations.verify_reads(clerk, street.seen(found), "", LATER, "v2")


def test_a_step_that_is_sent_twice_is_taken_once(clerk, found):
    before = street.seen(found)
    assert operations.note(clerk, before, "Called", LATER, "k")
    assert not operations.note(clerk, before, "Called", LATER, "k")
    assert not operations.verify_reads(clerk, before, "", LATER, "k")
    assert not operations.assign(clerk, before, "", DAY, LATER, "k")
    assert not operations.ask_field_check(clerk, before, "meter", DAY, "", DAY, LATER, "k")
    assert close(clerk, found, key="c") == close(clerk, found, key="c") == 1
    assert [step.kind for step in queries.steps(found.pk)] == ["closed", "noted"]


def test_an_entry_is_given_to_a_person_who_works_on_the_worklist(clerk, found):
    make_user("sam", Role.ACCOUNTS_SUPERVISOR)
    make_user("casey", Role.CASHIER)
    assert operations.assign(clerk, street.seen(found), "sam", DAY, LATER, "a")
    assert queries.finding(found.pk).assigned_to == "Sam"
    sam = User.objects.get(username="sam").pk
    assert queries.count_findings(Chosen(DAY, assigned_to=sam)) == 1
    with pytest.raises(Invalid, match="does not work"):
        operations.assign(clerk, street.seen(found), "casey", DAY, LATER, "b")
    with pytest.raises(NotFound, match="no user nobody"):
        operations.assign(clerk, street.seen(found), "nobody", DAY, LATER, "c")
    assert operations.assign(clerk, street.seen(found), "", DAY, LATER, "d")
    assert queries.finding(found.pk).assigned_to == ""


def test_a_field_check_is_asked_for_by_a_day(clerk, found):
    on = DAY + timedelta(days=7)
    asked = operations.ask_field_check(
        clerk, street.seen(found), "reread", on, "Dog in the yard", DAY, LATER, "f"
    )
    assert asked
    row = queries.finding(found.pk)
    assert (row.state, row.field_check_name, row.check_by) == (
        "field_check", "Read the meter again", on,
    )  # fmt: skip
    assert row.holds_now
    assert queries.steps(found.pk)[0].text == (
        "Read the meter again by March 9, 2026. Dog in the yard"
    )
    assert queries.counts_by_state() == {"open": 0, "field_check": 1}


@pytest.mark.parametrize(
    ("kind", "on", "field"),
    [
        ("dig", DAY, "kind"),
        ("meter", DAY - timedelta(days=1), "check_by"),
        ("meter", DAY + timedelta(days=367), "check_by"),
    ],
)
def test_a_field_check_that_cannot_be_is_refused(clerk, found, kind, on, field):
    with pytest.raises(Invalid) as refused:
        operations.ask_field_check(clerk, street.seen(found), kind, on, "", DAY, LATER, "f")
    assert refused.value.field == field
    assert not Step.objects.exists()


def test_a_note_has_a_text_and_an_entry_exists(clerk, found):
    with pytest.raises(Invalid, match="Write the note"):
        operations.note(clerk, street.seen(found), " ", LATER, "n")
    with pytest.raises(NotFound):
        operations.note(clerk, Seen(0, 1), "x", LATER, "n")
    with pytest.raises(NotFound):
        queries.finding(0)


def test_the_second_of_two_clerks_is_told_what_the_first_did(clerk, found):
    carl = make_actor("carl", Role.CLERK)
    before = street.seen(found)
    operations.note(clerk, before, "Leak in the basement", LATER, "n")
    with pytest.raises(Changed, match=r"Clara was here on March 2 .note.: Leak in the basement"):
        operations.close(carl, [before], "usage_right", "", LATER, "c")
    close(clerk, found)
    with pytest.raises(Changed, match=r"Clara was here .* .closed.: Usage is right"):
        operations.note(carl, street.seen(found), "x", LATER, "m")
    assert Step.objects.count() == 2


def test_who_saw_an_entry_before_the_watch_saw_it_again_is_told_so(clerk, house, found):
    before = street.seen(found)
    house.read(210, from_on=date(2026, 2, 24), to_on=date(2026, 3, 1))
    street.watch(DAY + timedelta(days=1))
    with pytest.raises(Changed, match="The watch of March 3 saw it again: 1,260 gallons"):
        operations.note(clerk, before, "x", LATER, "n")


def test_closing_many_closes_all_or_says_which_changed_and_closes_none(clerk, house, found):
    other = street.make_house("H2")
    other.reads(40, 40, 400)
    street.watch(DAY + timedelta(days=1), since=date(2025, 1, 1))
    second = street.entry(other, "high")
    both = [street.seen(found), street.seen(second)]
    operations.note(clerk, both[1], "Called", LATER, "n")
    with pytest.raises(Changed, match="1 of 2 entries changed") as refused:
        operations.close(clerk, both, "usage_right", "", LATER, "c")
    assert [record.place for record in refused.value.records] == [f"Entry {second.pk}"]
    assert not Finding.objects.filter(state="closed").exists()
    both = [street.seen(found), street.seen(second)]
    assert operations.close(clerk, both, "usage_right", "Pool filled", LATER, "c") == 2
    assert queries.count_findings(Chosen(DAY, state="closed")) == 2
    assert queries.finding(found.pk).resolution == "Usage is right"
    assert queries.finding(found.pk).closed_by == "Clara"
    assert Step.objects.filter(kind="closed", text="Usage is right. Pool filled").count() == 2


@pytest.mark.parametrize("count", [0, operations.LARGEST_CLOSE + 1])
def test_none_or_too_many_are_not_closed(clerk, count):
    with pytest.raises(Invalid):
        operations.close(clerk, [Seen(1, 1)] * count, "usage_right", "", LATER, "c")


def test_a_resolution_that_the_city_does_not_have_is_refused(clerk, found):
    with pytest.raises(Invalid, match="how the entry is resolved"):
        close(clerk, found, "magic")


def test_a_cashier_does_not_work_on_the_usage_worklist(found):
    casey = make_actor("casey", Role.CASHIER)
    with pytest.raises(NotPermitted):
        operations.note(casey, street.seen(found), "x", LATER, "n")
    with pytest.raises(NotPermitted):
        close(casey, found)


def test_the_database_closes_no_entry_without_a_person_and_a_resolution(found):
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=found.pk).update(state="closed")


def test_entries_are_chosen_by_rule_severity_class_age_and_place(clerk, found):
    def count(**chosen):
        return queries.count_findings(Chosen(DAY + timedelta(days=10), **chosen))

    assert count() == count(rule="high") == count(severity=1) == count(property_type="house") == 1
    assert count(older_than=10) == 1
    assert count(rule="low") == count(severity=2) == count(property_type="vacant") == 0
    assert count(older_than=11) == count(route="12") == count(state="closed") == 0
    assert queries.classes_found() == {"house": "House"}
    assert queries.workers(DAY) == {"clara": "Clara"}
    [row] = queries.findings(Chosen(DAY), 10, 0)
    assert (row.rule_name, row.severity_name, row.account_number) == ("High usage", "Urgent", "H1")
    assert [each.daily_thousandths for each in row.usage] == [40_000] * 12 + [200_000]
    assert [each.is_shown for each in row.usage] == [False] * 12 + [True]
    assert queries.findings(Chosen(DAY), 10, 1) == []
    assert [s.sentence for s in queries.sightings(found.pk)] == [found.sentence]
    assert [f.finding_id for f in queries.findings_of_account(found.account_id)] == [found.pk]


# Bills


@pytest.fixture
def billed(clerk):
    """A town of two accounts; the read of the first has an entry that keeps its bill back."""
    made = town.make_town(2)
    for agreement in made.agreements:
        town.make_read(
            agreement,
            1000,
            from_on=date(2025, 1, 1),
            to_on=date(2025, 12, 31),
            source=f"old {agreement.pk}",
        )
    town.make_read(
        made.agreements[0], 90_000, from_on=date(2026, 2, 1), to_on=date(2026, 2, 28), source="new"
    )
    street.watch()
    return made


def waiting(code="watched_usage"):
    return Hold.objects.filter(code=code, resolved_at=None)


def test_a_bill_waits_until_somebody_verified_the_read_and_the_next_run_makes_it(clerk, billed):
    [found] = Finding.objects.filter(rule="high", holds_bill=True)
    run(town.plan(billed))
    [hold] = waiting()
    assert hold.sentence.endswith("Look at its entry on the usage worklist.")
    assert not Bill.objects.filter(read=hold.read).exists()
    operations.verify_reads(clerk, street.seen(found), "", LATER, "v")
    reads = operations.reads_of([found.pk])
    assert billing.release_holds(clerk, reads, LATER) == 1
    assert billing.release_holds(clerk, reads, LATER) == 0
    run(town.plan(billed, "run-2"))
    assert not waiting()
    assert Bill.objects.filter(read=hold.read).exists()


def test_a_bill_waits_no_longer_once_its_entry_is_closed(clerk, billed):
    [found] = Finding.objects.filter(rule="high", holds_bill=True)
    run(town.plan(billed))
    close(clerk, found, "meter_exchanged")
    assert billing.release_holds(clerk, operations.reads_of([found.pk]), LATER) == 1
    run(town.plan(billed, "run-2"))
    assert not waiting()


def test_absurd_usage_waits_until_the_read_is_verified_though_its_entry_is_closed(clerk, billed):
    ServiceAgreement.objects.update(normal_daily_thousandths=1)
    [found] = Finding.objects.filter(rule="high", holds_bill=True)
    run(town.plan(billed))
    reads = operations.reads_of([found.pk])
    close(clerk, found, "meter_exchanged")
    billing.release_holds(clerk, reads, LATER)
    assert waiting("absurd_usage").filter(read__in=reads).exists()


def test_nothing_is_asked_about_no_reads(clerk):
    assert queries.keeping_bills_back([]).is_empty()
    assert actor_of(User.objects.get(username="clara"), DAY).may("usage.work")

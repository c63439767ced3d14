"""An actual read comes in after estimates: what was really used is spread and billed anew."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chamberlain.billing.comparing.documents import letter_pdf
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.documents import bill_data
from chamberlain.billing.estimating import queries
from chamberlain.billing.estimating.due import due
from chamberlain.billing.estimating.models import TrueUp
from chamberlain.billing.estimating.spreading import spread
from chamberlain.billing.estimating.true_up import TruedUp, look_at_true_ups, post_true_ups
from chamberlain.billing.estimating.weighing import Weighed
from chamberlain.billing.models import Bill, Hold, ServiceAgreement
from chamberlain.billing.rebilling import corrections
from chamberlain.billing.rebilling.models import CorrectedRead, Rebill
from chamberlain.billing.rebilling.operations import (
    Changed,
    decline_rebill,
    post_rebill,
)
from chamberlain.billing.running import run
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import Invalid, NotPermitted
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from chamberlain.metering.models import Read
from chamberlain.tariffs.models import Component
from tests.billing.estimating_scenes import metered_town, read_on
from tests.billing.rebilling_scenes import LIMITS, load_limits, new, rebill
from tests.billing.town import Town, make_read, plan
from tests.office import DAY, NOW, make_actor

FIRST, SECOND = date(2025, 3, 1), date(2025, 5, 1)
THIRD, LAST = date(2025, 7, 1), date(2025, 9, 1)


def estimated_town(
    houses: int = 1,
    register: int = 130,
    *,
    bills_last: bool = False,
    is_one_account: bool = False,
) -> Town:
    """Houses read in March, estimated at 10 kgal in May and in July, and read in September."""
    town = metered_town(houses)
    load_limits()
    if is_one_account:
        ServiceAgreement.objects.update(account_id=town.agreements[0].account_id)
    for agreement in town.agreements:
        read_on(agreement, FIRST, 100)
        read_on(agreement, SECOND, 110, "estimate")
        read_on(agreement, THIRD, 120, "estimate")
    run(plan(town))
    for agreement in town.agreements:
        read_on(agreement, LAST, register)
    if bills_last:
        run(plan(town, "run-last"))
    return town


def true_up(town: Town, actor: Actor | None = None) -> TruedUp:
    actor = actor or program_actor()
    ids = due().runs["run_id"].to_list()
    seen = look_at_true_ups(actor, ids, DAY).seen
    return post_true_ups(actor, ids, seen, town.day.pk, DAY, NOW)


def standing(agreement: ServiceAgreement) -> list[tuple[date, int, int]]:
    """The bills after March that stand: to_on, usage in thousandths, cents."""
    found = Bill.objects.filter(agreement=agreement, to_on__gt=FIRST, replaced_by=None)
    return [
        (bill.to_on, bill.read.usage_thousandths, bill.total_cents)
        for bill in found.select_related("read").order_by("to_on")
        if bill.read is not None
    ]


@pytest.mark.django_db
def test_true_usage_is_spread_by_days_at_the_rates_of_the_days_used() -> None:
    town = estimated_town()
    assert standing(town.agreements[0])[0] == (SECOND, 10_000, 8900)
    result = true_up(town)
    assert (result.posted, result.asked, result.right, result.left_out) == (1, 0, 0, 0)
    run(plan(town, "run-last"))
    found = standing(town.agreements[0])
    assert [(to_on, usage) for to_on, usage, _ in found] == [
        (SECOND, 9946), (THIRD, 9945), (LAST, 10_109),
    ]  # fmt: skip
    assert sum(usage for _, usage, _ in found) == 30_000
    assert found[0][2] == 2 * round(9.946 * 445)
    assert balance(town.agreements[0].account_id).owed_cents == sum(
        bill.total_cents for bill in Bill.objects.filter(replaced_by=None)
    )
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_a_bill_that_was_made_of_the_actual_read_is_trued_up_too() -> None:
    town = estimated_town(register=135, bills_last=True)
    before = sum(cents for _, _, cents in standing(town.agreements[0]))
    result = true_up(town)
    found = standing(town.agreements[0])
    assert sum(usage for _, usage, _ in found) == 35_000
    assert sum(cents for _, _, cents in found) - before == result.difference_cents
    assert due().runs.is_empty()


@pytest.mark.django_db
def test_the_trued_up_bill_says_how_it_came_about() -> None:
    town = estimated_town(bills_last=True)
    true_up(town)
    bill = Bill.objects.get(to_on=SECOND, replaced_by=None)
    said = queries.how_estimated([bill.pk])[bill.pk]
    assert said == "The read is estimated. Set right by the read of September 1, 2025."
    rebill = Rebill.objects.get()
    assert rebill.note == "True-up of 2 estimates by the read of September 1, 2025"
    assert rebill.status == Rebill.Status.POSTED


@pytest.mark.django_db
def test_a_cycle_is_trued_up_at_once_and_only_what_was_chosen() -> None:
    town = estimated_town(3)
    chosen = due(points=[town.agreements[1].service_point_id]).runs["run_id"].to_list()
    looked = look_at_true_ups(program_actor(), chosen, DAY)
    assert [each.account_number for each in looked.true_ups] == ["T00001"]
    post_true_ups(program_actor(), chosen, looked.seen, town.day.pk, DAY, NOW)
    assert Bill.objects.exclude(replaces=None).count() == 2
    result = true_up(town)
    assert result.posted == 2
    assert (Rebill.objects.count(), TrueUp.objects.count()) == (3, 3)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_looking_posts_nothing() -> None:
    estimated_town()
    ids = due().runs["run_id"].to_list()
    looked = look_at_true_ups(program_actor(), ids, DAY)
    assert looked.difference_cents == sum(each.difference_cents for each in looked.true_ups)
    assert looked.true_ups[0].shown
    assert not Rebill.objects.exists()
    assert not CorrectedRead.objects.exists()


@pytest.mark.django_db
def test_estimates_that_were_right_are_done_without_a_bill() -> None:
    town = metered_town(1)
    load_limits()
    [agreement] = town.agreements
    read_on(agreement, date(2025, 1, 1), 100)
    read_on(agreement, date(2025, 1, 11), 110, "estimate")
    run(plan(town))
    read_on(agreement, date(2025, 1, 21), 120)
    result = true_up(town)
    assert (result.posted, result.right) == (0, 1)
    assert Bill.objects.exclude(replaces=None).count() == 0
    assert due().runs.is_empty()


@pytest.mark.django_db
def test_the_citys_amount_is_decided_by_a_second_person() -> None:
    town = estimated_town(register=500, bills_last=True)
    clerk = make_actor("clerk", Role.CLERK)
    result = true_up(town, clerk)
    assert (result.posted, result.asked) == (0, 1)
    rebill = Rebill.objects.get()
    assert rebill.status == Rebill.Status.ASKED
    assert due().runs.is_empty()
    with pytest.raises(NotPermitted):
        post_rebill(clerk, rebill.pk, town.day.pk, DAY, NOW)
    chief = make_actor("chief", Role.ACCOUNTS_SUPERVISOR)
    post_rebill(chief, rebill.pk, town.day.pk, DAY, NOW)
    assert sum(usage for _, usage, _ in standing(town.agreements[0])) == 400_000
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_a_declined_true_up_is_due_again() -> None:
    town = estimated_town(register=500, bills_last=True)
    clerk = make_actor("clerk", Role.CLERK)
    true_up(town, clerk)
    decline_rebill(clerk, Rebill.objects.get().pk, NOW)
    assert due().runs.height == 1
    assert true_up(town, clerk).asked == 1


@pytest.mark.django_db
def test_what_changed_since_it_was_looked_at_is_not_posted() -> None:
    town = estimated_town()
    ids = due().runs["run_id"].to_list()
    seen = look_at_true_ups(program_actor(), ids, DAY).seen
    run(plan(town, "run-last"))
    with pytest.raises(Changed, match="look at the true-ups again"):
        post_true_ups(program_actor(), ids, seen, town.day.pk, DAY, NOW)
    assert not TrueUp.objects.exists()


@pytest.mark.django_db
def test_another_holder_within_the_estimates_is_left_to_a_person() -> None:
    town = estimated_town()
    [agreement] = town.agreements
    [other] = ledger.open_accounts(["T99999"], FIRST)
    agreement.period = (agreement.period.lower, date(2025, 6, 1))
    agreement.save()
    agreement.pk, agreement.account_id = None, other
    agreement.period = (date(2025, 6, 1), None)
    agreement.save(force_insert=True)
    looked = look_at_true_ups(program_actor(), due().runs["run_id"].to_list(), DAY)
    assert "The holder changed" in looked.true_ups[0].refusal
    assert true_up(town).left_out == 1
    assert due().runs.height == 1


@pytest.mark.django_db
def test_bills_beyond_the_citys_limit_are_left_out_with_its_sentence() -> None:
    town = estimated_town(register=135)
    ids = due().runs["run_id"].to_list()
    later = date(2028, 3, 2)
    looked = look_at_true_ups(program_actor(), ids, later)
    assert "cannot be raised for this reason" in looked.true_ups[0].refusal
    assert looked.difference_cents == 0
    assert town.agreements


@pytest.mark.django_db
def test_a_register_below_the_last_actual_read_is_no_true_up() -> None:
    estimated_town(register=90)
    [refusal] = due().runs["refusal"].to_list()
    assert "less than 100 at the last actual read" in refusal


@pytest.mark.django_db
def test_an_estimate_corrected_by_hand_leaves_the_others_to_a_person() -> None:
    town = estimated_town()
    first = Read.objects.get(to_on=SECOND)
    _rebill_by_hand(town, first)
    assert "corrected by hand" in due().runs["refusal"][0]


def _rebill_by_hand(town: Town, read: Read) -> None:
    asked = new(
        town.agreements[0].account_id,
        corrections.Corrections(reads={read.pk: 9000}),
        FIRST,
        LAST,
    )
    rebill(town, asked)


@pytest.mark.django_db
def test_refusals_of_true_ups_change_nothing() -> None:
    town = estimated_town()
    ids = due().runs["run_id"].to_list()
    seen = look_at_true_ups(program_actor(), ids, DAY).seen
    with pytest.raises(NotPermitted):
        look_at_true_ups(make_actor("auditor", Role.AUDITOR), ids, DAY)
    with pytest.raises(NotPermitted):
        post_true_ups(make_actor("cashier", Role.CASHIER), ids, seen, town.day.pk, DAY, NOW)
    with pytest.raises(Invalid, match="None of these is due"):
        look_at_true_ups(program_actor(), [0], DAY)
    with pytest.raises(Invalid, match="At most 5,000"):
        look_at_true_ups(program_actor(), range(5001), DAY)
    ledger.seal_business_day(program_actor(), town.day.pk, NOW)
    with pytest.raises(DayClosed):
        post_true_ups(program_actor(), ids, seen, town.day.pk, DAY, NOW)
    assert not TrueUp.objects.exists()


@pytest.mark.django_db
def test_a_read_below_the_estimates_is_held_until_it_is_trued_up() -> None:
    town = estimated_town(register=113, bills_last=True)
    hold = Hold.objects.get(code="negative_usage")
    true_up(town)
    hold.refresh_from_db()
    assert hold.resolution == "Trued up; the next run bills it."
    run(plan(town, "run-rest"))
    found = standing(town.agreements[0])
    assert sum(usage for _, usage, _ in found) == 13_000
    assert len(found) == 3


@pytest.mark.django_db
def test_the_estimate_to_a_move_stays_and_the_next_holder_counts_from_it() -> None:
    town = metered_town(1)
    load_limits()
    [agreement] = town.agreements
    read_on(agreement, FIRST, 100)
    read_on(agreement, SECOND, 110, "estimate", "move-out 7 2025-05-01")
    run(plan(town))
    read_on(agreement, THIRD, 120, "estimate")
    read_on(agreement, LAST, 140)
    [row] = due().runs.iter_rows(named=True)
    assert (row["first_on"], row["estimates"], row["start_register"]) == (SECOND, 1, 110)
    assert row["total_thousandths"] == 30_000
    true_up(town)
    assert Read.objects.get(source="move-out 7 2025-05-01").usage_thousandths == 10_000


@pytest.mark.django_db
def test_estimates_before_the_one_to_a_move_are_not_reopened() -> None:
    town = metered_town(1)
    [agreement] = town.agreements
    read_on(agreement, FIRST, 100)
    read_on(agreement, SECOND, 110, "estimate")
    read_on(agreement, THIRD, 120, "estimate", "closing C7")
    read_on(agreement, LAST, 140)
    assert due().runs.is_empty()


@given(
    st.lists(st.lists(st.integers(1, 200), min_size=1, max_size=6), min_size=1, max_size=4),
    st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
)
def test_the_shares_of_days_add_up_to_the_register_and_are_those_of_one_meter_alone(
    lengths: list[list[int]], totals: list[int]
) -> None:
    rows: list[dict[str, Any]] = []
    expected: dict[int, int] = {}
    for run_id, days in enumerate(lengths):
        start, reads = FIRST, []
        for number, length in enumerate(days):
            end = start + timedelta(days=length)
            reads.append((run_id * 10 + number, start, end, 0))
            rows.append(
                {"run_id": run_id, "read_id": run_id * 10 + number, "from_on": start,
                 "to_on": end, "total_thousandths": totals[run_id]}
            )  # fmt: skip
            start = end
        reads[0] = (*reads[0][:3], totals[run_id])
        expected |= corrections.spread(reads)
    found = spread(pl.DataFrame(rows))
    assert dict(found.select("read_id", "trued_thousandths").iter_rows()) == expected
    sums = dict(found.group_by("run_id").agg(pl.col("trued_thousandths").sum()).iter_rows())
    assert sums == {run_id: totals[run_id] for run_id in range(len(lengths))}


def billed_right_at_once(
    town: Town, agreement: ServiceAgreement, right: list[tuple[date, int, int]]
) -> list[tuple[date, int, int]]:
    """What the bills of another house come to when the same usage is read in the first place."""
    since = FIRST
    for to_on, usage, _ in right:
        make_read(agreement, usage, from_on=since, to_on=to_on, source=f"right {to_on}")
        since = to_on
    run(plan(town, "right"))
    return standing(agreement)


class TestRandomEstimates(TestCase):
    """Random estimates, trued up, are what would have been billed with the spread usage."""

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(st.integers(5, 90), st.integers(0, 40)), min_size=1, max_size=4),
        st.integers(5, 90),
        st.integers(0, 60),
        st.booleans(),
    )
    def test_billed_usage_is_what_the_registers_differ_by(
        self, guesses: list[tuple[int, int]], last_days: int, used: int, bills_last: bool
    ) -> None:
        town = metered_town(2)
        load_limits()
        agreement, neighbor = town.agreements
        read_on(agreement, FIRST, 100)
        on, register = FIRST, 100
        for days, guess in guesses:
            on, register = on + timedelta(days=days), register + guess
            read_on(agreement, on, register, "estimate")
        run(plan(town))
        read_on(agreement, on + timedelta(days=last_days), 100 + used)
        if bills_last and 100 + used >= register:
            run(plan(town, "last"))
        result = true_up(town, make_actor("clerk", Role.CLERK))
        for asked in Rebill.objects.filter(status="asked"):
            chief = make_actor("chief", Role.ACCOUNTS_SUPERVISOR)
            post_rebill(chief, asked.pk, town.day.pk, DAY, NOW)
        run(plan(town, "rest"))
        found = standing(agreement)
        assert result.left_out == 0
        assert sum(usage for _, usage, _ in found) == used * 1000
        assert len(found) == len(guesses) + 1
        assert all(usage >= 0 for _, usage, _ in found)
        bills = Bill.objects.filter(replaced_by=None)
        owed = sum(bill.total_cents for bill in bills)
        assert balance(agreement.account_id).owed_cents == owed
        assert billed_right_at_once(town, neighbor, found) == found
        assert prove(program_actor()).holds


@pytest.mark.django_db
def test_two_meters_of_one_account_count_together_towards_the_citys_amount() -> None:
    town = estimated_town(2, bills_last=True, is_one_account=True)
    ids = due().runs["run_id"].to_list()
    moved = looked(*ids)[0].moved_cents
    load_limits(replace(LIMITS, approval_cents=moved + 1))
    assert [each.needs_approval for each in looked(ids[0])] == [False]
    assert [each.needs_approval for each in looked(*ids)] == [True, True]
    clerk = make_actor("clerk", Role.CLERK)
    assert true_up(town, clerk).asked == 2
    rebill_id = Rebill.objects.latest("pk").pk
    with pytest.raises(NotPermitted):
        post_rebill(clerk, rebill_id, town.day.pk, DAY, NOW)
    post_rebill(make_actor("chief", Role.ACCOUNTS_SUPERVISOR), rebill_id, town.day.pk, DAY, NOW)
    assert prove(program_actor()).holds


def looked(*run_ids: int) -> tuple[Weighed, ...]:
    return look_at_true_ups(program_actor(), run_ids, DAY).true_ups


@pytest.mark.django_db
def test_a_bill_that_cannot_be_rated_leaves_its_true_up_out() -> None:
    town = estimated_town(2)
    water = Component.objects.get(code="water")
    water.terms = {**water.terms, "by": ["rate_class"], "versions": [
        {"effective": "2020-01-01", "rates": {"industrial": "4.69"}}]}  # fmt: skip
    water.save()
    ServiceAgreement.objects.filter(pk=town.agreements[0].pk).update(rate_class="industrial")
    refusals = [each.refusal for each in looked(*due().runs["run_id"].to_list())]
    assert refusals[0] == ""
    assert "cannot be rebilled" in refusals[1]


@pytest.mark.django_db
def test_what_was_forgiven_is_taken_back_before_its_bill_is_trued_up() -> None:
    town = estimated_town(2)
    account = town.agreements[0].account_id
    chart.ensure_adjusting_accounts({"write_off": "Write-off"})
    charge_id, cents = rows(
        "SELECT l.charge_id, l.cents FROM billing_billline l JOIN billing_bill b "
        "ON b.id = l.bill_id WHERE b.account_id = %s AND b.to_on = %s ORDER BY position",
        [account, SECOND],
    )[0]
    receivable = chart.charge_kinds()["water"].receivable_id
    loss = chart.ledger_account_id(chart.adjustment_code("write_off"))
    leg = Leg(loss, receivable, cents, "settle", account, charge_id)
    user = program_actor().user_id
    post(NewEntry(town.day.pk, "adjustment", user, NOW, "ADJ-000001", [leg], "Hardship"))
    refusals = [each.refusal for each in looked(*due().runs["run_id"].to_list())]
    assert "take that adjustment back first" in refusals[0]
    assert refusals[1] == ""
    result = true_up(town)
    assert (result.posted, result.left_out) == (1, 1)


@pytest.mark.django_db
def test_the_list_of_what_is_due_has_a_cycle_and_pages() -> None:
    town = estimated_town(3)
    read_on(town.agreements[0], date(2025, 11, 1), 140, "estimate")
    read_on(town.agreements[0], date(2026, 1, 1), 120)
    found = queries.true_ups_due(DAY, limit=2, offset=2)
    assert (found.count, found.able, len(found.rows)) == (4, 3, 2)
    assert "less than 130" in str(found.rows[1].refusal)
    assert found.rows[1].run_id not in found.able_ids
    assert len(queries.points_of_cycle(2)) == 3
    later = queries.true_ups_due(date(2031, 3, 2))
    assert (later.count, later.able) == (4, 0)
    said = [str(row.refusal) for row in later.rows]
    assert sum("further back than bills are set right" in each for each in said) == 3
    assert queries.true_ups_due(DAY, queries.points_of_cycle(1)).rows == ()


@pytest.mark.django_db
def test_the_estimated_bill_its_letter_and_its_page_of_reasons_say_so() -> None:
    town = estimated_town()
    [agreement] = town.agreements
    bill = Bill.objects.get(agreement=agreement, to_on=SECOND)
    [page] = bill_data([bill.pk])["bills"]
    assert page["usage"] == "Used 10 thousand gallons (estimated). The read is estimated."
    assert letter_pdf(why(bill.number), DAY).startswith(b"%PDF")
    actual = Bill.objects.get(agreement=agreement, to_on=FIRST)
    assert bill_data([actual.pk])["bills"][0]["usage"] == "Used 100 thousand gallons"

"""A bill of which nothing was due is taken back by two people, and can be billed again."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing import queries
from chamberlain.billing.certificates import unbilled as payoff
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.billing.rebilling import operations
from chamberlain.billing.rebilling.citywide import (
    CityPlan,
    approve_city_rebill,
    ask_city_rebill,
    run_city_rebill,
)
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.billing.rebilling.operations import NothingToRebill
from chamberlain.billing.running import run
from chamberlain.database.rows import rows
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.forgiven import Forgiven
from chamberlain.ledger.models import Charge
from chamberlain.ledger.posting import Leg, NewEntry, post
from chamberlain.ledger.proof import prove
from chamberlain.metering.models import Read
from chamberlain.tariffs.models import Component
from tests.billing.rebilling_scenes import load_limits, new, one_bill, take_back
from tests.billing.test_penalties import move_on, policy
from tests.billing.test_rebilling import WATER, billed_town, pay, stands
from tests.billing.town import Town, plan
from tests.office import DAY, NOW, make_actor

pytestmark = pytest.mark.django_db


def bill_of(town: Town, place: int = 0) -> Bill:
    return Bill.objects.filter(account_id=town.agreements[place].account_id).latest("pk")


def again(bill: Bill) -> int:
    key = f"again {bill.pk} {Rebill.objects.count()}"
    return one_bill(bill.number, Corrections(bills_again=(bill.number,)), key)


def test_a_bill_is_taken_back_by_another_person_whatever_it_comes_to() -> None:
    town = billed_town(2)
    bill, other = bill_of(town), bill_of(town, 1)
    pay(town, bill.account_id, 500)
    clerk, boss = make_actor("clara", Role.CLERK), make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    asked = new(bill.account_id, Corrections(takes_back=(bill.number,)), bill.from_on, bill.to_on)
    rebill_id = operations.draft_rebill(clerk, asked, DAY, NOW, "r")
    [item] = Rebill.objects.get(pk=rebill_id).shown
    assert (item["number"], item["old"]["cents"], item["new"]) == (bill.number, 2 * WATER, None)
    with pytest.raises(NotPermitted):
        operations.post_rebill(clerk, rebill_id, town.day.pk, DAY, NOW)
    operations.ask_for_approval(clerk, rebill_id)
    done = operations.post_rebill(boss, rebill_id, town.day.pk, DAY, NOW)
    assert (done.taken_back, done.made, done.difference_cents) == (1, 0, -2 * WATER)
    assert stands(bill.account_id) == (0, 500)
    assert stands(other.account_id) == (4 * WATER, 0)
    assert queries.bill(bill.number).is_reversed
    assert run(plan(town, "again")).bills == 0
    assert prove(program_actor()).holds


def test_only_the_one_bill_changes_though_rates_did_too() -> None:
    town = billed_town()
    bill = bill_of(town)
    water = Component.objects.get(code="water")
    water.terms["versions"][-1]["rate"] = "5.00"
    water.save()
    take_back(bill.number, town.day.pk)
    assert stands(bill.account_id) == (0, 0)
    with pytest.raises(NothingToRebill):
        operations.draft_rebill(
            program_actor(), new(bill.account_id, Corrections()), DAY, NOW, "nothing left"
        )


def test_days_taken_back_are_billed_again_as_things_stand_now_and_credit_pays_them() -> None:
    town = billed_town()
    bill = bill_of(town)
    pay(town, bill.account_id, 500)
    take_back(bill.number, town.day.pk)
    water = Component.objects.get(code="water")
    water.terms["versions"][-1]["rate"] = "5.00"
    water.save()
    done = operations.post_rebill(program_actor(), again(bill), town.day.pk, DAY, NOW)
    assert (done.taken_back, done.made, done.difference_cents) == (0, 1, 1000)
    made = Bill.objects.get(replaces=bill)
    assert (made.total_cents, made.read_id, made.from_on) == (1000, bill.read_id, bill.from_on)
    assert stands(bill.account_id) == (500, 0)
    assert prove(program_actor()).holds
    with pytest.raises(AlreadyDone, match=f"was replaced by {made.number}"):
        again(bill)
    take_back(made.number, town.day.pk)
    assert stands(bill.account_id) == (0, 500)


def test_what_cannot_be_taken_back_or_billed_again_is_named() -> None:
    town = billed_town(2)
    bill = bill_of(town)
    with pytest.raises(AlreadyDone, match=f"Bill {bill.number} stands"):
        again(bill)
    asked = new(bill_of(town, 1).account_id, Corrections(takes_back=(bill.number,)))
    with pytest.raises(NotFound, match="of this account"):
        operations.draft_rebill(program_actor(), asked, DAY, NOW, "another's")
    take_back(bill.number, town.day.pk)
    with pytest.raises(AlreadyDone, match="was taken back before"):
        one_bill(bill.number, Corrections(takes_back=(bill.number,)), "twice")
    free = Bill.objects.create(
        number="free", account=bill.account, agreement=bill.agreement, from_on=DAY,
        to_on=DAY + timedelta(days=9), issued_on=DAY, due_on=DAY, total_cents=0,
        previous_balance_cents=0,
    )  # fmt: skip
    with pytest.raises(Refused, match="for nothing"):
        one_bill(free.number, Corrections(takes_back=(free.number,)))


def test_days_that_another_bill_charges_are_not_billed_again() -> None:
    town = billed_town()
    bill = bill_of(town)
    take_back(bill.number, town.day.pk)
    read = bill.read
    assert read is not None
    read.pk, read.source = None, "read again"
    read.save()
    run(plan(town, "another read"))
    assert Read.objects.count() == 2
    other = bill_of(town)
    with pytest.raises(AlreadyDone, match=f"Bill {other.number} charges these days"):
        again(bill)


def late(town: Town) -> tuple[Bill, Charge]:
    """A bill of the town and the penalty that its water caused."""
    chart.ensure_charge_kind("penalty", "Penalty", 50)
    load_late_policies(program_actor(), [policy(charge_kinds=("water",))])
    town.day = move_on(town.day, date(2026, 4, 20))
    raise_penalties(program_actor(), date(2026, 4, 20), town.day.pk, NOW, date(2026, 3, 1))
    [charge_id] = rows("SELECT charge_id FROM penalties_penalty ORDER BY charge_id LIMIT 1", [])[0]
    return bill_of(town), Charge.objects.get(pk=charge_id)


def forgive(town: Town, charge: Charge, cents: int) -> None:
    chart.ensure_adjusting_accounts({"penalty_waiver": "Waived penalties"})
    loss = chart.ledger_account_id(chart.adjustment_code("penalty_waiver"))
    of = chart.charge_kinds()[charge.kind.code]
    leg = Leg(loss, of.receivable_id, cents, "settle", charge.account_id, charge.pk)
    user = program_actor().user_id
    post(NewEntry(town.day.pk, "adjustment", user, NOW, "ADJ-000001", [leg], "First time"))


def test_a_penalty_that_was_waived_does_not_become_credit() -> None:
    town = billed_town()
    bill, penalty = late(town)
    forgive(town, penalty, penalty.cents)
    take_back(bill.number, town.day.pk)
    assert stands(bill.account_id) == (0, 0)
    assert Rebill.objects.get().penalty_cents == 0
    assert prove(program_actor()).holds


def test_a_penalty_of_which_a_part_was_waived_is_looked_at_first() -> None:
    town = billed_town()
    bill, penalty = late(town)
    forgive(town, penalty, penalty.cents - 1)
    with pytest.raises(Forgiven, match="ADJ-000001 waived a part of a late penalty"):
        take_back(bill.number, town.day.pk)
    assert not queries.bill(bill.number).is_reversed


def test_a_rebill_of_the_city_leaves_out_what_was_forgiven() -> None:
    town = billed_town(2)
    chart.ensure_adjusting_accounts({"write_off": "Write-off"})
    charge = Charge.objects.filter(account=bill_of(town).account_id).earliest("pk")
    forgive(town, charge, charge.cents)
    water = Component.objects.get(code="water")
    water.terms["versions"][-1]["rate"] = "5.00"
    water.save()
    load_limits()
    city = CityPlan("chicago-metered", date(2020, 1, 1), None, "read_wrong", "Wrong rate",
                    town.day.pk)  # fmt: skip
    rebill_id = ask_city_rebill(program_actor(), city, NOW, "city")
    boss = make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    approve_city_rebill(boss, rebill_id, NOW)
    done = run_city_rebill(program_actor(), rebill_id)
    assert (done.made, done.left_out) == (1, 1)
    assert stands(bill_of(town).account_id) == (WATER, 0)
    assert prove(program_actor()).holds


def test_a_read_that_is_corrected_after_its_bill_was_taken_back_is_not_billed_by_the_next_run() -> (
    None
):
    town = billed_town()
    bill = bill_of(town)
    take_back(bill.number, town.day.pk)
    asked = new(bill.account_id, Corrections(reads={bill.read_id: 3000}))
    boss = make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    rebill_id = operations.draft_rebill(program_actor(), asked, DAY, NOW, "read")
    operations.post_rebill(boss, rebill_id, town.day.pk, DAY, NOW)
    assert run(plan(town, "again")).bills == 0
    wanted = [payoff.Wanted(bill.account_id, bill.to_on, 366)]
    assert payoff.unbilled(connection.connection, wanted).cents == 0
    assert stands(bill.account_id) == (0, 0)
    operations.post_rebill(program_actor(), again(bill), town.day.pk, DAY, NOW)
    assert Bill.objects.get(replaces=bill).total_cents == 6 * WATER
    assert prove(program_actor()).holds


def test_a_rebill_of_the_city_bills_no_part_of_days_whose_bill_it_leaves_out() -> None:
    town = billed_town(2)
    bill = bill_of(town)
    chart.ensure_adjusting_accounts({"write_off": "Write-off"})
    charge = Charge.objects.filter(account=bill.account_id).earliest("pk")
    forgive(town, charge, charge.cents)
    whole = ServiceAgreement.objects.get(pk=bill.agreement_id)
    split_on = bill.from_on + timedelta(days=20)
    since = whole.period.lower
    ServiceAgreement.objects.filter(pk=whole.pk).update(period=DateRange(since, split_on))
    whole.pk, whole.period, whole.cycle_months = None, DateRange(split_on, None), 1
    whole.save(force_insert=True)
    load_limits()
    city = CityPlan("chicago-metered", date(2020, 1, 1), None, "read_wrong", "Wrong rate",
                    town.day.pk)  # fmt: skip
    rebill_id = ask_city_rebill(program_actor(), city, NOW, "city")
    approve_city_rebill(make_actor("sam", Role.ACCOUNTS_SUPERVISOR), rebill_id, NOW)
    done = run_city_rebill(program_actor(), rebill_id)
    assert (done.made, done.left_out) == (0, 2)
    assert [each.pk for each in Bill.objects.filter(account_id=bill.account_id)] == [bill.pk]

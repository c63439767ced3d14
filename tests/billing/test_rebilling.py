"""A clerk sets bills right: what was shown is what is posted, and the books prove."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing import queries
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.billing.rebilling import operations
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.limits import BeyondLimit
from chamberlain.billing.rebilling.models import CorrectedRead, Rebill
from chamberlain.billing.rebilling.operations import Changed, NothingToRebill, RuleTerms
from chamberlain.billing.running import run
from chamberlain.database.rows import rows
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger import operations as ledger
from chamberlain.ledger.forgiven import Forgiven
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, post
from chamberlain.ledger.proof import prove
from chamberlain.ledger.queries import balance
from chamberlain.metering.models import Read
from chamberlain.tariffs.models import Component
from tests.billing.rebilling_scenes import draft, load_limits, new, number_of, one_bill, rebill
from tests.billing.test_penalties import policy
from tests.billing.town import FROM, TO, Town, make_read, make_town, plan
from tests.office import DAY, NOW, make_actor

WATER = 469  # cents for a thousand gallons; sewer is as much again


def billed_town(accounts: int = 1) -> Town:
    """A town whose reads are billed: account i owes 9.38 dollars for each of i + 1 kgal."""
    town = make_town(accounts)
    load_limits()
    run(plan(town))
    return town


def pay(town: Town, account_id: int, cents: int, key: str = "p-1") -> None:
    payment = NewPayment(number_of(account_id), cents, "lockbox", key)
    post_payment(program_actor(), town.day.center_id, payment, NOW, key)


def read_of(account_id: int) -> Read:
    read = Bill.objects.filter(account_id=account_id).latest("pk").read
    assert read is not None
    return read


def stands(account_id: int) -> tuple[int, int]:
    found = balance(account_id)
    return found.owed_cents, found.credit_cents


@pytest.mark.django_db
def test_rebilling_with_nothing_changed_changes_nothing() -> None:
    town = billed_town(2)
    account = town.agreements[0].account_id
    read = read_of(account)
    same = Corrections(
        reads={read.pk: read.usage_thousandths}, rate_class="residential", dwelling_units=1,
        exemptions=(), meter_size="", tariff_code="chicago-metered",
    )  # fmt: skip
    with pytest.raises(NothingToRebill, match="nothing changes"):
        draft(town, new(account, same))
    assert (Bill.objects.count(), Read.objects.count(), Rebill.objects.count()) == (2, 2, 0)
    assert ServiceAgreement.objects.count() == 2


@pytest.mark.django_db
def test_what_is_shown_touches_nothing_until_it_is_posted() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    read = read_of(account)
    rebill_id = draft(town, new(account, Corrections(reads={read.pk: 3000})))
    shown = Rebill.objects.get(pk=rebill_id)
    [bill] = shown.shown
    assert (bill["old"]["cents"], bill["new"]["cents"]) == (2 * WATER, 6 * WATER)
    assert [line["label"] for line in bill["lines"]] == ["Water", "Sewer"]
    assert shown.difference_cents == 4 * WATER
    assert (Bill.objects.count(), Read.objects.count(), CorrectedRead.objects.count()) == (1, 1, 0)
    assert stands(account) == (2 * WATER, 0)
    assert draft(town, new(account, Corrections(reads={read.pk: 3000}))) == rebill_id


@pytest.mark.django_db
def test_a_corrected_read_replaces_the_bill_and_leaves_the_old_one_readable() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    [before] = queries.bills_of_account(account)
    rebill(town, new(account, Corrections(reads={read_of(account).pk: 3000})))
    now, then = queries.bills_of_account(account)
    assert Bill.objects.get(number=now.number).replaces_id == before.bill_id
    assert (then.number, then.is_reversed, then.total_cents) == (before.number, True, 2 * WATER)
    assert (then.usage_thousandths, now.usage_thousandths) == (1000, 3000)
    assert (now.total_cents, now.due_on) == (6 * WATER, DAY + timedelta(days=24))
    assert stands(account) == (6 * WATER, 0)
    assert run(plan(town, "again")).bills == 0
    assert prove(program_actor()).differences == ()


@pytest.mark.django_db
def test_payments_settle_the_new_charges_and_what_is_over_becomes_credit() -> None:
    town = billed_town(2)
    less, more = (agreement.account_id for agreement in town.agreements)
    pay(town, less, 2 * WATER, "p-1")
    pay(town, more, 1000, "p-2")
    rebill(town, new(less, Corrections(reads={read_of(less).pk: 400})), "r-1")
    rebill(town, new(more, Corrections(reads={read_of(more).pk: 5000})), "r-2")
    now = queries.bills_of_account(less)[0]
    assert (now.total_cents, now.open_cents) == (2 * 188, 0)
    assert stands(less) == (0, 2 * WATER - 2 * 188)
    assert stands(more) == (10 * WATER - 1000, 0)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_what_is_over_pays_what_is_open_on_the_accounts_other_bills_first() -> None:
    town = make_town(1, reads=False)
    load_limits()
    [agreement] = town.agreements
    first = make_read(agreement, 4000, from_on=FROM - timedelta(days=60), to_on=FROM)
    run(plan(town, "run-0"))
    pay(town, agreement.account_id, 8 * WATER)
    make_read(agreement, 3000)
    run(plan(town, "run-1"))
    rebill(town, new(agreement.account_id, Corrections(reads={first.pk: 2000}), first.from_on))
    assert stands(agreement.account_id) == (2 * WATER, 0)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_usage_spread_over_the_days_adds_up_to_what_was_read() -> None:
    town = make_town(1, reads=False)
    load_limits()
    [agreement] = town.agreements
    start = FROM - timedelta(days=31)
    make_read(agreement, 9001, from_on=start, to_on=FROM)
    make_read(agreement, 0, quality="estimate")
    run(plan(town))
    rebill(town, new(agreement.account_id, Corrections(is_spread=True), start, TO))
    live = Read.objects.filter(pk__in=CorrectedRead.objects.values("new"))
    usages = [read.usage_thousandths for read in live.order_by("from_on")]
    assert usages == [3100, 5901]
    assert sum(usages) == 9001


@pytest.mark.django_db
def test_a_wrong_class_is_right_from_that_day_on_and_the_old_days_stay() -> None:
    town = billed_town()
    [agreement] = town.agreements
    middle = FROM + timedelta(days=20)
    water = Component.objects.get(code="water")
    Component.objects.filter(pk=water.pk).update(
        terms={**water.terms, "by": ["rate_class"], "versions": [
            {"effective": "2020-01-01", "rates": {"residential": "4.69", "shop": "9.38"}}]}
    )  # fmt: skip
    rebill_id = draft(town, new(agreement.account_id, Corrections(rate_class="shop"), middle, None))
    operations.post_rebill(program_actor(), rebill_id, town.day.pk, DAY, NOW)
    periods = [
        (each.rate_class, each.period.lower, each.period.upper)
        for each in ServiceAgreement.objects.order_by("period")
    ]
    assert periods == [("residential", date(2020, 1, 1), middle), ("shop", middle, None)]
    live = [b for b in queries.bills_of_account(agreement.account_id) if not b.is_reversed]
    assert [(bill.from_on, bill.to_on) for bill in live] == [(middle, TO), (FROM, middle)]
    assert sum(bill.total_cents for bill in live) == 2 * (159 + 620)
    assert run(plan(town, "again")).bills == 0
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_terms_wrong_from_the_first_day_leave_an_agreement_without_days() -> None:
    town = billed_town()
    [agreement] = town.agreements
    ServiceAgreement.objects.filter(pk=agreement.pk).update(period=DateRange(FROM, None))
    sewer = Component.objects.get(code="sewer")
    Component.objects.filter(pk=sewer.pk).update(
        terms={**sewer.terms, "exemptions": [{"code": "church", "percent": "100"}]}
    )
    rebill(town, new(agreement.account_id, Corrections(exemptions=("church",)), FROM, TO))
    agreement.refresh_from_db()
    assert agreement.period.isempty
    right = ServiceAgreement.objects.exclude(pk=agreement.pk).order_by("period")
    assert [each.exemptions for each in right] == [["church"], []]
    assert stands(agreement.account_id) == (WATER, 0)
    assert run(plan(town, "again")).bills == 0


@pytest.mark.django_db
def test_another_first_day_moves_days_from_one_account_to_the_other() -> None:
    town = make_town(1, reads=False)
    load_limits()
    [first] = town.agreements
    border, right = FROM + timedelta(days=20), FROM + timedelta(days=30)
    [second] = ledger.open_accounts(["T99999"], FROM)
    ServiceAgreement.objects.filter(pk=first.pk).update(period=DateRange(None, border))
    ServiceAgreement.objects.create(
        account_id=second, service_point_id=first.service_point_id, tariff_id=first.tariff_id,
        rate_class="residential", period=DateRange(border, None),
    )  # fmt: skip
    make_read(first, 5900)
    run(plan(town))
    rebill(town, new(second, Corrections(started_on=right), FROM))
    assert stands(first.account_id) == (2 * 1407, 0)
    assert stands(second) == (2 * 1360, 0)
    assert run(plan(town, "again")).bills == 0
    rebill(town, new(second, Corrections(started_on=border), FROM), "back")
    assert stands(first.account_id) == (2 * 938, 0)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_another_first_day_that_takes_all_days_from_an_account_is_refused() -> None:
    town = billed_town()
    [agreement] = town.agreements
    ServiceAgreement.objects.filter(pk=agreement.pk).update(period=DateRange(FROM, TO))
    for day, sentence in (
        (FROM - timedelta(days=400), "outside of the days"),
        (TO, "start after it ends"),
    ):
        with pytest.raises(Invalid, match=sentence):
            draft(town, new(agreement.account_id, Corrections(started_on=day)))
    late = FROM + timedelta(days=5)
    with pytest.raises(Invalid, match="does not start once"):
        draft(town, new(agreement.account_id, Corrections(started_on=late), late))
    [other] = ledger.open_accounts(["T99999"], FROM)
    early = FROM - timedelta(days=10)
    ServiceAgreement.objects.create(
        account_id=other, service_point_id=agreement.service_point_id, rate_class="residential",
        tariff_id=agreement.tariff_id, period=DateRange(early, FROM),
    )  # fmt: skip
    with pytest.raises(Refused, match="no day left"):
        draft(town, new(agreement.account_id, Corrections(started_on=early), early))


@pytest.mark.django_db
def test_the_limit_of_the_city_holds_unless_the_reason_reaches_further() -> None:
    town = make_town(1, reads=False)
    load_limits(RuleTerms(date(2010, 1, 1), 24, 48, 50_000, 24, "chosen", False))
    [agreement] = town.agreements
    start = date(2021, 7, 1)
    old = make_read(agreement, 5000, from_on=start, to_on=date(2021, 9, 1))
    run(plan(town))
    more, less = Corrections(reads={old.pk: 9000}), Corrections(reads={old.pk: 1000})
    with pytest.raises(BeyondLimit, match="cannot be raised"):
        draft(town, new(agreement.account_id, more, start))
    with pytest.raises(BeyondLimit, match="before March 2, 2022 and cannot be lowered"):
        draft(town, new(agreement.account_id, less, start))
    assert draft(town, new(agreement.account_id, more, start, reason="court_order"))


@pytest.mark.django_db
def test_a_large_rebill_is_posted_by_another_person_than_the_one_who_asked() -> None:
    town = billed_town()
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, 4 * WATER, 24, "chosen", False))
    account = town.agreements[0].account_id
    clerk = make_actor("clara", Role.CLERK)
    boss = make_actor("sam", Role.ACCOUNTS_SUPERVISOR)
    asked = new(account, Corrections(reads={read_of(account).pk: 3000}))
    rebill_id = operations.draft_rebill(clerk, asked, DAY, NOW, "r")
    with pytest.raises(NotPermitted, match="supervisor"):
        operations.post_rebill(clerk, rebill_id, town.day.pk, DAY, NOW)
    operations.ask_for_approval(clerk, rebill_id)
    with pytest.raises(AlreadyDone, match="asked before"):
        operations.ask_for_approval(clerk, rebill_id)
    operations.post_rebill(boss, rebill_id, town.day.pk, DAY, NOW)
    assert Rebill.objects.get(pk=rebill_id).decided_by_id == boss.user_id
    with pytest.raises(AlreadyDone, match="posted before"):
        operations.post_rebill(boss, rebill_id, town.day.pk, DAY, NOW)
    own = operations.draft_rebill(
        boss, new(account, Corrections(reads={read_of(account).pk: 9000})), DAY, NOW, "own"
    )
    with pytest.raises(NotPermitted, match="another person"):
        operations.post_rebill(boss, own, town.day.pk, DAY, NOW)
    with (
        pytest.raises(DatabaseError, match="rebill_approved_by_another"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE rebilling_rebill SET status = 'posted', decided_by_id = asked_by_id, "
            "decided_at = now() WHERE id = %s", [own]
        )  # fmt: skip


@pytest.mark.django_db
def test_slices_below_the_citys_amount_add_up_until_another_person_decides() -> None:
    town = billed_town()
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, 4 * WATER, 24, "chosen", False))
    account = town.agreements[0].account_id
    clerk = make_actor("clara", Role.CLERK)

    def slice_to(usage: int) -> int:
        corrections = Corrections(reads={read_of(account).pk: usage})
        return operations.draft_rebill(clerk, new(account, corrections), DAY, NOW, f"to {usage}")

    stale = slice_to(1500)
    first = slice_to(2000)
    operations.post_rebill(clerk, first, town.day.pk, DAY, NOW)
    with pytest.raises(NotPermitted, match="supervisor"):
        operations.post_rebill(clerk, slice_to(3000), town.day.pk, DAY, NOW)
    load_limits(RuleTerms(date(2010, 1, 1), 24, 60, 1, 24, "chosen", False))
    with pytest.raises(Changed):
        operations.post_rebill(clerk, stale, town.day.pk, DAY, NOW)


@pytest.mark.django_db
def test_usage_corrected_to_nothing_takes_the_bill_back() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    rebill(town, new(account, Corrections(reads={read_of(account).pk: 0})))
    assert stands(account) == (0, 0)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_what_was_written_off_is_not_turned_into_credit_by_taking_the_bill_back() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    bill = Bill.objects.get(account_id=account)
    chart.ensure_adjusting_accounts({"write_off": "Write-off"})
    charge_id, cents = rows(
        "SELECT id, cents FROM ledger_charge WHERE account_id = %s ORDER BY id", [account]
    )[0]
    receivable = chart.charge_kinds()["water"].receivable_id
    loss = chart.ledger_account_id(chart.adjustment_code("write_off"))
    leg = Leg(loss, receivable, cents, "settle", account, charge_id)
    user = program_actor().user_id
    post(NewEntry(town.day.pk, "adjustment", user, NOW, "ADJ-000001", [leg], "Hardship"))
    with pytest.raises(Forgiven, match="ADJ-000001 settled"):
        draft(town, new(account, Corrections(reads={read_of(account).pk: 3000})))
    with pytest.raises(Forgiven, match="take that adjustment back first"):
        one_bill(bill.number, Corrections(takes_back=(bill.number,)))
    assert stands(account)[1] == 0


@pytest.mark.django_db
def test_the_second_clerk_is_told_what_the_first_changed() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    read = read_of(account)
    first = draft(town, new(account, Corrections(reads={read.pk: 3000})), "a")
    second = draft(town, new(account, Corrections(reads={read.pk: 2000})), "b")
    operations.post_rebill(program_actor(), first, town.day.pk, DAY, NOW)
    bill = Bill.objects.get(account_id=account, replaces__isnull=False)
    with pytest.raises(Changed, match=rf"was replaced by {bill.number} over \$28.14"):
        operations.post_rebill(program_actor(), second, town.day.pk, DAY, NOW)
    assert Bill.objects.count() == 2


@pytest.mark.django_db
def test_a_rate_that_changes_between_looking_and_posting_is_told() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    rebill_id = draft(town, new(account, Corrections(reads={read_of(account).pk: 3000})))
    water = Component.objects.get(code="water")
    water.terms["versions"][-1]["rate"] = "5.00"
    water.save()
    with pytest.raises(Changed, match=r"changes by \$20.62 instead of \$18.76"):
        operations.post_rebill(program_actor(), rebill_id, town.day.pk, DAY, NOW)


@pytest.mark.django_db
def test_a_corrected_rate_rebills_without_any_correction_of_the_account() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    water = Component.objects.get(code="water")
    water.terms["versions"][-1]["rate"] = "5.00"
    water.save()
    rebill(town, new(account, Corrections()))
    assert stands(account) == (1000, 0)


@pytest.mark.django_db
def test_a_declined_rebill_is_decided_and_stays() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    clerk, other = make_actor("clara", Role.CLERK), make_actor("otto", Role.CLERK)
    asked = new(account, Corrections(reads={read_of(account).pk: 3000}))
    rebill_id = operations.draft_rebill(clerk, asked, DAY, NOW, "r")
    with pytest.raises(Refused, match="needs no second person"):
        operations.ask_for_approval(clerk, rebill_id)
    with pytest.raises(NotPermitted):
        operations.decline_rebill(other, rebill_id, NOW)
    operations.decline_rebill(clerk, rebill_id, NOW)
    with pytest.raises(AlreadyDone, match="declined before"):
        operations.post_rebill(clerk, rebill_id, town.day.pk, DAY, NOW)
    with (
        pytest.raises(DatabaseError, match="was decided"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE rebilling_rebill SET note = 'x' WHERE id = %s", [rebill_id])


@pytest.mark.django_db
def test_a_rebill_needs_a_period_a_reason_words_and_sound_values() -> None:
    town = billed_town(2)
    account = town.agreements[0].account_id
    foreign = read_of(town.agreements[1].account_id).pk
    soon = DAY + timedelta(days=1)
    cases = [
        (new(account, Corrections(), FROM, FROM), "ends before it starts"),
        (new(account, Corrections(), soon), "Nothing is billed"),
        (new(account, Corrections(), reason="whim"), "no reason"),
        (new(account, Corrections(dwelling_units=0)), "dwelling units"),
        (new(account, Corrections(reads={1: -5})), "below zero"),
        (new(account, Corrections(reads={1: 5}, is_spread=True)), "not both"),
        (new(account, Corrections(tariff_code="none")), "no tariff"),
        (new(account, Corrections(reads={foreign: 5})), "not of this account"),
        (new(account, Corrections(is_spread=True), TO), "no usage to spread"),
        (operations.NewRebill("T00000", FROM, None, "read_wrong", " ", Corrections()), "Say what"),
        (operations.NewRebill("X", FROM, None, "read_wrong", "So", Corrections()), "no account"),
    ]
    for asked, sentence in cases:
        with pytest.raises(Refused, match=sentence):
            draft(town, asked)
    assert not Rebill.objects.exists()
    with pytest.raises(NotFound, match="no rebill"):
        operations.post_rebill(program_actor(), 999_999, town.day.pk, DAY, NOW)


@pytest.mark.django_db
def test_a_bill_that_cannot_be_rated_is_named() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    water = Component.objects.get(code="water")
    water.terms = {**water.terms, "by": ["rate_class"], "versions": [
        {"effective": "2020-01-01", "rates": {"residential": "4.69"}}]}  # fmt: skip
    water.save()
    with pytest.raises(Refused, match="cannot be rebilled"):
        draft(town, new(account, Corrections(rate_class="castle")))


@pytest.mark.django_db
def test_a_rebill_is_posted_on_an_open_day() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    rebill_id = draft(town, new(account, Corrections(reads={read_of(account).pk: 3000})))
    with pytest.raises(NotFound, match="business day"):
        operations.post_rebill(program_actor(), rebill_id, 999_999, DAY, NOW)
    ledger.seal_business_day(program_actor(), town.day.pk, NOW)
    with pytest.raises(DayClosed):
        operations.post_rebill(program_actor(), rebill_id, town.day.pk, DAY, NOW)


@pytest.mark.django_db
def test_no_limits_no_rebilling() -> None:
    town = make_town(1)
    run(plan(town))
    with pytest.raises(NotFound, match="load the city"):
        operations.limits_on(DAY)


@pytest.mark.django_db
def test_penalties_that_the_old_bill_caused_are_shown_and_taken_back_with_it() -> None:
    town = make_town(1, reads=False)
    load_limits()
    [agreement] = town.agreements
    read = make_read(agreement, 20_000)
    run(plan(town))
    chart.ensure_charge_kind("penalty", "Penalty", 10)
    load_late_policies(program_actor(), [policy()])
    ledger.seal_business_day(program_actor(), town.day.pk, NOW)
    late = date(2026, 3, 28)
    town.day = ledger.open_business_day(program_actor(), town.day.center_id, late, NOW)
    raise_penalties(program_actor(), late, town.day.pk, NOW, date(2026, 3, 20))
    pay(town, agreement.account_id, 10_000)
    penalty = round(20 * WATER * 0.0125)
    assert stands(agreement.account_id) == (40 * WATER + penalty - 10_000, 0)
    asked = new(agreement.account_id, Corrections(reads={read.pk: 15_000}))
    rebill_id = operations.draft_rebill(program_actor(), asked, late, NOW, "r")
    assert Rebill.objects.get(pk=rebill_id).penalty_cents == penalty
    operations.post_rebill(program_actor(), rebill_id, town.day.pk, late, NOW)
    assert stands(agreement.account_id) == (30 * WATER - 10_000, 0)
    assert prove(program_actor()).holds


@pytest.mark.django_db
def test_a_read_outside_of_the_days_is_not_corrected_as_its_bill_would_stand() -> None:
    town = billed_town()
    account = town.agreements[0].account_id
    read = read_of(account)
    for from_on, to_on in ((TO, None), (FROM - timedelta(days=60), FROM)):
        asked = new(account, Corrections(reads={read.pk: 3000}), from_on, to_on)
        with pytest.raises(Invalid, match="lies outside of the days"):
            draft(town, asked, f"from {from_on}")
    assert (Read.objects.count(), Rebill.objects.count()) == (1, 0)

"""What is owed with a bill: from the balance of the day it was billed before, reason by reason."""

import io
from datetime import date, timedelta

import pytest
from django.test import Client
from pypdf import PdfReader

from chamberlain.billing import queries
from chamberlain.billing.comparing.documents import letter_pdf
from chamberlain.billing.comparing.owing import Owing, owing
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.comparing.words import signed
from chamberlain.billing.estimating.due import due
from chamberlain.billing.estimating.true_up import look_at_true_ups, post_true_ups
from chamberlain.billing.models import Bill, ServiceAgreement
from chamberlain.billing.operations import RunPlan, plan_bill_run
from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.billing.penalties.policy import load_late_policies
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.operations import draft_rebill, post_rebill
from chamberlain.billing.running import run
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role, User
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.operations import reverse_entry
from chamberlain.ledger.past import past_balance
from chamberlain.ledger.payments import NewPayment, post_payment
from chamberlain.ledger.queries import balance
from tests.billing.estimating_scenes import read_on
from tests.billing.rebilling_scenes import load_limits, new, number_of
from tests.billing.test_estimating_true_up import LAST, estimated_town
from tests.billing.test_penalties import move_on, policy
from tests.billing.town import FROM, TO, Town, make_read, make_town, plan
from tests.office import NOW, make_actor

pytestmark = pytest.mark.django_db


def latest(agreement: ServiceAgreement) -> queries.BillRow:
    bill = Bill.objects.filter(agreement=agreement, replaced_by=None).latest("to_on")
    return queries.bill(bill.number)


def page_of(number: str) -> str:
    """The page that says why, as a clerk sees it."""
    clerk = Client()
    actor = make_actor("clerk", Role.CLERK)
    clerk.force_login(User.objects.get(pk=actor.user_id))
    return clerk.get(f"/bills/{number}/why/").content.decode()


def bill_again(town: Town) -> None:
    """A run over what was read since, due in two months."""
    due_on = town.day.day + timedelta(days=60)
    planned = RunPlan("April", "chicago-metered", town.day.pk, due_on, TO)
    run(plan_bill_run(program_actor(), planned, NOW, "april"))


def pay(town: Town, account_id: int, cents: int, key: str) -> int:
    payment = NewPayment(number_of(account_id), cents, "lockbox", key)
    return post_payment(program_actor(), town.day.center_id, payment, NOW, key)[0].payment_id


def reasons(found: Owing | None) -> list[tuple[str, int]]:
    """The reasons, once they were seen to add up and to be what the ledger says."""
    assert found is not None
    cents = sum(reason.cents for reason in found.reasons)
    assert found.before_cents + cents + found.bill_cents == found.now_cents
    return [(reason.name, reason.cents) for reason in found.reasons]


def test_the_first_bill_of_an_account_is_all_that_is_owed() -> None:
    town = make_town(1)
    run(plan(town))
    assert owing(latest(town.agreements[0])) is None


def test_penalties_payments_and_a_bill_set_right_each_have_their_cents() -> None:
    town = make_town(1, reads=False)
    load_limits()
    chart.ensure_charge_kind("penalty", "Penalty", 10)
    load_late_policies(program_actor(), [policy()])
    [agreement] = town.agreements
    first = make_read(agreement, 20_000, from_on=FROM - timedelta(days=30), to_on=FROM)
    run(plan(town))
    before = Bill.objects.get().total_cents
    town.day = move_on(town.day, date(2026, 3, 28))
    raise_penalties(program_actor(), town.day.day, town.day.pk, NOW, date(2026, 3, 20))
    penalty = balance(agreement.account_id).owed_cents - before
    assert penalty > 0
    pay(town, agreement.account_id, 1_000, "a")
    wrong = pay(town, agreement.account_id, 7_000, "b")
    reverse_entry(
        program_actor(), wrong, town.day.pk, NOW, kind="reverse_payment", reason="bounced"
    )
    asked = new(
        agreement.account_id,
        Corrections(reads={first.pk: 15_000}),
        FROM - timedelta(days=30),
    )
    rebill_id = draft_rebill(program_actor(), asked, town.day.day, NOW, "r")
    post_rebill(program_actor(), rebill_id, town.day.pk, town.day.day, NOW)
    less = Bill.objects.latest("pk").total_cents - before
    town.day = move_on(town.day, date(2026, 4, 30))
    pay(town, agreement.account_id, 500, "c")
    make_read(agreement, 4_000)
    bill_again(town)
    found = owing(latest(agreement))
    # The rebill's own day had a bill, so that the reasons begin after it.
    assert found is not None
    assert found.since == date(2026, 3, 28)
    assert found.before_cents == before + less - 1_000
    assert reasons(found) == [("payments", -500)]
    assert found.now_cents == past_balance(agreement.account_id, town.day.day).balance_cents
    replaced = owing(queries.bill(Bill.objects.exclude(replaces=None).get().number))
    assert replaced is not None
    assert replaced.before_cents == before
    assert reasons(replaced) == [("rebills", -before), ("payments", -1_000)]
    assert replaced.reasons[-1].sentence == "3, the last on March 28, 2026."


def test_a_penalty_that_stands_is_a_reason() -> None:
    town = make_town(1, reads=False)
    chart.ensure_charge_kind("penalty", "Penalty", 10)
    load_late_policies(program_actor(), [policy()])
    [agreement] = town.agreements
    make_read(agreement, 20_000, from_on=FROM - timedelta(days=30), to_on=FROM)
    run(plan(town))
    before = Bill.objects.get().total_cents
    town.day = move_on(town.day, date(2026, 3, 28))
    raise_penalties(program_actor(), town.day.day, town.day.pk, NOW, date(2026, 3, 20))
    penalty = balance(agreement.account_id).owed_cents - before
    make_read(agreement, 4_000)
    bill_again(town)
    found = owing(latest(agreement))
    assert reasons(found) == [("penalties", penalty)]
    bill = latest(agreement)
    assert found is not None
    assert found.now_cents == bill.previous_balance_cents + bill.total_cents
    letter = PdfReader(io.BytesIO(letter_pdf(why(bill.number), town.day.day)))
    text = " ".join(" ".join(sheet.extract_text() for sheet in letter.pages).split())
    assert f"Late penalties 1, on March 28, 2026. {signed(penalty)}" in text
    assert f"Owed then {show_cents(found.now_cents)}" in text
    assert signed(penalty) in page_of(bill.number)


def test_a_true_up_between_two_bills_is_one_reason() -> None:
    town = estimated_town()
    [agreement] = town.agreements
    before = balance(agreement.account_id).owed_cents
    town.day = move_on(town.day, town.day.day + timedelta(days=7))
    ids = due().runs["run_id"].to_list()
    seen = look_at_true_ups(program_actor(), ids, town.day.day).seen
    trued = post_true_ups(program_actor(), ids, seen, town.day.pk, town.day.day, NOW)
    made = latest(agreement)
    assert reasons(owing(made))[0][0] == "true_ups"
    read_on(agreement, LAST + timedelta(days=60), 140)
    town.day = move_on(town.day, town.day.day + timedelta(days=7))
    run(plan(town, "run-last"))
    found = owing(latest(agreement))
    assert found is not None
    assert found.before_cents == before + trued.difference_cents
    others = reasons(found)
    assert [name for name, _ in others] in ([], ["bills"])

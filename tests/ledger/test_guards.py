"""What the database itself refuses, whoever asks."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from chamberlain.identity.actors import program_actor
from chamberlain.kernel.errors import AlreadyDone
from chamberlain.ledger import chart, operations, proof, queries
from chamberlain.ledger.posting import DayClosed, Leg, NewEntry, NotEnoughCredit, OverSettled, post
from tests.office import DAY, NOW, make_center, open_day, owe

pytestmark = pytest.mark.django_db


def pay(day_id: int, charge_id: int, account_id: int, cents: int, **more: object) -> int:
    kind = chart.charge_kinds()["water"]
    leg = Leg(
        chart.ledger_account_id(chart.till_code("CH", "cash")),
        kind.receivable_id,
        cents,
        "settle",
        account_id,
        charge_id,
    )
    return post(NewEntry(day_id, "payment", program_actor().user_id, NOW, "R1", [leg], **more))


def test_a_payment_settles_a_charge_and_lowers_what_the_account_owes():
    day = open_day(make_center())
    owed = owe(day, "A1", 5000)
    pay(day.pk, owed.charge_ids[0], owed.account_id, 2000)
    assert queries.balance(owed.account_id).owed_cents == 3000
    assert [c.open_cents for c in queries.open_charges([owed.account_id])] == [3000]
    assert proof.prove(program_actor()).differences == ()


def test_a_charge_cannot_be_settled_beyond_its_amount():
    day = open_day(make_center())
    owed = owe(day, "A1", 5000)
    with pytest.raises(OverSettled), transaction.atomic():
        pay(day.pk, owed.charge_ids[0], owed.account_id, 5001)
    assert queries.balance(owed.account_id).owed_cents == 5000


def test_an_entry_is_reversed_once_and_opens_the_charge_again():
    day = open_day(make_center())
    owed = owe(day, "A1", 5000)
    entry = pay(day.pk, owed.charge_ids[0], owed.account_id, 5000)
    operations.reverse_entry(program_actor(), entry, day.pk, NOW, kind="void", reason="keyed wrong")
    assert queries.balance(owed.account_id).owed_cents == 5000
    with pytest.raises(AlreadyDone), transaction.atomic():
        operations.reverse_entry(program_actor(), entry, day.pk, NOW, kind="void", reason="again")
    assert proof.prove(program_actor()).holds


def test_credit_cannot_be_used_beyond_what_there_is():
    day = open_day(make_center())
    owed = owe(day, "A1", 5000)
    kind, credits = chart.charge_kinds()["water"], chart.ledger_account_id(chart.CREDITS)
    use = Leg(credits, kind.receivable_id, 100, "settle", owed.account_id, owed.charge_ids[0])
    with pytest.raises(NotEnoughCredit), transaction.atomic():
        post(NewEntry(day.pk, "use_credit", program_actor().user_id, NOW, "C1", [use]))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_transfer SET cents = 1",
        "DELETE FROM ledger_transfer",
        "UPDATE ledger_charge SET cents = 1",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_settlement SET settled_cents = 0",
        "UPDATE ledger_balance SET owed_cents = 0",
        "DELETE FROM ledger_businessday",
        "TRUNCATE ledger_daydigest CASCADE",
    ],
)
def test_the_office_cannot_change_the_books(statement: str):
    day = open_day(make_center())
    owe(day, "A1", 5000)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(("debit", "credit", "cents"), [("1000", "1000", 5), ("1000", "2300", 0)])
def test_a_transfer_needs_two_accounts_and_a_positive_amount(debit: str, credit: str, cents: int):
    day = open_day(make_center())
    owed = owe(day, "A1", 5000)
    leg = Leg(
        chart.ledger_account_id(debit),
        chart.ledger_account_id(credit),
        cents,
        account_id=owed.account_id,
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        post(NewEntry(day.pk, "payment", program_actor().user_id, NOW, "R1", [leg]))


def test_nothing_is_posted_on_a_closed_day():
    center = make_center()
    day = open_day(center)
    owed = owe(day, "A1", 5000)
    operations.seal_business_day(program_actor(), day.pk, NOW)
    with pytest.raises(DayClosed), transaction.atomic():
        pay(day.pk, owed.charge_ids[0], owed.account_id, 5000)
    following = open_day(center, DAY + timedelta(days=1))
    pay(following.pk, owed.charge_ids[0], owed.account_id, 5000)
    assert proof.prove(program_actor()).holds

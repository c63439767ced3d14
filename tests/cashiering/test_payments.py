"""Taking money at the counter: what is posted, and what is refused in one sentence."""

import pytest
from django.db import connection

from chamberlain.cashiering import queries
from chamberlain.cashiering.closing import close_till
from chamberlain.cashiering.models import Receipt, TillSession
from chamberlain.cashiering.operations import TenderLine, take_payment
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart, operations, proof
from chamberlain.ledger import queries as ledger
from chamberlain.ledger.models import Entry, LedgerAccount, Transfer
from chamberlain.ledger.posting import DayClosed, OverSettled
from tests.cashiering.counter import CASH_LIMIT, FLOAT, Counter, cash, check, make_counter, pay
from tests.office import DAY, NOW, make_actor, make_center, owe

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter() -> Counter:
    return make_counter()


def in_account(code: str) -> int:
    """Debits less credits of a ledger account."""
    account = LedgerAccount.objects.get(code=code)
    debits = Transfer.objects.filter(debit=account).values_list("cents", flat=True)
    credits_ = Transfer.objects.filter(credit=account).values_list("cents", flat=True)
    return sum(debits) - sum(credits_)


def test_a_basket_of_two_accounts_is_paid_with_a_check_and_cash_and_gets_change(counter):
    mine = owe(counter.day, "A1", 6000, 4000)
    hers = owe(counter.day, "A2", 2500, kind="sewer")
    receipt = pay(
        counter,
        mine.account_id,
        [(mine.charge_ids[0], 6000), (mine.charge_ids[1], 4000), (hers.charge_ids[0], 2500)],
        check(7000, "4711"),
        cash(6000),
    )
    assert receipt.number == "CH-1-20260302-0001"
    assert (receipt.total_cents, receipt.tendered_cents, receipt.change_cents) == (
        12500,
        13000,
        500,
    )
    assert [(line.account_number, line.kind_name, line.cents) for line in receipt.lines] == [
        ("A1", "Water", 6000),
        ("A1", "Water", 4000),
        ("A2", "Sewer", 2500),
    ]
    assert queries.receipt(receipt.receipt_id) == receipt
    assert ledger.balance(mine.account_id).owed_cents == 0
    assert ledger.balance(hers.account_id).owed_cents == 0
    assert in_account(chart.till_code("CH", "check")) == 7000
    assert in_account(chart.till_code("CH", "cash")) == 5500
    assert proof.prove(program_actor()).differences == ()


def test_receipts_of_a_till_are_numbered_without_gaps_through_the_day(counter):
    owed = owe(counter.day, "A1", 100, 100, 100)
    numbers = [pay(counter, owed.account_id, [(c, 100)], cash(100)).number for c in owed.charge_ids]
    assert numbers == [f"CH-1-20260302-000{n}" for n in (1, 2, 3)]


def test_a_till_opened_twice_on_a_day_goes_on_counting_its_receipts(counter):
    owed = owe(counter.day, "A1", 100, 100)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 100)], cash(100))
    close_till(counter.cashier, counter.session_id, {2000: 5, 100: 1}, 0, NOW)
    from chamberlain.cashiering.operations import open_till

    session_id = open_till(counter.cashier, counter.till_ids[0], FLOAT, NOW)
    receipt = take_payment(
        counter.cashier,
        session_id,
        owed.account_id,
        [(owed.charge_ids[1], 100)],
        [cash(100)],
        NOW,
        "again",
    )
    assert receipt.number == "CH-1-20260302-0002"


def test_the_same_payment_sent_twice_is_posted_once(counter):
    owed = owe(counter.day, "A1", 5000)
    first = pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000), key="k")
    second = pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000), key="k")
    assert second.was_repeated
    assert not first.was_repeated
    assert second.receipt_id == first.receipt_id
    assert Receipt.objects.count() == 1
    assert queries.receipt_of_key("k").number == first.number
    assert queries.receipt_by_number(f" {first.number.lower()} ").receipt_id == first.receipt_id


def test_the_same_payment_sent_again_after_the_till_closed_still_gets_its_receipt(counter):
    owed = owe(counter.day, "A1", 5000)
    first = pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000), key="k")
    close_till(counter.cashier, counter.session_id, {2000: 5, 5000: 1}, 0, NOW)
    again = pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000), key="k")
    assert again.receipt_id == first.receipt_id


def test_a_key_used_for_another_payment_is_refused(counter):
    owed = owe(counter.day, "A1", 5000, 100)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000), key="k")
    with pytest.raises(AlreadyDone, match="CH-1-20260302-0001"):
        pay(counter, owed.account_id, [(owed.charge_ids[1], 100)], cash(100), key="k")


def test_a_key_used_for_something_other_than_a_payment_is_refused(counter):
    owed = owe(counter.day, "A1", 5000)
    Entry.objects.create(
        business_day=counter.day,
        kind="bill",
        actor_id=program_actor().user_id,
        posted_at=NOW,
        document="B",
        idempotency_key="k",
    )
    with pytest.raises(AlreadyDone, match="something else"):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000), key="k")
    assert TillSession.objects.get(pk=counter.session_id).last_number == 0


def test_money_on_account_settles_in_the_citys_order_and_the_rest_becomes_credit(counter):
    owed = owe(counter.day, "A1", 3000, 4000, 1000)
    receipt = pay(
        counter,
        owed.account_id,
        [(owed.charge_ids[2], 500)],
        cash(9000),
        on_account_cents=8000,
    )
    assert [(line.charge_id, line.cents) for line in receipt.lines] == [
        (owed.charge_ids[2], 500),
        (owed.charge_ids[0], 3000),
        (owed.charge_ids[1], 4000),
        (None, 1000),
    ]
    assert receipt.change_cents == 500
    balance = ledger.balance(owed.account_id)
    assert (balance.owed_cents, balance.credit_cents) == (500, 1000)
    assert queries.receipt(receipt.receipt_id) == receipt


def test_money_above_the_basket_is_kept_as_credit_when_the_customer_wants_it(counter):
    owed = owe(counter.day, "A1", 3000)
    receipt = pay(
        counter,
        owed.account_id,
        [(owed.charge_ids[0], 3000)],
        check(5000),
        keep_as_credit=True,
    )
    assert (receipt.total_cents, receipt.change_cents) == (5000, 0)
    assert ledger.balance(owed.account_id).credit_cents == 2000


def test_an_account_that_owes_nothing_may_pay_in_advance(counter):
    owed = owe(counter.day, "A1")
    pay(counter, owed.account_id, [], cash(700), on_account_cents=700)
    pay(counter, owed.account_id, [], cash(300), keep_as_credit=True)
    assert ledger.balance(owed.account_id).credit_cents == 1000
    assert proof.prove(program_actor()).holds


@pytest.mark.parametrize(
    ("tenders", "sentence"),
    [
        ([], "Nothing was handed over"),
        ([TenderLine("check", 5000)], "check's number"),
        ([TenderLine("check", 5000, "  ")], "check's number"),
        ([TenderLine("money_order", 5000)], "money order's number"),
        ([TenderLine("card", 5000)], "authorization number"),
        ([TenderLine("check", 5000, "1" * 41)], "more than 40"),
        ([TenderLine("check", 5000, "1\x00")], "cannot be printed"),
        ([TenderLine("shells", 5000)], "“shells” is not taken"),
        ([cash(0)], "more than zero"),
        ([cash(-5)], "more than zero"),
        ([cash(True)], "more than zero"),
        ([TenderLine("cash", 50.0)], "more than zero"),
        ([cash(10**16)], "more than zero"),
        ([cash(4000)], "\\$10.00 is missing"),
        ([check(6000)], "Change is given from cash only"),
        ([check(5500), cash(100)], "Change is given from cash only"),
        ([cash(1)] * 51, "at most 50 tenders"),
    ],
)
def test_wrong_tenders_are_refused_and_change_nothing(counter, tenders, sentence):
    owed = owe(counter.day, "A1", 5000)
    before = Entry.objects.count()
    with pytest.raises(Refused, match=sentence):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], *tenders)
    assert Entry.objects.count() == before
    assert ledger.balance(owed.account_id).owed_cents == 5000


@pytest.mark.parametrize(
    ("cents", "more", "sentence"),
    [
        ([0], {}, "more than zero"),
        ([-1], {}, "more than zero"),
        ([100, 100], {}, "in the basket twice"),
        ([100] * 501, {}, "at most 500"),
        ([], {}, "nothing to pay"),
        ([100], {"on_account_cents": -1}, "on account must be more"),
        ([100], {"key": "x" * 65}, "key of 1 to 64"),
    ],
)
def test_wrong_baskets_are_refused(counter, cents, more, sentence):
    owed = owe(counter.day, "A1", 5000)
    with pytest.raises(Invalid, match=sentence):
        pay(counter, owed.account_id, [(owed.charge_ids[0], c) for c in cents], cash(100), **more)


def test_a_payment_without_a_key_is_refused(counter):
    owed = owe(counter.day, "A1", 5000)
    with pytest.raises(Invalid, match="needs a key"):
        take_payment(
            counter.cashier,
            counter.session_id,
            owed.account_id,
            [(owed.charge_ids[0], 1)],
            [cash(1)],
            NOW,
            "",
        )


def test_a_charge_that_was_paid_is_named(counter):
    owed = owe(counter.day, "A1", 5000)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000))
    with pytest.raises(OverSettled, match=f"Charge {owed.charge_ids[0]} has nothing open"):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000))
    assert Receipt.objects.count() == 1


def test_a_charge_paid_in_part_is_named_with_what_is_still_open(counter):
    owed = owe(counter.day, "A1", 5000, 700)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 3000)], cash(3000))
    with pytest.raises(OverSettled, match=r"A1-0 of account A1 .* has \$20.00 open, not \$50.00"):
        pay(
            counter,
            owed.account_id,
            [(owed.charge_ids[1], 700), (owed.charge_ids[0], 5000)],
            cash(5700),
        )


def test_a_charge_or_account_that_does_not_exist_is_refused(counter):
    owed = owe(counter.day, "A1", 5000)
    with pytest.raises(NotFound, match="charge of the basket"):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 100), (10**9, 100)], cash(200))
    with pytest.raises(NotFound, match="no such customer account"):
        pay(counter, 10**9, [(owed.charge_ids[0], 100)], cash(100))
    assert TillSession.objects.get(pk=counter.session_id).last_number == 0


def test_cash_that_overfills_the_drawer_is_refused_but_a_check_is_taken(counter):
    owed = owe(counter.day, "A1", CASH_LIMIT)
    room = CASH_LIMIT - 10_000
    with pytest.raises(Refused, match=r"\$0.01 more into till CH-1 than its limit.*supervisor"):
        pay(counter, owed.account_id, [(owed.charge_ids[0], room + 1)], cash(room + 1))
    pay(counter, owed.account_id, [(owed.charge_ids[0], room)], cash(room))
    pay(counter, owed.account_id, [(owed.charge_ids[0], 10_000)], check(10_000))


def test_a_closed_till_takes_nothing(counter):
    owed = owe(counter.day, "A1", 5000)
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    with pytest.raises(Refused, match="Till CH-1 is closed"):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000))


def test_a_closed_day_takes_nothing(counter):
    owed = owe(counter.day, "A1", 5000)
    operations.seal_business_day(counter.supervisor, counter.day.pk, NOW)
    with pytest.raises(DayClosed, match="The day of Center CH is closed"):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 5000)], cash(5000))


def test_a_till_session_that_does_not_exist_is_refused(counter):
    with pytest.raises(NotFound, match="no till session 999"):
        take_payment(counter.cashier, 999, 1, [(1, 1)], [cash(1)], NOW, "k")


def test_another_cashiers_drawer_is_refused(counter):
    owed = owe(counter.day, "A1", 5000)
    with pytest.raises(Refused, match="was opened by Ana-Ch"):
        take_payment(
            counter.second_cashier,
            counter.session_id,
            owed.account_id,
            [(owed.charge_ids[0], 5000)],
            [cash(5000)],
            NOW,
            "k",
        )


def test_a_clerk_and_a_cashier_of_another_center_may_not_take_money(counter):
    clerk = make_actor("cleo", Role.CLERK, counter.center)
    stranger = make_actor("stan", Role.CASHIER, make_center("WE"))
    for actor in (clerk, stranger):
        with pytest.raises(NotPermitted):
            take_payment(actor, counter.session_id, 1, [(1, 1)], [cash(1)], NOW, "k")


def test_the_till_account_of_the_payment_call_is_the_charts(counter):
    owed = owe(counter.day, "A1", 400)
    kinds = [check(100), TenderLine("card", 100, "77"), TenderLine("money_order", 100, "8")]
    pay(counter, owed.account_id, [(owed.charge_ids[0], 400)], *kinds, cash(100))
    for kind in ("check", "card", "money_order", "cash"):
        assert in_account(chart.till_code("CH", kind)) == 100


def test_what_is_owed_comes_with_what_is_past_due_and_the_basket_adds_up(counter):
    late = owe(counter.day, "A1", 3000, 4000)
    shown = queries.owed(late.account_id, DAY.replace(day=3))
    assert (shown.owed_cents, shown.past_due_cents, len(shown.charges)) == (7000, 7000, 2)
    assert queries.owed(late.account_id, DAY).past_due_cents == 0
    assert queries.basket(late.charge_ids).total_cents == 7000
    with pytest.raises(NotFound):
        queries.owed(10**9, DAY)
    with pytest.raises(NotFound):
        queries.receipt(10**9)


def test_receipts_are_listed_by_drawer_and_by_account(counter):
    owed = owe(counter.day, "A1", 400)
    receipt = pay(counter, owed.account_id, [(owed.charge_ids[0], 400)], check(300), cash(100))
    [row] = queries.receipts_of_session(counter.session_id)
    assert (row.number, row.tenders, row.is_voided) == (receipt.number, "cash, check", False)
    assert queries.receipts_of_account(owed.account_id) == [row]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cashiering_receipt SET total_cents = 1, tendered_cents = 1",
        "DELETE FROM cashiering_receipt",
        "UPDATE cashiering_tender SET cents = 1",
        "DELETE FROM cashiering_tender",
        "UPDATE cashiering_count SET pieces = 1",
        "DELETE FROM cashiering_tillsession",
        "UPDATE cashiering_tillsession SET float_cents = 1",
        "UPDATE cashiering_receipt SET void_entry_id = entry_id, void_approved_by_id = "
        "(SELECT cashier_id FROM cashiering_tillsession ORDER BY id LIMIT 1)",
    ],
)
def test_the_database_refuses_to_change_what_was_done_at_the_counter(counter, statement):
    owed = owe(counter.day, "A1", 400)
    pay(counter, owed.account_id, [(owed.charge_ids[0], 400)], cash(400))
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

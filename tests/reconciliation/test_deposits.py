"""Bagging a day's money and finding it on the bank's statements."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart, operations, proof
from chamberlain.ledger.posting import DayClosed
from chamberlain.reconciliation import queries
from chamberlain.reconciliation.models import BankLine, Deposit, Match
from chamberlain.reconciliation.operations import (
    make_deposit,
    match_by_hand,
    match_deposits,
    read_bank_file,
)
from tests.cashiering.test_payments import in_account
from tests.office import DAY, NOW, make_actor, make_center, open_day
from tests.reconciliation.bank import Line, statement
from tests.reconciliation.evening import CARDS, CASH, CHECKS, Evening, make_evening

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening() -> Evening:
    return make_evening()


def test_a_deposit_takes_all_of_a_tender_from_the_tills_on_its_way_to_the_bank(evening):
    deposit_id = make_deposit(evening.supervisor, evening.day.pk, "cash", " B1 ", NOW)
    [row] = queries.deposits_of_day(evening.day.pk)
    assert (row.deposit_id, row.number, row.cents, row.bag_number, row.matched_because) == (
        deposit_id,
        "DCH-20260302-1",
        CASH,
        "B1",
        "",
    )
    assert in_account(chart.till_code("CH", "cash")) == 0
    assert in_account(chart.vault_code("CH", "cash")) == CASH
    assert queries.unmatched_deposits() == [row]


def test_a_second_deposit_of_the_same_money_is_refused(evening):
    make_deposit(evening.supervisor, evening.day.pk, "cash", "B1", NOW)
    with pytest.raises(Refused, match="No cash lies in the tills"):
        make_deposit(evening.supervisor, evening.day.pk, "cash", "B2", NOW)


@pytest.mark.parametrize(
    ("kind", "bag", "sentence"),
    [("cash", " ", "numbered bag"), ("cash", "B" * 41, "numbered bag"), ("gold", "B", "no tender")],
)
def test_a_deposit_without_bag_or_of_no_tender_is_refused(evening, kind, bag, sentence):
    with pytest.raises(Invalid, match=sentence):
        make_deposit(evening.supervisor, evening.day.pk, kind, bag, NOW)


def test_a_deposit_waits_for_verified_tills_and_an_open_day():
    evening = make_evening(closes=False)
    with pytest.raises(Refused, match="is still open"):
        make_deposit(evening.supervisor, evening.day.pk, "cash", "B1", NOW)
    operations.seal_business_day(evening.supervisor, evening.day.pk, NOW)
    with pytest.raises(DayClosed, match="choose a day that is open"):
        make_deposit(evening.supervisor, evening.day.pk, "cash", "B1", NOW)


def test_deposits_are_made_by_the_centers_supervisor(evening):
    stranger = make_actor("stan", Role.CENTER_SUPERVISOR, make_center("WE"))
    for actor in (evening.cashier, stranger):
        with pytest.raises(NotPermitted):
            make_deposit(actor, evening.day.pk, "cash", "B1", NOW)
    with pytest.raises(NotFound):
        make_deposit(evening.supervisor, 10**9, "cash", "B1", NOW)


@pytest.fixture
def next_day(evening):
    """The day after, with the evening's deposits on their way."""
    evening.deposit_and_close()
    return open_day(evening.center, DAY + timedelta(days=1))


def read(evening: Evening, *lines: Line) -> None:
    read_bank_file(evening.supervisor, "bank.txt", statement(*lines), NOW)


def test_what_is_clear_is_matched_with_its_reason_and_moves_to_the_bank_account(evening, next_day):
    read(evening, Line(CASH, text="CASH BAG B-CASH"), Line(CHECKS), Line(77, "475"))
    found = match_deposits(evening.supervisor, next_day.pk, NOW)
    assert len(found.found) == 2
    rows = {row.tender_kind: row for row in queries.deposits_of_day(evening.day.pk)}
    assert "names bag B-cash" in rows["cash"].matched_because
    assert "the only deposit and the only credit" in rows["check"].matched_because
    assert rows["card"].matched_because == ""
    assert in_account(chart.BANK) == CASH + CHECKS
    assert in_account(chart.vault_code("CH", "cash")) == 0
    assert [row.cents for row in queries.unmatched_deposits()] == [CARDS]
    assert [row.cents for row in queries.unmatched_lines()] == [-77]
    assert match_deposits(evening.supervisor, next_day.pk, NOW).found == ()
    assert proof.prove(program_actor()).differences == ()


def test_what_is_ambiguous_or_differs_is_listed_and_not_guessed(evening, next_day):
    read(evening, Line(CASH), Line(CASH), Line(CHECKS - 100, text="B-CHECK"))
    found = match_deposits(evening.supervisor, next_day.pk, NOW)
    assert found.found == ()
    cash = Deposit.objects.get(tender_kind="cash")
    check = Deposit.objects.get(tender_kind="check")
    assert found.ambiguous_deposit_ids == (cash.pk,)
    assert [deposit for deposit, _ in found.differing] == [check.pk]
    shown = [
        (p.kind, p.deposits[0].deposit_id, p.difference_cents) for p in queries.possibilities(DAY)
    ]
    assert shown == [
        ("differing", check.pk, -100),
        ("ambiguous", cash.pk, 0),
        ("ambiguous", cash.pk, 0),
    ]
    assert Match.objects.count() == 0


def test_a_person_decides_between_two_lines_and_says_why(evening, next_day):
    read(evening, Line(CASH), Line(CASH))
    deposit = Deposit.objects.get(tender_kind="cash")
    line = BankLine.objects.last()
    by_hand = evening.supervisor, [deposit.pk], [line.pk]
    with pytest.raises(Invalid, match="Say why"):
        match_by_hand(*by_hand, " ", next_day.pk, NOW)
    match_by_hand(*by_hand, "slip seen at the bank", next_day.pk, NOW)
    with pytest.raises(AlreadyDone, match="matched already"):
        match_by_hand(*by_hand, "again", next_day.pk, NOW)
    [row] = queries.unmatched_lines()
    assert row.line_id != line.pk
    assert in_account(chart.BANK) == CASH


def test_a_person_cannot_match_what_does_not_fit(evening, next_day):
    read(evening, Line(CASH), Line(CHECKS))
    cash, check = (Deposit.objects.get(tender_kind=kind) for kind in ("cash", "check"))
    line = BankLine.objects.get(cents=CASH)
    with pytest.raises(NotPermitted, match=r"difference of \$380.00 needs a second person"):
        match_by_hand(evening.supervisor, [check.pk], [line.pk], "why", next_day.pk, NOW)
    with pytest.raises(NotFound, match="no such deposit"):
        match_by_hand(evening.supervisor, [10**9], [line.pk], "why", next_day.pk, NOW)
    match_by_hand(evening.supervisor, [cash.pk], [line.pk], "why", next_day.pk, NOW)
    with pytest.raises(AlreadyDone, match="matched already or was replaced"):
        match_by_hand(evening.supervisor, [check.pk], [line.pk], "why", next_day.pk, NOW)


def test_matching_is_for_the_center_and_an_open_day(evening, next_day):
    read(evening, Line(CASH))
    west = make_center("WE")
    stranger = make_actor("stan", Role.CENTER_SUPERVISOR, west)
    with pytest.raises(NotPermitted):
        match_deposits(stranger, next_day.pk, NOW)
    with pytest.raises(NotPermitted):
        match_deposits(evening.cashier, next_day.pk, NOW)
    assert match_deposits(stranger, open_day(west).pk, NOW).found == ()
    with pytest.raises(DayClosed):
        match_deposits(evening.supervisor, evening.day.pk, NOW)
    with pytest.raises(NotFound):
        match_deposits(evening.supervisor, 10**9, NOW)


TABLES = ["deposit", "bankfile", "statement", "bankline", "match", "matcheddeposit", "matchedline"]


@pytest.mark.parametrize("table", TABLES)
def test_the_database_refuses_to_change_what_was_reconciled(evening, next_day, table):
    read(evening, Line(CASH))
    match_deposits(evening.supervisor, next_day.pk, NOW)
    from django.db import connection

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM reconciliation_{table}")

"""Taking in a bank's file: once, whole, of the city's accounts, day after day without a gap."""

from datetime import timedelta
from pathlib import Path

import pytest

from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, BadFile, Invalid, NotFound, NotPermitted
from chamberlain.reconciliation import queries
from chamberlain.reconciliation.models import BankFile, BankLine, Match, Statement
from chamberlain.reconciliation.operations import (
    ensure_bank_account,
    match_deposits,
    read_bank_file,
)
from tests.office import DAY, NOW, make_actor, make_center, open_day
from tests.reconciliation.bank import ACCOUNT, Line, statement
from tests.reconciliation.evening import CASH, make_evening

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[1] / "data" / "bank"
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.fixture
def reader():
    ensure_bank_account(ACCOUNT, "General fund")
    return make_actor("sue", Role.COORDINATOR)


def reasons(actor, content: bytes) -> list[str]:
    """Why a file is refused, after seeing that nothing of it stayed."""
    before = BankFile.objects.count(), Statement.objects.count(), BankLine.objects.count()
    with pytest.raises(BadFile) as refused:
        read_bank_file(actor, "bank.txt", content, NOW)
    after = BankFile.objects.count(), Statement.objects.count(), BankLine.objects.count()
    assert after == before
    return [str(record) for record in refused.value.records]


def test_a_file_is_read_into_statements_and_lines(reader):
    content = statement(
        Line(500, bank_reference="R1", customer_reference="C1", text="BAG 7"), Line(200, "475")
    )
    file_id = read_bank_file(reader, " monday.bai ", content, NOW)
    view = queries.bank_file(file_id)
    [day] = view.statements
    assert (view.name, view.read_by) == ("monday.bai", "Sue")
    assert (day.account_name, day.opening_cents, day.closing_cents) == ("General fund", 0, 300)
    assert day.unexplained_cents == 0
    assert [(line.cents, line.type_code, line.bank_reference) for line in day.lines] == [
        (500, "301", "R1"),
        (-200, "475", ""),
    ]
    [row] = queries.bank_files()
    assert (row.file_id, row.statements, row.lines) == (file_id, 1, 2)
    assert bytes(BankFile.objects.get().content) == content
    with pytest.raises(NotFound):
        queries.bank_file(10**9)


def test_a_statement_may_leave_out_its_balances(reader):
    file_id = read_bank_file(reader, "x", statement(Line(5), opening=None), NOW)
    assert queries.bank_file(file_id).statements[0].unexplained_cents is None


def test_the_same_file_is_read_once(reader):
    read_bank_file(reader, "monday.bai", statement(Line(500)), NOW)
    with pytest.raises(AlreadyDone, match=r"read before as “monday\.bai” on March 2, 2026"):
        read_bank_file(reader, "copy.bai", statement(Line(500)), NOW)


def test_only_those_who_may_read_bank_files(reader):
    with pytest.raises(NotPermitted):
        read_bank_file(make_actor("ana", Role.CASHIER, make_center()), "x", statement(), NOW)


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 1000, b"no bank file"])
def test_what_is_no_bank_file_gets_one_sentence(reader, content):
    with pytest.raises(Invalid):
        read_bank_file(reader, "x", content, NOW)
    assert BankFile.objects.count() == 0


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"account": "999"}, "account 999 is not the city's"),
        ({"currency": "GBP"}, "currency GBP"),
        ({"on": AFTER}, "is still to come"),
        ({"status": "4"}, "marked as a test"),
        ({"status": "2"}, "asks to delete"),
    ],
)
def test_a_file_of_another_account_currency_or_day_is_refused(reader, more, reason):
    [found] = reasons(reader, statement(Line(500), **more))
    assert found.startswith("line 3")
    assert reason in found


def test_totals_that_do_not_hold_refuse_the_file_with_every_place(reader):
    content = statement(Line(500)).replace(b"49,1000,3", b"49,1001,4")
    assert [r.split(":")[0] for r in reasons(reader, content)] == ["line 5", "line 5", "line 6"]


def test_the_samples_are_refused_because_they_are_not_the_citys(reader):
    for path in DATA.glob("moj*"):
        assert any("currency GBP" in r for r in reasons(reader, path.read_bytes()))
    found = reasons(reader, next(DATA.glob("moov*")).read_bytes())
    assert any("26 records, but there are 18" in r for r in found)


def test_a_file_that_tells_a_day_twice_is_refused(reader):
    once = statement(Line(500)).decode().splitlines()
    account = once[2:5]
    content = "\n".join([*once[:2], *account, *account, "98,2000,2,8/", "99,2000,1,10/"]).encode()
    assert all("twice" in r for r in reasons(reader, content))


def test_days_follow_without_a_gap(reader):
    read_bank_file(reader, "1", statement(Line(500), on=BEFORE), NOW)
    [found] = reasons(reader, statement(Line(100), opening=400))
    assert "opens 2026-03-02 with $4.00 but closed 2026-03-01 with $5.00" in found
    read_bank_file(reader, "2", statement(Line(100), opening=500), NOW)


def test_a_late_statement_leads_to_the_one_read_before(reader):
    read_bank_file(reader, "2", statement(Line(100), opening=500), NOW)
    [found] = reasons(reader, statement(Line(300), on=BEFORE))
    assert "closes 2026-03-01 with $3.00 but opened 2026-03-02 with $5.00" in found
    read_bank_file(reader, "1", statement(Line(500), on=BEFORE), NOW)


def test_several_days_in_one_file_follow_each_other(reader):
    first = statement(Line(500), on=BEFORE).decode().splitlines()
    second = statement(Line(100), opening=500).decode().splitlines()
    total = 1000 + 1200
    content = "\n".join([*first[:6], *second[1:6], f"99,{total},2,12/"])
    file_id = read_bank_file(reader, "two", content.encode(), NOW)
    assert [s.as_of for s in queries.bank_file(file_id).statements] == [BEFORE, DAY]
    broken = content.replace("010,500", "010,501").replace("49,1200", "49,1201")
    broken = broken.replace("98,1200", "98,1201").replace("99,2200", "99,2201")
    [found] = reasons(reader, broken.encode())
    assert "a statement in between is missing" in found


def test_a_corrected_statement_replaces_the_first(reader):
    first = read_bank_file(reader, "1", statement(Line(500), Line(30)), NOW)
    second = read_bank_file(reader, "2", statement(Line(500), Line(40), status="3"), NOW)
    assert queries.bank_file(first).statements[0].is_replaced
    assert not queries.bank_file(second).statements[0].is_replaced
    assert [line.cents for line in queries.unmatched_lines()] == [500, 40]


def test_a_correction_keeps_what_was_matched_and_may_not_leave_it_out():
    evening = make_evening()
    evening.deposit_and_close()
    reader = evening.supervisor
    day = open_day(evening.center, AFTER)
    read_bank_file(reader, "1", statement(Line(CASH, text="B-CASH"), Line(30)), NOW)
    match_deposits(reader, day.pk, NOW)
    [found] = reasons(reader, statement(Line(30)))
    assert "leaves out $500.00 (no reference), which is matched" in found
    second = read_bank_file(reader, "2", statement(Line(CASH), Line(CASH), Line(40)), NOW)
    lines = queries.bank_file(second).statements[0].lines
    assert [line.became for line in lines] == ["DCH-20260302-1", "", ""]
    third = read_bank_file(reader, "3", statement(Line(40), Line(CASH)), NOW)
    assert [line.became for line in queries.bank_file(third).statements[0].lines] == [
        "",
        "DCH-20260302-1",
    ]
    assert [line.cents for line in queries.unmatched_lines()] == [40]
    assert Match.objects.count() == 1

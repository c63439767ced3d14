"""Several deposits and lines at once, lines that are no deposit, questions, and who may."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted
from chamberlain.ledger import chart, proof
from chamberlain.ledger.models import Entry
from chamberlain.reconciliation import queries, question_list
from chamberlain.reconciliation.models import BankLine, BookedLine, Deposit, Match, Question
from chamberlain.reconciliation.operations import (
    answer_question,
    ask_center,
    book_line,
    match_by_hand,
    match_deposits,
    read_bank_file,
    split_line,
)
from chamberlain.reconciliation.terms import Terms, load_matching_terms
from tests.cashiering.test_payments import in_account
from tests.office import DAY, NOW, make_actor, make_center, open_day
from tests.reconciliation.bank import Line, statement
from tests.reconciliation.evening import CARDS, CASH, CHECKS, make_evening

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening():
    made = make_evening()
    made.deposit_and_close()
    return made


@pytest.fixture
def next_day(evening):
    return open_day(evening.center, DAY + timedelta(days=1))


def read(evening, *lines: Line, **more) -> None:
    read_bank_file(evening.supervisor, "bank", statement(*lines, **more), NOW)


def ids(kind: str) -> int:
    return Deposit.objects.get(tender_kind=kind).pk


def rules(**changed) -> None:
    terms = {
        "starts_on": DAY,
        "within_days": 7,
        "tolerance_cents": 0,
        "confidence": 80,
        "up_to_cents": 10**9,
        "source": "test",
        "is_verified": True,
    }
    load_matching_terms(program_actor(), [Terms(**(terms | changed))])


def test_bags_that_the_bank_names_together_are_posted_in_one_entry(evening, next_day):
    read(evening, Line(CASH + CHECKS, text="BAGS B-CASH B-CHECK"))
    [(deposits, lines, why)] = match_deposits(evening.supervisor, next_day.pk, NOW).found
    assert (len(deposits), len(lines)) == (2, 1)
    assert (
        why
        == "$620.00, at most the same day: the bank names B-cash, B-check, and both sides add up"
    )
    match = Match.objects.get()
    assert (match.rule, match.confidence, match.difference_cents) == ("together", 95, 0)
    assert Entry.objects.filter(kind="bank").count() == 1
    assert in_account(chart.BANK) == CASH + CHECKS
    assert proof.prove(program_actor()).differences == ()
    [line] = queries.bank_file(BankLine.objects.get().statement.file_id).statements[0].lines
    assert line.became.count("DCH-") == 2


def test_what_is_less_sure_than_the_city_wants_is_only_suggested(evening, next_day):
    read(evening, Line(CASH + CHECKS + CARDS))
    found = match_deposits(evening.supervisor, next_day.pk, NOW)
    assert (found.found, found.suggested) == ((), 1)
    [shown] = queries.possibilities(next_day.day)
    assert (shown.kind, shown.confidence, len(shown.deposits)) == ("suggested", 70, 3)
    assert "all that was left of the center's day" in shown.why
    rules(confidence=70)
    assert len(match_deposits(evening.supervisor, next_day.pk, NOW).found) == 1


def test_more_money_than_the_city_lets_the_program_post_waits_for_a_person(evening, next_day):
    rules(up_to_cents=CASH - 1)
    read(evening, Line(CASH, text="B-CASH"), Line(CHECKS, text="B-CHECK"))
    found = match_deposits(evening.supervisor, next_day.pk, NOW)
    assert [deposits for deposits, _, _ in found.found] == [(ids("check"),)]
    assert found.suggested == 1


def test_a_difference_within_the_tolerance_is_one_persons_and_beyond_it_two_peoples(
    evening, next_day
):
    rules(tolerance_cents=100)
    read(evening, Line(CASH - 100), Line(CHECKS + 101))
    small, large = BankLine.objects.order_by("position")
    by_hand = evening.supervisor, [ids("cash")], [small.pk], "coin missing", next_day.pk, NOW
    match_by_hand(*by_hand)
    assert in_account(chart.over_short_code("CH")) == 100
    by_hand = evening.supervisor, [ids("check")], [large.pk], "one more check", next_day.pk, NOW
    with pytest.raises(NotPermitted, match="second person"):
        match_by_hand(*by_hand)
    with pytest.raises(NotPermitted, match="another person than yourself"):
        match_by_hand(*by_hand, approver=evening.supervisor)
    with pytest.raises(NotPermitted, match="may not do this"):
        match_by_hand(*by_hand, approver=evening.cashier)
    match_by_hand(*by_hand, approver=evening.second_supervisor)
    assert in_account(chart.over_short_code("CH")) == -1
    assert in_account(chart.BANK) == CASH + CHECKS + 1
    assert Match.objects.get(rule="by hand", difference_cents=101).approved_by_id == (
        evening.second_supervisor.user_id
    )
    assert proof.prove(program_actor()).differences == ()


def test_what_the_processor_keeps_of_cards_is_a_fee(evening, next_day):
    read(evening, Line(CARDS - 90))
    line = BankLine.objects.get()
    match_by_hand(
        evening.supervisor, [ids("card")], [line.pk], "fees", next_day.pk, NOW,
        approver=evening.second_supervisor,
    )  # fmt: skip
    assert in_account("5420") == 90
    assert in_account(chart.over_short_code("CH")) == 0


def test_a_line_that_is_no_deposit_is_booked(evening, next_day):
    read(evening, Line(25, "475", text="FEE"), Line(7, text="INTEREST"), Line(900))
    fee, interest, other = BankLine.objects.order_by("position")
    rules(tolerance_cents=25)
    book_line(evening.supervisor, fee.pk, "fee", "as every month", next_day.pk, NOW)
    book_line(evening.supervisor, interest.pk, "interest", "statement", next_day.pk, NOW)
    assert (in_account("5410"), in_account("4910")) == (25, -7)
    booking = evening.supervisor, other.pk, "unknown", "nobody knows", next_day.pk, NOW
    with pytest.raises(NotPermitted, match="second person"):
        book_line(*booking)
    book_line(*booking, approver=evening.second_supervisor)
    assert in_account("2490") == -900
    assert queries.unmatched_lines() == []
    with pytest.raises(AlreadyDone):
        book_line(evening.supervisor, fee.pk, "fee", "again", next_day.pk, NOW)
    with pytest.raises(NotFound):
        book_line(evening.supervisor, 10**9, "fee", "why", next_day.pk, NOW)
    with pytest.raises(Invalid, match="Choose what the line is"):
        book_line(evening.supervisor, other.pk, "gift", "why", next_day.pk, NOW)
    assert proof.prove(program_actor()).differences == ()


def test_a_line_is_split_and_its_parts_are_matched_on_their_own(evening, next_day):
    read(evening, Line(CASH + 300, text="COUNTER"))
    line = BankLine.objects.get()
    for wrong in ((CASH,), (CASH, 299), (CASH + 400, -100)):
        with pytest.raises(Invalid):
            split_line(evening.supervisor, line.pk, wrong, NOW)
    first, second = split_line(evening.supervisor, line.pk, (CASH, 300), NOW)
    assert {row.line_id for row in queries.unmatched_lines()} == {first, second}
    [(_, lines, _)] = match_deposits(evening.supervisor, next_day.pk, NOW).found
    assert lines == (first,)
    with pytest.raises(AlreadyDone):
        split_line(evening.supervisor, line.pk, (CASH, 300), NOW)
    [statement_row] = queries.bank_file(line.statement.file_id).statements
    assert [row.became for row in statement_row.lines] == ["Split"]
    assert statement_row.unexplained_cents == 0


def test_a_corrected_statement_keeps_what_was_split(evening, next_day):
    read(evening, Line(CASH + 300))
    parts = split_line(evening.supervisor, BankLine.objects.get().pk, (CASH, 300), NOW)
    read(evening, Line(CASH + 300), Line(40), status="3", file_id="2")
    assert {row.cents for row in queries.unmatched_lines()} == {CASH, 300, 40}
    assert set(parts) < {row.line_id for row in queries.unmatched_lines()}


def test_a_center_is_asked_and_its_answer_stays_with_the_deposit(evening, next_day):
    asked = ask_center(evening.supervisor, "Which bag?", NOW, deposit_id=ids("cash"))
    west = make_actor("wes", Role.CENTER_SUPERVISOR, make_center("WE"))
    for actor in (west, evening.cashier):
        with pytest.raises(NotPermitted):
            answer_question(actor, asked, "None", NOW)
    with pytest.raises(Invalid, match="Type the answer"):
        answer_question(evening.second_supervisor, asked, " ", NOW)
    answer_question(evening.second_supervisor, asked, "The red one.", NOW)
    with pytest.raises(AlreadyDone):
        answer_question(evening.second_supervisor, asked, "The blue one.", NOW)
    [row] = question_list.questions_about(deposit_id=ids("cash"))
    assert (row.text, row.answer) == ("Which bag?", "The red one.")
    read(evening, Line(5))
    line_id = BankLine.objects.get().pk
    with pytest.raises(Invalid, match="Choose the center"):
        ask_center(evening.supervisor, "What?", NOW, line_id=line_id)
    with pytest.raises(NotFound):
        ask_center(evening.supervisor, "What?", NOW, deposit_id=10**9)


def test_what_waits_is_shown_by_its_age(evening, next_day):
    read(evening, Line(5))
    young, week, month, old = queries.ages(DAY + timedelta(days=5))
    assert (week.deposits, week.deposits_cents) == (3, CASH + CHECKS + CARDS)
    assert (week.lines, week.lines_cents) == (1, 5)
    assert (young.deposits, month.lines, old.lines) == (0, 0, 0)


def at_once(statement_sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement_sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


REFUSED = {
    "a match that does not add up": """
        WITH m AS (INSERT INTO reconciliation_match (rule, confidence, difference_cents, reason,
            entry_id, matched_by_id, matched_at) SELECT 'by hand', 100, 0, 'x', min(e.id),
            {user}, now() FROM ledger_entry e RETURNING id),
        d AS (INSERT INTO reconciliation_matcheddeposit (match_id, deposit_id)
            SELECT m.id, {cash} FROM m)
        INSERT INTO reconciliation_matchedline (match_id, line_id) SELECT m.id, {line} FROM m""",
    "a line that is two things": """
        INSERT INTO reconciliation_bankline (statement_id, part_of_id, position, value_on, cents,
            type_code, bank_reference, customer_reference, text)
        SELECT statement_id, id, 90, value_on, cents, '', '', '', '' FROM reconciliation_bankline
        WHERE id = {booked}""",
    "parts that do not add up": """
        INSERT INTO reconciliation_bankline (statement_id, part_of_id, position, value_on, cents,
            type_code, bank_reference, customer_reference, text)
        SELECT statement_id, id, 91, value_on, cents + 1, '', '', '', ''
        FROM reconciliation_bankline WHERE id = {line}""",
    "a question asked otherwise": "UPDATE reconciliation_question SET text = 'other'",
    "a question taken away": "DELETE FROM reconciliation_question",
    "a booking changed": "UPDATE reconciliation_bookedline SET kind = 'fee'",
    "a booking approved by its maker": """
        INSERT INTO reconciliation_bookedline (line_id, kind, reason, entry_id, booked_by_id,
            booked_at, approved_by_id) SELECT {line}, 'fee', 'x', min(id), {user}, now(), {user}
        FROM ledger_entry""",
}


@pytest.mark.parametrize("statement_sql", REFUSED.values(), ids=REFUSED)
def test_the_database_refuses(evening, next_day, statement_sql):
    read(evening, Line(CASH - 1), Line(3))
    line, booked = BankLine.objects.order_by("position")
    rules(tolerance_cents=10)
    book_line(evening.supervisor, booked.pk, "interest", "x", next_day.pk, NOW)
    ask_center(evening.supervisor, "Which bag?", NOW, deposit_id=ids("cash"))
    values = {
        "user": evening.supervisor.user_id,
        "cash": ids("cash"),
        "line": line.pk,
        "booked": booked.pk,
    }
    with pytest.raises(DatabaseError):
        at_once(statement_sql.format(**values))
    assert (BookedLine.objects.count(), Question.objects.count()) == (1, 1)

"""Checks at the till: verified by a service that speaks HTTP, held, approved, endorsed."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from chamberlain.cashiering import operations
from chamberlain.cashiering.checks import holds, queries
from chamberlain.cashiering.checks.bank_line import read
from chamberlain.cashiering.checks.models import Check
from chamberlain.cashiering.checks.screening import NeedsApproval, NotTaken
from chamberlain.cashiering.checks.service import verify
from chamberlain.cashiering.checks.terms import Terms, load_check_terms
from chamberlain.cashiering.models import Receipt
from chamberlain.cashiering.tendering import TenderLine
from chamberlain.check_service.server import CheckService
from chamberlain.cli.serving import start_check_service
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from tests.cashiering.counter import Counter, cash, check, make_counter, pay
from tests.office import NOW, make_actor, owe

pytestmark = pytest.mark.django_db
ROUTING = "021000021"
TERMS = Terms(date(2020, 1, 1), 2_000, 5_000, "FOR DEPOSIT ONLY\nCITY", "for the tests", False)


@pytest.fixture(scope="module")
def service() -> Iterator[CheckService]:
    server = CheckService(0, "known to both")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def counter(service: CheckService, settings) -> Counter:
    settings.CHECK_SERVICE_URL = service.address
    settings.CHECK_SERVICE_SECRET = service.secret
    service.known.clear()
    load_check_terms(program_actor(), [TERMS])
    return make_counter()


@pytest.fixture
def owed(counter):
    return owe(counter.day, "A1", 20_000)


def scanned(cents: int, account: str = "123456700", number: str = "1001") -> TenderLine:
    line = read(f"t{ROUTING}t{account}o{number}")
    return TenderLine("check", cents, line.number, line)


def pay_by(counter: Counter, owed, *tenders: TenderLine, **more: object):
    cents = sum(tender.cents for tender in tenders)
    return pay(counter, owed.account_id, [(owed.charge_ids[0], cents)], *tenders, **more)


def test_an_accepted_check_is_kept_with_the_answer(counter, owed):
    receipt = pay_by(counter, owed, scanned(4_000))
    [row] = queries.checks_of_receipt(receipt.receipt_id)
    assert (row.answer, row.code, row.account_end, row.number) == (
        "accepted", "00", "6700", "1001",
    )  # fmt: skip
    assert row.reference.startswith("CV")
    assert queries.checks("01001", 10, 0) == [row]
    assert (queries.count_checks("1001"), queries.count_checks("7"), queries.count_checks("")) == (
        1, 0, 1,
    )  # fmt: skip


def test_two_checks_of_a_payment_are_kept_each_with_its_own_line(counter, owed):
    receipt = pay_by(
        counter, owed, scanned(3_000), check(1_000, "55"), scanned(2_500, number="1002"), cash(500)
    )
    found = {
        row.number: (row.cents, row.answer) for row in queries.checks_of_receipt(receipt.receipt_id)
    }
    assert found == {"1001": (3_000, "accepted"), "1002": (2_500, "accepted")}


def test_a_repeated_payment_asks_the_same_and_keeps_nothing_twice(counter, owed, service):
    first = pay_by(counter, owed, scanned(4_000), key="same")
    again = pay_by(counter, owed, scanned(4_000), key="same")
    assert (again.receipt_id, again.was_repeated) == (first.receipt_id, True)
    assert (Check.objects.count(), len(service.known)) == (1, 1)


def test_a_declined_check_posts_nothing(counter, owed):
    with pytest.raises(NotTaken, match=r"declines the check of \$40\.00 \(code 04\)"):
        pay_by(counter, owed, scanned(4_000, account="1234513"))
    assert not Receipt.objects.exists()


def test_a_referred_check_is_taken_by_a_supervisor_only(counter, owed):
    referred = scanned(4_000, account="1234577")
    with pytest.raises(NeedsApproval, match=r"refers the check of \$40\.00 \(code 11\)") as refusal:
        pay_by(counter, owed, referred)
    assert refusal.value.field == "approver"
    with pytest.raises(NotPermitted):
        pay_by(counter, owed, referred, approver=counter.second_cashier)
    elsewhere = make_counter("N2").supervisor
    with pytest.raises(NotPermitted):
        pay_by(counter, owed, referred, approver=elsewhere)
    receipt = pay_by(counter, owed, referred, approver=counter.supervisor)
    [row] = queries.checks_of_receipt(receipt.receipt_id)
    assert (row.answer, row.approved_by) == ("approved", "Sue-Ch")


def test_a_supervisor_at_a_till_does_not_approve_their_own_check(counter, owed):
    operations.close_till(counter.second_cashier, counter.second_session_id, {2000: 5}, 0, NOW)
    session = operations.open_till(counter.supervisor, counter.till_ids[1], {2000: 5}, NOW)
    with pytest.raises(NotPermitted, match="another person than the cashier"):
        operations.take_payment(
            counter.supervisor, session, owed.account_id, [(owed.charge_ids[0], 4_000)],
            [scanned(4_000, account="1234577")], NOW, "own", approver=counter.supervisor,
        )  # fmt: skip


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1"])
def test_the_house_rule_holds_when_the_service_does_not_answer(counter, owed, settings, address):
    settings.CHECK_SERVICE_URL = address
    receipt = pay_by(counter, owed, scanned(5_000))
    assert queries.checks_of_receipt(receipt.receipt_id)[0].answer == "unreachable"
    with pytest.raises(NeedsApproval, match="does not answer"):
        pay_by(counter, owed, scanned(5_001))
    pay_by(counter, owed, scanned(5_001), approver=counter.supervisor)


def test_an_answer_with_the_wrong_secret_is_no_answer(counter, owed, settings):
    settings.CHECK_SERVICE_SECRET = "guessed"
    with pytest.raises(NeedsApproval, match="does not answer"):
        pay_by(counter, owed, scanned(6_000))


def test_a_large_check_needs_its_bottom_line(counter, owed):
    with pytest.raises(Invalid, match=r"A check of \$20\.00 is taken with its bottom line"):
        pay_by(counter, owed, check(2_000))
    pay_by(counter, owed, check(1_999))
    receipt = pay_by(counter, owed, scanned(1_999))
    assert queries.checks_of_receipt(receipt.receipt_id)[0].answer == "not_asked"


def test_a_city_without_rules_takes_checks_by_their_number(service, settings):
    plain = make_counter("N3")
    other = owe(plain.day, "B1", 900_000)
    assert pay_by(plain, other, check(800_000)).total_cents == 800_000


def test_checks_of_a_held_bank_account_or_customer_are_not_taken(counter, owed):
    receipt = pay_by(counter, owed, scanned(4_000))
    [row] = queries.checks_of_receipt(receipt.receipt_id)
    hold = holds.hold_checks_like(counter.supervisor, row.check_id, "A check came back", NOW)
    other = owe(counter.day, "A2", 9_000)
    for payer, tender in ((other, scanned(1_000)), (owed, scanned(1_000, account="999888777"))):
        with pytest.raises(NotTaken, match=r"since .*: A check came back"):
            pay_by(counter, payer, tender)
    with pytest.raises(NotTaken):
        pay_by(counter, owed, check(500))
    pay_by(counter, other, scanned(1_000, account="999888777"))
    pay_by(counter, owed, cash(1_000))
    [shown] = queries.holds(is_ended=False, limit=10)
    assert (shown.account_number, shown.account_end, shown.put_by) == ("A1", "6700", "Sue-Ch")
    with pytest.raises(AlreadyDone):
        holds.hold_checks_like(counter.supervisor, row.check_id, "again", NOW)
    holds.end_hold(counter.supervisor, hold, "made good in cash", NOW)
    with pytest.raises(AlreadyDone):
        holds.end_hold(counter.supervisor, hold, "again", NOW)
    pay_by(counter, owed, scanned(4_000))
    assert queries.count_holds(is_ended=True) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"reason": " ", "account_number": "A1"}, "Say why"),
        ({"reason": "x"}, "Name the customer's account"),
        ({"reason": "x", "routing": ROUTING}, "by routing number and account"),
        ({"reason": "x", "routing": "021000022", "bank_account": "1"}, "no routing number"),
        ({"reason": "x", "routing": ROUTING, "bank_account": "1-2"}, "in digits"),
        ({"reason": "x", "account_number": "NONE"}, "There is no account NONE"),
    ],
)
def test_a_hold_names_somebody(counter, owed, given, sentence):
    reason = given.pop("reason")
    with pytest.raises((Invalid, NotFound), match=sentence):
        holds.hold_checks(counter.supervisor, reason, NOW, **given)


def test_holds_are_put_on_by_supervisors(counter, owed):
    for actor in (counter.cashier, make_actor("clara", Role.CLERK), make_actor("a", Role.AUDITOR)):
        with pytest.raises(NotPermitted):
            holds.hold_checks(actor, "x", NOW, account_number="A1")
    hold = holds.hold_checks(counter.supervisor, "x", NOW, account_number="A1")
    with pytest.raises(NotPermitted):
        holds.end_hold(counter.cashier, hold, "x", NOW)
    with pytest.raises(NotFound):
        holds.end_hold(counter.supervisor, hold + 1, "x", NOW)


def test_each_check_of_a_receipt_is_endorsed_at_the_till(counter, owed, settings, tmp_path):
    paper = tmp_path / "printer"
    settings.PRINTER_ADDRESS = f"file:{paper}"
    receipt = pay_by(counter, owed, scanned(4_000), check(1_000, "55"))
    assert operations.endorse_checks(counter.cashier, receipt.receipt_id) == 2
    printed = paper.read_bytes()
    assert printed.count(b"FOR DEPOSIT ONLY") == 2
    assert b"Check 1001" in printed
    assert receipt.number.encode() in printed
    in_cash = pay_by(counter, owed, cash(1_000))
    with pytest.raises(Refused, match="has no check to endorse"):
        operations.endorse_checks(counter.cashier, in_cash.receipt_id)


def test_the_demonstration_starts_its_service_and_leaves_a_taken_port_alone(settings, service):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    settings.IS_DEMO = True
    settings.CHECK_SERVICE_SECRET = "of the demonstration"
    settings.CHECK_SERVICE_URL = f"http://127.0.0.1:{free}"
    process = start_check_service()
    assert process is not None
    try:
        line = read(f"t{ROUTING}t1234513o1001")
        answers = (verify(line, 5_000, "one") for _ in range(100))
        said = next(each for each in answers if each.answer != "unreachable" or time.sleep(0.1))
        assert (said.answer, said.code) == ("decline", "04")
    finally:
        process.kill()
        process.wait()
    settings.CHECK_SERVICE_URL = service.address
    assert start_check_service() is None
    settings.IS_DEMO = False
    assert start_check_service() is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE checks_check SET answer = 'accepted', approved_by_id = NULL",
        "DELETE FROM checks_check",
        "DELETE FROM checks_hold",
        "UPDATE checks_hold SET reason = 'nothing'",
        "INSERT INTO checks_check (tender_id, routing, account, number, answer, code, reference,"
        " approved_by_id) SELECT t.id, '1', '1', '1', 'approved', '', '', s.cashier_id"
        " FROM cashiering_tender t JOIN cashiering_receipt r ON r.id = t.receipt_id"
        " JOIN cashiering_tillsession s ON s.id = r.session_id WHERE t.kind = 'cash' LIMIT 1",
    ],
)
def test_the_database_itself_refuses(counter, owed, statement):
    pay_by(counter, owed, scanned(4_000), cash(500))
    holds.hold_checks(counter.supervisor, "x", NOW, account_number="A1")
    with (
        pytest.raises((DatabaseError, IntegrityError)),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

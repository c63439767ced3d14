"""Two people at the same moment: one correct posting, and one clear sentence."""

import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError, connection

from chamberlain.cashiering import queries
from chamberlain.cashiering.models import Receipt, TillSession
from chamberlain.cashiering.operations import close_till, open_till, take_payment
from chamberlain.database import server
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, Refused
from chamberlain.ledger import proof
from chamberlain.ledger import queries as ledger
from chamberlain.ledger.models import Entry
from chamberlain.ledger.posting import OverSettled, PostedAtOnce
from tests.cashiering.counter import FLOAT, Counter, cash, make_counter, pay
from tests.office import NOW, make_actor, owe

ROUNDS = 8


@pytest.fixture
def counter(own_database: str) -> Counter:
    return make_counter()


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each of the works returned or raised, all started at the same moment."""
    start = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(position: int) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            results[position] = works[position]()
        except Exception as error:
            results[position] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def payer(
    actor: Actor, session_id: int, account_id: int, charge_id: int, cents: int, key: str
) -> Callable[[], object]:
    """A payment to be made in a thread."""
    return lambda: take_payment(
        actor, session_id, account_id, [(charge_id, cents)], [cash(cents)], NOW, key
    )


def test_two_tills_paying_the_same_charge_end_with_one_payment_and_one_sentence(counter):
    owed = owe(counter.day, "A1", *[1000] * ROUNDS)
    for charge_id in owed.charge_ids:
        results = at_once(
            payer(
                counter.cashier,
                counter.session_id,
                owed.account_id,
                charge_id,
                1000,
                f"{charge_id}a",
            ),
            payer(
                counter.second_cashier,
                counter.second_session_id,
                owed.account_id,
                charge_id,
                1000,
                f"{charge_id}b",
            ),
        )
        [refused] = [result for result in results if isinstance(result, Exception)]
        assert isinstance(refused, OverSettled)
        assert f"Charge {charge_id} has nothing open any more" in refused.sentence
    assert Receipt.objects.count() == ROUNDS
    assert ledger.balance(owed.account_id).owed_cents == 0
    assert proof.prove(program_actor()).differences == ()


def test_the_same_payment_sent_from_two_lines_at_once_gives_one_receipt(counter):
    owed = owe(counter.day, "A1", *[1000] * ROUNDS)
    for charge_id in owed.charge_ids:
        send = payer(
            counter.cashier, counter.session_id, owed.account_id, charge_id, 1000, f"k{charge_id}"
        )
        results = at_once(send, send)
        assert sorted(result.was_repeated for result in results) == [False, True]
        assert len({result.receipt_id for result in results}) == 1
    assert Receipt.objects.count() == ROUNDS
    assert TillSession.objects.get(pk=counter.session_id).last_number == ROUNDS
    assert proof.prove(program_actor()).holds


def test_one_key_used_at_two_tills_at_once_posts_one_payment(counter):
    owed = owe(counter.day, "A1", *[1000] * ROUNDS)
    for charge_id in owed.charge_ids:
        key = f"k{charge_id}"
        results = at_once(
            payer(counter.cashier, counter.session_id, owed.account_id, charge_id, 500, key),
            payer(
                counter.second_cashier,
                counter.second_session_id,
                owed.account_id,
                charge_id,
                500,
                key,
            ),
        )
        [refused] = [result for result in results if isinstance(result, Exception)]
        assert isinstance(refused, AlreadyDone)
    assert Receipt.objects.count() == ROUNDS


def test_a_till_closed_while_a_payment_is_sent_counts_it_or_refuses_it(counter):
    owed = owe(counter.day, "A1", 1000)
    paid, closed = at_once(
        payer(counter.cashier, counter.session_id, owed.account_id, owed.charge_ids[0], 1000, "k"),
        lambda: close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW),
    )
    expected = 10_000 if isinstance(paid, Exception) else 11_000
    assert closed.expected_cash_cents == expected
    if isinstance(paid, Exception):
        assert isinstance(paid, Refused)
    assert proof.prove(program_actor()).holds


def test_two_cashiers_opening_one_till_at_once_end_with_one_of_them(counter):
    close_till(counter.cashier, counter.session_id, FLOAT, 0, NOW)
    carl = make_actor("carl", Role.CASHIER, counter.center)
    till = counter.till_ids[0]
    results = at_once(
        lambda: open_till(counter.cashier, till, FLOAT, NOW),
        lambda: open_till(carl, till, FLOAT, NOW),
    )
    [refused] = [result for result in results if isinstance(result, Exception)]
    assert isinstance(refused, AlreadyDone)
    assert "is open already" in refused.sentence


def test_a_line_lost_after_posting_gives_the_same_receipt_on_the_second_try(counter):
    owed = owe(counter.day, "A1", 1000)
    first = pay(counter, owed.account_id, [(owed.charge_ids[0], 1000)], cash(1000), key="k")
    pid = connection.connection.info.backend_pid
    with psycopg.connect(host=server.start(), user="postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(OperationalError):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 1000)], cash(1000), key="k")
    connection.close_if_unusable_or_obsolete()
    again = pay(counter, owed.account_id, [(owed.charge_ids[0], 1000)], cash(1000), key="k")
    assert (again.receipt_id, again.was_repeated) == (first.receipt_id, True)
    assert Entry.objects.filter(kind="payment").count() == 1


def test_a_refused_payment_outside_of_a_transaction_leaves_nothing(counter):
    owed = owe(counter.day, "A1", 1000)
    before = Entry.objects.count()
    with pytest.raises(OverSettled):
        pay(counter, owed.account_id, [(owed.charge_ids[0], 1001)], cash(1001))
    assert Entry.objects.count() == before
    assert queries.receipts_of_session(counter.session_id) == []


def test_of_two_that_wait_for_each_other_one_is_told_to_do_it_again(counter, own_database):
    owed = owe(counter.day, "A1", 1000)
    charge_id = owed.charge_ids[0]
    pay(counter, owed.account_id, [(charge_id, 400)], cash(400))
    before = Entry.objects.count()
    results: list[object] = []

    def take() -> None:
        try:
            results.append(pay(counter, owed.account_id, [(charge_id, 600)], cash(600), key="k"))
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    address = server.start()
    with psycopg.connect(host=address, user="postgres", dbname=own_database) as other:
        other.execute("SET deadlock_timeout = '30s'")  # so that the payment is the one to give way
        other.execute(
            "SELECT 1 FROM ledger_balance WHERE account_id = %s FOR UPDATE", [owed.account_id]
        )
        thread = threading.Thread(target=take)
        thread.start()
        waits = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        while not (other.execute(waits).fetchone() or (0,))[0]:
            time.sleep(0.02)
        other.execute(
            "SELECT 1 FROM ledger_settlement WHERE charge_id = %s FOR UPDATE", [charge_id]
        )
        thread.join(timeout=60)
    assert isinstance(results[0], PostedAtOnce)
    assert Entry.objects.count() == before
    assert pay(counter, owed.account_id, [(charge_id, 600)], cash(600), key="k").total_cents == 600

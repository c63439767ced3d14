"""A program killed in the middle of payments leaves whole payments or none."""

import os
import signal
import subprocess
import sys
import time

from django.db import connection

from chamberlain.cashiering.models import Receipt, TillSession
from chamberlain.cashiering.operations import close_till
from chamberlain.cashiering.receipts import receipt_of_key
from chamberlain.identity.actors import program_actor
from chamberlain.ledger import proof
from chamberlain.ledger.models import Entry
from tests.cashiering.counter import cash, make_counter, pay
from tests.office import NOW, owe

KILLS = 3

# A cashier who pays one cent after another until killed; it tells before each payment its key.
CASHIER = """
import sys
import django
django.setup()
from chamberlain.cashiering.operations import TenderLine, take_payment
from chamberlain.identity.actors import actor_of
from chamberlain.identity.models import User
from tests.office import DAY, NOW
user, session, account, charge, run = map(int, sys.argv[1:])
actor = actor_of(User.objects.get(pk=user), DAY)
for number in range(100_000):
    key = f"crash-{run}-{number}"
    print(key, flush=True)
    take_payment(actor, session, account, [(charge, 1)], [TenderLine("cash", 1)], NOW, key)
"""


def test_a_program_killed_while_taking_payments_leaves_a_ledger_that_proves(own_database):
    counter = make_counter()
    owed = owe(counter.day, "A1", 1_000_000)
    environment = os.environ | {"CHAMBERLAIN_DATABASE": own_database}
    for run in range(KILLS):
        who = [counter.cashier.user_id, counter.session_id, owed.account_id, owed.charge_ids[0]]
        process = subprocess.Popen(
            [sys.executable, "-c", CASHIER, *map(str, [*who, run])],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        sent = [process.stdout.readline().strip()]
        time.sleep(0.2 + 0.05 * run)
        process.send_signal(signal.SIGKILL)
        sent += process.stdout.read().split()
        process.wait()
        _wait_for_the_servers_side(own_database)
        assert proof.prove(program_actor()).differences == ()
        assert Entry.objects.filter(kind="payment").count() == Receipt.objects.count()
        for key in sent[:-1]:
            receipt_of_key(key)
        _send_again(counter, owed, sent[-1])
    receipts = Receipt.objects.count()
    session = TillSession.objects.get(pk=counter.session_id)
    assert (session.last_number, session.drawer_cents) == (receipts, 10_000 + receipts)
    closed = close_till(counter.cashier, counter.session_id, {1: 10_000 + receipts}, 0, NOW)
    assert closed.over_short_cents == 0


def _send_again(counter, owed, key) -> None:
    """The payment during which the program died is sent again with its key, and is there once."""
    was_posted = Entry.objects.filter(idempotency_key=key).exists()
    again = pay(counter, owed.account_id, [(owed.charge_ids[0], 1)], cash(1), key=key)
    assert again.was_repeated == was_posted
    assert Entry.objects.filter(idempotency_key=key).count() == 1


def _wait_for_the_servers_side(database: str) -> None:
    """The server may still be finishing what the killed program had sent."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
                " AND pid <> pg_backend_pid() AND usename = current_user",
                [database],
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)

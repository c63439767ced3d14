"""The proof of the ledger finds and names what was changed behind the program's back."""

from datetime import timedelta

import psycopg
from django.db import connection

from chamberlain.identity.actors import program_actor
from chamberlain.ledger import operations, proof
from tests.ledger.test_guards import pay
from tests.office import DAY, NOW, make_center, open_day, owe


def test_a_row_changed_behind_the_program_is_found_and_named(own_database: str):
    center = make_center()
    day = open_day(center)
    owed = owe(day, "A1", 5000, 7000)
    pay(day.pk, owed.charge_ids[0], owed.account_id, 5000)
    operations.seal_business_day(program_actor(), day.pk, NOW)
    operations.seal_business_day(program_actor(), open_day(center, DAY + timedelta(days=1)).pk, NOW)
    assert proof.prove(program_actor()).holds
    host = connection.settings_dict["HOST"]
    with psycopg.connect(host=host, user="postgres", dbname=own_database) as behind:
        behind.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ALL")
        behind.execute("UPDATE ledger_entry SET reason = 'gift' WHERE kind = 'payment'")
    differences = proof.prove(program_actor()).differences
    assert len(differences) == 1
    assert "payment R1" in differences[0]
    assert str(DAY) in differences[0]

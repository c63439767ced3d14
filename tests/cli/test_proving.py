"""`chamberlain ledger prove` as a person or a nightly job runs it."""

import psycopg
import pytest

from chamberlain.database import server
from tests.cli.office_commands import chamberlain
from tests.office import make_center, open_day, owe


@pytest.fixture
def books(own_database: str) -> str:
    """A ledger with one account that owes two charges; the name of its database."""
    owe(open_day(make_center()), "100-1", 4850, 1200)
    return own_database


def test_a_sound_ledger_proves_itself_and_exits_zero(books: str) -> None:
    answer = chamberlain("ledger", "prove", database=books)
    assert answer.code == 0, answer.err
    assert "The ledger proves itself." in answer.out
    assert "$60.50 moved by transfers" in answer.out


def test_a_program_reads_the_proof_as_json(books: str) -> None:
    found = chamberlain("ledger", "prove", "--json", database=books).json
    assert found["holds"] is True
    assert found["debit_cents"] == 6050
    assert found["counts"]["charges"] == 2
    assert found["differences"] == []


def test_a_balance_changed_behind_the_programs_back_is_named_and_exits_one(books: str) -> None:
    with psycopg.connect(host=server.start(), user="postgres", dbname=books) as admin:
        admin.execute("UPDATE ledger_balance SET owed_cents = owed_cents - 50")
    answer = chamberlain("ledger", "prove", "--json", database=books)
    assert answer.code == 1
    assert answer.json["holds"] is False
    assert "100-1" in answer.json["differences"][0]


def test_a_database_without_tables_is_refused_with_what_to_do(own_database: str) -> None:
    answer = chamberlain("ledger", "prove", database="chamberlain_nowhere")
    assert answer.code == 2
    assert "run chamberlain migrate" in answer.err
    assert answer.out == ""

"""Each closed day as one journal of the general ledger, proven by a program that is not ours."""

import csv
import io
from datetime import timedelta

import pytest
from beancount import loader
from beancount.core import realization
from django.db import DatabaseError, connection, transaction

from chamberlain.database.rows import rows
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import AlreadyDone, NotFound, NotPermitted, Refused
from chamberlain.reconciliation.general_ledger import files, queries
from chamberlain.reconciliation.general_ledger.models import Journal
from chamberlain.reconciliation.general_ledger.operations import (
    MappingTerms,
    NotMapped,
    load_mapping,
    make_journal,
    make_journals,
)
from tests.office import DAY, NOW, make_actor
from tests.reconciliation.evening import make_evening

pytestmark = pytest.mark.django_db
MAPPING = [
    MappingTerms(begins, account, "for the tests", False)
    for begins, account in (
        ("1", "0100-1000"), ("1010-CH-cash", "0100-1010"), ("2", "0100-2000"),
        ("4", "0100-4000"), ("5", "0100-5000"),
    )
]  # fmt: skip


@pytest.fixture
def evening():
    evening = make_evening(counted_cash=49_500)
    load_mapping(program_actor(), MAPPING)
    return evening


@pytest.fixture
def coordinator(evening):
    return make_actor("cora", Role.COORDINATOR)


def test_a_closed_day_gets_its_journal_once(evening, coordinator):
    with pytest.raises(Refused, match="is open; its journal is made after closing"):
        make_journal(coordinator, evening.day.pk, NOW)
    evening.deposit_and_close()
    assert queries.count_days() == (1, 1)
    number = make_journal(coordinator, evening.day.pk, NOW)
    assert number == "J-000001"
    with pytest.raises(AlreadyDone, match="was made before: J-000001"):
        make_journal(coordinator, evening.day.pk, NOW)
    assert make_journals(coordinator, NOW) == []
    [row] = queries.days(10)
    assert (row.journal, row.made_by, queries.count_days()) == ("J-000001", "Cora", (1, 0))
    assert queries.journals_between(DAY, DAY) == [number]
    assert queries.journals_between(DAY + timedelta(days=1), DAY + timedelta(days=1)) == []


def test_its_lines_are_what_the_day_moved(evening, coordinator):
    evening.deposit_and_close()
    [number] = make_journals(coordinator, NOW)
    lines = queries.lines([number])
    moved = rows("SELECT sum(cents)::bigint FROM ledger_transfer", [])[0][0]
    assert sum(line.debit_cents for line in lines) == moved
    assert sum(line.credit_cents for line in lines) == moved == Journal.objects.get().cents
    by_code = {line.code: line for line in lines}
    assert by_code["1010-CH-cash"].account == "0100-1010"
    assert by_code["1010-CH-check"].account == "0100-1000"
    assert by_code["5100-CH"].debit_cents == 500


def test_an_outside_program_proves_the_book(evening, coordinator, tmp_path):
    evening.deposit_and_close()
    [number] = make_journals(coordinator, NOW)
    lines = queries.lines([number])
    book = tmp_path / "book.beancount"
    book.write_text(files.beancount_text(lines), encoding="utf-8")
    entries, errors, _ = loader.load_file(str(book))
    assert errors == []
    real = realization.realize(entries)
    for line in lines:
        account = realization.get(real, files.account_name(line))
        found = account.balance.get_currency_units("USD").number
        assert int(found * 100) == line.debit_cents - line.credit_cents
    wrong = book.read_text(encoding="utf-8").replace("CH  5.00 USD", "CH  5.01 USD")
    assert wrong != book.read_text(encoding="utf-8")
    book.write_text(wrong, encoding="utf-8")
    assert loader.load_file(str(book))[1]


def test_the_file_of_commas_says_the_same(evening, coordinator):
    evening.deposit_and_close()
    [number] = make_journals(coordinator, NOW)
    lines = queries.lines([number])
    found = list(csv.DictReader(io.StringIO(files.csv_text(lines))))
    assert [(row["our_code"], row["debit"]) for row in found] == [
        (line.code, f"{line.debit_cents / 100:.2f}") for line in lines
    ]
    assert files.csv_text(lines) == files.csv_text(queries.lines([number]))


def test_an_account_without_a_place_is_named_and_nothing_is_made(evening, coordinator):
    evening.deposit_and_close()
    load_mapping(program_actor(), MAPPING[:3])
    with pytest.raises(NotMapped, match="has no account for 4000-water, 5100-CH"):
        make_journals(coordinator, NOW)
    assert not Journal.objects.exists()


def test_who_may_make_journals(evening):
    evening.deposit_and_close()
    for role in (Role.AUDITOR, Role.CASHIER, Role.CENTER_SUPERVISOR, Role.CLERK):
        with pytest.raises(NotPermitted):
            make_journals(make_actor(role.value, role), NOW)
    with pytest.raises(NotFound):
        queries.lines(["J-000009"])
    with pytest.raises(NotFound):
        make_journal(make_actor("c", Role.COORDINATOR), 0, NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE general_ledger_journal SET cents = 1",
        "DELETE FROM general_ledger_journal",
        "UPDATE general_ledger_journalline SET debit_cents = 1",
        "DELETE FROM general_ledger_journalline",
    ],
)
def test_a_journal_is_never_changed(evening, coordinator, statement):
    evening.deposit_and_close()
    make_journals(coordinator, NOW)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

"""A backup is only one when it has been restored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chamberlain.database import setup
from tests.cli.office_commands import chamberlain
from tests.office import make_center, open_day, owe


@pytest.fixture
def empty_database(own_database: str) -> Iterator[str]:
    """The name of a database that does not exist yet; it is removed afterwards."""
    name = f"{own_database}_restored"
    yield name
    setup.drop_private_database(name)


def test_a_restored_office_proves_the_same_ledger(
    own_database: str, empty_database: str, tmp_path: Path
) -> None:
    owe(open_day(make_center()), "100-1", 4850, 1200)
    file = tmp_path / "office.dump"
    dumped = chamberlain("database", "dump", str(file), database=own_database)
    assert dumped.code == 0, dumped.err
    restored = chamberlain("database", "restore", str(file), database=empty_database)
    assert restored.code == 0, restored.err
    proof = chamberlain("ledger", "prove", "--json", database=empty_database).json
    assert proof["holds"] is True
    assert proof["debit_cents"] == 6050


def test_a_backup_is_not_overwritten(own_database: str, tmp_path: Path) -> None:
    file = tmp_path / "office.dump"
    file.write_text("yesterday's")
    answer = chamberlain("database", "dump", str(file), database=own_database)
    assert answer.code == 2
    assert file.read_text() == "yesterday's"


def test_nothing_is_restored_over_an_office_that_is_there(
    own_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "office.dump"
    chamberlain("database", "dump", str(file), database=own_database)
    answer = chamberlain("database", "restore", str(file), database=own_database)
    assert answer.code == 2
    assert "has tables" in answer.err

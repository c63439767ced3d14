"""Loading what a city brings: its files, its tariffs, reads and the bank's files."""

from pathlib import Path

from chamberlain.cities.loading import city_folder
from chamberlain.identity.models import Center
from chamberlain.tariffs.models import Tariff
from tests.cli.office_commands import chamberlain


def test_a_city_is_loaded_from_its_folder_and_again_without_harm(own_database: str) -> None:
    folder = str(city_folder("chicago"))
    first = chamberlain("city", "load", folder, database=own_database)
    assert first.code == 0, first.err
    assert "Nobody has verified yet" in first.out
    centers = Center.objects.count()
    again = chamberlain("city", "load", folder, database=own_database)
    assert again.code == 0, again.err
    assert Center.objects.count() == centers > 1


def test_tariffs_say_whether_they_changed(own_database: str) -> None:
    file = str(city_folder("chicago") / "tariffs.yaml")
    assert (
        "chicago-metered: created" in chamberlain("tariff", "load", file, database=own_database).out
    )
    assert (
        "chicago-metered: unchanged"
        in chamberlain("tariff", "load", file, database=own_database).out
    )


def test_a_faulty_tariff_file_changes_nothing_and_lists_every_fault(
    own_database: str, tmp_path: Path
) -> None:
    file = tmp_path / "tariffs.yaml"
    file.write_text("tariffs:\n  - {code: x, name: X}\n")
    answer = chamberlain("tariff", "load", str(file), database=own_database)
    assert answer.code == 2
    assert len(answer.err.splitlines()) > 2
    assert not Tariff.objects.exists()


def test_reads_of_an_unknown_format_are_refused(own_database: str, tmp_path: Path) -> None:
    file = tmp_path / "reads.xls"
    file.write_text("meter,read_on,register\n")
    answer = chamberlain("reads", "import", str(file), database=own_database)
    assert answer.code == 2
    assert "neither .csv nor .parquet" in answer.err


def test_a_bad_record_of_reads_is_named_with_its_line(own_database: str, tmp_path: Path) -> None:
    file = tmp_path / "reads.csv"
    file.write_text("meter,read_on,register\nM1,2026-02-30,12\n")
    answer = chamberlain("reads", "import", str(file), database=own_database)
    assert answer.code == 2
    assert "line 2" in answer.err


def test_what_is_no_bank_file_is_refused(own_database: str, tmp_path: Path) -> None:
    file = tmp_path / "bank.txt"
    file.write_text("hello\n")
    assert chamberlain("bank", "read", str(file), database=own_database).code == 2


def test_a_bill_run_needs_a_tariff_and_a_due_date(own_database: str) -> None:
    answer = chamberlain("bill-run", database=own_database)
    assert answer.code == 2
    assert "--tariff" in answer.err


def test_a_bill_run_is_posted_on_an_open_day(own_database: str) -> None:
    chamberlain("city", "load", str(city_folder("chicago")), database=own_database)
    answer = chamberlain(
        "bill-run", "--tariff", "chicago-metered", "--due", "2026-04-01", database=own_database
    )
    assert answer.code == 2
    assert "No business day is open" in answer.err

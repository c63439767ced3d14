"""What every command has in common: exit codes, sentences, faults with a reference number."""

import re
from pathlib import Path

import pytest

from chamberlain.cli.app import run
from chamberlain.kernel.errors import BadFile, BadRecord, Invalid
from tests.cli.office_commands import chamberlain

GOOD_TARIFF = """
metadata:
  effective_date: 2020-01-01
  utility_name: "Springfield"
  bill_frequency: monthly
  bill_unit: ccf
rate_structure:
  RESIDENTIAL_SINGLE:
    service_charge: 10
    commodity_charge: 2*usage_ccf
    bill: service_charge+commodity_charge
"""


def refuse() -> None:
    raise Invalid("The amount is missing; type it.")


def refuse_file() -> None:
    raise BadFile("2 of 3 lines are bad.", [BadRecord("line 2", "no date")])


def break_down() -> None:
    raise ZeroDivisionError("by chance")


def test_a_refusal_is_one_sentence_on_standard_error_and_exits_two(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(refuse) == 2
    printed = capsys.readouterr()
    assert printed.err == "The amount is missing; type it.\n"
    assert printed.out == ""


def test_every_bad_record_of_a_file_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(refuse_file) == 2
    assert "  line 2: no date" in capsys.readouterr().err


def test_a_fault_is_logged_with_a_reference_and_exits_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(break_down) == 1
    reference = re.search(r"under ([0-9A-F]{8})\.", capsys.readouterr().err)
    assert reference is not None


def test_what_a_command_does_well_exits_zero() -> None:
    assert run(lambda: None) == 0


def test_an_unknown_command_exits_two() -> None:
    assert chamberlain("fly").code == 2


def test_the_version_is_told_without_a_database() -> None:
    answer = chamberlain("version", "--json", DATABASE_URL="not an address")
    assert answer.code == 0, answer.err
    assert set(answer.json) == {"chamberlain", "django", "postgresql", "python"}


def test_a_sound_tariff_file_passes_the_check(tmp_path: Path) -> None:
    good = tmp_path / "good.owrs"
    good.write_text(GOOD_TARIFF)
    answer = chamberlain("tariff", "check", str(good))
    assert answer.code == 0, answer.out + answer.err
    assert "RESIDENTIAL_SINGLE" in answer.out


def test_a_broken_tariff_file_is_named_with_place_and_reason(tmp_path: Path) -> None:
    bad = tmp_path / "bad.owrs"
    bad.write_text(GOOD_TARIFF.replace("2*usage_ccf", "2*/usage_ccf"))
    answer = chamberlain("tariff", "check", "--json", str(bad))
    assert answer.code == 1
    [report] = answer.json
    assert report["file"] == str(bad)
    assert report["faults"][0]["place"]
    assert report["faults"][0]["reason"]


def test_the_citys_own_server_is_not_the_programs_to_stop() -> None:
    answer = chamberlain("database", "stop", DATABASE_URL="postgresql://office@db.example/city")
    assert answer.code == 2
    assert "own tools" in answer.err


def test_the_private_server_says_that_it_runs(own_database: str) -> None:
    answer = chamberlain("database", "status", "--json")
    assert answer.code == 0
    assert answer.json["running"] is True


def test_sql_is_asked_of_the_office_database(own_database: str) -> None:
    answer = chamberlain("database", "shell", database=own_database, given="SELECT current_user;")
    assert answer.code == 0, answer.err
    assert "chamberlain_office" in answer.out

"""The project's own checks find what they are for."""

import json

import pytest

from checks import audit, locks, places, sizes, words

PROJECT = '[project]\ndependencies = ["rich"]\n[project.optional-dependencies]\ndev = []\n'


def test_the_office_says_check_and_not_cheque() -> None:
    [finding] = words.wrong_words("letter.md", "Send a\nCheque to the city.\n")
    assert finding == "letter.md:2 says “cheque”; the office says “check”."


def test_right_words_and_parts_of_other_words_pass() -> None:
    assert not list(words.wrong_words("letter.md", "A check, billed; the invoice_number field."))


def test_a_long_file_and_a_long_function_are_found() -> None:
    function = "def rate():\n" + "    x = 1\n" * 70
    [found] = sizes.too_long("rating.py", function)
    assert "rate has 71 lines" in found
    assert list(sizes.too_long("a.css", "\n" * 601)) == ["a.css has 601 lines; at most 600."]


def test_a_function_of_seventy_lines_passes() -> None:
    assert not list(sizes.too_long("rating.py", "def rate():\n" + "    x = 1\n" * 69))


@pytest.mark.parametrize(
    "line",
    [
        "see https://" + "pypi" + ".org/simple",
        "open('/" + "work/main/x')",
        "path = '/" + "tmp/x'",
        "# TO" + "DO later",
    ],
)
def test_registry_hosts_machine_paths_and_unfinished_marks_are_found(line: str) -> None:
    assert len(list(places.found_in("a.py", f"x = 1\n{line}\n"))) == 1


def test_relative_paths_and_addresses_of_pages_pass() -> None:
    text = "docs/work/plan.md /accounts/7/work/ var/tmp/x\n"
    assert not list(places.found_in("a.py", text))


def test_a_locked_package_without_its_hash_is_found() -> None:
    assert list(locks.python_faults("rich==15.0.0\n", PROJECT)) == [
        "requirements.lock has no hash for rich."
    ]


def test_an_address_in_the_lock_file_is_found() -> None:
    lock = "--index-url https://example.org\nrich==1 \\\n    --hash=sha256:00\n"
    assert any("address" in fault for fault in locks.python_faults(lock, PROJECT))


def test_a_package_that_nobody_locked_is_found() -> None:
    lock = "typer==1 \\\n    --hash=sha256:00\n"
    assert list(locks.python_faults(lock, PROJECT)) == [
        "pyproject.toml wants rich, which requirements.lock lacks; run make lock."
    ]


def test_a_npm_package_with_its_address_or_without_digest_is_found() -> None:
    lock = json.dumps({"packages": {"": {}, "node_modules/a": {"resolved": "x"}}})
    assert len(list(locks.npm_faults(lock))) == 2


def test_a_known_weakness_is_named_with_the_release_that_mends_it() -> None:
    answer = {
        "dependencies": [
            {
                "name": "rich",
                "version": "1.0",
                "vulns": [{"id": "GHSA-1", "fix_versions": ["1.1"]}],
            },
            {"name": "typer", "skip_reason": "not found"},
        ]
    }
    found = audit.read_answer(json.dumps(answer))
    assert found.weaknesses == ("rich 1.0: GHSA-1, mended in 1.1.",)
    assert (found.unknown, found.asked) == (1, 2)


def test_an_audit_without_an_answer_learned_nothing() -> None:
    assert audit.read_answer("") == audit.Audit((), 0, 0)

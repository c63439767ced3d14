"""Files that cannot be used: each says which file, where, and why, in one sentence."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.tariffs import owrs

HEAD = "metadata:\n  utility_name: Small Town\nrate_structure:\n"
CLASS = HEAD + "  HOMES:\n"


def bomb() -> str:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for letter, before in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{letter}: &{letter} [{','.join(['*' + before] * 9)}]")
    return "\n".join(lines)


WHOLE_FILES = {
    "": ("line 1", "the file is empty"),
    " \n\n": ("line 1", "the file is empty"),
    "hello": ("line 1", "no map"),
    "- 1\n- 2": ("line 1", "no map"),
    "metadata: {a: 1}": ("line 1", "rate_structure is missing"),
    "metadata: {a: 1}\nrate_structure:": ("line 2", "rate_structure is missing"),
    "rate_structure: {A: {bill: 1}}": ("line 1", "metadata is missing"),
    "a: [1,\nb: 2": ("line 3", "not valid YAML"),
    "a: 1\n\tb: 2": ("line 2", "not valid YAML"),
    "a: \x00": ("line 1", "not valid YAML"),
    "a: *nowhere": ("line 1", "refers to nothing"),
    "a: &a [*a]": ("line 1", "refers to nothing"),
    "? [a, b]\n: 1": ("line 1", "a key must be a word"),
    "a: 1\nb: 2\na: 3": ("line 3", "the key a stands here a second time"),
    CLASS + "    bill: 1\n---\nb: 2\n": ("line 6", "a second document"),
    "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 50)): ("line 31", "deeper than 30"),
    "[" * 5_000: ("line 1", ""),
    bomb(): ("line 6", "more than 200,000 values"),
}


@pytest.mark.parametrize("text", WHOLE_FILES)
def test_a_file_that_is_no_tariff_is_refused_with_place_and_reason(
    tmp_path: Path, text: str
) -> None:
    place, reason = WHOLE_FILES[text]
    path = tmp_path / "town.owrs"
    path.write_text(text)
    with pytest.raises(owrs.TariffFault) as refused:
        owrs.read(path)
    assert refused.value.path == path
    assert refused.value.place == place
    assert reason in refused.value.reason
    assert refused.value.sentence.startswith(f"{path}: {place}: ")
    assert "\n" not in refused.value.sentence


CLASS_FAULTS = {
    "x: 1": ("HOMES (line 4)", "the class has no bill"),
    "bill:": ("HOMES.bill (line 5)", "has no value"),
    "bill: yes": ("HOMES.bill (line 5)", "“yes” is neither a number nor a formula"),
    "bill: $4": ("HOMES.bill (line 5)", "neither a number nor a formula"),
    "bill: [1, 2]": ("HOMES.bill (line 5)", "a list stands where one number is needed"),
    "bill: Tiered": ("HOMES.bill (line 5)", "the class has no tier_starts_bill"),
    "bill: 50%": ("HOMES.bill (line 5)", "a percentage can stand in tier starts only"),
    "bill: a\n    a: b*2\n    b: c\n    c: a": ("HOMES.c (line 8)", "a → b → c → a"),
    "bill: {depends_on: x}": ("HOMES.bill (line 5)", "has depends_on but no values"),
    "bill: {values: {a: 1}}": ("HOMES.bill (line 5)", "has values but no depends_on"),
    "bill: {depends_on: x, values: {}}": ("HOMES.bill (line 5)", "values is empty"),
    "bill: {depends_on: x, values: 5}": ("HOMES.bill (line 5)", "values must be a map"),
    "bill: {depends_on: [], values: {a: 1}}": ("HOMES.bill (line 5)", "name each column once"),
    "bill: {depends_on: x, values: {a: 1}, starts: 1}": ("HOMES.bill (line 5)", "not starts"),
    "bill: {depends_on: x, values: {a: Tiered}}": ("HOMES.bill (line 5)", "cannot stand inside"),
    "bill: c\n    c: tier_starts\n    tier_starts: [0, 1]": ("HOMES.c (line 6)", "list of tiers"),
    "bill: commodity_charge\n    commodity_charge: Tiered\n"
    "    tier_starts: [0, 5, 9]\n    tier_prices: [1, 2]": (
        "HOMES.tier_starts (line 7)",
        "has 3 tiers, but tier_prices has 2",
    ),
    "bill: commodity_charge\n    commodity_charge: Tiered\n"
    "    tier_starts: [0, 100%]\n    tier_prices: [1, 2]": (
        "HOMES.tier_starts (line 7)",
        "needs a Budget charge",
    ),
    "bill: commodity_charge\n    commodity_charge: Tiered\n"
    "    tier_starts: [0, 1 2]\n    tier_prices: [1, 2]": (
        "HOMES.tier_starts (line 7)",
        "cannot be read at “2”",
    ),
}


@pytest.mark.parametrize("fields", CLASS_FAULTS)
def test_a_faulty_class_says_which_field_and_line(tmp_path: Path, fields: str) -> None:
    place, reason = CLASS_FAULTS[fields]
    path = tmp_path / "town.owrs"
    path.write_text(f"{CLASS}    {fields}\n  FARMS:\n    bill: 5\n")
    schedule = owrs.read(path)
    assert schedule.classes == ("FARMS",)
    assert [fault.place for fault in schedule.faults] == [place]
    assert reason in schedule.faults[0].reason
    with pytest.raises(owrs.TariffFault) as refused:
        schedule.required_columns("HOMES")
    assert refused.value.place == place


def test_a_file_whose_every_class_is_faulty_is_refused_with_all_faults(tmp_path: Path) -> None:
    path = tmp_path / "town.owrs"
    path.write_text(f"{CLASS}    bill: $4\n  FARMS:\n    bill: 1+\n")
    with pytest.raises(owrs.TariffFault, match=r"and 1 more") as refused:
        owrs.read(path)
    assert [fault.place for fault in refused.value.faults] == [
        "HOMES.bill (line 5)",
        "FARMS.bill (line 7)",
    ]


def test_a_fault_that_the_bill_does_not_need_is_told_and_the_class_rates(tmp_path: Path) -> None:
    path = tmp_path / "town.owrs"
    path.write_text(f"{CLASS}    bill: 5\n    deposit: five\n    fee: 1 2\n")
    schedule = owrs.read(path)
    assert schedule.classes == ("HOMES",)
    assert [fault.place for fault in schedule.faults] == ["HOMES.fee (line 7)"]


def test_a_class_outside_the_rate_structure_is_told(tmp_path: Path) -> None:
    path = tmp_path / "town.owrs"
    path.write_text(f"{CLASS}    bill: 5\nFARMS:\n  bill: 6\n")
    report = owrs.check([path])[0]
    assert report.classes == ("HOMES",)
    assert str(report.faults[0]) == (
        "line 6: “FARMS” stands outside rate_structure, where nothing reads it"
    )


def test_check_reports_every_file_and_every_file_below_a_directory(tmp_path: Path) -> None:
    good = tmp_path / "towns" / "good.owrs"
    good.parent.mkdir()
    good.write_text(f"{CLASS}    bill: 5\n")
    (tmp_path / "towns" / "notes.txt").write_text("not a tariff")
    empty = tmp_path / "empty"
    empty.mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    binary = tmp_path / "binary.owrs"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    huge = tmp_path / "huge.owrs"
    huge.write_bytes(b"a" * 3_000_000)
    latin = tmp_path / "latin.owrs"
    latin.write_bytes(b"metadata:\n  name: caf\xe9")
    begun = time.monotonic()
    reports = owrs.check(
        [tmp_path / "towns", empty, pipe, binary, huge, latin, tmp_path / "absent", "a\0b"]
    )
    assert time.monotonic() - begun < 2
    assert [str(fault) for report in reports for fault in report.faults] == [
        "directory: holds no *.owrs files",
        "file: is not a file but a directory or a device",
        "line 1: is not UTF-8 text",
        "file: is larger than 2,000,000 bytes, which no tariff is",
        "line 2: is not UTF-8 text",
        "file: there is no such file",
        "file: cannot be read: embedded null byte",
    ]
    assert reports[0].is_ok
    assert reports[0].classes == ("HOMES",)
    assert len(reports) == 8


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "town.owrs"
    path.write_bytes(b"\xef\xbb\xbf" + f"{CLASS}    bill: 5\n".replace("\n", "\r\n").encode())
    assert owrs.check([path])[0].is_ok


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=400)
    | st.text("abill: {}[]&*-\n\t\"'|%123\x00é", max_size=80).map(str.encode)
)
def test_no_file_ends_in_anything_but_a_report(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.owrs"
    path.write_bytes(data)
    report = owrs.check([path])[0]
    assert report.is_ok or report.faults
    path.write_bytes(CLASS.encode() + b"    bill: " + data)
    assert owrs.check([path])[0].path == path

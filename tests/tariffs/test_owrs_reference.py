"""Real tariffs and the bills that the format's reference program computes from them."""

from pathlib import Path

import pytest

from chamberlain.tariffs import owrs
from tests.tariffs import owrs_reference as reference

DATA = Path(__file__).parents[1] / "data" / "owrs"
SHARED = Path(__file__).parents[3] / "shared" / "owrs"

# RateParser priced these classes together with meter sizes whose one-tier rows came out as NA and
# were left out of the published bills, so the order of the rows cannot be made again.
UNORDERED = {
    ("San Jose Water Company", customer_class)
    for customer_class in (
        "RESIDENTIAL_SINGLE",
        "RESIDENTIAL_MULTI",
        "COMMERCIAL",
        "TEMPORARY_CONSTRUCTION",
    )
}

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="the 496 published tariffs and 110,427 reference bills are not beside the project",
)


def compare(root: Path, bills: Path) -> tuple[int, int, int, int]:
    """Bills, those that differ in their own row, rows left unordered, rows that differ anyway."""
    schedules: dict[str, owrs.Schedule] = {}
    total = out_of_place = unordered = wrong = 0
    for each in reference.read(bills):
        if each.owrs not in schedules:
            schedules[each.owrs] = owrs.read(root / each.owrs)
        rated = schedules[each.owrs].rate(each.customer_class, each.inputs)
        total += rated.height
        if not reference.rows_that_differ(rated, each.expected):
            continue
        bill_only = {"bill": each.expected["bill"]}
        out_of_place += len(reference.rows_that_differ(rated, bill_only))
        if any((name in each.owrs, each.customer_class) == (True, c) for name, c in UNORDERED):
            unordered += rated.height
            continue
        moved = reference.in_reference_order(root / each.owrs, each, rated)
        differing = reference.rows_that_differ(moved, each.expected)
        wrong += len(differing)
    return total, out_of_place, unordered, wrong


def test_the_sample_tariffs_agree_with_the_reference_bills() -> None:
    total, _, unordered, wrong = compare(DATA, DATA / "reference_bills.jsonl")
    assert (total, unordered, wrong) == (2_213, 0, 0)


@needs_shared
def test_the_published_reference_bills_agree_once_their_rows_are_put_back() -> None:
    total, out_of_place, unordered, wrong = compare(
        SHARED / "rates", SHARED / "reference_bills.jsonl.gz"
    )
    assert (total, wrong) == (110_427, 0)
    # Bills that RateParser put beside another row's data; all others agree where they stand.
    assert out_of_place == 4_195
    # Rows of the four UNORDERED classes, which are not compared in RateParser's order.
    assert unordered == 182


@needs_shared
def test_every_published_file_is_read_or_refused_with_place_and_reason() -> None:
    reports = owrs.check([SHARED / "rates"])
    assert len(reports) == 496
    refused = [report for report in reports if not report.is_readable]
    assert len(refused) == 16
    for report in reports:
        assert report.is_ok or report.faults
        for fault in report.faults:
            assert "line" in fault.place
            assert fault.reason


def test_a_file_that_is_not_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(owrs.TariffFault, match="not valid YAML") as refused:
        owrs.read(DATA / "roseville_not_yaml.owrs")
    assert refused.value.place == "line 50"
    assert refused.value.path == DATA / "roseville_not_yaml.owrs"


def test_a_key_that_stands_twice_refuses_the_file_with_the_second_line() -> None:
    with pytest.raises(owrs.TariffFault, match="tier_starts_commodity stands here a second time"):
        owrs.read(DATA / "trabuco_key_twice.owrs")


def test_faulty_classes_do_not_hold_back_the_good_ones() -> None:
    schedule = owrs.read(DATA / "pleasanton_some_classes_faulty.owrs")
    assert "RESIDENTIAL_SINGLE" in schedule.classes
    assert "COMMERCIAL" not in schedule.classes
    with pytest.raises(owrs.TariffFault, match=r"COMMERCIAL\.commodity_charge \(line 64\)"):
        schedule.required_columns("COMMERCIAL")


def test_anchors_and_aliases_are_followed() -> None:
    report = owrs.check([DATA / "bellflower_anchors.owrs"])[0]
    assert report.is_ok

"""Real tariffs and the bills that the format's reference program computes from them."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from chamberlain.tariffs import owrs
from tests.tariffs import owrs_reference as reference

DATA = Path(__file__).parents[1] / "data" / "owrs"
SHARED = Path(__file__).parents[3] / "shared" / "owrs"

# RateParser lost the rows with a single tier when other rows of the class have several, after it
# had put their neighbours' figures beside the wrong rows; the published list leaves them out.
WITH_ROWS_LEFT_OUT = {
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


@dataclass
class Agreement:
    """Bills compared; those that agree where they stand; those that need the rows left out."""

    bills: int = 0
    in_place: int = 0
    completed: int = 0
    with_other_tiers: int = 0


def compare(root: Path, bills: Path) -> Agreement:
    schedules: dict[str, owrs.Schedule] = {}
    found = Agreement()
    for each in reference.read(bills):
        if each.owrs not in schedules:
            schedules[each.owrs] = owrs.read(root / each.owrs)
        schedule = schedules[each.owrs]
        rated = schedule.rate(each.customer_class, each.inputs)
        own = schedule.rate(each.customer_class, each.inputs, own_tiers=True)
        bill = {"bill": each.expected["bill"]}
        found.bills += rated.height
        found.with_other_tiers += len(reference.rows_that_differ(own, bill))
        if any(n in each.owrs and c == each.customer_class for n, c in WITH_ROWS_LEFT_OUT):
            frame = reference.with_the_sizes_left_out(root / each.owrs, each)
            rated = schedule.rate(each.customer_class, frame).filter(pl.col("X2").is_not_null())
            assert rated.select(each.inputs.columns).equals(each.inputs)
            assert not reference.rows_that_differ(rated, each.expected)
            found.completed += rated.height
        else:
            differing = reference.rows_that_differ(rated, each.expected)
            found.in_place += rated.height - len(differing)
    return found


def test_the_sample_tariffs_agree_with_the_reference_bills() -> None:
    found = compare(DATA, DATA / "reference_bills.jsonl")
    assert (found.bills, found.in_place) == (2_213, 2_213)


@needs_shared
def test_all_published_reference_bills_agree() -> None:
    found = compare(SHARED / "rates", SHARED / "reference_bills.jsonl.gz")
    assert (found.bills, found.in_place, found.completed) == (110_427, 110_245, 182)
    # Bills that show the tiers of another row; billing gives each row its own.
    assert found.with_other_tiers == 4_195


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

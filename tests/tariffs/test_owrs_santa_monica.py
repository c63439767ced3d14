"""The City of Santa Monica's usages under its tariff of 1 March 2016, to the cent."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from chamberlain.tariffs import owrs

CITY = Path(owrs.__file__).parents[2] / "cities" / "santa_monica"

TOTALS = {
    "RESIDENTIAL_SINGLE": (91_862, 1_032_562_856),
    "RESIDENTIAL_MULTI": (79_253, 4_300_949_050),
    "COMMERCIAL": (24_292, 1_800_806_752),
    "INSTITUTIONAL": (14_750, 261_679_969),
    "IRRIGATION": (7_099, 263_852_114),
}


@pytest.fixture(scope="module")
def schedule() -> owrs.Schedule:
    return owrs.read(CITY / "tariff_2016-03-01.owrs")


@pytest.fixture(scope="module")
def usages() -> pl.DataFrame:
    read = pl.read_csv(CITY / "usage.csv.gz")
    return read.with_columns(meter_size=pl.lit('1"'), water_type=pl.lit("potable"))


def test_every_class_totals_to_the_published_cent(
    schedule: owrs.Schedule, usages: pl.DataFrame
) -> None:
    totals = {}
    for customer_class in TOTALS:
        rows = usages.filter(pl.col("cust_class") == customer_class)
        cents = schedule.rate_exact(customer_class, rows)["bill_cents"]
        assert cents.null_count() == 0
        totals[customer_class] = (cents.len(), cents.sum())
    assert totals == TOTALS
    assert sum(count for count, _ in totals.values()) == 217_256
    assert sum(cents for _, cents in totals.values()) == 7_659_850_741


def test_the_tariff_does_not_know_the_class_other(
    schedule: owrs.Schedule, usages: pl.DataFrame
) -> None:
    others = usages.filter(~pl.col("cust_class").is_in(schedule.classes))
    assert others.height == 811
    assert others["cust_class"].unique().to_list() == ["OTHER"]
    with pytest.raises(owrs.UnknownClass, match="no class OTHER"):
        schedule.rate("OTHER", others)


def test_the_exact_bill_and_the_float_bill_are_the_same_bill(
    schedule: owrs.Schedule, usages: pl.DataFrame
) -> None:
    rows = usages.filter(pl.col("cust_class") == "RESIDENTIAL_MULTI").head(5_000)
    exact = schedule.rate_exact("RESIDENTIAL_MULTI", rows)
    floats = schedule.rate("RESIDENTIAL_MULTI", rows)
    assert ((exact["bill_micros"] / 1_000_000 - floats["bill"]).abs() < 0.000001).all()


def test_the_schedule_says_what_it_is(schedule: owrs.Schedule) -> None:
    assert schedule.metadata["utility_name"] == "City of Santa Monica"
    assert schedule.effective_date == date(2016, 3, 1)
    assert schedule.bill_unit == "ccf"
    assert schedule.required_columns("RESIDENTIAL_SINGLE") == ("usage_ccf",)
    assert set(schedule.required_columns("COMMERCIAL")) == {"usage_ccf", "meter_size", "water_type"}

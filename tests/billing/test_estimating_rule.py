"""The rule of estimates: last year's days, then the class, else a sentence; whole on a register."""

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.billing.estimating.rule import CLASSES, SERVICES, Terms, estimates

TERMS = Terms(in_row=3, covered_percent=50, class_services=10)
START = date(2026, 1, 1)


def service(**other: object) -> dict[str, object]:
    return {
        "agreement_id": 1, "account_number": "A", "service_point_id": 1, "service_point": "SP1",
        "rate_class": "residential", "meter_size": "5/8", "meter_id": 7, "serial": "M1",
        "dials": 6, "meters": 1, "last_register": 100, "unit": "mcf", "from_on": START,
        "to_on": START + timedelta(days=61), "in_row": 0, "year_thousandths": 12_000,
        "year_days": 50, **other,
    }  # fmt: skip


def of_class(**other: object) -> dict[str, object]:
    return {
        "rate_class": "residential", "meter_size": "5/8", "unit": "mcf",
        "class_thousandths": 600_000, "class_days": 600, "class_services": 10, **other,
    }  # fmt: skip


def estimated(row: dict[str, object], *classes: dict[str, object]) -> dict[str, object]:
    found = estimates(
        pl.DataFrame([row], schema=SERVICES), pl.DataFrame(classes, schema=CLASSES), TERMS
    )
    return found.row(0, named=True)


def test_the_same_days_of_last_year_come_first_by_usage_a_day() -> None:
    found = estimated(service(), of_class())
    assert (found["how"], found["usage_thousandths"], found["register"]) == (
        "last_year", 15_000, 115,
    )  # fmt: skip
    assert (found["basis_thousandths"], found["basis_days"], found["basis_services"]) == (
        12_000, 50, 1,
    )  # fmt: skip
    assert found["refusal"] is None


def test_without_a_register_the_estimate_is_exact_to_the_thousandth() -> None:
    found = estimated(service(meter_id=None, meters=0, dials=None, last_register=None), of_class())
    assert (found["usage_thousandths"], found["register"]) == (14_640, None)


def test_with_less_than_half_of_last_years_days_the_class_is_taken() -> None:
    found = estimated(service(year_days=30), of_class())
    assert (found["how"], found["usage_thousandths"]) == ("class_average", 61_000)
    assert found["basis_services"] == 10


def test_too_few_of_the_class_are_no_average() -> None:
    found = estimated(service(year_days=0, year_thousandths=0), of_class(class_services=9))
    assert found["usage_thousandths"] is None
    assert "Too little is known" in str(found["refusal"])


def test_another_size_of_meter_is_another_class() -> None:
    found = estimated(service(year_days=0), of_class(meter_size="2"))
    assert found["how"] is None


def test_estimates_in_a_row_end_at_the_citys_limit() -> None:
    assert estimated(service(in_row=2))["refusal"] is None
    refused = estimated(service(in_row=3))
    assert refused["how"] is None
    assert "Estimated 3 times" in str(refused["refusal"])


def test_two_meters_at_one_place_are_read_not_estimated() -> None:
    assert "2 meters serve this place" in str(estimated(service(meters=2))["refusal"])


def test_a_register_that_runs_over_its_dials_starts_again() -> None:
    assert estimated(service(last_register=999_990))["register"] == 5


@given(
    st.integers(0, 10**9),
    st.integers(1, 400),
    st.integers(1, 400),
    st.booleans(),
    st.integers(0, 999_999),
)
def test_the_estimate_is_the_daily_usage_times_the_days_rounded_once(
    used: int, days: int, wanted: int, has_register: bool, register: int
) -> None:
    meter = {} if has_register else {"meter_id": None, "dials": None, "last_register": None}
    row = service(
        year_thousandths=used,
        year_days=days,
        to_on=START + timedelta(days=wanted),
        **{"last_register": register, **meter},
    )
    found = estimated(row, of_class(class_thousandths=used, class_days=days))
    step = 1000 if has_register else 1
    oracle = Fraction(used * wanted, days * step) + Fraction(1, 2)
    expected = oracle.numerator // oracle.denominator * step
    assert found["usage_thousandths"] == expected
    assert found["how"] == ("last_year" if 2 * days >= wanted else "class_average")
    if has_register:
        assert found["register"] == (register + expected // 1000) % 10**6

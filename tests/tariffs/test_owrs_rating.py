"""The corners of the format, one small tariff for each."""

from pathlib import Path
from textwrap import dedent, indent

import polars as pl
import pytest

from chamberlain.tariffs import owrs

HEAD = "metadata:\n  utility_name: Small Town\n  effective_date: 2024-07-01\nrate_structure:\n"


@pytest.fixture
def tariff(tmp_path: Path):
    def write(fields: str, customer_class: str = "HOMES") -> owrs.Schedule:
        path = tmp_path / "town.owrs"
        path.write_text(HEAD + f"  {customer_class}:\n" + indent(dedent(fields), "    "))
        return owrs.read(path)

    return write


def frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame(columns, strict=False)


def bills(schedule: owrs.Schedule, **columns: object) -> list[float | None]:
    rated = schedule.rate("HOMES", frame(**columns))
    return [None if bill is None else round(bill, 9) for bill in rated["bill"]]


TWO_TIERS = """
    tier_starts: [0, 15]
    tier_prices: [1, 10]
    commodity_charge: Tiered
    bill: commodity_charge
"""


def test_a_tier_ends_one_unit_below_the_next_start(tariff) -> None:
    rated = tariff(TWO_TIERS).rate("HOMES", frame(usage_ccf=[0, 1, 14, 15, 16]))
    assert rated["X1"].to_list() == [0, 1, 14, 14, 14]
    assert rated["X2"].to_list() == [0, 0, 0, 1, 2]
    assert rated["XR2"].to_list() == [0, 0, 0, 10, 20]
    assert rated["bill"].to_list() == [0, 1, 14, 24, 34]


def test_usage_below_zero_fills_no_tier(tariff) -> None:
    assert bills(tariff(TWO_TIERS), usage_ccf=[-5]) == [0]


def test_usage_in_parts_of_a_unit_goes_on_to_the_next_tier(tariff) -> None:
    assert bills(tariff(TWO_TIERS), usage_ccf=[14.5]) == [14 + 5]


def test_a_start_below_the_one_before_leaves_its_tier_empty(tariff) -> None:
    schedule = tariff("""
        tier_starts: [0, 13, 20, 19]
        tier_prices: [1, 2, 3, 4]
        commodity_charge: Tiered
        bill: commodity_charge
    """)
    rated = schedule.rate("HOMES", frame(usage_ccf=[25]))
    assert rated.select("X1", "X2", "X3", "X4").row(0) == (12, 7, 0, 6)


def test_a_single_tier_prices_all_usage(tariff) -> None:
    schedule = tariff("""
        tier_starts: [1]
        tier_prices: [2.5]
        commodity_charge: Tiered
        bill: commodity_charge
    """)
    assert bills(schedule, usage_ccf=[0, 10]) == [0, 25]


BUDGET = """
    indoor: hhsize*2.5
    outdoor: area*0.5
    budget: indoor+outdoor
    tier_starts: [0, indoor, 100%, 150%]
    tier_prices: [1, 10, 100, 1000]
    commodity_charge: Budget
    bill: commodity_charge
"""


def test_a_budget_start_is_the_last_unit_of_the_tier_below(tariff) -> None:
    # indoor 10, outdoor 5, budget 15, and 22.5 rounded to the even 22.
    rated = tariff(BUDGET).rate("HOMES", frame(usage_ccf=[30], hhsize=[4], area=[10]))
    assert rated.select("X1", "X2", "X3", "X4").row(0) == (10, 5, 7, 8)


def test_the_terms_of_a_budget_are_rounded_before_they_are_added(tariff) -> None:
    # 2.5 and 0.5 round to the even 2 and 0; together they would have been 3.
    rated = tariff(BUDGET).rate("HOMES", frame(usage_ccf=[0], hhsize=[1], area=[1]))
    assert rated["budget"].to_list() == [2]
    assert rated["indoor"].to_list() == [2.5]


def test_outdoor_may_be_a_start_and_capitals_do_not_matter(tariff) -> None:
    schedule = tariff("""
        outdoor: 4
        tier_starts: [0, Outdoor]
        tier_prices: [1, 10]
        commodity_charge: Budget
        bill: commodity_charge
    """)
    assert bills(schedule, usage_ccf=[6]) == [4 + 20]


def test_a_suffix_names_the_fields_of_commodity_charge(tariff) -> None:
    schedule = tariff("""
        bill: service_charge+commodity_charge
        commodity_charge: Budget
        tier_prices_commodity: [1, 10]
        tier_starts_commodity: [0, 100%]
        budget_commodity: indoor+outdoor
        outdoor_commodity: area*landscape_factor
        indoor_commodity: hhsize*gpcd
        landscape_factor_commodity: 0.5
        gpcd_commodity: 3
        service_charge: 7
    """)
    rated = schedule.rate("HOMES", frame(usage_ccf=[20], hhsize=[2], area=[12]))
    assert rated["budget"].to_list() == [12]
    assert rated["bill"].to_list() == [7 + 12 + 80]
    assert schedule.required_columns("HOMES") == ("usage_ccf", "hhsize", "area")


def test_surcharges_that_the_bill_does_not_name_need_no_columns(tariff) -> None:
    schedule = tariff("""
        flat_rate_commodity: 2
        commodity_charge: flat_rate_commodity*usage_ccf
        variable_drought_surcharge: Tiered
        tier_starts_drought: [0, 5]
        tier_prices_drought: {depends_on: drought_zone, values: {A: [1, 2]}}
        fixed_drought_surcharge: {depends_on: drought_stage, values: {1: 5}}
        bill: commodity_charge
    """)
    assert bills(schedule, usage_ccf=[3]) == [6]


def test_a_surcharge_that_the_bill_names_is_priced_by_its_own_tiers(tariff) -> None:
    schedule = tariff("""
        tier_starts: [0, 5]
        tier_prices: [1, 2]
        commodity_charge: Tiered
        tier_starts_drought: [0, 3]
        tier_prices_drought: [10, 20]
        variable_drought_surcharge: Tiered
        bill: commodity_charge+variable_drought_surcharge
    """)
    rated = schedule.rate("HOMES", frame(usage_ccf=[5]))
    assert rated.select("X1", "X2", "X1_drought", "X2_drought").row(0) == (4, 1, 2, 3)
    assert rated["bill"].to_list() == [4 + 2 + 20 + 60]


METER_TABLE = """
    service_charge:
      depends_on: meter_size
      values:
        5/8": 5
        1": 10
        1|1/2": 15
        2: 20
    bill: service_charge
"""


@pytest.mark.parametrize(
    ("size", "bill"),
    [
        ('5/8"', 5), ('1"', 10), ("1", 10), (1, 10), (1.0, 10), ('1|1/2"', 15), ('1 1/2"', 15),
        ('1-1/2"', 15), (1.5, 15), ("2", 20), (2, 20), (2.0, 20), ('2"', 20), ("2.0", 20),
        (0.625, 5), ('3"', None), (None, None),
    ],
)  # fmt: skip
def test_a_size_fits_however_it_is_written(tariff, size: object, bill: int | None) -> None:
    assert bills(tariff(METER_TABLE), meter_size=[size]) == [bill]


def test_capitals_do_not_matter_when_one_entry_alone_fits(tariff) -> None:
    schedule = tariff("""
        bill: {depends_on: water_type, values: {POTABLE: 1, Recycled: 2, recycled: 3}}
    """)
    assert bills(schedule, water_type=["potable", "recycled", "RECYCLED"]) == [1, 3, None]


def test_a_switch_fits_however_it_is_written(tariff) -> None:
    schedule = tariff("bill: {depends_on: senior, values: {Yes: 1, No: 2}}")
    assert bills(schedule, senior=[True, False]) == [1, 2]
    assert bills(schedule, senior=["yes", "no"]) == [1, 2]


def test_keys_of_several_columns_are_joined_in_the_order_of_depends_on(tariff) -> None:
    schedule = tariff("""
        service_charge:
          depends_on: [meter_size, zone]
          values: {1"|1: 5, 1"|2: 6, 1|1/2"|1: 7}
        bill: service_charge
    """)
    sizes = ['1"', '1"', '1 1/2"', '1|1/2"', '1"']
    assert bills(schedule, zone=[1, 2, 1, 1, 9], meter_size=sizes) == [5, 6, 7, 7, None]


def test_a_category_or_a_text_of_digits_is_as_good_as_a_number(tariff) -> None:
    schedule = tariff("bill: {depends_on: zone, values: {1: 5, 2: units*3}}")
    rows = frame(zone=["1", "2"], units=["4", "4"]).with_columns(
        pl.col("zone").cast(pl.Categorical)
    )
    assert schedule.rate("HOMES", rows)["bill"].to_list() == [5, 12]


def test_a_table_may_depend_on_another_field(tariff) -> None:
    schedule = tariff("""
        stage: 2
        bill: {depends_on: stage, values: {1: 5, 2: 6}}
    """)
    assert bills(schedule, account=[1, 2]) == [6, 6]


def test_values_may_be_formulas_and_only_those_in_use_need_their_columns(tariff) -> None:
    schedule = tariff("""
        service_charge:
          depends_on: limits
          values: {inside: 0.5*lot_area, outside: far_rate*lot_area, none: 3}
        bill: service_charge
    """)
    assert bills(schedule, limits=["inside", "none"], lot_area=[10, 10]) == [5, 3]
    with pytest.raises(owrs.MissingColumn, match="far_rate"):
        schedule.rate("HOMES", frame(limits=["outside"], lot_area=[10]))


def test_tiers_of_different_length_leave_the_missing_tiers_null(tariff) -> None:
    schedule = tariff("""
        tier_starts: {depends_on: zone, values: {A: [0, 5, 9], B: [0, 5], C: 0}}
        tier_prices: {depends_on: zone, values: {A: [1, 2, 3], B: [4, 5], C: 6}}
        commodity_charge: Tiered
        bill: commodity_charge
    """)
    rows = frame(usage_ccf=[10, 10, 10], zone=["A", "B", "C"])
    rated = schedule.rate("HOMES", rows, own_tiers=True)
    assert rated["X2"].to_list() == [4, 6, None]
    assert rated["X3"].to_list() == [2, None, None]
    assert rated["bill"].to_list() == [4 + 8 + 6, 16 + 30, 60]


def test_tier_figures_stand_where_the_reference_program_puts_them(tariff) -> None:
    schedule = tariff("""
        tier_starts: {depends_on: zone, values: {A: [0, 9], B: [0, 5]}}
        tier_prices: {depends_on: zone, values: {A: [1, 2], B: [3, 4]}}
        commodity_charge: Tiered
        service_charge: {depends_on: zone, values: {A: 100, B: 200}}
        bill: commodity_charge+service_charge
    """)
    rows = frame(usage_ccf=[10, 20, 10, 10], zone=["A", "B", "B", "Nowhere"])
    own = schedule.rate("HOMES", rows, own_tiers=True)
    assert own["commodity_charge"].to_list() == [8 + 4, 12 + 64, 12 + 24, None]
    # "0 5" comes before "0 9", so the figures of zone B fill the first places.
    shown = schedule.rate("HOMES", rows)
    assert shown["commodity_charge"].to_list() == [12 + 64, 12 + 24, 8 + 4, None]
    assert shown["X1"].to_list() == [4, 4, 8, None]
    assert shown["bill"].to_list() == [176, 236, 212, None]


def test_starts_and_prices_that_do_not_fit_a_row_leave_it_without_a_bill(tariff) -> None:
    schedule = tariff("""
        tier_starts: {depends_on: zone, values: {A: [0, 5, 9], B: [0, 5]}}
        tier_prices: [4, 5]
        commodity_charge: Tiered
        bill: commodity_charge
    """)
    assert bills(schedule, usage_ccf=[10, 10], zone=["A", "B"]) == [None, 16 + 30]


def test_a_tier_start_may_be_a_formula(tariff) -> None:
    schedule = tariff("""
        tier_starts: [0, ((units-1)*8*0.55)+8]
        tier_prices: [1, 10]
        commodity_charge: Tiered
        bill: commodity_charge
    """)
    # Six units start the second tier at 30.
    assert bills(schedule, usage_ccf=[20, 31], units=[6, 6]) == [20, 29 + 20]


def test_data_win_over_a_field_that_only_assumes(tariff) -> None:
    schedule = tariff("""
        hhsize: 3
        bill: hhsize*2
    """)
    assert bills(schedule, account=[1]) == [6]
    assert bills(schedule, hhsize=[5]) == [10]


def test_a_column_that_the_tariff_computes_must_not_be_in_the_data(tariff) -> None:
    with pytest.raises(owrs.UnusableColumn, match="already have a column bill"):
        tariff("bill: 5").rate("HOMES", frame(bill=[1]))


def test_a_missing_column_is_named_with_the_file_and_the_class(tariff) -> None:
    with pytest.raises(owrs.MissingColumn) as missing:
        tariff(TWO_TIERS).rate("HOMES", frame(account=[1]))
    assert "town.owrs: class HOMES needs the column usage_ccf" in missing.value.sentence


def test_words_where_numbers_are_needed_are_refused(tariff) -> None:
    with pytest.raises(owrs.UnusableColumn, match="the column usage_ccf"):
        tariff(TWO_TIERS).rate("HOMES", frame(usage_ccf=["many"]))


def test_a_class_that_the_tariff_does_not_know_is_refused(tariff) -> None:
    with pytest.raises(owrs.UnknownClass, match=r"no class FARMS; it has HOMES"):
        tariff(TWO_TIERS).rate("FARMS", frame(usage_ccf=[1]))


def test_rows_order_and_columns_of_the_data_stay(tariff) -> None:
    rows = frame(account=["c", "a", "b"], usage_ccf=[20, 3, 15])
    rated = tariff(TWO_TIERS).rate("HOMES", rows)
    assert rated.select(rows.columns).equals(rows)
    assert rated["bill"].dtype == pl.Float64
    alone = tariff(TWO_TIERS).rate("HOMES", rows[1:2])
    assert alone.equals(rated[1:2])


def test_an_empty_frame_has_the_same_columns(tariff) -> None:
    empty = frame(usage_ccf=[1])[:0]
    schedule = tariff(TWO_TIERS)
    assert (
        schedule.rate("HOMES", empty).columns
        == schedule.rate("HOMES", frame(usage_ccf=[1])).columns
    )
    assert schedule.rate_exact("HOMES", empty).height == 0
    assert schedule.problems("HOMES", empty).to_list() == []


def test_problems_say_why_a_row_has_no_bill_and_hold_up_no_other(tariff) -> None:
    schedule = tariff("""
        service_charge: {depends_on: [meter_size, zone], values: {1"|A: 5}}
        commodity_charge: 12*usage_ccf/days
        bill: service_charge+commodity_charge
    """)
    rows = frame(
        meter_size=['1"', '9"', None, '1"', '1"'],
        zone=["A"] * 5,
        usage_ccf=[3, 3, 3, None, 3],
        days=[6, 6, 6, 6, 0],
    )
    assert schedule.rate("HOMES", rows)["bill"].to_list() == [11, None, None, None, None]
    assert schedule.problems("HOMES", rows).to_list() == [
        None,
        "meter_size 9\", zone A is not in the tariff's service_charge",
        "meter_size is missing",
        "usage_ccf is missing",
        "the formula has no result for these figures",
    ]


def test_half_a_cent_is_rounded_up_in_the_exact_bill(tariff) -> None:
    # 1.005 dollars is no binary float; as a float it would be rounded down.
    exact = tariff("bill: 0.335*usage_ccf").rate_exact("HOMES", frame(usage_ccf=[3, -3, 1]))
    assert exact["bill_cents"].to_list() == [101, -101, 34]
    assert exact["bill_micros"].to_list() == [1_005_000, -1_005_000, 335_000]


def test_the_exact_bill_shows_its_tiers_in_whole_numbers(tariff) -> None:
    exact = tariff(TWO_TIERS).rate_exact("HOMES", frame(usage_ccf=[14.25, 20]))
    assert exact["X1_thousandths"].to_list() == [14_000, 14_000]
    assert exact["X2_thousandths"].to_list() == [250, 6_000]
    assert exact["P2_micros"].to_list() == [10_000_000, 10_000_000]
    assert exact["XR2_micros"].to_list() == [2_500_000, 60_000_000]


def test_dividing_by_a_constant_stays_exact(tariff) -> None:
    exact = tariff("bill: usage_ccf*(1/748)*748*0.01").rate_exact("HOMES", frame(usage_ccf=[150]))
    assert exact["bill_micros"].to_list() == [1_500_000]


@pytest.mark.parametrize(
    ("formula", "columns", "reason"),
    [
        ("usage_ccf/days", {"usage_ccf": [1], "days": [30]}, "divides by a column"),
        ("2^usage_ccf", {"usage_ccf": [1]}, "raises to a power"),
        ("usage_ccf", {"usage_ccf": [1 / 3]}, "more than 6 decimals"),
        ("usage_ccf", {"usage_ccf": [1e15]}, "too large"),
        ("usage_ccf^8", {"usage_ccf": [10**9]}, "too large"),
        ("1e30*usage_ccf", {"usage_ccf": [10**9]}, "too large"),
    ],
)
def test_what_has_no_exact_result_is_refused(tariff, formula, columns, reason) -> None:
    with pytest.raises(owrs.CannotCompute, match=reason):
        tariff(f"bill: {formula}").rate_exact("HOMES", frame(**columns))


def test_decimals_and_floats_of_the_same_usage_give_the_same_exact_bill(tariff) -> None:
    schedule = tariff("bill: 1.01*usage_ccf")
    floats = frame(usage_ccf=[0.1, 27.3, 1234.567])
    decimals = floats.with_columns(pl.col("usage_ccf").cast(pl.Decimal(12, 3)))
    expected = schedule.rate_exact("HOMES", floats)["bill_micros"]
    assert expected.to_list() == [101_000, 27_573_000, 1_246_912_670]
    assert schedule.rate_exact("HOMES", decimals)["bill_micros"].equals(expected)


def test_the_columns_of_the_result_do_not_depend_on_the_rows(tariff) -> None:
    schedule = tariff("""
        flat: 5
        tier_starts: [0, 15]
        tier_prices: [1, 10]
        commodity_charge: Tiered
        bill: {depends_on: is_metered, values: {Yes: commodity_charge, No: flat}}
    """)
    both = schedule.rate("HOMES", frame(usage_ccf=[20, 20], is_metered=["Yes", "No"]))
    unmetered = schedule.rate("HOMES", frame(usage_ccf=[20], is_metered=["No"]))
    assert both["bill"].to_list() == [14 + 60, 5]
    assert unmetered.equals(both[1:])

"""Bills of small towns, worked by hand; what cannot be rated; and a million of them at once."""

import json
import time
from datetime import date

import polars as pl
import pytest
import yaml

from chamberlain.kernel.errors import Invalid
from chamberlain.tariffs.parsing import parse
from chamberlain.tariffs.rating import Rated, rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

# Component, then its terms; each is a line of the town's bill.
TOWN = {
    "water": "{type: flat_rate, unit: mcf, versions:"
    " [{effective: 2023-06-01, rate: '33.95'}, {effective: 2024-06-01, rate: '35.10'}]}",
    "sewer": "{type: percent, of: [water], versions: [{effective: 2015-01-01, percent: 100}]}",
}
TIERS = {
    "water": "{type: tiers, unit: ccf, versions: ["
    " {effective: 2025-01-01, tiers: [{up_to: 10, rate: 2}, {rate: 4}]},"
    " {effective: 2026-04-16, tiers: [{up_to: 6, rate: 2}, {rate: 4}]}]}",
}


def town(terms: dict[str, str], proration: str = "by_day") -> Schedule:
    return parse(
        {
            "code": "town",
            "name": "Town",
            "unit": "ccf",
            "proration": proration,
            "source": "An ordinance",
            "components": [
                {
                    "id": number,
                    "code": code,
                    "label": code.capitalize(),
                    "charge_kind": code,
                    "formula": "In words",
                    "source": "An ordinance",
                    "terms": yaml.safe_load(written),
                }
                for number, (code, written) in enumerate(terms.items(), 1)
            ],
        }
    )


def usage(period: str, used: str = "0 ccf", **known: object) -> pl.DataFrame:
    """One account: `2024-05-15 2024-07-16`, `9.3 mcf` or `` for no meter, and what is known."""
    start, end = (date.fromisoformat(day) for day in period.split())
    amount, unit = used.split() if used else ("0", None)
    row = {
        "row": 1,
        "rate_class": "residential",
        "meter_size": '1"',
        "dwelling_units": 1,
        "exemptions": [],
        "attributes": None,
        "from_on": start,
        "to_on": end,
        "usage_thousandths": round(float(amount) * 1000),
        "unit": unit,
    }
    return pl.DataFrame([row | known], schema=USAGES)


def bill(rated: Rated) -> dict[str, int]:
    assert rated.refusals.is_empty(), rated.refusals["sentence"].to_list()
    return dict(zip(rated.lines["charge_kind"], rated.lines["cents"], strict=True))


def refusal(rated: Rated) -> tuple[str, str]:
    assert rated.lines.is_empty()
    [found] = rated.refusals.to_dicts()
    assert len(found["code"]) <= 24
    assert len(found["sentence"]) <= 300
    return found["code"], found["sentence"]


def test_a_rate_change_splits_the_usage_by_days() -> None:
    rated = rate(town(TOWN), usage("2024-05-15 2024-07-16", "9.3 mcf"))
    assert bill(rated) == {"water": 323_50, "sewer": 323_50}
    water, sewer = rated.lines.to_dicts()
    assert json.loads(water["steps"]) == [
        {
            "from_on": "2024-05-15", "to_on": "2024-06-01", "days": 17,
            "quantity_thousandths": 2550, "rate_micros": 33_950_000,
        },
        {
            "from_on": "2024-06-01", "to_on": "2024-07-16", "days": 45,
            "quantity_thousandths": 6750, "rate_micros": 35_100_000,
        },
    ]  # fmt: skip
    assert (water["rate_micros"], water["days"], water["unit"]) == (None, 62, "mcf")
    assert (sewer["quantity_thousandths"], sewer["unit"]) == (323_500, "dollar")
    assert (sewer["rate_micros"], sewer["steps"]) == (1_000_000, None)


def test_a_changed_allowance_is_split_by_days_with_the_usage() -> None:
    rated = rate(town(TIERS), usage("2026-04-01 2026-05-01", "12 ccf"))
    assert bill(rated) == {"water": 32_00}
    [line] = rated.lines.to_dicts()
    steps = [
        (step["days"], step["tier"], step["quantity_thousandths"], step["rate_micros"])
        for step in json.loads(line["steps"])
    ]
    assert steps == [
        (15, 1, 5000, 2_000_000),
        (15, 2, 1000, 4_000_000),
        (15, 1, 3000, 2_000_000),
        (15, 2, 3000, 4_000_000),
    ]


@pytest.mark.parametrize(
    ("proration", "cents"), [("by_day", 32_00), ("by_read_date", 36_00), ("none", 28_00)]
)
def test_proration_is_a_property_of_the_tariff(proration: str, cents: int) -> None:
    rated = rate(town(TIERS, proration), usage("2026-04-01 2026-05-01", "12 ccf"))
    assert bill(rated) == {"water": cents}


def test_a_percentage_that_changes_with_its_base_is_of_each_part_of_it() -> None:
    # 31 days: 17 at 15.00 with 86 percent, 14 at 18.75 with 89 percent.
    terms = {
        "water": "{type: flat_rate, unit: mcf, versions:"
        " [{effective: 2010-01-01, rate: 15}, {effective: 2012-01-01, rate: '18.75'}]}",
        "sewer": "{type: percent, of: [water], versions:"
        " [{effective: 2010-01-01, percent: 86}, {effective: 2012-01-01, percent: 89}]}",
    }
    rated = rate(town(terms), usage("2011-12-15 2012-01-15", "31 mcf"))
    assert bill(rated) == {"water": 255_00 + 262_50, "sewer": 219_30 + 233_63}
    steps = json.loads(rated.lines["steps"][1])
    assert [step["quantity_thousandths"] for step in steps] == [255_000, 262_500]


def test_a_percentage_of_a_percentage_is_split_by_what_its_own_base_came_to() -> None:
    # Six days at 2.5 cents: 2 cents come up to the sixth day, and 3 with it. Of those 116.6667
    # percent: 2 and then 4. The last line begins on the sixth day, and is of 1 + 2 cents.
    terms = {
        "water": "{type: fixed, per: period, versions: [{effective: 2020-01-01, amount: '0.025'}]}",
        "sewer": "{type: percent, of: [water], versions:"
        " [{effective: 2020-01-01, percent: '116.6667'}]}",
        "tax": "{type: percent, of: [water, sewer], versions:"
        " [{effective: 2020-01-01, percent: 0}, {effective: 2024-01-06, percent: '16.6667'}]}",
    }
    alone = usage("2024-01-01 2024-01-07")
    assert bill(rate(town(terms), alone)) == {"water": 3, "sewer": 4, "tax": 1}


def test_a_row_is_rated_alike_alone_and_among_others() -> None:
    terms = {
        "water": "{type: fixed, per: period, versions: [{effective: 2020-01-01, amount: '0.025'}]}",
        "sewer": "{type: percent, of: [water], versions:"
        " [{effective: 2020-01-01, percent: '116.6667'}, {effective: 2025-01-01, percent: 1}]}",
        "tax": "{type: percent, of: [water, sewer], versions:"
        " [{effective: 2020-01-01, percent: 0}, {effective: 2024-01-06, percent: '16.6667'}]}",
    }
    alone = usage("2024-01-01 2024-01-07")
    later = usage("2024-12-15 2025-01-15").with_columns(row=pl.lit(2, pl.Int64()))
    among = rate(town(terms), pl.concat([alone, later]))
    assert among.lines.filter(row=1).equals(rate(town(terms), alone).lines)


@pytest.mark.parametrize(
    ("terms", "known", "cents"),
    [
        ("{type: fixed, per: period, versions: [V, amount: '12.50'}]}", {}, 12_50),
        ("{type: fixed, per: month, versions: [V, amount: '10'}]}", {}, 20_00),
        ("{type: fixed, per: day, versions: [V, amount: '0.10'}]}", {}, 5_90),
        (
            "{type: fixed, per: period, by: meter_size, versions: [V, amounts: {'1\"': 5, b: 7}}]}",
            {},
            5_00,
        ),
        ("{type: per_dwelling_unit, per: month, versions: [V, amount: '9.50'}]}",
         {"dwelling_units": 3}, 57_00),
        ("{type: fixtures, count: hoses, versions: [V, rate: '56.14'}]}",
         {"attributes": '{"hoses": 2}'}, 112_28),
        ("{type: flat_rate, unit: kgal, versions: [V, rate: '3.81'}]}", {}, 28_50),
        ("{type: tiers, unit: ccf, per: month, versions: [V, tiers: [{up_to: 4, rate: 1},"
         " {rate: 3}]}]}", {}, 14_00),
        ("{type: tiers, unit: ccf, per_dwelling_unit: true, versions: [V, tiers: [{up_to: 4,"
         " rate: 1}, {rate: 3}]}]}", {"dwelling_units": 2}, 14_00),
        ("{type: budget_tiers, unit: ccf, budget: b, versions: [V, tiers: [{up_to_percent: 80,"
         " rate: 1}, {rate: 3}]}]}", {"attributes": '{"b": "7.5"}'}, 18_00),
        ("{type: flat_rate, unit: ccf, exemptions: [{code: senior, percent: '12.5'}],"
         " versions: [V, rate: 1}]}", {"exemptions": ["senior", "other"]}, 8_75),
    ],
)  # fmt: skip
def test_each_type_of_component(terms: str, known: dict, cents: int) -> None:
    """Two months from 15 January, 10 ccf."""
    schedule = town({"water": terms.replace("V", "{effective: 2025-01-01")})
    rated = rate(schedule, usage("2026-01-15 2026-03-15", "10 ccf", **known))
    assert bill(rated) == {"water": cents}


@pytest.mark.parametrize(("used", "expected"), [(4, 12_00), (10, 0)])
def test_a_minimum_tops_up_what_the_lines_lack(used: int, expected: int) -> None:
    terms = {
        "water": "{type: flat_rate, unit: ccf, versions: [{effective: 2025-01-01, rate: 2}]}",
        "least": "{type: minimum, of: [water], per: period,"
        " versions: [{effective: 2025-01-01, amount: 20}]}",
        "share": "{type: percent, of: [water, least],"
        " versions: [{effective: 2025-01-01, percent: 10},"
        " {effective: 2026-01-16, percent: 20}]}",
    }
    rated = rate(town(terms), usage("2026-01-01 2026-01-31", f"{used} ccf"))
    lines = {"water": used * 2_00} | ({"least": expected} if expected else {})
    assert bill(rated) == lines | {"share": 3_00}


def test_an_exemption_that_ends_inside_the_period_waives_its_days() -> None:
    terms = {
        "water": "{type: flat_rate, unit: ccf, versions: [{effective: 2025-01-01, rate: 3}],"
        " exemptions: [{code: senior, percent: 50, to: 2026-01-11}]}"
    }
    period = "2026-01-01 2026-01-31"
    exempt = rate(town(terms), usage(period, "10 ccf", exemptions=["senior"]))
    assert bill(exempt) == {"water": 25_00}
    first, second = json.loads(exempt.lines["steps"][0])
    assert (first["days"], first["waived_micros"]) == (10, 500_000)
    assert (second["days"], second.get("waived_micros")) == (20, None)
    both = pl.concat(
        [usage(period, "10 ccf", exemptions=["senior"]), usage(period, "10 ccf", row=2)]
    )
    other = rate(town(terms), both).lines.filter(row=2).to_dicts()[0]
    assert (other["cents"], other["rate_micros"], other["steps"]) == (30_00, 3_000_000, None)


def test_a_charge_that_begins_inside_the_period_counts_its_days() -> None:
    terms = {
        "tax": "{type: flat_rate, unit: gal, before_first_version: no_charge,"
        " versions: [{effective: 2026-01-21, rate: '0.01'}]}"
    }
    rated = rate(town(terms), usage("2026-01-01 2026-01-31", "3 kgal"))
    [line] = rated.lines.to_dicts()
    assert (line["cents"], line["days"], line["quantity_thousandths"]) == (10_00, 10, 1_000_000)
    assert (line["rate_micros"], line["steps"]) == (10_000, None)
    assert rate(town(terms), usage("2025-01-01 2025-01-31", "3 kgal")).lines.is_empty()


ONE = "{type: flat_rate, unit: ccf, versions: [{effective: 2025-01-01, rate: 2}]}"
BY_CLASS = (
    "{type: flat_rate, unit: ccf, by: rate_class,"
    " versions: [{effective: 2025-01-01, rates: {commercial: 2}}]}"
)
BY_SIZE_AND_ZONE = (
    "{type: fixed, per: period, by: [meter_size, zone],"
    " versions: [{effective: 2025-01-01, amounts: {'1\"|east': 2}}]}"
)
BUDGET = (
    "{type: budget_tiers, unit: ccf, budget: b, versions:"
    " [{effective: 2025-01-01, tiers: [{up_to_percent: 100, rate: 1}, {rate: 3}]}]}"
)
HOSES = "{type: fixtures, count: hoses, versions: [{effective: 2025-01-01, rate: 2}]}"
HUGE = "{type: flat_rate, unit: gal, versions: [{effective: 2025-01-01, rate: 999999}]}"
JUNE = "2026-06-01 2026-07-01"


@pytest.mark.parametrize(
    ("terms", "account", "code", "said"),
    [
        (ONE, usage("2024-12-31 2025-02-01"), "no_version", "“Water” has no figure before 2025-01"),
        (ONE, usage(JUNE, ""), "unit_missing", "is by usage and the read has no unit"),
        (ONE, usage(JUNE, "1 firkin"), "unit_unknown", "write one of ccf, mcf, kgal, gal, kl"),
        (ONE, usage(JUNE, "-1 ccf"), "usage_negative", "below zero"),
        (ONE, usage(JUNE, usage_thousandths=None), "usage_missing", "enter a read"),
        (ONE, usage(JUNE, "1000000001 ccf"), "usage_too_large", "No meter counts so much"),
        (HUGE, usage(JUNE, "1000000000 kl"), "usage_too_large", "more than the program keeps"),
        (ONE, usage("2026-06-01 2026-06-01"), "period_unusable", "has no day"),
        (ONE, usage("2026-06-01 2066-06-01"), "period_too_long", "over 10,000 days"),
        (BY_CLASS, usage(JUNE), "unknown_class", "no figure for rate class “residential”"),
        (BY_CLASS, usage(JUNE, rate_class=None), "unknown_class", "rate class “(none)”"),
        (BY_SIZE_AND_ZONE, usage(JUNE), "unknown_meter_size", "for meter size and zone “(none)”"),
        (
            BY_SIZE_AND_ZONE,
            usage(JUNE, attributes='{"zone": "west"}'),
            "unknown_meter_size",
            "“1\"|west”; correct it on the agreement, or the tariff.",
        ),
        (BUDGET, usage(JUNE), "budget_unusable", "no usable b; give it a number"),
        (BUDGET, usage(JUNE, attributes='{"b": "-1"}'), "budget_unusable", "no usable b"),
        (HOSES, usage(JUNE, attributes='{"hoses": 1.5}'), "count_unusable", "Hoses must be a"),
        (HOSES, usage(JUNE, attributes='{"hoses": -1}'), "count_unusable", "from 0 to 1,000,000"),
    ],
)  # fmt: skip
def test_what_cannot_be_rated_is_refused_with_a_sentence(
    terms: str, account: pl.DataFrame, code: str, said: str
) -> None:
    schedule = town({"water": terms})
    found = refusal(rate(schedule, account))
    assert found[0] == code
    assert said in found[1]
    # It holds up nobody else.
    good = usage(
        JUNE,
        "2 ccf",
        row=2,
        rate_class="commercial",
        attributes='{"zone": "east", "b": 9, "hoses": 1}',
    )
    both = rate(schedule, pl.concat([account, good]))
    assert both.refusals["row"].to_list() == [1]
    assert both.lines["row"].to_list() == [2]


def test_usage_that_outgrows_the_exact_arithmetic_is_refused_and_others_are_not() -> None:
    terms = (
        "{type: tiers, unit: kl, per: month, exemptions: [{code: a, percent: '12.34'}],"
        " versions: [{effective: 2025-01-01, tiers: [{up_to: '0.000001', rate: 1},"
        " {rate: '999999.999999'}]},"
        " {effective: 2030-01-01, tiers: [{up_to: '0.000003', rate: 1}, {rate: 2}]}]}"
    )
    long = "2025-01-01 2052-01-01"
    rows = pl.concat(
        [
            usage(long, "900000000 mcf", exemptions=["a"]),
            usage(long, "0.001 mcf", row=2, exemptions=["a"]),
        ]
    )
    rated = rate(town({"water": terms}), rows)
    assert rated.refusals.to_dicts()[0]["code"] == "usage_too_large"
    assert rated.refusals["row"].to_list() == [1]
    assert rated.lines["row"].to_list() == [2]


def test_nothing_to_rate_gives_empty_frames() -> None:
    rated = rate(town(TOWN), pl.DataFrame(schema=USAGES))
    assert (rated.lines.height, rated.refusals.height) == (0, 0)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (usage(JUNE).drop("unit"), "lack the column unit"),
        (usage(JUNE).with_columns(pl.col("row").cast(pl.String)), "column row of the usages is"),
    ],
)
def test_a_frame_of_another_shape_is_refused_whole(frame: pl.DataFrame, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        rate(town(TOWN), frame)


def test_reads_in_several_units_are_rated_together() -> None:
    rows = [
        usage(JUNE, used, row=row) for row, used in enumerate(["10 ccf", "1 mcf", "748.052 gal"])
    ]
    rated = rate(town({"water": ONE}), pl.concat(rows))
    assert dict(zip(rated.lines["row"], rated.lines["cents"], strict=True)) == {
        0: 20_00, 1: 20_00, 2: 2_00
    }  # fmt: skip


def test_a_million_accounts_are_rated_in_a_moment() -> None:
    one = usage("2024-05-15 2024-07-16", "9.3 mcf")
    many = pl.concat([one] * 1_000_000).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row")
    )
    started = time.perf_counter()
    rated = rate(town(TOWN), many)
    assert time.perf_counter() - started < 20
    assert rated.lines["cents"].sum() == 2 * 1_000_000 * 323_50
    assert rated.lines["steps"].null_count() == 1_000_000


def test_a_share_of_a_share_follows_both_changes() -> None:
    """30 days at 1.00; 10 percent, from the 11th 20; of that 50 percent, from the 21st 100."""
    day, change, later = "2025-01-01", "2026-06-11", "2026-06-21"
    terms = {
        "water": f"{{type: fixed, per: day, versions: [{{effective: {day}, amount: 1}}]}}",
        "sewer": "{type: percent, of: [water], versions:"
        f" [{{effective: {day}, percent: 10}}, {{effective: {change}, percent: 20}}]}}",
        "fund": "{type: percent, of: [sewer], versions:"
        f" [{{effective: {day}, percent: 50}}, {{effective: {later}, percent: 100}}]}}",
    }
    rated = rate(town(terms), usage(JUNE))
    assert bill(rated) == {"water": 30_00, "sewer": 1_00 + 4_00, "fund": 1_50 + 2_00}


def test_a_key_without_a_figure_in_one_version_is_refused_only_for_its_days() -> None:
    terms = (
        "{type: fixed, per: period, by: meter_size, versions:"
        " [{effective: 2025-01-01, amounts: {'1\"': 1, '2\"': 2}},"
        " {effective: 2026-06-11, amounts: {'2\"': 2}}]}"
    )
    schedule = town({"service": terms})
    rows = [
        usage("2026-05-01 2026-06-01", row=1),
        usage(JUNE, row=2),
        usage(JUNE, row=3, meter_size='2"'),
    ]
    rated = rate(schedule, pl.concat(rows))
    assert rated.refusals.select("row", "code").rows() == [(2, "unknown_meter_size")]
    assert rated.lines["row"].to_list() == [1, 3]

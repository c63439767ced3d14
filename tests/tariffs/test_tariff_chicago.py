"""Chicago's tariffs are its published figures, and its bills come out as worked by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from chamberlain import tariffs
from chamberlain.identity.actors import program_actor
from chamberlain.tariffs import operations, queries
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

FILE = Path(tariffs.__file__).parents[1] / "cities" / "chicago" / "tariffs.yaml"
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
GALLONS_IN_MCF = Fraction(1000 * 1728, 231)

# The City prints the water rate per 1,000 gallons too, and the two taxes together
# (Municipal Code of Chicago 3-80-040).
PRINTED_PER_1000_GALLONS = """
    2015-01-01 3.81    2019-06-01 3.98    2022-06-01 4.33    2024-06-01 4.70
    2017-06-01 3.88    2020-06-01 4.08    2023-06-01 4.55    2025-06-01 4.89
    2021-06-01 4.13
"""
COMBINED_TAX = "2017-01-01 0.59  2018-01-01 1.28  2019-01-01 2.01  2020-01-01 2.51"

pytestmark = pytest.mark.django_db


@pytest.fixture
def metered() -> Schedule:
    operations.load_tariffs(program_actor(), FILE, NOW)
    found = queries.schedule_by_code("chicago-metered")
    assert isinstance(found, Schedule)
    return found


@pytest.fixture
def non_metered(metered: Schedule) -> Schedule:
    found = queries.schedule_by_code("chicago-non-metered")
    assert isinstance(found, Schedule)
    return found


def printed(text: str) -> dict[date, Decimal]:
    words = text.split()
    return {
        date.fromisoformat(day): Decimal(figure)
        for day, figure in zip(words[::2], words[1::2], strict=True)
    }


def test_the_water_rate_is_the_one_that_the_city_prints_per_1000_gallons(
    metered: Schedule,
) -> None:
    """Some are printed a cent above the legal rate; a mistyped rate would be farther away.

    The legal rate, per thousand cubic feet, is the one that is billed.
    """
    rates = {version.effective: version.values[""] for version in metered.components[0].versions}
    for day, figure in printed(PRINTED_PER_1000_GALLONS).items():
        dollars = Fraction(rates[day], 1_000_000) * 1000 / GALLONS_IN_MCF
        assert abs(dollars - Fraction(figure)) < Fraction("0.015"), day


def test_the_two_taxes_together_are_the_published_combined_tax(metered: Schedule) -> None:
    _, _, water_tax, sewer_tax, _ = metered.components
    both = {
        one.effective: Decimal(one.values[""] + two.values[""]) / 1000
        for one, two in zip(water_tax.versions, sewer_tax.versions, strict=True)
    }
    assert both == printed(COMBINED_TAX)


# Class, dwelling units, period, mcf; then water, sewer, water tax, sewer tax, garbage, by hand:
#   9 × 36.51 = 328.59 · 9 mcf are 67,324.675… gallons × 0.001255 = 84.492… · 2 × 9.50 × 2 = 38.00
#   30 days at 35.10 and 31 at 36.51: 6.1 × (30 × 35.10 + 31 × 36.51) / 61 = 218.481
#   2016: no tax yet · 2015: no garbage yet either
#   a building of 5 units, and a shop, pay no garbage
BILLS = """
residential 2 2026-01-10 2026-03-10 9    328.59 328.59 84.49 84.49 38.00
residential 1 2025-05-02 2025-07-02 6.1  218.48 218.48 57.27 57.27 19.00
residential 4 2016-03-01 2016-05-01 10   285.20 285.20 -     -     76.00
residential 1 2015-03-01 2015-05-01 10   285.20 285.20 -     -     -
residential 5 2026-01-10 2026-03-10 1    36.51  36.51  9.39  9.39  -
commercial  0 2026-02-01 2026-03-01 0    0.00   0.00   0.00  0.00  -
commercial  0 2011-12-15 2012-01-15 31   517.50 452.93 -     -     -
"""
KINDS = ("water", "sewer", "water_tax", "sewer_tax", "garbage")


def account(row: int, line: list[str]) -> dict[str, object]:
    rate_class, units, start, end, mcf = line
    return {
        "row": row,
        "rate_class": rate_class,
        "meter_size": '5/8"',
        "dwelling_units": int(units),
        "exemptions": [],
        "attributes": "{}",
        "from_on": date.fromisoformat(start),
        "to_on": date.fromisoformat(end),
        "usage_thousandths": int(Decimal(mcf) * 1000),
        "unit": "mcf",
    }


def test_whole_bills_come_out_as_worked_by_hand(metered: Schedule) -> None:
    lines = [line.split() for line in BILLS.strip().splitlines()]
    usages = [account(row, line[:5]) for row, line in enumerate(lines)]
    rated = rate(metered, pl.DataFrame(usages, schema=USAGES))
    assert rated.refusals.is_empty()
    for row, line in enumerate(lines):
        found = rated.lines.filter(pl.col("row") == row)
        expected = {
            kind: int(Decimal(amount) * 100)
            for kind, amount in zip(KINDS, line[5:], strict=True)
            if amount != "-"
        }
        assert dict(zip(found["charge_kind"], found["cents"], strict=True)) == expected, line


def test_a_season_of_fixtures_is_billed_without_a_meter(non_metered: Schedule) -> None:
    # May to October 2015: two hoses at 106.73, one jet at 968.76; sewer is 100 percent of them.
    usage = account(1, ["residential", "2", "2015-05-01", "2015-11-01", "0"]) | {
        "unit": None,
        "attributes": '{"hose_frontage_up_to_30_ft": 2, "fountain_jet_to_1_8_inch": 1}',
    }
    rated = rate(non_metered, pl.DataFrame([usage], schema=USAGES))
    assert rated.refusals.is_empty()
    assert rated.lines["cents"].to_list() == [213_46, 968_76, 1182_22]
    # A year later garbage is billed too: 2 units, 6 months, 9.50.
    later = usage | {"from_on": date(2016, 5, 1), "to_on": date(2016, 11, 1)}
    rated = rate(non_metered, pl.DataFrame([later], schema=USAGES))
    assert rated.lines["cents"].to_list() == [213_46, 968_76, 1182_22, 114_00]


def test_a_part_of_a_season_with_a_new_rate_in_it_is_charged_by_its_days(
    non_metered: Schedule,
) -> None:
    # One hose, 1 May to 10 July 2025: 31 days at 131.32 and 39 at 136.57, of 184 days.
    usage = account(1, ["residential", "0", "2025-05-01", "2025-07-10", "0"]) | {
        "unit": None,
        "attributes": '{"hose_frontage_up_to_30_ft": 1}',
    }
    rated = rate(non_metered, pl.DataFrame([usage], schema=USAGES))
    assert rated.refusals.is_empty()
    assert rated.lines["cents"].to_list()[:2] == [51_07, 51_07]


def test_figures_that_were_computed_and_not_published_are_marked(non_metered: Schedule) -> None:
    unverified = queries.unverified_figures()
    # Eight fixtures in nine years since 2017.
    assert len(unverified) == 72
    assert {each.tariff_code for each in unverified} == {"chicago-non-metered"}
    newest = next(
        each.figure
        for each in unverified
        if each.component_code == "hose_frontage_up_to_30_ft"
        and each.figure.effective == date(2025, 6, 1)
    )
    # 106.73, nine times larger, each time rounded to the cent.
    assert newest.micros == 136_570_000
    assert "yearly percentage" in newest.note


def test_the_charge_kinds_are_those_of_the_bill(metered: Schedule, non_metered: Schedule) -> None:
    assert queries.charge_kinds_of(metered) == KINDS
    assert queries.charge_kinds_of(non_metered) == ("fixtures", "sewer", "garbage")

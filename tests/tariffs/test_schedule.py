"""A schedule is read strictly: every fault of a file is named with its place and reason."""

from datetime import date
from fractions import Fraction
from textwrap import dedent

import pytest
import yaml

from chamberlain.kernel.errors import BadFile
from chamberlain.tariffs import growth
from chamberlain.tariffs.parsing import TYPES, parse
from chamberlain.tariffs.reading import Faults
from chamberlain.tariffs.schedule import Fixed, Minimum, Percent, Schedule, Tier, Tiered
from chamberlain.tariffs.units import factor

HEAD = """
code: river-town
name: River Town water
unit: ccf
proration: by_day
source: Ordinance 7
components:
"""

COMPONENT = """
  - code: {code}
    label: A line
    charge_kind: water
    formula: In words
    source: Ordinance 7
    terms:
"""


def read(**terms: str) -> Schedule:
    """A schedule whose components have these terms, each written as YAML."""
    text = HEAD
    for code, written in terms.items():
        indented = "\n".join(f"      {line}" for line in dedent(written).strip().splitlines())
        text += COMPONENT.format(code=code) + indented + "\n"
    return parse(_typed(text))


def _typed(text: str) -> dict:
    return yaml.safe_load(text)


def faults(**terms: str) -> list[str]:
    with pytest.raises(BadFile) as refused:
        read(**terms)
    return [str(record) for record in refused.value.records]


@pytest.mark.parametrize(
    ("of", "to", "exactly"),
    [
        ("ccf", "gal", Fraction(57_600, 77)),
        ("mcf", "gal", Fraction(576_000, 77)),
        ("ccf", "mcf", Fraction(1, 10)),
        ("kgal", "gal", Fraction(1000)),
        ("kl", "gal", Fraction(1_000_000) / Fraction("3785.411784")),
        ("kl", "ccf", Fraction(1_000_000) / (100 * Fraction("28316.846592"))),
    ],
)
def test_units_convert_exactly(of: str, to: str, exactly: Fraction) -> None:
    assert factor(of, to) == exactly
    assert factor(to, of) * factor(of, to) == 1


def test_a_schedule_of_every_type_is_read() -> None:
    found = read(
        service="""
            type: fixed
            per: month
            by: meter_size
            versions: [{effective: 2026-01-01, amounts: {'1"': "12.50", '2"': 20}}]
        """,
        homes="{type: per_dwelling_unit, per: period,"
        " versions: [{effective: 2026-01-01, amount: 3}]}",
        hoses="{type: fixtures, count: hoses, versions: [{effective: 2026-01-01, rate: 3}]}",
        water="""
            type: tiers
            unit: ccf
            per: month
            per_dwelling_unit: true
            versions:
              - effective: 2026-01-01
                tiers: [{up_to: 10, rate: "2.87"}, {rate: "4.29"}]
                verified: false
                source: A newspaper
                note: To be checked
        """,
        garden="""
            type: budget_tiers
            unit: kgal
            budget: water_budget
            versions:
              - {effective: 2026-01-01, tiers: [{up_to_percent: 100, rate: 1}, {rate: 2}]}
        """,
        sewer="{type: percent, of: water, versions: [{effective: 2026-01-01, percent: '88.5'}]}",
        tax="{type: flat_rate, unit: gal, before_first_version: no_charge,"
        " versions: [{effective: 2026-01-01, rate: '0.001255'}]}",
        least="""
            type: minimum
            per: day
            of: [water, sewer]
            applies_to: {rate_class: [residential]}
            most_dwelling_units: 4
            versions: [{effective: 2026-01-01, amount: "0.25"}]
            exemptions: [{code: senior, percent: 50, from: 2026-02-01, to: 2026-03-01}]
        """,
    )
    assert {type(component.terms).__name__ for component in found.components} == {
        "Fixed", "Tiered", "Percent", "FlatRate", "Minimum"
    }  # fmt: skip
    service, homes, hoses, water, garden, sewer, tax, least = found.components
    assert service.versions[0].values == {'1"': 12_500_000, '2"': 20_000_000}
    assert service.by == ("meter_size",)
    assert (homes.terms, hoses.terms) == (Fixed("period", True), Fixed("period", count="hoses"))
    [version] = water.versions
    assert version.values == {"": (Tier(Fraction(10), 2_870_000), Tier(None, 4_290_000))}
    assert (version.source, version.is_verified, version.note) == (
        "A newspaper", False, "To be checked"
    )  # fmt: skip
    assert garden.terms == Tiered("kgal", "period", False, "water_budget")
    assert (sewer.terms, sewer.versions[0].values) == (Percent(("water",)), {"": 885_000})
    assert tax.begins_with_first_version
    assert least.terms == Minimum(("water", "sewer"), "day")
    [exemption] = least.exemptions
    assert (exemption.from_on, exemption.to_on) == (date(2026, 2, 1), date(2026, 3, 1))
    assert (exemption.percent, exemption.source) == (50, "Ordinance 7")
    assert len(TYPES) == 8


WATER = "{type: flat_rate, unit: ccf, versions: [{effective: 2026-01-01, rate: '2'}]}"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("7", "water: must be a map of fields, not “7”"),
        ("{unit: ccf}", "water.type: is missing; write one of fixed, per_dwelling_unit, fixtures"),
        ("{type: flat}", "water.type: “flat” is not known; write one of fixed"),
        ("{type: flat_rate, unit: liter}", "water.unit: “liter” is not known; write one of ccf"),
        ("{type: flat_rate, unit: ccf}", "water.versions: must be a list with at least one item"),
        (WATER.replace("'2'", "2.5"), "water.2026-01-01.rate: write 2.5 as text, in quotes"),
        (WATER.replace("'2'", "'-2'"), "water.2026-01-01.rate: “-2” is not a number of at least"),
        (WATER.replace("'2'", "'0.0000001'"), "rate: “0.0000001” is not a number of at least zero"),
        (WATER.replace("'2'", "'1000001'"), "rate: “1000001” is larger than 1,000,000"),
        (WATER.replace("'2'", "true"), "water.2026-01-01.rate: “True” is not a number"),
        (WATER.replace("rate: '2'", "rat: 2"), "water.2026-01-01.rat: is not a field that belongs"),
        (WATER.replace("rate: '2'", "note: ''"), "water.2026-01-01.rate: is missing; write a num"),
        (WATER.replace("2026-01-01", "someday"), "water.someday.effective: “someday” is not a day"),
        (WATER.replace("effective: 2026-01-01, ", ""), "water.version 1.effective: is missing"),
        (WATER.replace("'2'}", "'2', verified: maybe}"), "verified: must be true or false"),
        (WATER.replace("'2'}", "'2'}, {effective: 2026-01-01, rate: 3}"), "must be later than in"),
        (WATER.replace("'2'}", "'2', note: 7}"), "water.2026-01-01.note: must be a text"),
        (WATER.replace("unit: ccf", "unit: ccf, by: []"), "water.by: must name each thing once"),
        (WATER.replace("unit: ccf", "unit: ccf, by: [[1]]"), "water.by: must be a name or a list"),
        (WATER.replace("unit: ccf", "unit: ccf, by: a-b"), "water.by: “a-b” is no attribute"),
        (WATER.replace("unit: ccf", "unit: ccf, by: zone"), "rates: must be a map from each value"),
        (WATER.replace("unit: ccf", "unit: ccf, most_dwelling_units: 0"), "number above zero"),
        (WATER.replace("unit: ccf", "unit: ccf, applies_to: {A: [b]}"), "“A” is no attribute"),
        (WATER.replace("unit: ccf", "unit: ccf, applies_to: {a: b}"), "a: must be a list with at"),
        (WATER.replace("unit: ccf", "unit: ccf, colour: red"), "water.colour: is not a field that"),
        ("{type: fixtures, count: A, versions: []}", "water.count: “A” is no attribute"),
        ("{type: fixtures, count: meter_size, versions: []}", "“meter_size” is no attribute of"),
        *(
            (
                f"{{type: fixtures, count: hoses, season_starts: {starts}, versions: []}}",
                "water.season_starts: must list different months, 1 to 12, in their order",
            )
            for starts in ("5", "[]", "[11, 5]", "[5, 5]", "[0, 6]", "[[5]]", "[May]")
        ),
        ("{type: budget_tiers, budget: 'B b', versions: []}", "“B b” is no attribute of the acc"),
        ("{type: percent, versions: []}", "water.of: is missing; name the components"),
        ("{type: percent, of: [sewer], versions: []}", "“sewer” is no component above this one"),
        (
            "{type: percent, of: [], versions: [{effective: 2026-01-01, percent: '0.00001'}]}",
            "water.2026-01-01.percent: has more than four decimals",
        ),
    ],
)
def test_a_fault_is_named_with_place_and_reason(terms: str, said: str) -> None:
    assert any(said in fault for fault in faults(water=terms)), faults(water=terms)


TIERS = "{type: tiers, unit: ccf, versions: [{effective: 2026-01-01, tiers: %s}]}"


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        ("7", "water.2026-01-01.tiers: must be a list of 1 to 20 tiers"),
        ("[]", "water.2026-01-01.tiers: must be a list of 1 to 20 tiers"),
        ("[{up_to: 5, rate: 1}]", "tiers.1.up_to: the last tier has no end; leave it out"),
        ("[{up_to: 0, rate: 1}, {rate: 2}]", "tiers.1.up_to: must be larger than in the tier"),
        ("[{up_to: 5, rate: 1}, {up_to: 5, rate: 2}, {rate: 2}]", "tiers.2.up_to: must be larger"),
        ("[{up_to: 5}, {rate: 2}]", "water.2026-01-01.tiers.1.rate: is missing"),
        ("[{rate: 2, price: 3}]", "tiers.1.price: is not a field that belongs here"),
    ],
)
def test_a_fault_of_a_tier_is_named(tiers: str, said: str) -> None:
    assert any(said in fault for fault in faults(water=TIERS % tiers))


@pytest.mark.parametrize(
    ("exemption", "said"),
    [
        ("{code: Senior, percent: 50}", "exemption 1.code: “Senior” must be small letters"),
        ("{code: senior, percent: 101}", "exemption 1.percent: “101” is larger than 100"),
        ("{code: senior, percent: '1.234'}", "exemption 1.percent: has more than two decimals"),
        ("{code: senior, percent: 5, from: 2026-02-01, to: 2026-01-01}", "is not after 2026-02-01"),
        ("{code: senior, percent: 5, until: 2026-02-01}", "exemption 1.until: is not a field"),
    ],
)
def test_a_fault_of_an_exemption_is_named(exemption: str, said: str) -> None:
    terms = WATER.replace("unit: ccf", f"unit: ccf, exemptions: [{exemption}]")
    assert any(said in fault for fault in faults(water=terms))


def test_all_faults_are_listed_and_the_sentence_names_the_first() -> None:
    with pytest.raises(BadFile) as refused:
        read(water=WATER.replace("'2'", "2.5"), sewer="{type: percent, of: [rain], versions: []}")
    assert len(refused.value.records) == 3
    assert refused.value.sentence == (
        "Tariff “river-town” cannot be used: water.2026-01-01.rate: write 2.5 as text, in quotes, "
        "so that it stays exact and 2 more; correct the file."
    )


def test_the_head_of_a_tariff_is_checked_too() -> None:
    with pytest.raises(BadFile) as refused:
        parse({"code": "River", "name": "x" * 121, "unit": "ccf", "proration": "weekly", "x": 1})
    said = [str(record) for record in refused.value.records]
    assert said == [
        "code: “River” must be small letters, digits, _ and - only",
        "name: is longer than 120 characters",
        "proration: “weekly” is not known; write one of by_day, by_read_date, none",
        "source: is missing; write a text",
        "components: must be a list with at least one item",
        "x: is not a field that belongs here; check its spelling",
    ]
    with pytest.raises(BadFile):
        parse(None)


def test_a_component_that_is_no_map_or_stands_twice_is_a_fault() -> None:
    content = _typed(HEAD + COMPONENT.format(code="water") + f"      {WATER}")
    twice = content | {"components": content["components"] * 2 + ["water"]}
    with pytest.raises(BadFile) as refused:
        parse(twice)
    said = [str(record) for record in refused.value.records]
    assert "water.code: “water” stands here a second time" in said
    assert "must be a map of fields, not “water”" in said[1]


def test_there_is_an_end_to_components_and_versions() -> None:
    content = _typed(HEAD + COMPONENT.format(code="water") + f"      {WATER}")
    [component] = content["components"]
    many = [component | {"code": f"water{number}"} for number in range(61)]
    with pytest.raises(BadFile, match="more than 60 components"):
        parse(content | {"components": many})
    component["terms"]["versions"] = [
        {"effective": f"{1800 + number}-01-01", "rate": 1} for number in range(201)
    ]
    with pytest.raises(BadFile, match="more than 200 versions"):
        parse(content)


def test_a_figure_grows_by_a_percentage_to_the_cent_and_stays_unverified() -> None:
    found: Faults = []
    terms = {
        "type": "fixtures",
        "versions": [{"effective": "2015-01-01", "rate": "106.73"}],
        "growth": {
            "note": "Computed",
            "percents": [
                {"effective": "2017-06-01", "percent": "1.83"},
                {"effective": "2018-06-01", "percent": "1.54"},
            ],
        },
    }
    grown = growth.grown(terms, found, "garden")
    assert found == []
    assert grown["versions"][1:] == [
        {"effective": "2017-06-01", "rate": "108.68", "verified": False, "note": "Computed"},
        {"effective": "2018-06-01", "rate": "110.35", "verified": False, "note": "Computed"},
    ]
    assert "growth" not in grown
    growth.grown(terms | {"versions": 7, "growth": {"x": 1}}, found, "garden")
    assert [str(fault) for fault in found] == [
        "garden.growth.rate: is missing; write a number as text",
        "garden.growth.note: is missing; write a text",
        "garden.growth.percents: must be a list with at least one item",
        "garden.growth.x: is not a field that belongs here; check its spelling",
    ]

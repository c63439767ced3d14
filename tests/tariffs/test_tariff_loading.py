"""Tariffs are loaded by an administrator, whole or not at all, and keep their history."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from django.apps import apps

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import BadFile, Invalid, NotFound, NotPermitted
from chamberlain.tariffs import operations, owrs, queries
from chamberlain.tariffs.models import Component, Tariff
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES
from tests.office import make_actor

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
EVENTS = apps.get_model("tariffs", "ComponentEvent")

pytestmark = pytest.mark.django_db


def river_town(rate: str = "2.00", **changes: object) -> dict:
    """A file with one tariff of two lines."""
    water = {
        "code": "water",
        "label": "Water",
        "charge_kind": "water",
        "formula": "Usage × rate",
        "source": "Ordinance 7",
        "terms": {
            "type": "flat_rate",
            "unit": "ccf",
            "versions": [{"effective": date(2026, 1, 1), "rate": rate, "verified": False}],
        },
    }
    service = {
        "code": "service",
        "label": "Service",
        "charge_kind": "service",
        "formula": "Each period",
        "source": "Ordinance 7",
        "terms": {
            "type": "fixed",
            "per": "period",
            "by": "meter_size",
            "versions": [{"effective": "2026-01-01", "amounts": {"1": "5.00", "2": "8.00"}}],
        },
    }
    tariff = {
        "code": "river-town",
        "name": "River Town",
        "unit": "ccf",
        "proration": "by_day",
        "source": "Ordinance 7",
        "components": [water, service],
    }
    return {"tariffs": [tariff | changes]}


def load(content: dict | Path) -> str:
    [loaded] = operations.load_tariffs(program_actor(), content, NOW)
    return loaded.change


def test_the_same_content_loaded_again_changes_nothing() -> None:
    assert load(river_town()) == "created"
    before = list(EVENTS.objects.values_list("pk", flat=True))
    assert load(river_town()) == "unchanged"
    assert list(EVENTS.objects.values_list("pk", flat=True)) == before


def test_changed_terms_replace_the_old_ones_which_stay_in_the_history() -> None:
    load(river_town("2.00"))
    actor = make_actor("ada", Role.ADMINISTRATOR)
    [loaded] = operations.load_tariffs(actor, river_town("2.50"), NOW)
    assert (loaded.change, loaded.at) == ("changed", NOW)
    events = EVENTS.objects.filter(code="water").order_by("pgh_id")
    rates = [event.terms["versions"][0]["rate"] for event in events]
    assert rates == ["2.00", "2.50"]
    assert events.last().pgh_context.metadata["actor"] == actor.name


def test_components_change_places_and_ids_stay() -> None:
    load(river_town())
    ids = dict(Component.objects.values_list("code", "pk"))
    [tariff] = river_town()["tariffs"]
    third = tariff["components"][1] | {"code": "fire"}
    swapped = [tariff["components"][1], third, tariff["components"][0]]
    assert load(river_town(components=swapped)) == "changed"
    found = list(Component.objects.order_by("position").values_list("code", "position"))
    assert found == [("service", 1), ("fire", 2), ("water", 3)]
    assert ids.items() <= dict(Component.objects.values_list("code", "pk")).items()


def test_a_component_that_bills_may_cite_cannot_vanish() -> None:
    load(river_town())
    [tariff] = river_town()["tariffs"]
    with pytest.raises(BadFile) as refused:
        load(river_town(components=tariff["components"][:1]))
    assert refused.value.sentence == (
        "Tariff “river-town” cannot be loaded: service is no longer there; keep it, with a "
        "version of zero from its last day on."
    )
    assert Component.objects.count() == 2


def test_a_file_with_a_fault_changes_nothing_and_lists_all_of_them(tmp_path: Path) -> None:
    good, bad = river_town()["tariffs"][0], river_town(2.5)["tariffs"][0]  # type: ignore[arg-type]
    content = {"tariffs": [good, bad | {"proration": "weekly"}, 7], "extra": 1}
    with pytest.raises(BadFile) as refused:
        load(content)
    said = [str(record) for record in refused.value.records]
    assert "river-town.proration: “weekly” is not known; write one of by_day" in said[0]
    assert "river-town.water.2026-01-01.rate: write 2.5 as text, in quotes" in said[1]
    assert any(fault.startswith("tariff 3.") for fault in said)
    assert "extra: is not a field that belongs here; check its spelling" in said
    assert "river-town.code: stands in the file a second time" in said
    assert not Tariff.objects.exists()


YAML = """
tariffs:
  - code: hoses
    name: Hoses
    unit: ccf
    proration: by_day
    source: Ordinance 8
    components:
      - code: hose
        label: Hose
        charge_kind: fixtures
        formula: Hoses × rate
        source: Ordinance 8
        terms:
          type: fixtures
          count: hoses
          versions: [{effective: 2015-01-01, rate: "106.73"}]
          growth: {note: Computed, percents: [{effective: 2017-06-01, percent: "1.83"}]}
"""


def test_a_file_is_read_and_its_growth_written_out(tmp_path: Path) -> None:
    path = tmp_path / "hoses.yaml"
    path.write_text(YAML)
    assert load(path) == "created"
    assert load(path) == "unchanged"
    [line] = queries.components_of("hoses")
    figures = [(str(f.effective), f.micros, f.is_verified, f.note) for f in line.figures]
    assert figures == [
        ("2015-01-01", 106_730_000, True, ""),
        ("2017-06-01", 108_680_000, False, "Computed"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"tariffs: [", "“bad.yaml” cannot be used: line 1: is not YAML"),
        (b"tariffs: 1\ntariffs: 2", "line 2: is not YAML: tariffs stands here a second time"),
        (b"- 1", "file: must be a map with `tariffs`"),
        (b"\xff", "file: is not UTF-8 text"),
        (b"a: \x00", "file: is not YAML"),
        (b"a: 2026-99-99", "file: is not YAML"),
        (b"#" * 2_000_001, "file: is larger than 2,000,000 bytes"),
        (b"x: &x [1, 1]\ny: &y [*x, *x]\n" + b"z: [" + b"*y, " * 30_000 + b"]", "holds more than"),
        (b"tariffs: " + b"[" * 30 + b"]" * 30, "file: holds more than any tariff does"),
        (b"tariffs: {a: 1}", "tariffs: must be a list with at least one item"),
    ],
)
def test_a_file_that_is_no_tariff_file_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(BadFile) as refused:
        load(path)
    assert said in refused.value.sentence
    with pytest.raises(BadFile, match="cannot be read"):
        load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("change", [{"code": "hoses"}, {"terms": 7}])
def test_growth_of_a_broken_component_is_no_crash(change: dict) -> None:
    [tariff] = river_town()["tariffs"]
    with pytest.raises(BadFile):
        load(river_town(components=[change, 7]))
    with pytest.raises(BadFile):
        load({"tariffs": [tariff | {"components": 7}]})


def test_only_an_administrator_loads_tariffs(tmp_path: Path) -> None:
    clerk = make_actor("cleo", Role.CLERK)
    with pytest.raises(NotPermitted):
        operations.load_tariffs(clerk, river_town(), NOW)
    with pytest.raises(NotPermitted):
        operations.load_owrs(clerk, tmp_path, "x", "X", "water", "Nowhere", NOW)


def test_figures_are_shown_through_the_years() -> None:
    load(river_town())
    water, service = queries.components_of("river-town")
    assert [(f.key, f.micros, f.unit, f.source) for f in service.figures] == [
        ("1", 5_000_000, "period", "Ordinance 7"),
        ("2", 8_000_000, "period", "Ordinance 7"),
    ]
    assert queries.component_figures(water.component_id) == water
    [unverified] = queries.unverified_figures()
    assert (unverified.tariff_code, unverified.component_code) == ("river-town", "water")
    assert unverified.figure.effective == date(2026, 1, 1)
    assert queries.tariff_row("river-town").components == 2


def test_units_of_figures_say_per_what() -> None:
    [tariff] = river_town()["tariffs"]
    water = tariff["components"][0]
    day = "2026-01-01"
    tiers = {"effective": day, "tiers": [{"up_to": "7.5", "rate": 1}, {"rate": 2}]}
    terms = {
        "t": {"type": "tiers", "unit": "kgal", "versions": [tiers]},
        "p": {"type": "percent", "of": ["t"], "versions": [{"effective": day, "percent": 5}]},
        "m": {
            "type": "minimum",
            "of": ["t"],
            "per": "month",
            "versions": [{"effective": day, "amount": 5}],
        },
        "d": {
            "type": "per_dwelling_unit",
            "per": "month",
            "versions": [{"effective": day, "amount": 5}],
        },
        "h": {"type": "fixtures", "count": "hoses", "versions": [{"effective": day, "rate": 5}]},
    }
    load(river_town(components=[water | {"code": c, "terms": t} for c, t in terms.items()]))
    found = queries.components_of("river-town")
    assert [line.figures[0].unit for line in found] == ["kgal", "t", "month", "unit-month", "hoses"]
    assert [(f.tier, f.up_to, f.micros) for f in found[0].figures] == [
        (1, "7.5", 1_000_000),
        (2, "", 2_000_000),
    ]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: queries.schedule(0),
        lambda: queries.schedule_by_code("nowhere"),
        lambda: queries.components_of("nowhere"),
        lambda: queries.component_figures(0),
    ],
)
def test_a_tariff_that_is_not_there_is_said_so(ask: Callable[[], object]) -> None:
    with pytest.raises(NotFound):
        ask()


# --- Published files ---------------------------------------------------------------------------

PUBLISHED = """
metadata:
  effective_date: 2016-03-01
  utility_name: Lake Town
  bill_frequency: monthly
rate_structure:
  HOMES:
    tier_starts: [0, 11, 21]
    tier_prices: [1.005, 2, 3.5]
    commodity_charge: Tiered
    service_charge:
      depends_on: meter_size
      values: {1": 12.345, 2": 20}
    bill: commodity_charge + service_charge
  FARMS:
    flat_rate: 0.3333333
    commodity_charge: flat_rate*usage_ccf
    rebate: -5
    bill: commodity_charge + service_charge + rebate
    service_charge: 1
  GARDENS:
    bill: usage_ccf*2 + irr_area/100
"""


def lake_town(tmp_path: Path) -> OwrsSchedule:
    path = tmp_path / "lake.owrs"
    path.write_text(PUBLISHED)
    loaded = operations.load_owrs(
        program_actor(), path, "lake-town", "Lake Town", "water", "Its web site", NOW
    )
    found = queries.schedule(loaded.tariff_id)
    assert isinstance(found, OwrsSchedule)
    return found


def used(row: int, rate_class: str | None, thousandths: int, **known: object) -> dict:
    return {
        "row": row,
        "rate_class": rate_class,
        "meter_size": '1"',
        "dwelling_units": 1,
        "exemptions": None,
        "attributes": None,
        "from_on": date(2026, 1, 1),
        "to_on": date(2026, 2, 1),
        "usage_thousandths": thousandths,
        "unit": "ccf",
    } | known


def test_a_published_tariff_prints_a_line_for_each_part_of_a_plain_sum(tmp_path: Path) -> None:
    schedule = lake_town(tmp_path)
    assert list(schedule.lines) == ["commodity_charge", "service_charge", "rebate", "bill"]
    assert queries.charge_kinds_of(schedule) == ("water",)
    assert schedule.unit == "ccf"
    rows = [used(1, "HOMES", 1000), used(2, "HOMES", 12_500), used(3, "HOMES", 0, unit=None)]
    rated = rate(schedule, pl.DataFrame(rows, schema=USAGES))
    assert rated.refusals.is_empty()
    lines = rated.lines.sort("row", "position").to_dicts()
    # 1.005 is half a cent: it goes up; as does 12.345.
    assert [(line["row"], line["cents"]) for line in lines] == [
        (1, 1_01), (1, 12_35), (2, 10_05 + 5_00), (2, 12_35), (3, 0), (3, 12_35)
    ]  # fmt: skip
    assert (lines[0]["rate_micros"], lines[0]["steps"]) == (1_005_000, None)
    assert lines[2]["rate_micros"] is None
    assert lines[2]["steps"] == (
        '[{"tier":1,"quantity_thousandths":10000,"rate_micros":1005000},'
        '{"tier":2,"quantity_thousandths":2500,"rate_micros":2000000}]'
    )
    assert (lines[1]["quantity_thousandths"], lines[1]["unit"], lines[1]["days"]) == (
        1000, "period", 31
    )  # fmt: skip
    assert rate(schedule, pl.DataFrame(rows, schema=USAGES), explained=False).lines[
        "steps"
    ].null_count() == len(lines)


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        (used(1, "SHIPS", 1), "unknown_class", "lake-town has no class “SHIPS”"),
        (used(1, None, 1), "unknown_class", "no class “(none)”"),
        (used(1, "HOMES", 1, meter_size="9"), "cannot_compute", "meter_size 9 is not in"),
        (used(1, "HOMES", 1, unit=None), "unit_differs", "The usage is in no unit"),
        (used(1, "HOMES", 1, unit="gal"), "unit_differs", "The usage is in gal, which is no whole"),
        (used(1, "FARMS", 1000), "charge_negative", "comes to less than zero"),
        (used(1, "GARDENS", 1), "cannot_compute", "irr_area is missing"),
    ],
)
def test_what_a_published_tariff_cannot_rate_is_refused(
    tmp_path: Path, row: dict, code: str, said: str
) -> None:
    schedule = lake_town(tmp_path)
    good = used(2, "GARDENS", 5000, attributes='{"irr_area": "250"}')
    rated = rate(schedule, pl.DataFrame([row, good], schema=USAGES))
    [refused] = rated.refusals.to_dicts()
    assert (refused["row"], refused["code"]) == (1, code)
    assert said in refused["sentence"]
    assert (rated.lines["row"].to_list(), rated.lines["cents"].to_list()) == ([2], [12_50])


def test_usage_in_another_unit_is_converted_where_that_is_exact(tmp_path: Path) -> None:
    schedule = lake_town(tmp_path)
    rows = [used(1, "HOMES", 1200, unit="mcf")]
    rated = rate(schedule, pl.DataFrame(rows, schema=USAGES))
    assert rated.lines["quantity_thousandths"].to_list() == [12_000, 1000]
    assert rated.lines["cents"].to_list() == [10_05 + 4_00, 12_35]


def test_figures_that_have_no_exact_result_are_refused_for_the_class(tmp_path: Path) -> None:
    path = tmp_path / "odd.owrs"
    path.write_text(PUBLISHED.replace("usage_ccf*2 + irr_area/100", "usage_ccf/irr_area"))
    operations.load_owrs(program_actor(), path, "odd", "Odd", "water", "Nowhere", NOW)
    row = used(1, "GARDENS", 1000, attributes='{"irr_area": 3}')
    rated = rate(queries.schedule_by_code("odd"), pl.DataFrame([row], schema=USAGES))
    assert rated.refusals["code"].to_list() == ["cannot_compute"]
    assert rate(queries.schedule_by_code("odd"), pl.DataFrame(schema=USAGES)).lines.is_empty()


def test_a_published_tariff_loaded_again_changes_nothing(tmp_path: Path) -> None:
    lake_town(tmp_path)
    path = tmp_path / "lake.owrs"
    kinds = dict.fromkeys(["commodity_charge", "rebate", "bill"], "water") | {
        "service_charge": "service"
    }
    arguments = ("lake-town", "Lake Town")
    again = operations.load_owrs(program_actor(), path, *arguments, "water", "Its web site", NOW)
    other = operations.load_owrs(program_actor(), path, *arguments, kinds, "Its web site", NOW)
    assert (again.change, other.change) == ("unchanged", "changed")
    assert queries.charge_kinds_of(queries.schedule_by_code("lake-town")) == ("water", "service")
    assert queries.components_of("lake-town")[0].figures == ()


def test_what_a_published_tariff_needs_to_be_loaded(tmp_path: Path) -> None:
    lake_town(tmp_path)
    path = tmp_path / "lake.owrs"
    with pytest.raises(Invalid, match="small letters"):
        operations.load_owrs(program_actor(), path, "Lake Town", "L", "water", "Site", NOW)
    with pytest.raises(Invalid, match="kind of charge for service_charge"):
        operations.load_owrs(
            program_actor(), path, "lake", "L", {"commodity_charge": "water"}, "Site", NOW
        )
    with pytest.raises(Invalid, match="of another kind"):
        load(river_town(code="lake-town"))
    with pytest.raises(owrs.TariffFault):
        operations.load_owrs(program_actor(), tmp_path, "lake", "L", "water", "Site", NOW)
    path.write_text(
        PUBLISHED.replace("lake", "x").replace("effective_date", "bill_unit: hogshead\n  x")
    )
    with pytest.raises(Invalid, match="unit"):
        operations.load_owrs(program_actor(), path, "lake", "L", "water", "Site", NOW)


SANTA_MONICA = Path(operations.__file__).parents[1] / "cities" / "santa_monica"


def test_santa_monicas_usages_come_to_the_published_cent() -> None:
    operations.load_owrs(
        program_actor(),
        SANTA_MONICA / "tariff_2016-03-01.owrs",
        "santa-monica-2016",
        "City of Santa Monica",
        "water",
        "The City's tariff of 1 March 2016",
        NOW,
    )
    read = pl.read_csv(SANTA_MONICA / "usage.csv.gz")
    usages = read.select(
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        rate_class="cust_class",
        meter_size=pl.lit('1"'),
        dwelling_units=pl.lit(1, dtype=pl.Int64),
        exemptions=pl.lit(None, dtype=pl.List(pl.String)),
        attributes=pl.lit('{"water_type": "potable"}'),
        from_on=pl.lit(date(2016, 3, 1)),
        to_on=pl.lit(date(2016, 5, 1)),
        usage_thousandths=(pl.col("usage_ccf") * 1000).cast(pl.Int64),
        unit=pl.lit("ccf"),
    )
    rated = rate(queries.schedule_by_code("santa-monica-2016"), usages)
    assert (rated.lines.height, rated.lines["cents"].sum()) == (217_256, 7_659_850_741)
    assert rated.refusals["code"].value_counts().rows() == [("unknown_class", 811)]


def test_a_city_schedule_is_ready_to_rate_by() -> None:
    load(river_town())
    schedule = queries.schedule_by_code("river-town")
    assert isinstance(schedule, Schedule)
    row = used(1, "any", 3000, meter_size="1")
    rated = rate(schedule, pl.DataFrame([row], schema=USAGES))
    assert rated.lines["cents"].to_list() == [6_00, 5_00]
    assert set(rated.lines["component_id"]) == set(Component.objects.values_list("pk", flat=True))

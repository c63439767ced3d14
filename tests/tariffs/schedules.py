"""Random schedules and usages, for holding the rating against the oracle."""

import json
from datetime import date, timedelta

import polars as pl
from hypothesis import strategies as st

from chamberlain.tariffs.parsing import parse
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

UNITS = ["ccf", "mcf", "kgal", "gal", "kl"]
SIZES = ['5/8"', '1"', '2"']
CLASSES = ["residential", "commercial"]
CODES = ["senior", "church"]
FIRST = date(2024, 1, 1)

days = st.integers(0, 120).map(lambda offset: FIRST + timedelta(days=offset))
rates = st.integers(0, 9_999_999).map(lambda micros: f"{micros / 1e6:.6f}")


def _dates(draw: st.DrawFn) -> list[str]:
    later = draw(st.lists(days, max_size=3, unique=True).map(sorted))
    first = draw(st.sampled_from(["2020-01-01", None]))
    found = [str(day) for day in later if str(day) != first]
    return ([first] if first else []) + found or ["2020-01-01"]


def _tiers(draw: st.DrawFn, limit: str) -> list[dict]:
    ends = draw(st.lists(st.integers(1, 400), max_size=3, unique=True).map(sorted))
    found = [{limit: f"{end / 4:.2f}", "rate": draw(rates)} for end in ends]
    return [*found, {"rate": draw(rates)}]


def _value(draw: st.DrawFn, kind: str) -> object:
    if kind == "percent":
        return f"{draw(st.integers(0, 1_500_000)) / 1e4:.4f}"
    if kind in ("tiers", "budget_tiers"):
        return _tiers(draw, "up_to" if kind == "tiers" else "up_to_percent")
    return draw(rates)


FIELD = {
    "fixed": "amount",
    "per_dwelling_unit": "amount",
    "fixtures": "rate",
    "flat_rate": "rate",
    "percent": "percent",
    "minimum": "amount",
    "tiers": "tiers",
    "budget_tiers": "tiers",
}


def _by(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    by = draw(st.sampled_from([[], [], ["meter_size"], ["rate_class", "zone"]]))
    keys = {
        0: [""],
        1: SIZES,
        2: [f"{name}|{zone}" for name in CLASSES for zone in ("east", "west")],
    }[len(by)]
    return by, keys


def _of_its_kind(draw: st.DrawFn, kind: str, number: int) -> dict:
    terms: dict = {}
    if kind in ("flat_rate", "tiers", "budget_tiers"):
        terms["unit"] = draw(st.sampled_from(UNITS))
    if kind in ("fixed", "per_dwelling_unit", "tiers", "budget_tiers", "minimum"):
        terms["per"] = draw(st.sampled_from(["period", "month", "day"]))
    if kind == "tiers":
        terms["per_dwelling_unit"] = draw(st.booleans())
    if kind == "budget_tiers":
        terms["budget"] = "budget"
    if kind == "fixtures":
        terms["count"] = "hoses"
    if kind in ("percent", "minimum"):
        terms["of"] = draw(
            st.lists(st.integers(0, number - 1), min_size=1, unique=True, max_size=2)
        )
        terms["of"] = [f"line{each}" for each in terms["of"]]
    return terms


@st.composite
def components(draw: st.DrawFn, number: int) -> dict:
    kinds = [kind for kind in FIELD if number or kind not in ("percent", "minimum")]
    kind = draw(st.sampled_from(kinds))
    field = FIELD[kind]
    by, keys = _by(draw)
    terms: dict = {"type": kind, "versions": []}
    if by:
        terms["by"] = by
    for day in _dates(draw):
        if not by:
            figures: dict = {field: _value(draw, kind)}
        else:
            many = "tiers_by" if field == "tiers" else f"{field}s"
            figures = {many: {key: _value(draw, kind) for key in keys}}
        terms["versions"].append({"effective": day, **figures})
    terms |= _of_its_kind(draw, kind, number)
    if draw(st.booleans()):
        terms["exemptions"] = draw(st.lists(_exemptions(), min_size=1, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        terms["applies_to"] = {"rate_class": ["residential"]}
    if draw(st.integers(0, 3)) == 0:
        terms["most_dwelling_units"] = 4
    terms["before_first_version"] = draw(st.sampled_from(["no_charge", "no_charge", "refuse"]))
    return {
        "id": number + 1,
        "code": f"line{number}",
        "label": f"Line {number}",
        "charge_kind": "water",
        "formula": "in words",
        "source": "An ordinance",
        "terms": terms,
    }


@st.composite
def _exemptions(draw: st.DrawFn) -> dict:
    first = draw(st.none() | days)
    last = draw(st.none() | days)
    if first and last and last <= first:
        last = None
    percent = draw(st.sampled_from(["100", "50", "12.5", "33.33"]))
    return {
        "code": draw(st.sampled_from(CODES)),
        "percent": percent,
        "from": first and str(first),
        "to": last and str(last),
    }


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    count = draw(st.integers(1, 4))
    return parse(
        {
            "code": "random",
            "name": "Random",
            "unit": "ccf",
            "proration": draw(st.sampled_from(["by_day", "by_read_date", "none"])),
            "source": "Nowhere",
            "components": [draw(components(number)) for number in range(count)],
        }
    )


@st.composite
def usages(draw: st.DrawFn) -> list[dict]:
    found = []
    for row in range(draw(st.integers(1, 5))):
        start = draw(days)
        found.append(
            {
                "row": row * 3 + 1,
                "rate_class": draw(st.sampled_from(CLASSES)),
                "meter_size": draw(st.sampled_from(SIZES)),
                "dwelling_units": draw(st.integers(0, 6)),
                "exemptions": draw(st.lists(st.sampled_from(CODES), unique=True, max_size=2)),
                "attributes": {
                    "zone": draw(st.sampled_from(["east", "west"])),
                    "budget": draw(st.sampled_from(["0", "7.5", "20", "31.125"])),
                    "hoses": draw(st.integers(0, 3)),
                },
                "from_on": start,
                "to_on": start + timedelta(days=draw(st.integers(1, 75))),
                "usage_thousandths": draw(st.integers(0, 200_000) | st.just(0)),
                "unit": draw(st.sampled_from(UNITS)),
            }
        )
    return found


def frame(rows: list[dict]) -> pl.DataFrame:
    """Usages as `rate` takes them."""
    return pl.DataFrame(
        [{**row, "attributes": json.dumps(row["attributes"])} for row in rows], schema=USAGES
    )

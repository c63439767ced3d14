"""Why a bill is what it is: the parts add up exactly, and are what a plain oracle finds."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chamberlain.billing.comparing.freezing import changes, frozen
from chamberlain.billing.comparing.splitting import (
    LINES,
    PAIRS,
    PARTS,
    SIDES,
    SPLIT,
    split_differences,
)
from chamberlain.billing.comparing.words import signed
from chamberlain.tariffs import owrs, owrs_rating
from chamberlain.tariffs.owrs_rating import OwrsLine, OwrsSchedule
from chamberlain.tariffs.parsing import parse
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.schedule import Component, Schedule, Version
from tests.tariffs.oracle import Account, CannotRate
from tests.tariffs.schedules import FIRST, frame, schedules, usages

PLENTY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TERMS = ("rate_class", "meter_size", "dwelling_units", "exemptions", "attributes")


class FrozenAccount(Account):
    """Rates by the figures of one day, whatever day it is; what has none is not charged."""

    def __init__(self, schedule: Schedule, usage: dict, on: date) -> None:
        self.on = on
        known: set[str] = set()
        for component in schedule.components:
            of = getattr(component.terms, "of", ())
            is_percent = type(component.terms).__name__ == "Percent"
            if component.versions[0].effective <= on and not (is_percent and not known & set(of)):
                known.add(component.code)
        kept = [component for component in schedule.components if component.code in known]
        super().__init__(replace(schedule, components=tuple(map(self.only(known), kept))), usage)

    @staticmethod
    def only(known: set[str]):
        def without_unknown(component: Component) -> Component:
            of = getattr(component.terms, "of", None)
            if of is None:
                return component
            terms = replace(component.terms, of=tuple(code for code in of if code in known))
            return replace(component, terms=terms)

        return without_unknown

    def version(self, component: Component, day: date) -> Version | None:
        return [v for v in component.versions if v.effective <= self.on][-1]

    def kept(self, component: Component, day: date) -> Fraction:
        schedule, self.schedule = self.schedule, replace(self.schedule, proration="by_day")
        found = super().kept(component, self.on)
        self.schedule = schedule
        return found


def lines_of(account: type[Account], schedule: Schedule, usage: dict, *on: date) -> dict[int, int]:
    ids = {component.code: component.id for component in schedule.components}
    return {ids[code]: cents for code, cents in account(schedule, usage, *on).lines.items()}


def expected_steps(schedule: Schedule, before: dict, now: dict) -> list[dict[int, int]] | None:
    """Lines after each step from the bill before to this one; None where one cannot be rated."""
    on = before["to_on"] - timedelta(days=1)
    days = (now["to_on"] - now["from_on"]).days
    days_before = (before["to_on"] - before["from_on"]).days
    exact = Fraction(before["usage_thousandths"] * days, days_before)
    longer = before | {
        "from_on": now["from_on"],
        "to_on": now["to_on"],
        "usage_thousandths": int(exact + Fraction(1, 2)),
    }
    used = longer | {name: now[name] for name in ("usage_thousandths", "unit")}
    try:
        return [
            lines_of(Account, schedule, before),
            lines_of(FrozenAccount, schedule, before, on),
            lines_of(FrozenAccount, schedule, longer, on),
            lines_of(FrozenAccount, schedule, used, on),
            lines_of(FrozenAccount, schedule, used | {name: now[name] for name in TERMS}, on),
            lines_of(Account, schedule, now),
        ]
    except CannotRate:
        return None


def sides_of(rows: list[dict]) -> pl.DataFrame:
    return frame(rows).rename({"row": "bill_id"}).select(SIDES.keys())


def lines_frame(billed: dict[int, dict[int, int]]) -> pl.DataFrame:
    rows = [
        (bill_id, component_id, cents)
        for bill_id, lines in billed.items()
        for component_id, cents in lines.items()
    ]
    return pl.DataFrame(rows, schema=LINES, orient="row")


def pairs_frame(pairs: list[tuple[int, int]]) -> pl.DataFrame:
    rows = [(number, now, before) for number, (now, before) in enumerate(pairs)]
    return pl.DataFrame(rows, schema=PAIRS, orient="row")


@st.composite
def billed_rows(draw: st.DrawFn) -> tuple[list[dict], dict[int, dict[int, int]]]:
    """Bills, the later ones first to last, and what was printed on each, right or not."""
    rows = [*draw(usages()), *draw(usages())]
    for number, row in enumerate(rows):
        row["row"] = number + 1
    cents = st.integers(0, 90_000)
    billed = {
        row["row"]: draw(st.dictionaries(st.integers(1, 4), cents, max_size=4)) for row in rows
    }
    return rows, billed


@given(schedules(), billed_rows())
@PLENTY
def test_parts_add_up_and_are_what_rating_day_by_day_gives(
    schedule: Schedule, made: tuple[list[dict], dict[int, dict[int, int]]]
) -> None:
    rows, billed = made
    pairs = [(later["row"], earlier["row"]) for earlier, later in itertools.pairwise(rows)]
    found = split_differences(schedule, sides_of(rows), lines_frame(billed), pairs_frame(pairs))
    assert dict(found.schema) == SPLIT
    by_id = {row["row"]: row for row in rows}
    for number, (now, before) in enumerate(pairs):
        split = {row["component_id"]: row for row in found.to_dicts() if row["pair"] == number}
        for component_id, row in split.items():
            parts = sum(row[f"{part}_cents"] for part in PARTS)
            assert row["before_cents"] + parts == row["cents"]
            assert row["before_cents"] == billed[before].get(component_id, 0)
            assert row["cents"] == billed[now].get(component_id, 0)
        total = sum(row["cents"] - row["before_cents"] for row in split.values())
        assert total == sum(billed[now].values()) - sum(billed[before].values())
        check_against_oracle(split, expected_steps(schedule, by_id[before], by_id[now]))


def check_against_oracle(split: dict[int, dict], steps: list[dict[int, int]] | None) -> None:
    if steps is None:
        assert not any(row["is_rated"] for row in split.values())
        return
    for component_id, row in split.items():
        s0, s1, s2, s3, s4, s5 = (step.get(component_id, 0) for step in steps)
        assert row["is_rated"]
        assert row["rates_cents"] == s1 - s0 + s5 - s4
        assert row["days_cents"] == s2 - s1
        assert row["usage_cents"] == s3 - s2
        assert row["terms_cents"] == s4 - s3


def tariff(proration: str = "by_day") -> Schedule:
    """Ten units a month at $2, the rest at $4; from July each a dollar more; and a fee by day."""
    tiers = [
        {"effective": "2020-01-01", "tiers": [{"up_to": "10", "rate": "2"}, {"rate": "4"}]},
        {"effective": "2026-07-01", "tiers": [{"up_to": "10", "rate": "3"}, {"rate": "5"}]},
    ]
    return parse(
        {
            "code": "t",
            "name": "T",
            "unit": "ccf",
            "proration": proration,
            "source": "An ordinance",
            "components": [
                {"id": 7, "code": "water", "label": "Water", "charge_kind": "water",
                 "formula": "By tiers", "source": "An ordinance",
                 "terms": {"type": "tiers", "unit": "ccf", "per": "day", "versions": [
                     {"effective": each["effective"], "tiers": each["tiers"]} for each in tiers]}},
                {"id": 8, "code": "fee", "label": "Fee", "charge_kind": "water",
                 "formula": "By day", "source": "An ordinance",
                 "terms": {"type": "fixed", "per": "day",
                           "versions": [{"effective": "2020-01-01", "amount": "0.10"}]}},
            ],
        }
    )  # fmt: skip


def usage(row: int, from_on: date, days: int, units: int) -> dict:
    return {
        "row": row,
        "rate_class": "residential",
        "meter_size": '5/8"',
        "dwelling_units": 1,
        "exemptions": [],
        "attributes": {},
        "from_on": from_on,
        "to_on": from_on + timedelta(days=days),
        "usage_thousandths": units * 1000,
        "unit": "ccf",
    }


def one_pair(before: dict, now: dict, other: int = 0) -> dict[str, int]:
    """The parts of a pair billed right, but for `other` cents on this bill's first line."""
    schedule = tariff()
    billed = {row["row"]: lines_of(Account, schedule, row) for row in (before, now)}
    billed[now["row"]][7] += other
    found = split_differences(
        schedule,
        sides_of([before, now]),
        lines_frame(billed),
        pairs_frame([(now["row"], before["row"])]),
    )
    return {part: int(found[f"{part}_cents"].sum()) for part in PARTS}


def test_more_days_with_as_much_used_a_day_are_days_and_nothing_else() -> None:
    before, now = usage(1, date(2026, 1, 1), 30, 60), usage(2, date(2026, 2, 1), 31, 62)
    assert one_pair(before, now) == {
        "days": 2 * 200 + 10,
        "usage": 0,
        "rates": 0,
        "terms": 0,
        "other": 0,
    }


def test_a_higher_rate_for_the_same_usage_is_rates_alone() -> None:
    before, now = usage(1, date(2026, 5, 1), 30, 60), usage(2, date(2026, 8, 1), 30, 60)
    found = one_pair(before, now)
    assert found == {"days": 0, "usage": 0, "rates": 60 * 100, "terms": 0, "other": 0}


def test_usage_that_reaches_a_dearer_tier_is_usage_and_not_a_rate() -> None:
    before, now = usage(1, date(2026, 1, 1), 30, 300), usage(2, date(2026, 2, 1), 30, 310)
    found = one_pair(before, now)
    assert found == {"days": 0, "usage": 10 * 400, "rates": 0, "terms": 0, "other": 0}


def test_what_was_set_right_by_hand_is_other() -> None:
    before, now = usage(1, date(2026, 1, 1), 30, 60), usage(2, date(2026, 2, 1), 30, 60)
    assert one_pair(before, now, other=-250)["other"] == -250


def test_a_rate_that_rose_within_the_bill_before_counts_as_rates() -> None:
    before, now = usage(1, date(2026, 6, 16), 30, 60), usage(2, date(2026, 7, 16), 30, 60)
    assert one_pair(before, now)["rates"] == 30 * 100


def test_nothing_to_compare_is_an_empty_frame() -> None:
    found = split_differences(tariff(), sides_of([]), lines_frame({}), pairs_frame([]))
    assert found.is_empty()
    assert dict(found.schema) == SPLIT


@given(schedules(), st.integers(0, 200))
@PLENTY
def test_a_frozen_tariff_has_no_changes_after_its_day(schedule: Schedule, offset: int) -> None:
    on = FIRST + timedelta(days=offset)
    assert all(day <= on for day in changes(frozen(schedule, on)))


# --- A published file, which has one version --------------------------------------------------

CITY = Path(owrs.__file__).parents[2] / "cities" / "santa_monica"


def published() -> OwrsSchedule:
    """The tariff of a city in the Open Water Rate Specification."""
    file = owrs.read(CITY / "tariff_2016-03-01.owrs")
    lines = {
        name: OwrsLine(number, number, "water", name)
        for number, name in enumerate(owrs_rating.parts(file), 1)
    }
    return OwrsSchedule("sm", "Santa Monica", "A file", file, lines)


def test_a_published_file_never_changes_and_freezes_as_it_is() -> None:
    schedule = published()
    assert changes(schedule) == []
    assert frozen(schedule, FIRST) is schedule


def test_parts_under_a_published_file_are_days_and_usage() -> None:
    schedule = published()
    before, now = usage(1, date(2016, 4, 1), 60, 20), usage(2, date(2016, 5, 31), 60, 30)
    for row in (before, now):
        row |= {"rate_class": "RESIDENTIAL_SINGLE", "meter_size": '1"'}
        row["attributes"] = {"water_type": "potable"}
    sides = sides_of([before, now])
    rated = rate(schedule, sides.rename({"bill_id": "row"}), explained=False).lines
    billed = rated.select("component_id", "cents", bill_id="row").select(LINES.keys())
    found = split_differences(schedule, sides, billed, pairs_frame([(2, 1)]))
    parts = {part: int(found[f"{part}_cents"].sum()) for part in PARTS}
    change = int((found["cents"] - found["before_cents"]).sum())
    assert change > 0
    assert parts == {"days": 0, "usage": change, "rates": 0, "terms": 0, "other": 0}


def test_a_percentage_of_lines_that_had_no_figure_yet_is_left_out_when_frozen() -> None:
    later = [{"effective": "2026-07-01", "rate": "1"}]
    share = [{"effective": "2020-01-01", "percent": "50"}]
    terms = (
        {"type": "flat_rate", "unit": "ccf", "before_first_version": "no_charge",
         "versions": later},
        {"type": "percent", "of": ["a"], "versions": share},
    )  # fmt: skip
    components = [
        {"code": code, "label": code, "charge_kind": "water", "formula": "As said",
         "source": "S", "terms": each}
        for code, each in zip("ab", terms, strict=True)
    ]  # fmt: skip
    schedule = parse(
        {"code": "t", "name": "T", "unit": "ccf", "proration": "by_day", "source": "S",
         "components": components}
    )  # fmt: skip
    kept = frozen(schedule, date(2026, 1, 1))
    assert isinstance(kept, Schedule)
    assert kept.components == ()


def test_no_change_of_a_bill_is_said_and_shown_plainly() -> None:
    assert signed(0) == "$0.00"
    assert signed(-150) == "−$1.50"
    assert signed(150) == "+$1.50"

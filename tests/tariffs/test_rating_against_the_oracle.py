"""The fast rating and the day-by-day oracle agree to the cent on whatever a city may write."""

import json
from fractions import Fraction

import polars as pl
from hypothesis import HealthCheck, given, settings

from chamberlain.tariffs.rating import Rated, rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import LINES, REFUSALS
from tests.tariffs.oracle import Account, CannotRate, half_up
from tests.tariffs.schedules import frame, schedules, usages

PLENTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _cents(rated: Rated, row: int, schedule: Schedule) -> dict[str, int]:
    codes = {component.id: component.code for component in schedule.components}
    lines = rated.lines.filter(pl.col("row") == row)
    return {codes[line["component_id"]]: line["cents"] for line in lines.to_dicts()}


def _expected(schedule: Schedule, row: dict) -> dict[str, int] | None:
    try:
        return Account(schedule, row).lines
    except CannotRate:
        return None


@given(schedules(), usages())
@PLENTY
def test_every_line_comes_to_the_cents_that_the_oracle_finds(
    schedule: Schedule, rows: list[dict]
) -> None:
    rated = rate(schedule, frame(rows))
    assert dict(rated.lines.schema) == LINES
    assert dict(rated.refusals.schema) == REFUSALS
    refused = set(rated.refusals["row"])
    for row in rows:
        expected = _expected(schedule, row)
        assert (expected is None) == (row["row"] in refused)
        assert _cents(rated, row["row"], schedule) == (expected or {})


@given(schedules(), usages())
@PLENTY
def test_accounts_rated_together_have_the_lines_of_each_rated_alone(
    schedule: Schedule, rows: list[dict]
) -> None:
    together = rate(schedule, frame(rows))
    alone = [rate(schedule, frame([row])) for row in rows]
    assert (
        together.refusals["row"]
        .sort()
        .equals(pl.concat([each.refusals for each in alone])["row"].sort())
    )
    order = ["row", "position"]
    # Alone, a period that no exemption or version divides has no such segments.
    apart = pl.concat([each.lines for each in alone]).sort(order)
    assert together.lines.drop("steps").sort(order).equals(apart.drop("steps"))


@given(schedules(), usages())
@PLENTY
def test_what_a_line_says_explains_its_cents(schedule: Schedule, rows: list[dict]) -> None:
    parts = {component.id: component for component in schedule.components}
    for line in rate(schedule, frame(rows)).lines.to_dicts():
        if type(parts[line["component_id"]].terms).__name__ == "Minimum":
            continue
        assert (line["rate_micros"] is None) == (line["steps"] is not None)
        steps = json.loads(line["steps"]) if line["steps"] else [line]
        explained = Fraction(0)
        tolerance = Fraction(1, 2)
        for step in steps:
            quantity, rate_micros = step["quantity_thousandths"], step["rate_micros"]
            kept = 1 - Fraction(step.get("waived_micros", 0), 1_000_000)
            explained += Fraction(quantity * rate_micros, 10_000_000) * kept
            # Quantities are printed to the thousandth, waivers to the millionth.
            tolerance += Fraction(rate_micros, 20_000_000) + Fraction(
                quantity * rate_micros, 10**13
            )
        assert abs(explained - line["cents"]) <= tolerance
        if all("days" in step for step in steps):
            by_range = {(s.get("from_on"), s.get("to_on")): s["days"] for s in steps}
            assert sum(by_range.values()) <= line["days"]


@given(schedules(), usages())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_unexplained_rating_differs_only_in_the_steps(
    schedule: Schedule, rows: list[dict]
) -> None:
    full, bare = rate(schedule, frame(rows)), rate(schedule, frame(rows), explained=False)
    assert bare.lines["steps"].null_count() == bare.lines.height
    assert bare.lines.drop("steps").equals(full.lines.drop("steps"))


def test_the_oracle_rounds_half_up() -> None:
    assert [half_up(Fraction(n, 2)) for n in (1, 3, 4)] == [1, 2, 2]

"""Deposits and lines that are the same money only together."""

from datetime import timedelta
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.reconciliation.matching.groups import PARTS_MAX, sums
from chamberlain.reconciliation.matching.pairs import DEPOSITS, LINES
from chamberlain.reconciliation.matching.rules import Matches, match
from tests.office import DAY


def deposit(deposit_id: int, cents: int, bag: str, center: str = "CH", days: int = 0):
    return (deposit_id, cents, DAY + timedelta(days=days), f"D-{deposit_id}", bag, center)


def line(line_id: int, cents: int, text: str = "DEPOSIT", days: int = 1):
    return (line_id, cents, DAY + timedelta(days=days), text)


def matched(deposits, lines, tolerance: int = 0) -> Matches:
    return match(
        pl.DataFrame(deposits, schema=DEPOSITS, orient="row"),
        pl.DataFrame(lines, schema=LINES, orient="row"),
        within_days=7,
        tolerance_cents=tolerance,
    )


def groups(found: Matches) -> list[tuple[str, set[int], set[int], int]]:
    """rule, deposits, lines, difference of each group."""
    made = []
    for group, rule, difference in (
        found.groups.sort("group").select("group", "rule", "difference_cents").iter_rows()
    ):
        parts = found.parts.filter(pl.col("group") == group)
        sides = [set(parts.filter(pl.col("side") == s)["id"]) for s in ("deposit", "line")]
        made.append((rule, *sides, difference))
    return made


def test_the_examples_of_the_rules():
    named = matched(
        [
            deposit(1, 30000, "B1"),
            deposit(2, 20000, "B2"),
            deposit(3, 90000, "B3"),
            deposit(4, 10000, "B4"),
            deposit(5, 5000, "B5"),
        ],
        [
            line(11, 50000, "BAGS B1 B2"),
            line(12, 60000, "B3"),
            line(13, 30000, "B3"),
            line(14, 8000, "B4 B5"),
            line(15, 7000, "B4 B5"),
        ],
    )
    assert groups(named) == [
        ("together", {1, 2}, {11}, 0),
        ("together", {3}, {12, 13}, 0),
        ("together", {4, 5}, {14, 15}, 0),
    ]
    day = matched([deposit(1, 12000, "X"), deposit(2, 8000, "Y")], [line(11, 20000)])
    assert groups(day) == [("one day", {1, 2}, {11}, 0)]
    some = [
        deposit(n, cents, f"B{n}", center=f"C{n}")
        for n, cents in enumerate((7000, 4500, 3100, 999))
    ]
    assert groups(matched(some, [line(11, 14600)])) == [("sum", {0, 1, 2}, {11}, 0)]


def test_one_deposit_in_several_lines_is_found_by_its_sum():
    found = matched([deposit(1, 10000, "X")], [line(11, 6000), line(12, 4000), line(13, 777)])
    assert groups(found) == [("sum", {1}, {11, 12}, 0)]


def test_a_sum_that_can_be_made_in_two_ways_is_left_to_a_person():
    deposits = [
        deposit(n, cents, f"B{n}", center=f"C{n}") for n, cents in enumerate((60, 40, 70, 30))
    ]
    assert groups(matched(deposits, [line(11, 100)])) == []


def test_a_part_that_two_lines_want_is_given_to_neither():
    deposits = [deposit(1, 60, "A", "C1"), deposit(2, 40, "B", "C2"), deposit(3, 90, "C", "C3")]
    assert groups(matched(deposits, [line(11, 100), line(12, 130)])) == []


def test_what_differs_by_no_more_than_the_city_lets_pass_is_a_suggestion():
    deposits, lines = [deposit(1, 10000, "B1")], [line(11, 9990, "BAG B1")]
    assert groups(matched(deposits, lines, tolerance=10)) == [("about", {1}, {11}, -10)]
    found = matched(deposits, lines, tolerance=9)
    assert groups(found) == []
    assert found.differing.rows() == [(1, 11)]


def test_what_names_something_is_not_used_for_a_sum():
    deposits = [deposit(1, 60, "A", "C1"), deposit(2, 40, "B", "C2")]
    found = matched(deposits, [line(11, 100), line(12, 61, "BAG A")])
    assert groups(found) == []


def test_a_center_that_took_two_days_is_not_put_together():
    deposits = [
        deposit(1, 60, "A", days=0),
        deposit(2, 40, "B", days=1),
        deposit(3, 40, "C", days=1),
    ]
    found = matched(deposits, [line(11, 80, days=2)])
    assert groups(found) == [("one day", {2, 3}, {11}, 0)]


MONEY = st.integers(1, 40)


@given(st.lists(MONEY, max_size=7), st.lists(st.integers(2, 90), max_size=3))
def test_sums_agree_with_trying_everything(parts, wholes):
    rows = [(n, cents, DAY) for n, cents in enumerate(parts)]
    wanted = [(100 + n, cents, DAY) for n, cents in enumerate(wholes)]
    ways = {
        whole: [
            chosen
            for size in range(2, PARTS_MAX + 1)
            for chosen in combinations(range(len(parts)), size)
            if sum(parts[n] for n in chosen) == cents
        ]
        for whole, cents, _ in wanted
    }
    only = {whole: found[0] for whole, found in ways.items() if len(found) == 1}
    used = [part for found in only.values() for part in found]
    expected = {
        whole: set(found)
        for whole, found in only.items()
        if not any(used.count(part) > 1 for part in found)
    }
    found = sums(wanted, rows, 7, parts_first=True)
    assert {whole: set(chosen) for whole, chosen in found} == expected


@given(st.data())
def test_every_group_adds_up_and_nothing_is_in_two(data):
    word = st.sampled_from(["", "A", "B", "C", "A B", "B C"])
    count = data.draw(st.integers(0, 6))
    deposits = [
        deposit(
            n,
            data.draw(st.integers(1, 6)),
            data.draw(st.sampled_from("ABC")),
            data.draw(st.sampled_from(["C1", "C2"])),
            data.draw(st.integers(0, 2)),
        )
        for n in range(count)
    ]
    lines = [
        line(50 + n, data.draw(st.integers(1, 9)), data.draw(word), data.draw(st.integers(0, 9)))
        for n in range(data.draw(st.integers(0, 5)))
    ]
    found = matched(deposits, lines, tolerance=1)
    cents = {("deposit", row[0]): row[1] for row in deposits}
    cents |= {("line", row[0]): row[1] for row in lines}
    days = {("deposit", row[0]): row[2] for row in deposits}
    days |= {("line", row[0]): row[2] for row in lines}
    assert found.parts.select("side", "id").is_duplicated().sum() == 0
    for rule, these, those, difference in groups(found):
        total = sum(cents["line", n] for n in those) - sum(cents["deposit", n] for n in these)
        assert total == difference
        assert these
        assert those
        assert abs(difference) <= (1 if rule == "about" else 0)
        assert all(days["deposit", d] <= max(days["line", n] for n in those) for d in these)


@pytest.mark.parametrize("kind", ["groups", "parts", "ambiguous", "differing"])
def test_nothing_to_match_is_nothing_found(kind):
    assert getattr(matched([], []), kind).is_empty()

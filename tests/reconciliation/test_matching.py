"""Which bank line is which deposit: the rule against a plain oracle."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.reconciliation.matching.pairs import DEPOSITS, LINES, Pairs, names, one_to_one
from tests.office import DAY

Deposit = tuple[int, int, date, str, str, str]
BankLine = tuple[int, int, date, str]


def matched(deposits: list[Deposit], lines: list[BankLine], within_days: int = 7) -> Pairs:
    of, to = (
        pl.DataFrame(deposits, schema=DEPOSITS, orient="row"),
        pl.DataFrame(lines, schema=LINES, orient="row"),
    )
    return one_to_one(of, to, names(of, to), within_days)


def deposit(deposit_id: int, cents: int, bag: str, days: int = 0) -> Deposit:
    return (deposit_id, cents, DAY + timedelta(days=days), f"DCH-20260302-{deposit_id}", bag, "CH")


def line(line_id: int, cents: int, text: str, days: int = 1) -> BankLine:
    return (line_id, cents, DAY + timedelta(days=days), text)


def pairs(frame: pl.DataFrame) -> set[tuple[int, int]]:
    return set(frame.select("deposit_id", "line_id").iter_rows())


def test_the_examples_of_the_rule():
    found = matched(
        [
            deposit(1, 50000, "B77"),
            deposit(2, 12000, "B78"),
            deposit(3, 30000, "B79"),
            deposit(4, 30000, "B80", days=1),
            deposit(5, 9000, "B81"),
        ],
        [
            line(11, 50000, "BAG B77"),
            line(12, 12000, "DEPOSIT", days=2),
            line(13, 30000, "DEPOSIT"),
            line(14, 30000, "DEPOSIT", days=2),
            line(15, 8000, "BAG B81"),
        ],
    )
    assert found.found.select("deposit_id", "line_id", "days", "is_named").rows() == [
        (1, 11, 1, True),
        (2, 12, 2, False),
    ]
    assert pairs(found.ambiguous) == {(3, 13), (3, 14), (4, 13), (4, 14)}
    assert pairs(found.differing) == {(5, 15)}


def test_a_bag_is_named_with_leading_zeros_or_in_small_letters_but_not_in_part():
    assert pairs(matched([deposit(1, 500, "0042")], [line(1, 500, "bag 42.")]).found) == {(1, 1)}
    found = matched([deposit(1, 500, "B7")], [line(1, 500, "b7"), line(2, 500, "B77")])
    assert found.found["is_named"].to_list() == [True]


def test_a_line_that_names_another_bag_is_not_taken_for_this_one():
    found = matched([deposit(1, 500, "B1"), deposit(2, 700, "B2")], [line(1, 500, "BAG B2")])
    assert found.found.is_empty()
    assert pairs(found.differing) == {(2, 1)}


def test_money_that_came_before_the_deposit_or_too_late_is_not_it():
    found = matched(
        [deposit(1, 500, "B1")], [line(1, 500, "B1", days=-1), line(2, 500, "B1", days=8)]
    )
    assert found.found.is_empty()
    assert found.ambiguous.is_empty()


def test_nothing_to_match_is_nothing_found():
    found = matched([], [])
    assert found.found.is_empty()
    assert found.ambiguous.is_empty()
    assert found.differing.is_empty()


def oracle(
    deposits: list[Deposit], lines: list[BankLine], within: int
) -> list[set[tuple[int, int]]]:
    def bare(text: str) -> str:
        return text.lstrip("0") or text

    named = {
        (d[0], ln[0])
        for d in deposits
        for ln in lines
        if {bare(d[3].upper()), bare(d[4].upper())} & set(ln[3].split())
    }
    possible = {
        (d[0], ln[0])
        for d in deposits
        for ln in lines
        if d[1] == ln[1] and 0 <= (ln[2] - d[2]).days <= within
    }

    def only(candidates: set[tuple[int, int]]) -> set[tuple[int, int]]:
        return {
            (d, ln)
            for d, ln in candidates
            if sum(other == d for other, _ in candidates) == 1
            and sum(other == ln for _, other in candidates) == 1
        }

    def without(candidates: set[tuple[int, int]], taken: set[tuple[int, int]]):
        gone = {d for d, _ in taken}, {ln for _, ln in taken}
        return {(d, ln) for d, ln in candidates if d not in gone[0] and ln not in gone[1]}

    by_name = only(possible & named)
    left = without(possible, by_name)
    found = by_name | only(without(left, named))
    equal = {(d[0], ln[0]) for d in deposits for ln in lines if d[1] == ln[1]}
    return [found, without(left, found), without(named - equal, found)]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4), st.sampled_from("AB")), max_size=5),
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(-1, 8), st.sampled_from(["", "A", "B", "A B"])),
        max_size=6,
    ),
)
def test_matching_agrees_with_the_plain_rule(made, told):
    deposits = [deposit(n, cents, bag, days) for n, (cents, days, bag) in enumerate(made)]
    lines = [line(n, cents, text, days) for n, (cents, days, text) in enumerate(told)]
    found = matched(deposits, lines, within_days=5)
    assert [pairs(found.found), pairs(found.ambiguous), pairs(found.differing)] == oracle(
        deposits, lines, 5
    )

"""The rule of late penalties against a plain oracle."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.billing.penalties.late import (
    CHARGES,
    DONE,
    HELD,
    MOVES,
    RATES,
    SPARED,
    falling_due,
    late_penalties,
)

FIRST = date(2025, 1, 1)
DAYS = st.dates(FIRST, date(2026, 6, 30))
LATER = st.dates(date(2025, 2, 1), date(2026, 12, 31))
RANGES = st.tuples(DAYS, st.none() | DAYS).filter(lambda r: r[1] is None or r[0] < r[1])
RATE = [(FIRST, 12_500), (date(2026, 1, 15), 20_000)]


@dataclass(frozen=True)
class Case:
    """One charge with its history. moves: (day, cents settled), never more than is open."""

    charge_id: int
    account_id: int
    raised_on: date
    due_days: int
    grace_days: int
    cents: int
    moves: tuple[tuple[date, int], ...]
    holds: tuple[tuple[date, date | None], ...]


def month_after(day: date, months: int) -> date:
    """The same day of a month so many later, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def inside(day: date, ranges: Sequence[tuple[date, date | None]]) -> bool:
    return any(start <= day and (end is None or day < end) for start, end in ranges)


def oracle(
    case: Case,
    spared: Sequence[tuple[date, date | None]],
    since: date,
    on: date,
) -> list[tuple[int, date, int, int]]:
    """Month by month, from what was open when the day ended."""
    last = max(
        case.raised_on + timedelta(days=case.grace_days),
        case.raised_on + timedelta(days=case.due_days),
    )
    found = []
    months = 0
    while (day := month_after(last, months)) < on:
        months += 1
        is_open = case.cents - sum(cents for moved, cents in case.moves if moved <= day)
        rate = max(start for start in RATE if start[0] <= day)[1]
        penalty = (is_open * rate * 2 + 1_000_000) // 2_000_000
        if day < since or inside(day, case.holds) or inside(day, spared) or penalty <= 0:
            continue
        found.append((case.charge_id, day, is_open, penalty))
    return found


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    made = []
    for i in range(draw(st.integers(1, 4))):
        cents = draw(st.integers(1, 100_000))
        left, moves = cents, []
        for day in sorted(draw(st.lists(DAYS, max_size=3))):
            settled = draw(st.integers(left - cents, left))
            left -= settled
            moves.append((day, settled))
        made.append(
            Case(
                charge_id=i + 1,
                account_id=draw(st.integers(1, 2)),
                raised_on=draw(DAYS),
                due_days=draw(st.integers(0, 60)),
                grace_days=draw(st.sampled_from([0, 24, 31])),
                cents=cents,
                moves=tuple(moves),
                holds=tuple(draw(st.lists(RANGES, max_size=1))),
            )
        )
    return made


Spared = dict[int, list[tuple[date, date | None]]]


def penalties(
    given_cases: list[Case],
    spared: Spared,
    since: date,
    on: date,
    before: Sequence[tuple[int, date]] = (),
) -> list[tuple[int, date, int, int]]:
    """What the rule says, every charge standing as it does after all of its moves."""
    charges = pl.DataFrame(
        [
            (c.charge_id, c.account_id, f"B{c.charge_id}", c.raised_on,
             c.raised_on + timedelta(days=c.due_days), c.grace_days,
             c.cents - sum(cents for _, cents in c.moves))
            for c in given_cases
        ],
        schema=CHARGES, orient="row",
    )  # fmt: skip
    moves = [(c.charge_id, day, cents) for c in given_cases for day, cents in c.moves]
    held = [(c.charge_id, *hold) for c in given_cases for hold in c.holds]
    spared_rows = [(account, *each) for account, ranges in spared.items() for each in ranges]
    found = late_penalties(
        falling_due(charges, since, on),
        pl.DataFrame(moves, schema=MOVES, orient="row"),
        pl.DataFrame(held, schema=HELD, orient="row"),
        pl.DataFrame(spared_rows, schema=SPARED, orient="row"),
        pl.DataFrame(before, schema=DONE, orient="row"),
        pl.DataFrame(RATE, schema=RATES, orient="row"),
    )
    rows = found.select("charge_id", "falls_on", "open_cents", "penalty_cents").rows()
    return sorted((int(a), b, int(c), int(d)) for a, b, c, d in rows)


SPARING = st.dictionaries(st.integers(1, 2), st.lists(RANGES, max_size=1))


@given(cases(), SPARING, DAYS, LATER)
def test_penalties_are_what_the_rule_says_month_by_month(
    given_cases: list[Case], spared: Spared, since: date, on: date
) -> None:
    expected = sorted(
        row for c in given_cases for row in oracle(c, spared.get(c.account_id, []), since, on)
    )
    assert penalties(given_cases, spared, since, on) == expected


@given(cases(), SPARING, st.lists(LATER, min_size=1, max_size=6))
def test_nights_one_by_one_raise_what_one_run_at_the_end_would(
    given_cases: list[Case], spared: Spared, nights: list[date]
) -> None:
    nights = sorted(nights)
    raised: list[tuple[int, date, int, int]] = []
    since = FIRST
    for on in nights:
        raised += penalties(given_cases, spared, since, on)
        since = on
    assert sorted(raised) == penalties(given_cases, spared, FIRST, nights[-1])


@given(cases(), LATER)
def test_what_was_raised_before_is_not_raised_again(given_cases: list[Case], on: date) -> None:
    first = penalties(given_cases, {}, FIRST, on)
    assert penalties(given_cases, {}, FIRST, on, [(row[0], row[1]) for row in first]) == []


def test_the_example_of_the_rule() -> None:
    moves = ((date(2025, 2, 10), 4_000), (date(2025, 4, 2), 6_000))
    held = ((date(2025, 3, 1), date(2025, 4, 1)),)
    case = Case(1, 1, date(2025, 1, 7), 24, 24, 10_000, moves, held)
    assert penalties([case], {}, FIRST, date(2025, 6, 1)) == [
        (1, date(2025, 1, 31), 10_000, 125),
        (1, date(2025, 2, 28), 6_000, 75),
    ]

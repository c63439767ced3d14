"""Deposits and lines of the bank that are the same money only together.

    rule       deposits             lines                found because
    named      B1 $300, B2 $200     $500 "BAGS B1 B2"    the line names them and they add up
    named      B3 $900              $600 "B3", $300 "B3" two lines name one bag (coin and notes)
    named      B4 $100, B5 $50      $80, $70 "B4 B5"     two name two, and both sides add up
    one day    $120, $80 of CH      $200 "DEPOSIT"       all of a center's day, and nothing else
    sum        $70, $45, $31        $146 "DEPOSIT"       the only way to make it of at most four

Each is the only possibility of its kind, or it is not found. A sum is searched among few
candidates and with a bounded number of steps: what is not found in time is left to a person.
"""

from collections.abc import Iterator
from datetime import date

import polars as pl

CANDIDATES_MAX = 24
PARTS_MAX = 4
STEPS_MAX = 2_000_000
_STEPS_EACH = 20_000
_PASSES_MAX = 50

PARTS: dict[str, type[pl.DataType]] = {"group": pl.Int64, "side": pl.String, "id": pl.Int64}


def named_together(named: pl.DataFrame, within_days: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everything that names each other, directly or through others, as (groups, parts).

    named: as `pairs.names`. groups: group (its smallest line id), days (the most from a deposit to
    its line), difference_cents (lines less deposits). parts: as PARTS. The sums need not agree; the
    caller looks.
    """
    edges = named.filter(pl.col("days").is_between(0, within_days))
    repeats = edges["deposit_id"] == edges["deposit_id"].shift(1)  # in the deposits' order
    if not repeats.any():
        return _stars(edges)
    several = edges.filter(
        pl.col("deposit_id").is_in(edges["deposit_id"].filter(repeats).implode())
    )
    labelled = _labelled(edges)
    tangled = labelled.join(several, on="line_id", how="semi").select("group").unique()
    stars = labelled.join(tangled, on="group", how="anti")
    rest = labelled.join(tangled, on="group", how="semi")
    simple, knotted = _stars(stars), _knots(rest)
    return pl.concat([simple[0], knotted[0]]), pl.concat([simple[1], knotted[1]])


def _stars(edges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines whose deposits are named by no other line: each is a group."""
    groups = (
        edges.lazy()
        .group_by("line_id")
        .agg(
            pl.col("days").max(),
            difference_cents=pl.col("line_cents").first() - pl.col("cents").sum(),
        )
        .select(pl.col("line_id").alias("group"), "days", "difference_cents")
        .collect()
    )
    deposits = edges.select(group="line_id", side=pl.lit("deposit"), id="deposit_id")
    return groups, pl.concat([deposits, groups.select("group", side=pl.lit("line"), id="group")])


def _knots(edges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Several lines with several deposits. edges: as `_labelled` gives them."""
    deposits = edges.select("group", "cents", side=pl.lit("deposit"), id="deposit_id").unique()
    lines = edges.select("group", cents="line_cents", side=pl.lit("line"), id="line_id").unique()
    parts = pl.concat([deposits, lines.select(deposits.columns)])
    signed = pl.when(pl.col("side") == "line").then("cents").otherwise(-pl.col("cents"))
    groups = (
        parts.group_by("group")
        .agg(difference_cents=signed.sum())
        .join(edges.group_by("group").agg(pl.col("days").max()), on="group")
        .select("group", "days", "difference_cents")
    )
    return groups, parts.select(list(PARTS))


def _labelled(edges: pl.DataFrame) -> pl.DataFrame:
    """Edges with the smallest line id that is reachable from each, as `group`."""
    edges = edges.with_columns(group=pl.col("line_id"))
    for _ in range(_PASSES_MAX):
        lowest = edges.with_columns(low=pl.col("group").min().over("deposit_id"))
        lowest = lowest.with_columns(low=pl.col("low").min().over("line_id"))
        if (lowest["low"] == lowest["group"]).all():
            return edges
        edges = lowest.with_columns(group="low").drop("low")
    return edges


def whole_days(deposits: pl.DataFrame, lines: pl.DataFrame, within_days: int) -> pl.DataFrame:
    """Lines that are all that is left of one center's day, two deposits or more.

    Returns center, day, line_id, days; each center's day and each line once.
    """
    days = (
        deposits.lazy()
        .group_by("center", "day")
        .agg(pl.col("cents").sum(), pl.len().alias("parts"))
        .filter(pl.col("parts") > 1)
    )
    pairs = (
        days.join(lines.lazy().select("line_id", "cents", "value_on"), on="cents")
        .with_columns(days=(pl.col("value_on") - pl.col("day")).dt.total_days())
        .filter(pl.col("days").is_between(0, within_days))
        .collect()
    )
    return pairs.filter(
        (pl.len().over("center", "day") == 1) & (pl.len().over("line_id") == 1)
    ).select("center", "day", "line_id", "days")


def sums(
    wholes: list[tuple[int, int, date]],
    parts: list[tuple[int, int, date]],
    within_days: int,
    *,
    parts_first: bool,
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each whole (id, cents, day) with the only 2 to 4 parts that make it.

    parts_first: whether parts come before the whole, as deposits before a line. A part that would
    belong to two wholes is given to neither.
    """
    found: dict[int, tuple[int, ...]] = {}
    steps = STEPS_MAX
    for whole_id, cents, on in wholes:
        candidates = [
            (part_cents, part_id)
            for part_id, part_cents, part_on in parts
            if 0 < part_cents < cents
            and 0 <= ((on - part_on) if parts_first else (part_on - on)).days <= within_days
        ]
        if not 1 < len(candidates) <= CANDIDATES_MAX or steps <= 0:
            continue
        search = _Search(sorted(candidates, reverse=True), min(_STEPS_EACH, steps))
        search.look(0, cents, ())
        steps -= search.taken
        if len(search.solutions) == 1 and not search.is_out:
            found[whole_id] = search.solutions[0]
    used = [part_id for solution in found.values() for part_id in solution]
    twice = {part_id for part_id in used if used.count(part_id) > 1}
    for whole_id, solution in found.items():
        if not twice.intersection(solution):
            yield whole_id, solution


class _Search:
    """Looks for the ways to make a sum of a few numbers, largest first, until there are two."""

    def __init__(self, candidates: list[tuple[int, int]], steps: int) -> None:
        self.candidates = candidates
        self.left = steps
        self.taken = 0
        self.solutions: list[tuple[int, ...]] = []

    @property
    def is_out(self) -> bool:
        """Whether the steps did not suffice."""
        return self.taken >= self.left

    def look(self, start: int, rest: int, chosen: tuple[int, ...]) -> None:
        """Adds the solutions that go on from the candidates at `start`."""
        room = PARTS_MAX - len(chosen)
        for at in range(start, len(self.candidates)):
            cents, part_id = self.candidates[at]
            if self.is_out or len(self.solutions) > 1 or cents * room < rest:
                return
            self.taken += 1
            if cents == rest and chosen:
                self.solutions.append((*chosen, part_id))
            elif cents < rest and room > 1:
                self.look(at + 1, rest - cents, (*chosen, part_id))

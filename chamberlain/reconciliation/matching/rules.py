"""The rules in the order of how surely they know, and the matches they find.

    confidence  rule        what makes it sure
    100         named       one line names one deposit, and the amounts are equal
    95          together    lines and deposits name each other, and the sums are equal
    80          only        the only deposit and the only credit of an amount
    70          one day     a credit is all that is left of a center's day
    60          about       they name each other and differ by no more than the city lets pass
    50          sum         the only way to make the amount of two, three or four

What is matched by one rule is not looked at by the next. `only` and those below leave alone what
names anything.
"""

from dataclasses import dataclass

import polars as pl

from chamberlain.reconciliation.matching.groups import PARTS, named_together, sums, whole_days
from chamberlain.reconciliation.matching.pairs import names, one_to_one

CONFIDENCE = {"named": 100, "together": 95, "only": 80, "one day": 70, "about": 60, "sum": 50}

GROUPS: dict[str, type[pl.DataType]] = {
    "group": pl.Int64,
    "rule": pl.String,
    "days": pl.Int64,
    "difference_cents": pl.Int64,
}
_SMALL = 2000


@dataclass(frozen=True, slots=True)
class Matches:
    """groups: as GROUPS, difference_cents what the bank has above (or below) the deposits.

    parts: as PARTS, side `deposit` or `line`. ambiguous, differing: deposit_id, line_id of pairs
    that no group holds, for a person.
    """

    groups: pl.DataFrame
    parts: pl.DataFrame
    ambiguous: pl.DataFrame
    differing: pl.DataFrame


def match(
    deposits: pl.DataFrame, lines: pl.DataFrame, within_days: int, tolerance_cents: int = 0
) -> Matches:
    """Matches deposits with lines of the bank. Frames as DEPOSITS and LINES; ids are unique."""
    named = names(deposits, lines)
    pairs = one_to_one(deposits, lines, named, within_days)
    made = _Made()
    made.add(*_pairs(pairs.found))
    named = made.without(named)
    made.add(*_together(named, within_days, tolerance_cents))
    left, open_lines = made.left(deposits, lines, named)
    days = _days(left, open_lines, within_days)
    made.add(*days)
    made.add(*_sums(*_rest(left, open_lines, days[1]), within_days))
    return Matches(
        pl.concat(made.groups),
        pl.concat(made.parts),
        made.without(pairs.ambiguous),
        made.without(pairs.differing).sort("deposit_id", "line_id"),
    )


_Found = tuple[pl.DataFrame, pl.DataFrame]


class _Made:
    """Groups as they are found, each called by its smallest line id."""

    def __init__(self) -> None:
        self.groups = [pl.DataFrame(schema=GROUPS)]
        self.parts = [pl.DataFrame(schema=PARTS)]
        self.taken = dict.fromkeys(("deposit", "line"), pl.Series(dtype=pl.Int64))

    def add(self, groups: pl.DataFrame, parts: pl.DataFrame) -> None:
        """Groups as GROUPS with their PARTS."""
        if groups.is_empty():
            return
        self.groups.append(groups.select(list(GROUPS)).cast(pl.Schema(GROUPS)))
        self.parts.append(parts.select(list(PARTS)).cast(pl.Schema(PARTS)))
        for side, ids in self.taken.items():
            more = parts.filter(pl.col("side") == side)["id"]
            self.taken[side] = pl.concat([ids, more.alias(ids.name)])

    def _is_taken(self, side: str) -> pl.Expr:
        return pl.col(f"{side}_id").is_in(self.taken[side].implode())

    def without(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs of which neither side is in a group."""
        if pairs.is_empty():
            return pairs
        return pairs.filter(~self._is_taken("deposit") & ~self._is_taken("line"))

    def left(self, deposits: pl.DataFrame, lines: pl.DataFrame, named: pl.DataFrame) -> _Found:
        """Deposits and lines that no group holds and that name nothing."""
        is_naming = pl.col("deposit_id").is_in(named["deposit_id"].implode())
        is_named = pl.col("line_id").is_in(named["line_id"].implode())
        return (
            deposits.filter(~self._is_taken("deposit") & ~is_naming),
            lines.filter(~self._is_taken("line") & ~is_named),
        )


def _rest(deposits: pl.DataFrame, lines: pl.DataFrame, parts: pl.DataFrame) -> _Found:
    """Deposits and lines that are none of these parts."""
    return (
        deposits.filter(~pl.col("deposit_id").is_in(_ids(parts, "deposit"))),
        lines.filter(~pl.col("line_id").is_in(_ids(parts, "line"))),
    )


def _ids(parts: pl.DataFrame, side: str) -> pl.Series:
    return parts.filter(pl.col("side") == side)["id"].implode()


def _pairs(found: pl.DataFrame) -> _Found:
    groups = found.select(
        "days",
        group="line_id",
        rule=pl.when("is_named").then(pl.lit("named")).otherwise(pl.lit("only")),
        difference_cents=pl.lit(0),
    )
    return groups, pl.concat(
        [
            found.select(group="line_id", side=pl.lit("deposit"), id="deposit_id"),
            found.select(group="line_id", side=pl.lit("line"), id="line_id"),
        ]
    )


def _together(named: pl.DataFrame, within_days: int, tolerance_cents: int) -> _Found:
    groups, parts = named_together(named, within_days)
    agreeing = groups.filter(pl.col("difference_cents").abs() <= tolerance_cents)
    if agreeing.height < groups.height:
        parts = parts.join(agreeing.select("group"), on="group", how="semi")
    rule = pl.when(pl.col("difference_cents") == 0).then(pl.lit("together"))
    return agreeing.with_columns(rule=rule.otherwise(pl.lit("about"))), parts


def _days(deposits: pl.DataFrame, lines: pl.DataFrame, within_days: int) -> _Found:
    found = whole_days(deposits, lines, within_days)
    groups = found.select(
        "days", group="line_id", rule=pl.lit("one day"), difference_cents=pl.lit(0)
    )
    members = deposits.join(found.select("center", "day", "line_id"), on=["center", "day"])
    return groups, pl.concat(
        [
            members.select(group="line_id", side=pl.lit("deposit"), id="deposit_id"),
            found.select(group="line_id", side=pl.lit("line"), id="line_id"),
        ]
    )


def _sums(deposits: pl.DataFrame, lines: pl.DataFrame, within_days: int) -> _Found:
    """Sums of deposits that are a line, then sums of lines that are a deposit."""
    groups: list[tuple[int, str, int, int]] = []
    members: list[tuple[int, str, int]] = []
    if max(deposits.height, lines.height) <= _SMALL:
        told = list(lines.select("line_id", "cents", "value_on").iter_rows())
        bagged = list(deposits.select("deposit_id", "cents", "day").iter_rows())
        days = {"line": {row[0]: row[2] for row in told}}
        days["deposit"] = {row[0]: row[2] for row in bagged}
        made: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
            (parts, (line_id,))
            for line_id, parts in sums(told, bagged, within_days, parts_first=True)
        ]
        used = {each for deposit_ids, _ in made for each in deposit_ids}
        used_lines = {each for _, line_ids in made for each in line_ids}
        wholes = [row for row in bagged if row[0] not in used]
        rest = [row for row in told if row[0] not in used_lines]
        made += [
            ((deposit_id,), parts)
            for deposit_id, parts in sums(wholes, rest, within_days, parts_first=False)
        ]
        for deposit_ids, line_ids in made:
            first = min(days["deposit"][each] for each in deposit_ids)
            last = max(days["line"][each] for each in line_ids)
            groups.append((min(line_ids), "sum", (last - first).days, 0))
            members += [(min(line_ids), "deposit", each) for each in deposit_ids]
            members += [(min(line_ids), "line", each) for each in line_ids]
    return (
        pl.DataFrame(groups, schema=GROUPS, orient="row"),
        pl.DataFrame(members, schema=PARTS, orient="row"),
    )

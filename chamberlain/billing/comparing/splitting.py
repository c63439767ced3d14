"""The difference between two bills as a sum of parts.

The problem
===========
A customer asks why this bill is more than the last. It was for more days, more was used on each,
the rate rose in between; with tiers each of these moves the others. The parts must add up to the
difference to the cent.

The method
==========
The bill before is turned into this bill in steps, and after each step it is rated by the same
rating that made the bills. What a step changes is its part:

    A0  the bill before, as billed
    s0  the bill before, rated again
    s1  by the figures of its last day                                   s1 - s0   rates
    s2  for the days of this bill, with as much used on each             s2 - s1   days
    s3  with what this bill's read says                                  s3 - s2   usage
    s4  with this bill's class, units, meter size, exemptions            s4 - s3   terms
    s5  by the figures in force in this bill's days                      s5 - s4   rates
    A5  this bill, as billed                       (A5 - s5) - (A0 - s0)           other

The sum telescopes to A5 - A0 for each line and so for the bill. Days are changed while the old
figures hold, so that a tier's allowance for more days counts as days and not as usage. `other`
is what either bill differs from its own reads and rates: corrections made by hand, a line that
was set right later. Where a step cannot be rated, the whole difference is `other`.
"""

from datetime import date

import polars as pl

from chamberlain.billing.comparing.freezing import changes, frozen
from chamberlain.kernel.money import round_half_up_column
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.rating import Rated, rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

PARTS = ("days", "usage", "rates", "terms", "other")
SIDES = {"bill_id": pl.Int64(), **{k: v for k, v in USAGES.items() if k != "row"}}
LINES = {"bill_id": pl.Int64(), "component_id": pl.Int64(), "cents": pl.Int64()}
PAIRS = {"pair": pl.Int64(), "bill_id": pl.Int64(), "before_id": pl.Int64()}
SPLIT = {
    "pair": pl.Int64(),
    "component_id": pl.Int64(),
    "before_cents": pl.Int64(),
    **{f"{part}_cents": pl.Int64() for part in PARTS},
    "cents": pl.Int64(),
    "is_rated": pl.Boolean(),
}
_STEPS = 6
_TERMS = ("rate_class", "meter_size", "dwelling_units", "exemptions", "attributes")


def split_differences(
    schedule: Schedule | OwrsSchedule, sides: pl.DataFrame, lines: pl.DataFrame, pairs: pl.DataFrame
) -> pl.DataFrame:
    """The parts of the difference between bills, for each pair and printed line.

    sides: columns SIDES, what each bill was made from; lines: columns LINES, what each came to;
    pairs: columns PAIRS, `pair` unique, both bills under this tariff. Returns columns SPLIT: one
    row for each line that either bill or a step between them has; in each row before_cents and
    the five parts add up to cents. is_rated: False where a step could not be rated.
    """
    if pairs.is_empty():
        return pl.DataFrame(schema=SPLIT)
    steps = _rated_steps(schedule, sides, pairs)
    refused = steps.refusals.select(pair=pl.col("row") // _STEPS).unique()
    return _parts(_cents(steps), lines, pairs, refused)


def _rated_steps(
    schedule: Schedule | OwrsSchedule, sides: pl.DataFrame, pairs: pl.DataFrame
) -> Rated:
    """All steps rated; row = pair × _STEPS + step."""
    both = pairs.join(sides.rename({"bill_id": "before_id"}), on="before_id").join(
        sides, on="bill_id", suffix="_now"
    )
    real = pl.concat([_step(both, 0, _BEFORE), _step(both, 5, _NOW)])
    found = [rate(schedule, real, explained=False)]
    days = changes(schedule)
    last = both["to_on"].dt.offset_by("-1d")
    begun = pl.Series(days, dtype=pl.Date).search_sorted(last, side="right")
    grouped = both.with_columns(version=begun)
    for (version,), part in grouped.group_by("version", maintain_order=True):
        assert isinstance(version, int)
        on = days[version - 1] if version else date.min
        imagined = pl.concat([_step(part, step, columns) for step, columns in _IMAGINED.items()])
        found.append(rate(frozen(schedule, on), imagined, explained=False))
    return Rated(
        pl.concat([each.lines for each in found]), pl.concat([each.refusals for each in found])
    )


def _step(both: pl.DataFrame, step: int, columns: dict[str, pl.Expr]) -> pl.DataFrame:
    return both.select(
        (pl.col("pair") * _STEPS + step).alias("row"),
        *(expression.alias(name) for name, expression in columns.items()),
    ).select(USAGES.keys())


def _days(suffix: str) -> pl.Expr:
    return (pl.col(f"to_on{suffix}") - pl.col(f"from_on{suffix}")).dt.total_days()


def _columns(*taken_now: str) -> dict[str, pl.Expr]:
    names = [name for name in USAGES if name != "row"]
    return {name: pl.col(f"{name}_now" if name in taken_now else name) for name in names}


_PERIOD = ("from_on", "to_on")
_USED = ("usage_thousandths", "unit")
_BEFORE = _columns()
_NOW = _columns(*_PERIOD, *_USED, *_TERMS)
_IMAGINED = {
    1: _BEFORE,
    2: _columns(*_PERIOD)
    | {
        "usage_thousandths": round_half_up_column(
            pl.col("usage_thousandths") * _days("_now"), _days("")
        )
    },
    3: _columns(*_PERIOD, *_USED),
    4: _NOW,
}


def _cents(steps: Rated) -> pl.DataFrame:
    """Cents of each step side by side: pair, component_id, s0 to s5."""
    long = steps.lines.select(
        "component_id", "cents", pair=pl.col("row") // _STEPS, step=pl.col("row") % _STEPS
    )
    sums = [
        pl.col("cents").filter(pl.col("step") == step).sum().alias(f"s{step}")
        for step in range(_STEPS)
    ]
    return long.group_by("pair", "component_id", maintain_order=True).agg(sums)


def _parts(
    cents: pl.DataFrame, lines: pl.DataFrame, pairs: pl.DataFrame, refused: pl.DataFrame
) -> pl.DataFrame:
    keys = ["pair", "component_id"]
    billed = [
        pairs.select("pair", bill_id=column)
        .join(lines, on="bill_id")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("cents").sum().alias(name))
        for column, name in (("before_id", "before_cents"), ("bill_id", "cents"))
    ]
    all_lines = pl.concat([each.select(keys) for each in (*billed[::-1], cents)]).unique(
        maintain_order=True
    )
    joined = all_lines
    for part in (*billed, cents):
        joined = joined.join(part, on=keys, how="left", maintain_order="left")
    joined = joined.with_columns(
        pl.exclude(keys).fill_null(0), is_rated=~pl.col("pair").is_in(refused["pair"].implode())
    ).with_columns(pl.when("is_rated").then(pl.col(f"s{step}")).otherwise(0) for step in range(6))
    s = [pl.col(f"s{step}") for step in range(_STEPS)]
    found = joined.with_columns(
        rates_cents=s[1] - s[0] + s[5] - s[4],
        days_cents=s[2] - s[1],
        usage_cents=s[3] - s[2],
        terms_cents=s[4] - s[3],
        other_cents=pl.col("cents") - s[5] - pl.col("before_cents") + s[0],
    )
    return found.select(SPLIT.keys())

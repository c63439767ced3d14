"""Rating: from usages to the printed lines of their bills.

The problem
===========
A bill is the sum of printed lines. Each line is a rate times something that was used, a part of
another line, or an amount that is due anyway; and in the middle of the bill's period the city may
have changed the rate, the allowance of a tier or an exemption. A million accounts are billed in a
night and each line must be right to the cent, and explain itself without being computed again.

First example: a rate change
----------------------------
62 days from 15 May to 16 July, 9.3 thousand cubic feet, by day:

    until 1 June     $33.95      17 days     9.3 × 17/62 = 2.55 mcf      $86.5725
    from 1 June      $35.10      45 days     9.3 × 45/62 = 6.75 mcf     $236.9250
    water                        62 days                   9.3 mcf       $323.50  (of $323.4975)
    sewer: 100% of water                                                 $323.50

Second example: tiers whose allowance changes
---------------------------------------------
30 days in April, 12 ccf, by day; the first 10 ccf at $2.00 and the rest at $4.00, from 16 April
the first 6 only:

    until 16 April   15 days     6 ccf, of them 5 in tier 1 and 1 in tier 2    $14.00
    from 16 April    15 days     6 ccf, of them 3 in tier 1 and 3 in tier 2    $18.00
    water            30 days                                                   $32.00

What is observed
================
Days divide usage and allowances alike, so half the days under a version cost half of what the
whole period would cost under it. In the second example: $28.00 × 15/30 + $36.00 × 15/30. Hence
no row is ever split. A line is

    sum over versions (days × amount of the whole period under that version) / all days

and the other prorations are the same sum with other weights: 1 for the version of the last day
(`by_read_date`) or of the first day (`none`), 0 for the rest. Exemptions weigh in the same way.
Only versions that touch the periods at hand appear in it: mostly one, with nothing to weigh.

The method
==========
For each component in printed order: cut time where its figures change (`proration`), look up its
figures (`figures`), write the amount as columns times coefficients (`amounts`, `tiering`), and
compute numerator and denominator in whole numbers; round half up, once (`lines`); say which
rates and quantities made it (`printing`, `steps`). Numbers that
outgrow 64 bits are computed in 128; usage for which that is too narrow is refused.

A percentage is of printed cents, so that a reader can check it from the bill. Where it changes
inside the period, it is of the cents that its lines come to before and after the change.

Left out: daylight saving (a day is a day) and figures that change within a day.
"""

from dataclasses import dataclass

import polars as pl

from chamberlain.kernel.errors import Invalid
from chamberlain.tariffs import owrs_rating
from chamberlain.tariffs.lines import Line, Total
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.printing import Printing
from chamberlain.tariffs.rows import DAYS_MAX, USAGE_MAX, Rows
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import LINES, REFUSALS, USAGES
from chamberlain.tariffs.units import UNIT_NAMES


@dataclass(frozen=True, slots=True)
class Rated:
    """Printed lines (columns LINES) in the order of components, and refused rows (REFUSALS)."""

    lines: pl.DataFrame
    refusals: pl.DataFrame


def rate(
    schedule: Schedule | OwrsSchedule, usages: pl.DataFrame, *, explained: bool = True
) -> Rated:
    """The lines of every usage under a tariff.

    usages: columns USAGES; `row` is unique; the period is from_on up to to_on; usage in thousandths
    of `unit`, which is null where nothing is metered; `attributes` is a JSON object or null.
    explained: False leaves `steps` null, for estimates and studies that print no bill.
    A row that cannot be rated has one refusal, with a code (at most 24 characters) and a sentence,
    and no lines. Raises Invalid when the frame lacks a column or has another type in it.
    """
    usages = _checked_columns(usages)
    usages, refusals = _sound(usages)
    if isinstance(schedule, OwrsSchedule):
        lines, refused = owrs_rating.rate(schedule, usages, explained=explained)
        return _rated([lines], [refusals, refused])
    found: list[pl.DataFrame] = []
    refused_rows = [refusals]
    for unit, part in _by_unit(usages):
        rows = Rows(part, unit)
        found += _lines(schedule, rows, explained=explained)
        refused_rows += rows.refused
    return _rated(found, refused_rows)


def _rated(lines: list[pl.DataFrame], refused: list[pl.DataFrame]) -> Rated:
    refusals = pl.concat([pl.DataFrame(schema=REFUSALS), *refused])
    refusals = refusals.unique("row", keep="first", maintain_order=True)
    lines = lines or [pl.DataFrame(schema=LINES)]
    printed = lines[0] if len(lines) == 1 else pl.concat(lines, rechunk=False)
    if refusals.height:
        printed = printed.join(refusals.select("row"), on="row", how="anti", maintain_order="left")
    return Rated(printed, refusals)


def _lines(schedule: Schedule, rows: Rows, *, explained: bool) -> list[pl.DataFrame]:
    totals: dict[str, Total] = {}
    found: list[pl.DataFrame] = []
    for component in schedule.components:
        line = Line(component, rows, schedule.proration, totals)
        totals[component.code] = total = line.total()
        if line.weights.segments:
            found.append(Printing(line).printed(total, explained=explained))
    return found


def _by_unit(usages: pl.DataFrame) -> list[tuple[str | None, pl.DataFrame]]:
    """The usages apart by unit; mostly there is one."""
    if usages.is_empty():
        return []
    units = usages["unit"]
    first = units[0]
    if (units.null_count() == 0 and (units == first).all()) or units.null_count() == units.len():
        return [(first, usages)]
    parts = usages.partition_by("unit", maintain_order=True)
    return [(part["unit"][0], part) for part in parts]


def _checked_columns(usages: pl.DataFrame) -> pl.DataFrame:
    for name, dtype in USAGES.items():
        if name not in usages.columns:
            raise Invalid(f"The usages lack the column {name}; add it.", field=name)
        found = usages.schema[name]
        if found not in (dtype, pl.Null):
            raise Invalid(f"The column {name} of the usages is {found}, not {dtype}.", field=name)
    return usages.select(pl.col(name).cast(dtype) for name, dtype in USAGES.items())


def _sound(usages: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The usages that can be rated at all, and the refusals of the others."""
    if _all_sound(usages):
        return usages, pl.DataFrame(schema=REFUSALS)
    days = (pl.col("to_on").to_physical() - pl.col("from_on").to_physical()).cast(pl.Int64)
    usage = pl.col("usage_thousandths")
    reasons = (
        (days.is_null() | (days <= 0), "period_unusable", "The period has no day; correct it."),
        (days > DAYS_MAX, "period_too_long", f"The period has over {DAYS_MAX:,} days; correct it."),
        (usage.is_null(), "usage_missing", "There is no usage; enter a read."),
        (usage < 0, "usage_negative", "The usage is below zero; correct the read."),
        (usage > USAGE_MAX, "usage_too_large", "No meter counts so much; correct the read."),
        (
            pl.col("unit").is_not_null() & ~pl.col("unit").is_in(list(UNIT_NAMES)),
            "unit_unknown",
            "The read has an unknown unit; write one of " + ", ".join(UNIT_NAMES) + ".",
        ),
    )
    bad = usages.select(
        pl.any_horizontal(condition.fill_null(False) for condition, _, _ in reasons)
    ).to_series()
    code, sentence = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.String)
    for condition, its_code, its_sentence in reversed(reasons):
        code = pl.when(condition).then(pl.lit(its_code)).otherwise(code)
        sentence = pl.when(condition).then(pl.lit(its_sentence)).otherwise(sentence)
    refused = usages.filter(bad).select("row", code=code, sentence=sentence)
    return usages.filter(~bad), refused


def _all_sound(usages: pl.DataFrame) -> bool:
    """Whether nothing has to be refused, found by the extremes alone."""
    days = pl.col("to_on").to_physical() - pl.col("from_on").to_physical()
    usage = pl.col("usage_thousandths")
    extremes = usages.select(
        nulls=days.null_count() + usage.null_count(),
        shortest=days.min(),
        longest=days.max(),
        least=usage.min(),
        most=usage.max(),
        units=(pl.col("unit") != pl.col("unit").first()).any(),
        unit=pl.col("unit").first(),
    ).row(0, named=True)
    if usages.is_empty():
        return True
    return (
        extremes["nulls"] == 0
        and extremes["shortest"] > 0
        and extremes["longest"] <= DAYS_MAX
        and extremes["least"] >= 0
        and extremes["most"] <= USAGE_MAX
        and not extremes["units"]
        and extremes["unit"] in (*UNIT_NAMES, None)
    )

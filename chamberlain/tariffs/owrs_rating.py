"""Printed lines by a tariff in the Open Water Rate Specification.

The format prices a class's bill by one formula. Where that is a plain sum of charges, each of them
is a printed line, rounded half up to the cent once, from its exact amount; any other formula is
one line. A file has one version and no proration, so a line's steps are its tiers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from chamberlain.kernel.errors import Invalid
from chamberlain.tariffs import owrs, steps
from chamberlain.tariffs.owrs.families import tiers_family
from chamberlain.tariffs.shapes import LINES, REFUSALS
from chamberlain.tariffs.units import CUBIC_INCHES, factor

_TIERS_MAX = 50


@dataclass(frozen=True, slots=True)
class OwrsLine:
    """The component that a charge of the file is printed as."""

    component_id: int
    position: int
    charge_kind: str
    label: str


@dataclass(frozen=True, slots=True)
class OwrsSchedule:
    """A published file, ready to rate by. lines: by the file's name of the charge."""

    code: str
    name: str
    source: str
    file: owrs.Schedule
    lines: Mapping[str, OwrsLine]

    @property
    def unit(self) -> str:
        """What the file's usage counts."""
        return self.file.bill_unit


def parts(file: owrs.Schedule) -> tuple[str, ...]:
    """The charges that the file's bills are printed as, over all classes."""
    found = (part for each in file.classes for part in file.bill_parts(each))
    return tuple(dict.fromkeys(found))


def rate(
    schedule: OwrsSchedule, usages: pl.DataFrame, *, explained: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines and refusals, in the shapes that `rating.rate` gives; usages are checked by it."""
    lines: list[pl.DataFrame] = []
    refused: list[pl.DataFrame] = []
    known = pl.col("rate_class").is_in(list(schedule.file.classes)).fill_null(False)
    strangers = usages.filter(~known)
    refused.append(
        _refused(
            strangers,
            "unknown_class",
            pl.concat_str(
                pl.lit(f"The tariff {schedule.code} has no class “"),
                pl.col("rate_class").fill_null("(none)").str.slice(0, 60),
                pl.lit("”; correct the class of the agreement."),
            ),
        )
    )
    for (name, unit), group in usages.filter(known).group_by(
        "rate_class", "unit", maintain_order=True
    ):
        billable, wrong = _in_unit_of(schedule, group, None if unit is None else str(unit))
        refused.append(wrong)
        if billable.height:
            found, unpriced = _class(schedule, str(name), billable, explained=explained)
            lines += found
            refused += unpriced
    return _together(lines), pl.concat(refused)


def _together(lines: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(lines) if lines else pl.DataFrame(schema=LINES)


def _refused(rows: pl.DataFrame, code: str, sentence: pl.Expr) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=REFUSALS)
    return rows.select(
        "row", code=pl.lit(code, dtype=pl.String), sentence=sentence.str.slice(0, 300)
    )


def _in_unit_of(
    schedule: OwrsSchedule, group: pl.DataFrame, unit: str | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with their usage in the file's unit, and the refusals of what has no such."""
    sentence = pl.lit(
        f"The usage is in {unit or 'no unit'}, which is no whole number of thousandths of the "
        f"tariff's unit ({schedule.unit}); correct the unit of the read."
    )
    nothing = _refused(group.clear(), "unit_differs", sentence)
    if unit == schedule.unit or (unit is None and not (group["usage_thousandths"] != 0).any()):
        return group, nothing
    if unit is None or schedule.unit not in CUBIC_INCHES:
        return group.clear(), _refused(group, "unit_differs", sentence)
    into = factor(unit, schedule.unit)
    scaled = pl.col("usage_thousandths").cast(pl.Int128) * into.numerator
    fits = (scaled % into.denominator == 0) & (scaled < 10**15 * into.denominator)
    usage = (scaled // into.denominator).cast(pl.Int64, strict=False)
    wrong = _refused(group.filter(~fits), "unit_differs", sentence)
    return group.filter(fits).with_columns(usage.alias("usage_thousandths")), wrong


def _class(
    schedule: OwrsSchedule, name: str, group: pl.DataFrame, *, explained: bool
) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """Lines and refusals of the rows of one class."""
    data = _data(schedule.file.required_columns(name), group)
    try:
        priced = schedule.file.rate_exact(name, data)
    except Invalid as refusal:
        return [], [_refused(group, "cannot_compute", pl.lit(refusal.sentence))]
    charges = schedule.file.bill_parts(name)
    cents = priced.select(f"{charge}_cents" for charge in charges)
    has_none = cents.select(pl.any_horizontal(pl.all().is_null())).to_series()
    refused: list[pl.DataFrame] = []
    if has_none.any():
        problems = schedule.file.problems(name, data.filter(has_none))
        sentence = pl.concat_str(
            pl.lit("The bill cannot be computed: "),
            pl.lit(problems.str.slice(0, 200)),
            pl.lit("; correct the agreement or the read."),
        )
        refused.append(_refused(group.filter(has_none), "cannot_compute", sentence))
    negative = cents.select(pl.any_horizontal(pl.all() < 0).fill_null(False)).to_series()
    if negative.any():
        sentence = pl.lit("A charge of the tariff comes to less than zero; correct the tariff.")
        refused.append(_refused(group.filter(negative), "charge_negative", sentence))
    bad = has_none | negative
    if bad.any():
        group, priced = group.filter(~bad), priced.filter(~bad)
    return [_line(schedule, each, group, priced, explained) for each in charges], refused


def _data(columns: tuple[str, ...], group: pl.DataFrame) -> pl.DataFrame:
    """The columns that a class needs, from the usages."""
    known = {
        "usage_ccf": _units(group["usage_thousandths"]),
        "meter_size": group["meter_size"],
        "days_in_period": (group["to_on"] - group["from_on"]).dt.total_days(),
        "usage_month": group["to_on"].dt.month().cast(pl.Int64),
        "usage_year": group["to_on"].dt.year().cast(pl.Int64),
    }
    attributes = group["attributes"]
    found: dict[str, pl.Series] = {"row": group["row"]}
    for name in columns:
        given = attributes.str.json_path_match(f'$["{name}"]')
        if name in known:
            given = known[name]
        elif name == "dwelling_units" and given.null_count() == given.len():
            given = group["dwelling_units"]
        found[name] = given
    return pl.DataFrame(found)


def _units(thousandths: pl.Series) -> pl.Series:
    """Whole units where all are whole; else floats, each the nearest to its three decimals."""
    if not (thousandths % 1000 != 0).any():
        return thousandths // 1000
    return thousandths / 1000


def _line(
    schedule: OwrsSchedule, charge: str, group: pl.DataFrame, priced: pl.DataFrame, explained: bool
) -> pl.DataFrame:
    line = schedule.lines[charge]
    suffix = tiers_family(charge).column_suffix
    tiers = [
        number
        for number in range(1, _TIERS_MAX + 1)
        if charge != "bill" and f"X{number}{suffix}_thousandths" in priced.columns
    ]
    if not tiers:
        quantity, unit = pl.lit(1000, dtype=pl.Int64), "period"
        rate_micros, written = pl.col(f"{charge}_micros"), _no_steps(priced.height)
    else:
        quantity, unit = pl.lit(group["usage_thousandths"]), schedule.unit
        rate_micros, written = _tiers(priced, tiers, suffix, explained=explained)
    return priced.select(
        "row",
        component_id=pl.lit(line.component_id, dtype=pl.Int64),
        position=pl.lit(line.position, dtype=pl.Int16),
        charge_kind=pl.lit(line.charge_kind),
        cents=pl.col(f"{charge}_cents"),
        quantity_thousandths=quantity,
        unit=pl.lit(unit),
        rate_micros=rate_micros,
        days=pl.lit((group["to_on"] - group["from_on"]).dt.total_days().cast(pl.Int32)),
        steps=pl.lit(written),
    )


def _no_steps(height: int) -> pl.Series:
    return pl.repeat(None, height, dtype=pl.String, eager=True)


def _tiers(
    priced: pl.DataFrame, tiers: list[int], suffix: str, *, explained: bool
) -> tuple[pl.Expr, pl.Series]:
    """The rate where one tier made the line, and the steps of the others."""
    used = [pl.col(f"X{number}{suffix}_thousandths").fill_null(0) > 0 for number in tiers]
    rates = [pl.col(f"P{number}{suffix}_micros") for number in tiers]
    several = pl.sum_horizontal(each.cast(pl.Int32) for each in used) > 1
    rate_micros = rates[0]
    for is_used, price in zip(used[1:], rates[1:], strict=True):
        rate_micros = pl.when(is_used).then(price).otherwise(rate_micros)
    rate_micros = pl.when(several).then(None).otherwise(rate_micros)
    written = _no_steps(priced.height)
    which = priced.select(several).to_series()
    if explained and which.any():
        found = [
            steps.Step(is_used, pl.col(f"X{number}{suffix}_thousandths"), price, tier=number)
            for number, is_used, price in zip(tiers, used, rates, strict=True)
        ]
        at = pl.arange(0, priced.height, eager=True).filter(which)
        written = written.scatter(at, steps.as_json(priced.filter(which), found))
    return rate_micros, written

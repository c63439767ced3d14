"""The printed lines of one component over all rows of one unit."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from chamberlain.kernel.money import LARGEST_CENTS, round_half_up_column
from chamberlain.tariffs import steps
from chamberlain.tariffs.amounts import amount_of
from chamberlain.tariffs.figures import NARROW, WIDE, Addend, Amount, Figures
from chamberlain.tariffs.proration import Weights, kept, weigh
from chamberlain.tariffs.rows import Rows, largest
from chamberlain.tariffs.schedule import Component, Fixed, FlatRate, Minimum, Percent, Tiered

Until = Callable[[int], pl.Series]


@dataclass(frozen=True, slots=True)
class Total:
    """Cents of a component for each row, 0 where it has no line. until: those before a day."""

    cents: pl.Series
    until: Until


class Line:
    """A component being rated. `totals` holds the components before it, by code."""

    def __init__(
        self, component: Component, rows: Rows, proration: str, totals: Mapping[str, Total]
    ) -> None:
        self.component = component
        self.rows = rows
        self.proration = proration
        self.totals = totals
        self.applies = self._applies()
        self.weights = weigh(component, rows, proration).computed(rows)
        self._refuse_without_version()
        self.kept = kept(component, rows, self.weights.segments)
        self.figures = Figures(component, rows, self.weights.segments)
        self._refuse_without_figure()
        self.by_parts = (
            isinstance(component.terms, Percent)
            and proration == "by_day"
            and not self.weights.is_simple
        )
        self.undivided = self._amount()
        self.amount = self._in_parts(self.undivided) if self.by_parts else self.undivided
        self._refuse_too_large()

    # --- Who has the line, and who cannot be rated ---------------------------------------------

    def _applies(self) -> pl.Series | None:
        """Rows that the component is for; None for all."""
        which: pl.Series | None = None
        for name, values in self.component.applies_to.items():
            match = self.rows.matches(name, values)
            which = match if which is None else which & match
        most = self.component.most_dwelling_units
        if most is not None:
            match = self.rows.series(self.rows.whole_number("dwelling_units")[0] <= most)
            which = match if which is None else which & match
        return which

    def _refuse(self, which: pl.Series, code: str, sentence: str) -> None:
        which = which if self.applies is None else which & self.applies
        self.rows.refuse(which, code, pl.lit(sentence))

    def _refuse_without_version(self) -> None:
        before = self.weights.before
        if before is not None and not self.component.begins_with_first_version:
            first = self.component.versions[0].effective
            self._refuse(
                self.rows.series(before > 0),
                "no_version",
                f"“{self.component.label}” has no figure before {first}; give the tariff an "
                "earlier version, or bill a later period.",
            )
        if isinstance(self.component.terms, FlatRate | Tiered) and self.rows.unit is None:
            self._refuse(
                pl.repeat(True, self.rows.frame.height, eager=True),
                "unit_missing",
                f"“{self.component.label}” is by usage and the read has no unit; correct the read.",
            )

    def _refuse_without_figure(self) -> None:
        for number, missing in enumerate(self.figures.missing):
            if missing is not None:
                weight = self.weights.weights[number]
                which = missing if isinstance(weight, int) else missing & self._some(weight)
                which = which if self.applies is None else which & self.applies
                self.rows.refuse_unknown(which, self.component.by, self.figures.key)

    def _some(self, weight: pl.Expr) -> pl.Series:
        return self.rows.series(weight > 0)

    def _refuse_too_large(self) -> None:
        """Refuses usage whose exact product would not fit, and rates the others again."""
        while (bound := self._bound()) >= WIDE:
            limit = self.rows.usage_max * WIDE // (2 * bound)
            self.rows.limit_usage(limit)
            self.undivided = self.amount = self._amount()

    # --- What it comes to ----------------------------------------------------------------------

    def _base(self, until: int | None = None) -> pl.Series:
        """Cents of the lines that this one is of."""
        assert isinstance(self.component.terms, Percent | Minimum)
        total = pl.Series([0], dtype=pl.Int64).extend_constant(0, self.rows.frame.height - 1)
        for code in self.component.terms.of:
            found = self.totals[code]
            total = total + (found.cents if until is None else found.until(until))
        return total

    def _amount(self) -> Amount:
        base = None
        if isinstance(self.component.terms, Percent | Minimum):
            cents = self._base()
            base = (self.rows.add(cents), largest(cents))
        return amount_of(self.component, self.rows, self.figures, base)

    def _in_parts(self, amount: Amount, until: int | None = None) -> Amount:
        """A percentage that changes: of what its lines come to in each of its segments.

        Those parts are in whole cents and add up to the printed lines, so that the bill's reader
        can follow them.
        """
        [addend] = amount.addends
        addends: list[Addend] = []
        for number, segment in enumerate(self.weights.segments):
            end = segment.end if until is None else min(segment.end, until)
            start = min(segment.start, end)
            part = self.rows.add(self._base(end) - self._base(start))
            addends.append(Addend(part, addend.largest, {number: addend.by_segment[number]}))
        return replace(amount, addends=tuple(addends))

    def _bound(self) -> int:
        """No numerator, doubled for rounding, is larger."""
        total = sum(
            addend.largest * max((each.largest for each in addend.by_segment.values()), default=0)
            for addend in self.amount.addends
        )
        weight = self.rows.days_max if isinstance(self.weights.whole, pl.Expr) else 1
        both = total * weight * self.kept.whole
        return 2 * both + 2 * self.amount.denominator * weight * self.kept.whole

    def _cents(self, amount: Amount, weights: Weights) -> pl.Series:
        """The rounded cents, in Int128 when Int64 is too narrow."""
        dtype = pl.Int64 if self._bound() < NARROW else pl.Int128
        total: pl.Expr | None = None
        for addend in amount.addends:
            share = self._share(addend, weights, dtype)
            each = addend.base.cast(dtype) * share
            total = each if total is None else total + each
        assert total is not None
        denominator = _times(self._whole(weights), amount.denominator * self.kept.whole, dtype)
        return self.rows.rounded(total, _typed(denominator, dtype))

    def _whole(self, weights: Weights) -> pl.Expr | int:
        return 1 if self.by_parts else weights.whole

    def _share(self, addend: Addend, weights: Weights, dtype: type[pl.DataType]) -> pl.Expr:
        parts: list[pl.Expr | int] = []
        for number, coefficient in addend.by_segment.items():
            weight = 1 if self.by_parts else weights.weights[number]
            part = _times(coefficient.value, weight, dtype)
            parts.append(_times(part, self.kept.parts[number], dtype))
        return _typed(_sum(parts), dtype)

    def total(self) -> Total:
        """The cents of all rows, and how to split them at a day."""
        if not self.weights.segments:
            none = pl.repeat(0, self.rows.frame.height, dtype=pl.Int64, eager=True)
            return Total(none, lambda day: none)
        cents = self._narrow(self._cents(self.amount, self.weights))
        if isinstance(self.component.terms, Minimum):
            cents = (cents - self._base()).clip(0)
            share = self.rows.add(cents)
            return Total(cents, lambda day: self._by_days(share, day))
        return Total(cents, self._until)

    def _narrow(self, found: pl.Series) -> pl.Series:
        if largest(found) > LARGEST_CENTS:
            self._refuse(
                found > LARGEST_CENTS,
                "usage_too_large",
                f"“{self.component.label}” comes to more than the program keeps; check the usage.",
            )
            found = found.clip(0, LARGEST_CENTS)
        found = found.cast(pl.Int64)
        return found if self.applies is None else found * self.applies.cast(pl.Int64)

    def _until(self, day: int) -> pl.Series:
        """The cents of the days before a day, where nothing else is rounded."""
        if day >= self.rows.last:
            return self.total().cents
        if self.by_parts:
            amount = self._in_parts(self.undivided, day)
            return self._narrow(self._cents(amount, self.weights))
        weights = weigh(self.component, self.rows, self.proration, day).computed(self.rows)
        return self._narrow(self._cents(self.amount, weights))

    def _by_days(self, cents: pl.Expr, day: int) -> pl.Series:
        gone = (pl.min_horizontal("to", pl.lit(day)) - pl.col("from")).clip(0)
        return self.rows.series(round_half_up_column(cents * gone, pl.col("days")))

    # --- How it is printed ---------------------------------------------------------------------

    def printed(self, total: Total, *, explained: bool) -> pl.DataFrame:
        """The lines, with the columns of `Rated.lines`, of the rows that have one."""
        cents = self.rows.add(total.cents)
        which, plain = self._has_line(cents), self._is_plain()
        quantity, days = self._quantity()
        rate = _sum(
            _times(_flag(weight), rate, pl.Int64)
            for weight, rate in zip(self._by_version(), self._version_rates(), strict=True)
        )
        rate = pl.lit(rate, dtype=pl.Int64) if isinstance(rate, int) else rate.cast(pl.Int64)
        columns = [
            pl.col("row"),
            cents.alias("cents"),
            quantity.cast(pl.Int64).alias("quantity_thousandths"),
            (rate if plain is None else pl.when(plain).then(rate)).alias("rate_micros"),
            days.cast(pl.Int32).alias("days"),
        ]
        needs_steps = pl.lit(False) if plain is None or not explained else ~plain
        flags = [needs_steps.alias("needs_steps")]
        if which is not None:
            flags.append(which.alias("which"))
        found = self.rows.compute([*columns, *flags])
        found = self._with_steps(found, explained=explained and plain is not None)
        if which is not None:
            found = found.filter(pl.col("which"))
        if self.applies is not None and which is None:
            found = found.filter(self.applies)
        return self._finished(found)

    def _finished(self, found: pl.DataFrame) -> pl.DataFrame:
        return found.select(
            "row",
            component_id=pl.lit(self.component.id, dtype=pl.Int64),
            position=pl.lit(self.component.position, dtype=pl.Int16),
            charge_kind=pl.lit(self.component.charge_kind),
            cents="cents",
            quantity_thousandths="quantity_thousandths",
            unit=pl.lit(self.amount.unit),
            rate_micros="rate_micros",
            days="days",
            steps="steps",
        )

    def _has_line(self, cents: pl.Expr) -> pl.Expr | None:
        """Which rows have a line; None when all do that the component applies to."""
        found: list[pl.Expr] = []
        if self.weights.before is not None:
            found.append(self.weights.covered > 0)
        if isinstance(self.component.terms, Minimum):
            found.append(cents > 0)
        if isinstance(self.component.terms, Fixed) and self.component.terms.count:
            found.append(self.rows.whole_number(self.component.terms.count)[0] > 0)
        if found and self.applies is not None:
            found.append(self.rows.add(self.applies))
        return pl.all_horizontal(found) if found else None

    def _by_version(self) -> list[pl.Expr | int]:
        """Weights of the versions: segments that only an exemption divides count as one."""
        found: dict[int, pl.Expr | int] = {}
        for segment, weight in zip(self.weights.segments, self.weights.weights, strict=True):
            key = id(segment.version)
            found[key] = found[key] + weight if key in found else weight
        return list(found.values())

    def _version_rates(self) -> list[pl.Expr | int]:
        pairs = zip(self.weights.segments, self.amount.rates, strict=True)
        return list({id(segment.version): rate for segment, rate in pairs}.values())

    def _is_plain(self) -> pl.Expr | None:
        """Rows whose line one rate made; None when all are."""
        found: list[pl.Expr] = []
        versions = self._by_version()
        if len(versions) > 1:
            used = _sum(_flag(weight) for weight in versions)
            assert isinstance(used, pl.Expr)
            found.append(used == 1)
        for number, weight in enumerate(self.weights.weights):
            unused = pl.lit(False) if isinstance(weight, int) else weight == 0
            parts = self.kept.parts[number]
            if isinstance(parts, pl.Expr):
                found.append(unused | (parts == self.kept.whole))
            tiers = self.amount.tiers[number] if self.amount.tiers else ()
            if len(tiers) > 1:
                found.append(unused | (self.amount.quantity - tiers[0].usage <= 0))
        return pl.all_horizontal(found) if found else None

    def _quantity(self) -> tuple[pl.Expr, pl.Expr]:
        """The line's quantity in thousandths, and its days."""
        quantity, whole = self.amount.quantity, self.amount.quantity_whole
        days = pl.col("days")
        if self.weights.before is not None and isinstance(self.weights.whole, pl.Expr):
            days = self.weights.covered
            # Its parts of the base are known to the cent; usage and periods go by days.
            if self.by_parts:
                quantity = _expr(_sum(addend.base for addend in self.amount.addends)) * 10
            else:
                return self._rounded(quantity, days, pl.col("days")), days
        return (quantity if whole == 1 else self._rounded(quantity, 1, 1)), days

    def _rounded(self, quantity: pl.Expr, share: pl.Expr | int, of: pl.Expr | int) -> pl.Expr:
        """Thousandths of a quantity's share."""
        dtype = self._quantity_type()
        top = _typed(_times(quantity.cast(dtype), share, dtype), dtype)
        return round_half_up_column(
            top, _typed(_times(of, self.amount.quantity_whole, dtype), dtype)
        )

    def _quantity_type(self) -> type[pl.DataType]:
        return pl.Int64 if self.amount.quantity_largest * self.rows.days_max < NARROW else pl.Int128

    # --- Its steps -----------------------------------------------------------------------------

    def _with_steps(self, found: pl.DataFrame, *, explained: bool) -> pl.DataFrame:
        needs = found["needs_steps"]
        if not explained or not needs.any():
            return found.with_columns(steps=pl.lit(None, dtype=pl.String))
        written = steps.as_json(self.rows.frame.filter(needs), self._steps())
        at = pl.arange(0, found.height, eager=True).filter(needs)
        column = pl.Series([None], dtype=pl.String).extend_constant(None, found.height - 1)
        return found.with_columns(column.scatter(at, written).alias("steps"))

    def _steps(self) -> list[steps.Step]:
        found: list[steps.Step] = []
        many = len(self.weights.segments) > 1
        for number, segment in enumerate(self.weights.segments):
            weight = self.weights.weights[number]
            is_used = None if isinstance(weight, int) else weight > 0
            dates = None
            if many and self.proration == "by_day":
                start = pl.max_horizontal("from", pl.lit(segment.start))
                end = pl.min_horizontal("to", pl.lit(segment.end))
                dates = (start, end, _expr(weight))
            waived = steps.waived_micros(self.kept.parts[number], self.kept.whole)
            for tier, usage, rate in self._step_parts(number):
                conditions = [] if is_used is None else [is_used]
                if tier is not None:
                    conditions.append(usage > 0)
                there = pl.all_horizontal(conditions) if conditions else None
                quantity = self._step_quantity(number, usage)
                found.append(steps.Step(there, quantity, rate, tier, dates, waived))
        return found

    def _step_parts(self, number: int) -> list[tuple[int | None, pl.Expr, pl.Expr | int]]:
        if not self.amount.tiers:
            return [(None, self.amount.quantity, self.amount.rates[number])]
        parts = self.amount.tiers[number]
        if len(parts) == 1:
            return [(None, parts[0].usage, parts[0].rate_micros)]
        return [(tier, part.usage, part.rate_micros) for tier, part in enumerate(parts, 1)]

    def _step_quantity(self, number: int, usage: pl.Expr) -> pl.Expr:
        """Thousandths of a step."""
        if self.by_parts:
            return self.amount.addends[number].base * 10
        weight = self.weights.weights[number]
        if self.proration != "by_day" or isinstance(weight, int):
            return self._rounded(usage, 1, 1)
        return self._rounded(usage, weight, self.weights.whole)


def _times(left: pl.Expr | int, right: pl.Expr | int, dtype: type[pl.DataType]) -> pl.Expr | int:
    """A product in a type wide enough for it; 0 and 1 cost nothing."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int) and one == 1:
            return other
    return _typed(left, dtype) * _typed(right, dtype)


def _typed(value: pl.Expr | int, dtype: type[pl.DataType]) -> pl.Expr:
    return pl.lit(value, dtype=dtype) if isinstance(value, int) else value.cast(dtype)


def _sum(values: Iterable[pl.Expr | int]) -> pl.Expr | int:
    total: pl.Expr | int = 0
    for value in values:
        total = value if isinstance(total, int) and total == 0 else total + value
    return total


def _flag(weight: pl.Expr | int) -> pl.Expr | int:
    return weight if isinstance(weight, int) else (weight > 0).cast(pl.Int64)


def _expr(value: pl.Expr | int) -> pl.Expr:
    return pl.lit(value, dtype=pl.Int64) if isinstance(value, int) else value

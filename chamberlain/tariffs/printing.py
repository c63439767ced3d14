"""How the lines of a component are printed: which rows have one, and what it says."""

import polars as pl

from chamberlain.kernel.money import round_half_up_column
from chamberlain.tariffs import steps
from chamberlain.tariffs.columns import as_column, times, total_of, typed
from chamberlain.tariffs.figures import NARROW
from chamberlain.tariffs.lines import Line, Total
from chamberlain.tariffs.schedule import Fixed, Minimum


class Printing:
    """A rated component on its way to the bills."""

    def __init__(self, line: Line) -> None:
        self.component = line.component
        self.rows = line.rows
        self.proration = line.proration
        self.applies = line.applies
        self.weights = line.weights
        self.kept = line.kept
        self.amount = line.amount
        self.by_parts = line.by_parts

    def printed(self, total: Total, *, explained: bool) -> pl.DataFrame:
        """The lines, with the columns of `Rated.lines`, of the rows that have one."""
        cents = self.rows.add(total.cents)
        which, plain = self._has_line(cents), self._is_plain()
        quantity, days = self._quantity()
        rate = total_of(
            times(_is_used(weight), rate, pl.Int64)
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
            used = total_of(_is_used(weight) for weight in versions)
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
                quantity = as_column(total_of(addend.base for addend in self.amount.addends)) * 10
            else:
                return self._rounded(quantity, days, pl.col("days")), days
        return (quantity if whole == 1 else self._rounded(quantity, 1, 1)), days

    def _rounded(self, quantity: pl.Expr, share: pl.Expr | int, of: pl.Expr | int) -> pl.Expr:
        """Thousandths of a quantity's share."""
        dtype = self._quantity_type()
        top = typed(times(quantity.cast(dtype), share, dtype), dtype)
        return round_half_up_column(top, typed(times(of, self.amount.quantity_whole, dtype), dtype))

    def _quantity_type(self) -> type[pl.DataType]:
        return pl.Int64 if self.amount.quantity_largest * self.rows.days_max < NARROW else pl.Int128

    def _with_steps(self, found: pl.DataFrame, *, explained: bool) -> pl.DataFrame:
        needs = found["needs_steps"]
        if not explained or not needs.any():
            return found.with_columns(steps=pl.lit(None, dtype=pl.String))
        written = steps.as_json(self.rows.frame.filter(needs), self._steps(), self.rows.following)
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
                dates = (segment.start, segment.end, as_column(weight))
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


def _is_used(weight: pl.Expr | int) -> pl.Expr | int:
    return weight if isinstance(weight, int) else (weight > 0).cast(pl.Int64)

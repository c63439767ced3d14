"""The printed lines of one component over all rows of one unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from chamberlain.kernel.money import LARGEST_CENTS, round_half_up_column
from chamberlain.tariffs.amounts import amount_of
from chamberlain.tariffs.columns import times, total_of, typed
from chamberlain.tariffs.figures import NARROW, WIDE, Addend, Amount, Figures
from chamberlain.tariffs.proration import Weights, kept, weigh
from chamberlain.tariffs.rows import Rows, largest
from chamberlain.tariffs.schedule import Component, FlatRate, Minimum, Percent, Tiered

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
        denominator = times(self._whole(weights), amount.denominator * self.kept.whole, dtype)
        return self.rows.rounded(total, typed(denominator, dtype))

    def _whole(self, weights: Weights) -> pl.Expr | int:
        return 1 if self.by_parts else weights.whole

    def _share(self, addend: Addend, weights: Weights, dtype: type[pl.DataType]) -> pl.Expr:
        parts: list[pl.Expr | int] = []
        for number, coefficient in addend.by_segment.items():
            weight = 1 if self.by_parts else weights.weights[number]
            part = times(coefficient.value, weight, dtype)
            parts.append(times(part, self.kept.parts[number], dtype))
        return typed(total_of(parts), dtype)

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
        if isinstance(self.component.terms, Percent):
            amount = self._in_parts(self.undivided, day)
            return self._narrow(self._cents(amount, self.weights))
        weights = weigh(self.component, self.rows, self.proration, day).computed(self.rows)
        return self._narrow(self._cents(self.amount, weights))

    def _by_days(self, cents: pl.Expr, day: int) -> pl.Series:
        gone = (pl.min_horizontal("to", pl.lit(day)) - pl.col("from")).clip(0)
        return self.rows.series(round_half_up_column(cents * gone, pl.col("days")))

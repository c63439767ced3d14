"""The fields of a customer class computed for every row of a frame.

Fields are computed when they are first named, so their order in the file does not matter. Where
the data have a column with a field's name, the data win, as in the format's reference program: a
tariff may say `hhsize: 3` for whoever has no better number. A row that cannot be priced (a value
is missing, or the tariff has no entry for it) has a null bill, and `reasons` says why; it holds up
no other row.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Generic

import polars as pl

from chamberlain.tariffs.owrs import matching, reference_order, tiers
from chamberlain.tariffs.owrs.arithmetic import A, Arithmetic
from chamberlain.tariffs.owrs.customer_class import USAGE, CustomerClass, charge_tiers
from chamberlain.tariffs.owrs.families import SURCHARGES, tiers_family
from chamberlain.tariffs.owrs.faults import (
    CannotCompute,
    Flaw,
    MissingColumn,
    UnusableColumn,
)
from chamberlain.tariffs.owrs.formula import Expression, Name, Negative, Number, Operation, Percent
from chamberlain.tariffs.owrs.structure import Charge, Content, Table, Tiers, as_tiers

_OWN = "\x00owrs "
_ZERO = Decimal(0)


class Rating(Generic[A]):
    """One class, one frame, one arithmetic. After `run`, `work` holds every amount named."""

    def __init__(
        self,
        path: Path,
        customer: CustomerClass,
        frame: pl.DataFrame,
        arithmetic: Arithmetic[A],
        *,
        in_reference_order: bool = False,
    ) -> None:
        self.path = path
        self.customer = customer
        self.frame = frame
        self.work = frame
        self.arithmetic = arithmetic
        self.in_reference_order = in_reference_order
        self.amounts: dict[str, A] = {}
        self.columns: dict[str, A] = {}
        self.steps: dict[str, list[tiers.Step[A]]] = {}
        self.reasons: list[tuple[pl.Expr, pl.Expr]] = []

    def run(self) -> None:
        """Computes the bill, then what else the data suffice for.

        Raises MissingColumn, UnusableColumn, CannotCompute.
        """
        self._check_names()
        self.field("bill")
        needed = len(self.reasons)
        for name in self.customer.order:
            # A field that only other rows would need; without it the columns depended on the rows.
            if not self._is_tiers(name):
                self._extra(name)
        for name in self.customer.extras:
            is_charge = isinstance(self._content(name), Charge)
            if name not in SURCHARGES and not is_charge and not self._is_tiers(name):
                self._extra(name)
        del self.reasons[needed:]

    def _extra(self, name: str) -> None:
        try:
            self.field(name)
        except (MissingColumn, UnusableColumn, CannotCompute):
            # The bill does without this field, so data without its columns are no fault.
            return

    def shown(self) -> Iterator[tuple[str, str]]:
        """The computed fields in the file's order, each with the column it is shown in."""
        for name in self.customer.fields:
            column = self.customer.output(name)
            if name in self.amounts and column not in self.frame.columns:
                yield name, column

    def _content(self, name: str) -> Content:
        return self.customer.fields[name].content

    def _is_tiers(self, name: str) -> bool:
        content = self._content(name)
        values = content.cases.values() if isinstance(content, Table) else (content,)
        return (
            "tier_starts" in name
            or "tier_prices" in name
            or any(isinstance(value, Tiers) for value in values)
        )

    def _check_names(self) -> None:
        taken = set(self.frame.columns)
        for name in self.customer.order:
            if name == "bill" or isinstance(self._content(name), Charge):
                column = self.customer.output(name)
                if column in taken:
                    raise UnusableColumn(
                        f"{self.path}: the data already have a column {column}, which the tariff "
                        f"computes for class {self.customer.name}; rename or drop it.",
                        field=column,
                    )

    def keep(self, amount: A, name: str) -> A:
        """Computes an amount now, so that what follows reads it instead of repeating it."""
        column, kept = self.arithmetic.kept(amount, _OWN + name)
        self.work = self.work.with_columns(column)
        return kept

    def field(self, name: str) -> A:
        """The amount of a field that is one number."""
        if name not in self.amounts:
            try:
                amount = self._compute(name)
            except Flaw as flaw:
                place = f"{self.path}: {self.customer.name}.{name}"
                raise CannotCompute(f"{place}: {flaw.reason}.", field=name) from None
            self.amounts[name] = self.keep(amount, f"field {name}")
        return self.amounts[name]

    def _compute(self, name: str) -> A:
        content = self._content(name)
        if isinstance(content, Charge):
            return self._charge(name, content)
        if isinstance(content, Table):
            return self._table(name, content)
        if isinstance(content, Tiers):
            raise Flaw("is a list of tiers, where one number is needed")
        return self._formula(content, name)

    def _formula(self, tree: Expression, inside: str) -> A:
        # In a budget every operand of a sum, product or power is rounded to whole units first.
        return self.expression(tree, inside, in_budget="budget" in inside)

    def expression(self, tree: Expression, inside: str, *, in_budget: bool = False) -> A:
        """The amount of a formula that stands in a field."""
        arithmetic = self.arithmetic
        if isinstance(tree, Operation):
            apart = in_budget and tree.operator in "+*^"
            left = self.expression(tree.left, inside, in_budget=apart)
            right = self.expression(tree.right, inside, in_budget=apart)
            amount = self._operation(tree.operator, left, right)
            return arithmetic.whole(amount) if in_budget and not apart else amount
        match tree:
            case Number(value):
                amount = arithmetic.number(value)
            case Name(name):
                amount = self.named(name, inside)
            case Percent(value):
                amount = arithmetic.percent(value, self.named("budget", inside))
            case Negative(operand):
                minus = self.expression(operand, inside)
                amount = arithmetic.subtract(arithmetic.number(_ZERO), minus)
        return arithmetic.whole(amount) if in_budget else amount

    def _operation(self, operator: str, left: A, right: A) -> A:
        arithmetic = self.arithmetic
        match operator:
            case "+":
                return arithmetic.add(left, right)
            case "-":
                return arithmetic.subtract(left, right)
            case "*":
                return arithmetic.multiply(left, right)
            case "/":
                return arithmetic.divide(left, right)
        return arithmetic.power(left, right)

    def meaning(self, name: str, inside: str) -> tuple[str | None, str]:
        """The field, or None and the column, that a name means; data win over fields."""
        target = self.customer.meaning(name, inside)
        if target is None:
            return None, name
        for column in (target, self.customer.output(target), name):
            if column in self.frame.columns:
                return None, column
        return target, name

    def named(self, name: str, inside: str) -> A:
        """The amount that a name means inside a field."""
        field, column = self.meaning(name, inside)
        return self.column(column) if field is None else self.field(field)

    def column(self, name: str) -> A:
        """A column of the data as amounts."""
        if name not in self.columns:
            series = self._numeric(name)
            own = f"{_OWN}column {name}"
            self.work = self.work.with_columns(series.alias(own))
            self.reasons.append((pl.col(own).is_null(), pl.lit(f"{name} is missing")))
            try:
                amount = self.arithmetic.column(own, self.work)
            except Flaw as flaw:
                reason = flaw.reason.replace(own, name)
                sentence = f"{self.path}: class {self.customer.name}: {reason}."
                raise CannotCompute(sentence, field=name) from None
            self.columns[name] = self.keep(amount, f"amount {name}")
        return self.columns[name]

    def _present(self, name: str) -> pl.Series:
        if name not in self.frame.columns:
            raise MissingColumn(self.path, self.customer.name, name)
        return self.frame[name]

    def _numeric(self, name: str) -> pl.Series:
        series = self._present(name)
        if series.dtype.is_numeric() or series.dtype == pl.Boolean:
            return series
        if series.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null):
            text = series.cast(pl.String).str.strip_chars()
            numbers = text.cast(pl.Decimal(38, 6), strict=False)
            if numbers.null_count() == series.null_count():
                return numbers
        raise UnusableColumn(
            f"{self.path}: class {self.customer.name} computes with the column {name}, which holds "
            "something else than numbers.",
            field=name,
        )

    def _case(self, name: str, table: Table) -> pl.Expr:
        """A column with the number of the table's entry for each row."""
        sources: dict[str, pl.Series] = {}
        for reference in table.depends_on:
            field, column = self.meaning(reference, name)
            sources[reference] = self._text(field) if field else self._present(column)
        attributes = pl.DataFrame(sources)
        found = matching.cases(attributes, table.depends_on, table.cases)
        own = f"{_OWN}case {name}"
        self.work = self.work.with_columns(found.alias(own))
        for reference, values in sources.items():
            self.reasons.append((pl.lit(values).is_null(), pl.lit(f"{reference} is missing")))
        self.reasons.append((pl.col(own).is_null(), _unknown(name, sources)))
        return pl.col(own)

    def _text(self, field: str) -> pl.Series:
        amount = self.field(field)
        return self.work.select(self.arithmetic.as_float(amount).alias("key"))["key"]

    def _table(self, name: str, table: Table) -> A:
        case = self._case(name, table)
        used = set(self.work.select(case.unique()).to_series().drop_nulls().to_list())
        options: list[A | None] = []
        for position, value in enumerate(table.cases.values()):
            if isinstance(value, Tiers):
                raise Flaw("is a list of tiers, where one number is needed")
            options.append(self._formula(value, name) if position in used else None)
        return self.arithmetic.choose(case, options)

    def _side(self, name: str) -> tiers.Side[A]:
        """Tier starts or prices, with only the lists computed that some row uses."""
        content = self._content(name)
        if isinstance(content, Charge):
            raise Flaw("is no list of tiers")
        case = self._case(name, content) if isinstance(content, Table) else None
        values = list(content.cases.values()) if isinstance(content, Table) else [content]
        used = {0}
        if case is not None:
            used = set(self.work.select(case.unique()).to_series().drop_nulls().to_list())
        lists = [
            [self.expression(entry, name) for entry in as_tiers(value).entries]
            if position in used
            else None
            for position, value in enumerate(values)
            if not isinstance(value, Table)
        ]
        sizes = tuple(len(as_tiers(v).entries) for v in values if not isinstance(v, Table))
        return tiers.Side(case, lists, sizes)

    def _charge(self, name: str, charge: Charge) -> A:
        starts, prices = charge_tiers(name, self.customer.fields)
        steps, total = tiers.price(
            self.arithmetic,
            self.named(USAGE, name),
            self._side(starts),
            self._side(prices),
            is_budget=charge.kind == "Budget",
            keep=lambda amount, part: self.keep(amount, f"{name} {part}"),
        )
        self.steps[name] = steps
        if self.in_reference_order:
            self._put_back(name, starts, prices)
        return total

    def _put_back(self, charge: str, starts: str, prices: str) -> None:
        """Moves the tier figures of a charge to the rows where the reference program has them."""
        kept = [name for name in self.work.columns if name.startswith(f"{_OWN}{charge} ")]
        is_priced = self.work[kept[-1]].is_not_null()
        shown = reference_order.order(self._texts(starts), self._texts(prices), is_priced)
        self.work = self.work.with_columns(self.work.select(kept)[shown])

    def _texts(self, field: str) -> pl.Series:
        """For each row the text of its tier starts or prices, null where it has none."""
        content = self._content(field)
        texts = reference_order.texts_of(content)
        if not isinstance(content, Table):
            return pl.repeat(texts[0], self.work.height, eager=True)
        return pl.Series(texts).gather(self.work[f"{_OWN}case {field}"])

    def tier_columns(self, charge: str) -> str:
        """What follows X1, XR1 in the names of a charge's tier columns."""
        return tiers_family(charge).column_suffix


def _unknown(field: str, sources: dict[str, pl.Series]) -> pl.Expr:
    """Says for each row which value the tariff has no entry for."""
    parts: list[pl.Expr] = []
    for name, values in sources.items():
        parts += [pl.lit(", " if parts else ""), pl.lit(f"{name} "), pl.lit(values).cast(pl.String)]
    return pl.concat_str(*parts, pl.lit(f" is not in the tariff's {field}"))

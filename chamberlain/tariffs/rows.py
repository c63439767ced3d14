"""The rows of one rating: their columns, their attributes, and which of them are refused.

All arithmetic runs over one frame of whole numbers, aligned with the usages, so that a component
is a few expressions over columns and never a join. Columns: `row`, `from`, `to` (days since
1970), `days`, `usage` (thousandths of `unit`), and what components add.
"""

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from chamberlain.kernel.money import round_half_up_column
from chamberlain.kernel.periods import Period, add_months
from chamberlain.tariffs.seasons import season_parts, season_whole

DAYS_MAX = 10_000
USAGE_MAX = 10**12
COUNT_MAX = 1_000_000
MONTH_PARTS = 377_580
"""The least common multiple of 28, 29, 30 and 31: a month in whole parts, whatever its length."""

_EPOCH = date(1970, 1, 1).toordinal()
_SMALL = 50_000


def day_number(day: date) -> int:
    """Days since 1970, as frames hold dates."""
    return day.toordinal() - _EPOCH


def month_parts(start: date, end: date) -> int:
    """A period in months, times MONTH_PARTS.

    Whole months are counted from the first day; days left over are a share of the month that they
    begin. 15 February to 20 March is one month and 5 of the 31 days from 15 March to 15 April.
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    begun, next_one = add_months(start, months), add_months(start, months + 1)
    length = Period(begun, next_one).days or 1
    return months * MONTH_PARTS + (end - begun).days * MONTH_PARTS // length


class Rows:
    """Usages in one unit. `frame` grows by the columns that components add."""

    def __init__(self, usages: pl.DataFrame, unit: str | None) -> None:
        self.usages = usages
        self.unit = unit
        first, last = pl.col("from_on").to_physical(), pl.col("to_on").to_physical()
        self.frame = usages.select(
            "row",
            first.cast(pl.Int64).alias("from"),
            last.cast(pl.Int64).alias("to"),
            (last - first).cast(pl.Int64).alias("days"),
            pl.col("usage_thousandths").alias("usage"),
        )
        bounds = self.frame.select(
            first=pl.col("from").min(),
            last=pl.col("to").max(),
            days=pl.col("days").max(),
            usage=pl.col("usage").max(),
        ).row(0)
        self.first, self.last, self.days_max, usage_max = bounds
        self.usage_max = max(usage_max, 1)
        exempt = usages["exemptions"]
        self.any_exempt = exempt.null_count() < exempt.len() and bool(exempt.list.len().max())
        self.refused: list[pl.DataFrame] = []
        self.following = {"days"}
        self._kept: dict[str, tuple[pl.Expr, int]] = {}
        self._attributes: dict[str, pl.Series] = {}

    def add(self, column: pl.Series, *, follows: bool = False) -> pl.Expr:
        """Keeps an aligned column and gives the expression that reads it.

        follows: its values follow from the period, the usage and the other columns.
        """
        name = f"c{len(self.frame.columns)}"
        if follows:
            self.following.add(name)
        self.frame = self.frame.with_columns(column.alias(name))
        return pl.col(name)

    def keep(self, name: str, column: pl.Series) -> tuple[pl.Expr, int]:
        """Adds a column of whole numbers under a name, once, with the largest of them (over 0)."""
        self._kept[name] = self.add(column), largest(column)
        return self._kept[name]

    def compute(self, columns: Sequence[pl.Expr]) -> pl.DataFrame:
        """The expressions over the frame; in cache-sized pieces on all cores when it is large."""
        return self._run(self.frame, columns)

    @staticmethod
    def _run(frame: pl.DataFrame, columns: Sequence[pl.Expr]) -> pl.DataFrame:
        if frame.height < _SMALL:
            return frame.select(columns)
        return frame.lazy().select(columns).collect(engine="streaming")

    def series(self, expression: pl.Expr) -> pl.Series:
        """One computed column, also of an expression that reads none."""
        return self.compute([pl.col("row"), expression.alias("value")])["value"]

    def rounded(self, numerator: pl.Expr, denominator: pl.Expr) -> pl.Series:
        """A quotient, half up. The numerator is computed first, since rounding reads it twice."""
        parts = self.compute([pl.col("row"), numerator.alias("top"), denominator.alias("bottom")])
        quotient = round_half_up_column(pl.col("top"), pl.col("bottom"))
        return self._run(parts, [quotient.alias("quotient")])["quotient"]

    def refuse(self, which: pl.Series, code: str, sentence: pl.Expr) -> None:
        """Refuses the rows that are true; the sentence may read columns of the usages."""
        if which.any():
            self.refused.append(
                self.usages.filter(which).select(
                    "row", code=pl.lit(code), sentence=sentence.str.slice(0, 300)
                )
            )

    def limit_usage(self, limit: int) -> None:
        """Refuses usage above a limit, beyond which the arithmetic is not exact."""
        self.refuse(
            self.frame["usage"] > limit,
            "usage_too_large",
            pl.lit("The usage is too large to be billed exactly; correct the read."),
        )
        usage = pl.col("usage")
        self.frame = self.frame.with_columns(
            pl.when(usage <= limit).then(usage).otherwise(0).alias("usage")
        )
        self.usage_max = max(1, min(self.usage_max, limit))

    def attribute(self, name: str) -> pl.Series:
        """An attribute of each account as text; null where it has none."""
        if name not in self._attributes:
            if name in ("rate_class", "meter_size", "dwelling_units"):
                found = self.usages[name].cast(pl.String)
            else:
                found = self.usages["attributes"].str.json_path_match(f"$.{name}")
            self._attributes[name] = found
        return self._attributes[name]

    def whole_number(self, name: str) -> tuple[pl.Expr, int]:
        """A count (of dwelling units, fixtures), and the most. Refuses what is no count."""
        if name not in self._kept:
            text = self.attribute(name)
            numbers = text.cast(pl.Int64, strict=False)
            bad = text.is_not_null() & ~numbers.is_between(0, COUNT_MAX).fill_null(False)
            self.refuse(
                bad,
                "count_unusable",
                pl.lit(
                    f"{_words(name).capitalize()} must be a whole number from 0 to "
                    f"{COUNT_MAX:,}; correct it on the agreement."
                ),
            )
            self.keep(name, numbers.fill_null(0).clip(0, COUNT_MAX))
        return self._kept[name]

    def budget(self, name: str) -> tuple[pl.Expr, int]:
        """A budget in thousandths of a unit, and the largest. Refuses what is none."""
        if name not in self._kept:
            text = self.attribute(name)
            good = text.str.contains(r"^\d{1,9}(\.\d{1,3})?$").fill_null(False)
            self.refuse(
                ~good,
                "budget_unusable",
                pl.lit(
                    f"The account has no usable {_words(name)}; give it a number of units with at "
                    "most three decimals on the agreement."
                ),
            )
            parts = pl.DataFrame({"t": text}).select(
                whole=pl.col("t").str.extract(r"^(\d{1,9})").cast(pl.Int64, strict=False),
                rest=pl.col("t").str.extract(r"\.(\d{1,3})$").str.pad_end(3, "0").cast(pl.Int64),
            )
            thousandths = parts["whole"].fill_null(0) * 1000 + parts["rest"].fill_null(0)
            self.keep(name, thousandths)
        return self._kept[name]

    def months(self) -> tuple[pl.Expr, int]:
        """The period in months, times MONTH_PARTS, and the longest."""
        return self._of_periods("months", month_parts)

    def seasons(self, starts: tuple[int, ...]) -> tuple[pl.Expr, int, int]:
        """The period in seasons that begin in certain months: an expression, its denominator and
        the longest."""
        times, most = self._of_periods(
            f"seasons {starts}", lambda start, end: season_parts(start, end, starts)
        )
        return times, season_whole(starts), most

    def _of_periods(self, name: str, parts_of: Callable[[date, date], int]) -> tuple[pl.Expr, int]:
        """A whole number that follows from a period, worked out once for each different one."""
        if name not in self._kept:
            pair = pl.col("from") * 2 * DAYS_MAX + pl.col("days")
            pairs = self.series(pair)
            distinct = pairs.unique()
            parts = [parts_of(*_period(each)) for each in distinct.to_list()]
            self.keep(name, pairs.replace_strict(distinct, pl.Series(parts, dtype=pl.Int64)))
        return self._kept[name]

    def ones(self) -> pl.Expr:
        """A column of ones, for what is due once a period."""
        if "ones" not in self._kept:
            self.keep("ones", pl.repeat(1, self.frame.height, dtype=pl.Int64, eager=True))
        return self._kept["ones"][0]

    def has_exemption(self, code: str) -> pl.Expr:
        """1 where the account has the exemption, 0 where not."""
        name = f"exempt {code}"
        if name not in self._kept:
            held = self.usages["exemptions"].list.contains(code).fill_null(False)
            self.keep(name, held.cast(pl.Int64))
        return self._kept[name][0]

    def key(self, by: tuple[str, ...]) -> pl.Series:
        """The values of attributes, joined by `|`; null where one is missing."""
        columns = [self.attribute(name).alias(name) for name in by]
        if len(columns) == 1:
            return columns[0]
        return pl.DataFrame(columns).select(pl.concat_str(by, separator="|")).to_series()

    def refuse_unknown(self, which: pl.Series, by: tuple[str, ...], key: pl.Series) -> None:
        """Refuses rows whose key the tariff has no figure for."""
        if not which.any():
            return
        code = "unknown_class" if by == ("rate_class",) else f"unknown_{by[0]}"[:24]
        named = " and ".join(_words(name) for name in by)
        sentence = pl.concat_str(
            pl.lit(f"The tariff has no figure for {named} “"),
            pl.lit(key.filter(which).fill_null("(none)").str.slice(0, 80)),
            pl.lit("”; correct it on the agreement, or the tariff."),
        )
        self.refused.append(
            self.usages.filter(which).select(
                "row", code=pl.lit(code), sentence=sentence.str.slice(0, 300)
            )
        )

    def matches(self, name: str, values: Sequence[str]) -> pl.Series:
        """Whether an attribute has one of the values."""
        return self.attribute(name).is_in(list(values)).fill_null(False)


def _words(name: str) -> str:
    return name.replace("_", " ")


def date_of(number: int) -> date:
    """The day of a number of days since 1970."""
    return date.fromordinal(number + _EPOCH)


def _period(pair: int) -> tuple[date, date]:
    start, days = divmod(pair, 2 * DAYS_MAX)
    return date_of(start), date_of(start + days)


def largest(column: pl.Series) -> int:
    """The largest of a column of whole numbers; 1 when all are below it, or there are none."""
    found = column.max()
    return max(found, 1) if isinstance(found, int) else 1

"""The order in which the format's reference program puts priced rows back beside the data.

RateParser groups the rows of a charge by the texts of their tier starts and tier prices, prices
each group, and puts the groups back in the order of those texts instead of the order of the data.
Where the tiers depend on a column, a row so shows the tier figures of another row. Whoever compares
with its bills needs the same order; billing never uses it.
"""

import polars as pl

from chamberlain.tariffs.owrs.formula import Expression, Name, Negative, Number, Operation, Percent
from chamberlain.tariffs.owrs.structure import Charge, Content, Table, as_tiers


def texts_of(content: Content) -> list[str]:
    """The text by which rows are grouped, for each entry of a table, or the only one."""
    values = content.cases.values() if isinstance(content, Table) else [content]
    return [
        "\n".join(_written(entry) for entry in as_tiers(value).entries)
        for value in values
        if not isinstance(value, Charge | Table)
    ]


def order(starts: pl.Series, prices: pl.Series, is_priced: pl.Series) -> pl.Series:
    """For each row the row (UInt32) whose tier figures the reference program shows there.

    starts, prices: for each row the text of its tiers (String). is_priced: whether the row has
    figures (Boolean); one without keeps its place.
    """
    rows = pl.DataFrame({"starts": starts, "prices": prices}).with_row_index("row")
    priced = rows.filter(is_priced)
    shown = pl.DataFrame(
        {"row": priced["row"], "shown": priced.sort("starts", "prices", "row")["row"]}
    )
    return rows.join(shown, on="row", how="left", maintain_order="left").select(
        pl.coalesce("shown", "row")
    )["shown"]


def _written(entry: Expression) -> str:
    match entry:
        case Number(value):
            return f"{float(value):.15g}"
        case Name(name):
            return name
        case Percent(value):
            return f"{value}%"
        case Negative(operand):
            return f"-{_written(operand)}"
        case Operation(operator, left, right):
            return f"{_written(left)}{operator}{_written(right)}"

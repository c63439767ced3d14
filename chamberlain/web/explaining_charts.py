"""Charts of explanations: usage a day beside similar properties, changes of a what-if."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from chamberlain.web.charts import ACCENT, svg, table

_BAND = "#73b3e7"
_LESS, _MORE = "#00687d", "#b51d09"


def daily_chart(rows: Sequence[tuple[str, float, float | None, float | None]], unit: str) -> bytes:
    """Bars of usage a day by bill, with the middle half of similar properties as a line.

    rows: label of the bill, usage a day, low and high of the middle half, or None; lengths on
    paper, never reckoned with.
    """
    data = table(
        [{"bill": b, "usage": u, "low": low, "high": high} for b, u, low, high in rows],
        {"bill": pl.String, "usage": pl.Float64, "low": pl.Float64, "high": pl.Float64},
    )
    x = alt.X("bill:N", sort=None, title=None, axis=alt.Axis(labelAngle=-45))
    bars = (
        alt.Chart(data)
        .mark_bar(color=_BAND, cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(x=x, y=alt.Y("usage:Q", title=f"{unit} a day"))
    )
    similar = (
        alt.Chart(data)
        .mark_rule(color="#162e51", strokeWidth=3)
        .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    )
    return svg(alt.layer(bars, similar))


def changes_chart(rows: Sequence[tuple[str, int]], what: str) -> bytes:
    """Bars of how many change by how much. rows: words of the change, accounts; order is kept.

    Words that begin with `−` are drawn as savings.
    """
    data = table(
        [
            {
                "change": words,
                "accounts": accounts,
                "color": _LESS
                if words.startswith("−")
                else _MORE
                if words.startswith("+")
                else ACCENT,
            }
            for words, accounts in rows
        ],
        {"change": pl.String, "accounts": pl.Int64, "color": pl.String},
    )
    chart = (
        alt.Chart(data)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("change:N", sort=None, title=None, axis=alt.Axis(labelAngle=-35)),
            y=alt.Y("accounts:Q", title=what, axis=alt.Axis(tickMinStep=1, format=",d")),
            color=alt.Color("color:N", scale=None),
        )
    )
    return svg(chart)

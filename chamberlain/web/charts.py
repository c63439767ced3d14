"""Charts as SVG, made on the server by Altair and vl-convert; each stands beside its table."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

ACCENT = "#005ea2"
_INK = "#565c65"
_LINE = "#dfe1e2"
_SERIES = ["#005ea2", "#d54309", "#00687d", "#8168b3", "#6b4f1d", "#b51d09", "#216e1f", "#162e51"]
_FONT = "Source Sans Pro, Helvetica Neue, Arial, sans-serif"


def usage_chart(rows: Sequence[tuple[date, float, bool]], unit: str) -> bytes:
    """Bars of usage by the day of the read, the estimated ones lighter.

    rows: day of the read, usage in `unit` (a length on paper, never reckoned with), is estimated.
    """
    taken, guessed = _("Read"), _("Estimated")
    data = [
        {"day": _short(day), "usage": usage, "kind": guessed if estimated else taken}
        for day, usage, estimated in rows
    ]
    chart = (
        alt.Chart(table(data, {"day": pl.String, "usage": pl.Float64, "kind": pl.String}))
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("day:N", sort=None, title=None, axis=alt.Axis(labelAngle=-45)),
            y=alt.Y("usage:Q", title=unit),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=[taken, guessed], range=[ACCENT, "#b8863b"]),
                legend=alt.Legend(orient="top", title=None)
                if any(estimated for _, _, estimated in rows)
                else None,
            ),
        )
    )
    return svg(chart)


def _short(day: date) -> str:
    if (get_language() or "en").startswith("en"):
        return f"{day:%b %y}"
    return date_format(day, "b y")


def rate_chart(rows: Sequence[tuple[str, date, float]], until: date, what: str) -> bytes:
    """Steps of rates through the years, a line for each series.

    rows: name of the series, first day of the rate, rate in dollars or percent. The last rate of
    each series is drawn up to `until`.
    """
    last: dict[str, tuple[str, date, float]] = {}
    for row in sorted(rows, key=lambda row: row[1]):
        last[row[0]] = row
    ends = [(name, until, rate) for name, day, rate in last.values() if day < until]
    data = [{"series": s, "day": d.isoformat(), "rate": r} for s, d, r in [*rows, *ends]]
    several = len(last) > 1
    chart = (
        alt.Chart(table(data, {"series": pl.String, "day": pl.String, "rate": pl.Float64}))
        .mark_line(interpolate="step-after", strokeWidth=2.5)
        .encode(
            x=alt.X("day:T", title=None, axis=alt.Axis(format="%Y", tickCount=8)),
            y=alt.Y("rate:Q", title=what, scale=alt.Scale(zero=True)),
            color=alt.Color(
                "series:N",
                sort=None,
                scale=alt.Scale(range=_SERIES),
                legend=alt.Legend(orient="bottom", title=None, columns=2) if several else None,
            ),
        )
    )
    return svg(chart)


def table(rows: list[dict[str, Any]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """What a chart is drawn from, typed even when it has no rows."""
    return pl.DataFrame(rows, schema=schema)


def svg(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> bytes:
    """A chart in the look that all have, as SVG."""
    drawn = (
        chart.properties(width=480, height=220, background="#ffffff")
        .configure(font=_FONT, padding=8)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_INK,
            titleColor=_INK,
            gridColor=_LINE,
            domainColor=_LINE,
            tickColor=_LINE,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(labelColor=_INK, labelFontSize=12)
    )
    drawing: str = vl_convert.vegalite_to_svg(drawn.to_dict())
    return drawing.encode()

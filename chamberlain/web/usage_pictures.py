"""Pictures of usage a day: a small one for a list, a chart for a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from chamberlain.metering.watching.queries import DailyUsage
from chamberlain.web.charts import ACCENT, svg, table

WIDTH, HEIGHT, GAP = 156, 44, 2
QUESTIONED, ESTIMATED, READ = "#d54309", "#b8863b", "#73b3e7"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a small picture, in its own units."""

    x: int
    y: int
    width: int
    height: int
    color: str


def bars(usage: Sequence[DailyUsage]) -> list[Bar]:
    """Usage a day as bars; what shows the entry stands out, estimates are darker."""
    if not usage:
        return []
    most = max(1, *(abs(each.daily_thousandths) for each in usage))
    step = WIDTH // max(len(usage), 6)
    made = []
    for i, each in enumerate(usage):
        height = max(1, abs(each.daily_thousandths) * HEIGHT // most)
        color = QUESTIONED if each.is_shown else ESTIMATED if each.is_estimate else READ
        made.append(Bar(i * step, HEIGHT - height, step - GAP, height, color))
    return made


def usage_chart(usage: Sequence[DailyUsage], compared_thousandths: int | None) -> bytes:
    """Gallons a day by read as SVG, with a line at what the last was held against."""
    data = table(
        [
            {
                "read": f"{each.to_on:%b %d, %y}",
                "gallons": each.daily_thousandths / 1000,
                "kind": "In question"
                if each.is_shown
                else "Estimated"
                if each.is_estimate
                else "Read",
            }
            for each in usage
        ],
        {"read": pl.String, "gallons": pl.Float64, "kind": pl.String},
    )
    drawn = (
        alt.Chart(data)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X("read:N", sort=None, title=None, axis=alt.Axis(labelAngle=-45)),
            y=alt.Y("gallons:Q", title="Gallons a day"),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(
                    domain=["Read", "Estimated", "In question"],
                    range=[ACCENT, ESTIMATED, QUESTIONED],
                ),
                legend=alt.Legend(orient="top", title=None),
            ),
        )
    )
    if compared_thousandths is None:
        return svg(drawn)
    line = table([{"compared": compared_thousandths / 1000}], {"compared": pl.Float64})
    rule = alt.Chart(line).mark_rule(strokeDash=[5, 4], color="#162e51").encode(y="compared:Q")
    return svg(alt.layer(drawn, rule))

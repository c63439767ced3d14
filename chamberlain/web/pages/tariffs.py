"""Tariffs: what is charged, each rate through the years, and what nobody has verified."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.money import decimal_of_micros
from chamberlain.revenue.queries import prices
from chamberlain.tariffs import queries
from chamberlain.tariffs.catalogue import percent_components
from chamberlain.tariffs.queries import ComponentFigures, Figure, UnverifiedFigure
from chamberlain.web import charts
from chamberlain.web.access import actor_of_page, needs
from chamberlain.web.middleware import OfficeRequest

CHARTED_SERIES = 8
_TARIFFS = {"label": "Tariffs", "url": "/tariffs/"}
_PER = {
    "ccf": "hundred cubic feet",
    "mcf": "thousand cubic feet",
    "kgal": "thousand gallons",
    "gal": "gallon",
    "kl": "kilolitre",
    "unit-month": "dwelling unit and month",
    "unit-period": "dwelling unit and period",
    "unit-day": "dwelling unit and day",
}


def _is_percent(component: ComponentFigures) -> bool:
    return component.component_id in percent_components(component.tariff_code)


def _rate(figure: Figure, is_percent: bool) -> str:
    """A figure as people write it: `$4.69` or `100 %`."""
    number = decimal_of_micros(figure.micros)
    if is_percent:
        return f"{(number * 100).normalize():f} %"
    exponent = number.as_tuple().exponent
    decimals = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"${number:,.{decimals}f}"


def _per(figure: Figure, is_percent: bool) -> str:
    if is_percent and figure.unit.count("+") > 1:
        return "of the lines above"
    if is_percent:
        return f"of {figure.unit.replace('_', ' ')}"
    return f"per {_PER.get(figure.unit, figure.unit.replace('_', ' '))}"


def _series(figure: Figure) -> str:
    """What tells a figure from the others of its day: the key, the tier."""
    named = figure.key.replace("|", ", ").replace("_", " ")
    tier = ""
    if figure.tier:
        tier = f"tier {figure.tier}" + (f" up to {figure.up_to}" if figure.up_to else "")
    return ", ".join(part for part in (named, tier) if part)


def _rows(component: ComponentFigures, figures: Sequence[Figure]) -> list[dict[str, Any]]:
    is_percent = _is_percent(component)
    return [
        {
            "figure": figure,
            "series": _series(figure),
            "rate": _rate(figure, is_percent),
            "per": _per(figure, is_percent),
        }
        for figure in figures
    ]


def _now(component: ComponentFigures) -> list[Figure]:
    """The figures of the version in force today."""
    begun = [f.effective for f in component.figures if f.effective <= timezone.localdate()]
    latest = max(begun, default=None)
    return [f for f in component.figures if f.effective == latest]


@needs("tariff.view")
@require_safe
def tariffs(request: OfficeRequest) -> HttpResponse:
    """All tariffs, the city's fees, and for administrators what is unverified."""
    is_administrator = actor_of_page(request).may("tariff.load")
    values = {
        "tariffs": queries.tariff_rows(),
        "prices": prices(),
        "is_administrator": is_administrator,
        "unverified": len(queries.unverified_figures()) if is_administrator else 0,
    }
    return render(request, "tariffs/tariffs.html", values)


def _unverified_row(alike: list[UnverifiedFigure]) -> dict[str, Any]:
    """Figures of a line that share source and note, as one row."""
    days = [found.figure.effective for found in alike]
    return {
        "component_id": alike[0].component_id,
        "tariff_code": alike[0].tariff_code,
        "label": alike[0].label,
        "source": alike[0].figure.source,
        "note": alike[0].figure.note,
        "figures": len(alike),
        "first": min(days),
        "last": max(days),
    }


@needs("tariff.load")
@require_safe
def unverified(request: OfficeRequest) -> HttpResponse:
    """Every figure that nobody has verified, with what is known about it."""
    alike: dict[tuple[int, str, str], list[UnverifiedFigure]] = {}
    for found in queries.unverified_figures():
        key = (found.component_id, found.figure.source, found.figure.note)
        alike.setdefault(key, []).append(found)
    rows = [_unverified_row(figures) for figures in alike.values()]
    fees = [price for price in prices() if not price.is_verified]
    values = {
        "rows": rows,
        "fees": fees,
        "breadcrumbs": [_TARIFFS, {"label": "Unverified figures"}],
    }
    return render(request, "tariffs/unverified.html", values)


@needs("tariff.view")
@require_safe
def tariff(request: OfficeRequest, code: str) -> HttpResponse:
    """A tariff with its printed lines and the figures in force."""
    found = queries.tariff_row(code)
    lines = [
        {
            "component": component,
            "rows": _rows(component, _now(component)[:CHARTED_SERIES]),
            "more": max(0, len(_now(component)) - CHARTED_SERIES),
            "is_unverified": any(not figure.is_verified for figure in component.figures),
        }
        for component in queries.components_of(code)
    ]
    values = {
        "tariff": found,
        "lines": lines,
        "is_unverified": any(line["is_unverified"] for line in lines),
        "breadcrumbs": [_TARIFFS, {"label": found.name}],
    }
    return render(request, "tariffs/tariff.html", values)


def _component(code: str, component_id: int) -> ComponentFigures:
    component = queries.component_figures(component_id)
    if component.tariff_code != code:
        raise NotFound(f"Tariff {code[:40]} has no such line; look at the tariff.")
    return component


@needs("tariff.view")
@require_safe
def component(request: OfficeRequest, code: str, component_id: int) -> HttpResponse:
    """A printed line: its rate through the years, as a chart and as a table."""
    found = _component(code, component_id)
    parent = queries.tariff_row(code)
    rows = _rows(found, sorted(found.figures, key=lambda f: f.effective, reverse=True))
    latest = "; ".join(f"{row['series'] or found.label} {row['rate']}" for row in rows[:4])
    values = {
        "tariff": parent,
        "component": found,
        "rows": rows,
        "per": "; ".join(dict.fromkeys(row["per"] for row in rows)).capitalize(),
        "has_series": any(row["series"] for row in rows),
        "alt": f"Steps of the rate through the years; the latest: {latest}.",
        "is_unverified": any(not figure.is_verified for figure in found.figures),
        "breadcrumbs": [
            _TARIFFS,
            {"label": parent.name, "url": reverse("tariff", args=[code])},
            {"label": found.label},
        ],
    }
    return render(request, "tariffs/component.html", values)


@needs("tariff.view")
@require_safe
def component_picture(request: OfficeRequest, code: str, component_id: int) -> HttpResponse:
    """The chart of a component: at most CHARTED_SERIES lines, or all would be one tangle."""
    found = _component(code, component_id)
    is_percent = _is_percent(found)
    names = list(dict.fromkeys(_series(figure) for figure in found.figures))[:CHARTED_SERIES]
    rows = [
        (_series(f) or found.label, f.effective, f.micros / (10_000 if is_percent else 1_000_000))
        for f in found.figures
        if _series(f) in names
    ]
    what = "Percent" if is_percent else "Dollars"
    response = HttpResponse(
        charts.rate_chart(rows, timezone.localdate(), what), content_type="image/svg+xml"
    )
    response["Cache-Control"] = "private, max-age=300"
    return response


urlpatterns = [
    path("tariffs/", tariffs, name="tariffs"),
    path("tariffs/unverified/", unverified, name="unverified_figures"),
    path("tariffs/<str:code>/", tariff, name="tariff"),
    path("tariffs/<str:code>/<int:component_id>/", component, name="tariff_component"),
    path(
        "tariffs/<str:code>/<int:component_id>/rates.svg",
        component_picture,
        name="tariff_component_picture",
    ),
]

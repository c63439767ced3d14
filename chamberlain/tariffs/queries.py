"""Tariffs as other rooms and pages ask for them."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chamberlain.kernel.errors import NotFound
from chamberlain.tariffs import owrs
from chamberlain.tariffs.catalogue import TariffRow, tariff_row, tariff_rows
from chamberlain.tariffs.models import Component, Tariff
from chamberlain.tariffs.owrs_rating import OwrsLine, OwrsSchedule
from chamberlain.tariffs.parsing import parse
from chamberlain.tariffs.schedule import Component as ScheduleComponent
from chamberlain.tariffs.schedule import (
    Fixed,
    FlatRate,
    Minimum,
    Percent,
    Schedule,
    Tier,
    Tiered,
    Value,
    Version,
)

__all__ = [
    "ComponentFigures",
    "Figure",
    "TariffRow",
    "UnverifiedFigure",
    "charge_kinds_of",
    "component_figures",
    "components_of",
    "schedule",
    "schedule_by_code",
    "tariff_row",
    "tariff_rows",
    "unverified_figures",
]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure from a day on.

    key: the values that it holds for, "" when it holds for all. tier: 1 and up, 0 without tiers;
    up_to: the tier's end in words, "" in the last one. micros: millionths of a dollar, or of one
    for a percentage; `unit` says per what.
    """

    effective: date
    key: str
    tier: int
    up_to: str
    micros: int
    unit: str
    source: str
    is_verified: bool
    note: str


@dataclass(frozen=True, slots=True)
class ComponentFigures:
    """A printed line of a tariff, with its figures through the years, oldest first."""

    component_id: int
    tariff_code: str
    position: int
    code: str
    label: str
    charge_kind: str
    formula: str
    source: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class UnverifiedFigure:
    """A figure that was published or computed but that nobody has verified."""

    tariff_code: str
    component_id: int
    component_code: str
    label: str
    figure: Figure


def schedule(tariff_id: int) -> Schedule | OwrsSchedule:
    """The tariff, ready to rate by. Raises NotFound; BadFile or TariffFault for broken terms."""
    return _schedule(_tariff(pk=tariff_id))


def schedule_by_code(code: str) -> Schedule | OwrsSchedule:
    """`schedule`, by the tariff's code."""
    return _schedule(_tariff(code=code))


def charge_kinds_of(tariff: Schedule | OwrsSchedule) -> tuple[str, ...]:
    """The codes of the kinds of charge that a tariff's lines raise, in printed order."""
    if isinstance(tariff, OwrsSchedule):
        found = [line.charge_kind for line in tariff.lines.values()]
    else:
        found = [component.charge_kind for component in tariff.components]
    return tuple(dict.fromkeys(found))


def components_of(tariff_code: str) -> list[ComponentFigures]:
    """The printed lines of a tariff with their figures; an OWRS tariff's lines have none.

    Raises NotFound.
    """
    tariff = _tariff(code=tariff_code)
    if tariff.kind == Tariff.Kind.OWRS:
        return [_owrs_component(tariff, each) for each in _components(tariff)]
    found = _schedule(tariff)
    assert isinstance(found, Schedule)
    return [_component(tariff.code, each) for each in found.components]


def component_figures(component_id: int) -> ComponentFigures:
    """One printed line with its figures through the years. Raises NotFound."""
    found = Component.objects.select_related("tariff").filter(pk=component_id).first()
    if found is None:
        raise NotFound(f"There is no tariff component {component_id}; look at the tariff.")
    lines = components_of(found.tariff.code)
    return next(line for line in lines if line.component_id == component_id)


def unverified_figures() -> list[UnverifiedFigure]:
    """Every figure of every tariff that is marked as not verified."""
    codes = Tariff.objects.filter(kind=Tariff.Kind.CITY).order_by("code").values_list("code")
    return [
        UnverifiedFigure(code, line.component_id, line.code, line.label, figure)
        for (code,) in codes
        for line in components_of(code)
        for figure in line.figures
        if not figure.is_verified
    ]


def _tariff(**by: object) -> Tariff:
    found = Tariff.objects.filter(**by).first()
    if found is None:
        [named] = by.values()
        raise NotFound(f"There is no tariff {str(named)[:40]}; look at the list of tariffs.")
    return found


def _components(tariff: Tariff) -> list[Component]:
    return list(tariff.components.order_by("position"))


def _schedule(tariff: Tariff) -> Schedule | OwrsSchedule:
    if tariff.kind == Tariff.Kind.OWRS:
        lines = {
            each.terms["charge"]: OwrsLine(each.pk, each.position, each.charge_kind, each.label)
            for each in _components(tariff)
        }
        file = owrs.of_text(tariff.source_text, Path(tariff.code))
        return OwrsSchedule(tariff.code, tariff.name, tariff.source, file, lines)
    return parse(
        {
            "code": tariff.code,
            "name": tariff.name,
            "unit": tariff.unit,
            "proration": tariff.proration,
            "source": tariff.source,
            "components": [
                {
                    "id": each.pk,
                    "code": each.code,
                    "label": each.label,
                    "charge_kind": each.charge_kind,
                    "formula": each.formula,
                    "terms": each.terms,
                    "source": each.source,
                }
                for each in _components(tariff)
            ],
        }
    )


def _owrs_component(tariff: Tariff, each: Component) -> ComponentFigures:
    return ComponentFigures(
        each.pk,
        tariff.code,
        each.position,
        each.code,
        each.label,
        each.charge_kind,
        each.formula,
        each.source,
        (),
    )


def _component(tariff_code: str, each: ScheduleComponent) -> ComponentFigures:
    return ComponentFigures(
        each.id,
        tariff_code,
        each.position,
        each.code,
        each.label,
        each.charge_kind,
        each.formula,
        each.source,
        tuple(figure for version in each.versions for figure in _figures(each, version)),
    )


def _figures(component: ScheduleComponent, version: Version) -> list[Figure]:
    unit = _unit(component)
    found: list[Figure] = []
    for key, value in version.values.items():
        for tier, up_to, micros in _rates(value):
            found.append(
                Figure(
                    version.effective,
                    key,
                    tier,
                    up_to,
                    micros,
                    unit,
                    version.source,
                    version.is_verified,
                    version.note,
                )
            )
    return found


def _rates(value: Value) -> list[tuple[int, str, int]]:
    if isinstance(value, int):
        return [(0, "", value)]
    return [(number, _end(tier), tier.rate_micros) for number, tier in enumerate(value, 1)]


def _end(tier: Tier) -> str:
    return "" if tier.up_to is None else f"{float(tier.up_to):g}"


def _unit(component: ScheduleComponent) -> str:
    match component.terms:
        case Fixed(per, per_dwelling_unit, count):
            return count or (f"unit-{per}" if per_dwelling_unit else per)
        case FlatRate(unit):
            return unit
        case Tiered(unit=unit):
            return unit
        case Minimum(_, per):
            return per
        case Percent(of):
            return " + ".join(of)

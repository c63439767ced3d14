"""Loading tariffs: a city's own schedules from YAML, and published files as they are.

A load changes all of a file's tariffs or, when anything in it is wrong, none. The same content
loaded again changes nothing. What a load replaces stays in the history of the tariff's rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import BadFile, BadRecord, Invalid
from chamberlain.tariffs import growth, owrs, owrs_rating, tariff_file
from chamberlain.tariffs.models import Component, Tariff
from chamberlain.tariffs.parsing import parse_schedule, refusal
from chamberlain.tariffs.reading import CODE, Faults, Fields
from chamberlain.tariffs.schedule import Schedule

_UNIT_LENGTH = 4
_ASIDE = 10_000
"""Positions that components take while others move to theirs."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did to a tariff, at which moment. change: created, changed or unchanged."""

    tariff_id: int
    code: str
    change: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A tariff as a file wants it: fields of its row and of its components, by code."""

    tariff: dict[str, object]
    components: dict[str, dict[str, object]]


def load_tariffs(
    actor: Actor, content: Path | str | Mapping[str, object], now: datetime
) -> list[Loaded]:
    """Loads a city's schedules.

    content: a YAML file, or what stands in one: `tariffs`, a list in the form that
    `tariffs.schedule` describes. Terms may have a `growth` (see `tariffs.growth`), which is
    written out. Raises NotPermitted; BadFile with every fault and its place, changing nothing.
    """
    actor.require("tariff.load")
    faults: Faults = []
    name = "The tariff file" if isinstance(content, Mapping) else f"“{Path(content).name}”"
    if not isinstance(content, Mapping):
        content = tariff_file.read(Path(content))
    fields = Fields(tariff_file.plain(content, faults), "", faults)
    wanted = [
        _wanted(item, number, faults) for number, item in enumerate(fields.items("tariffs"), 1)
    ]
    fields.finish()
    codes = [each.tariff["code"] for each in wanted]
    faults += [
        BadRecord(f"{code}.code", "stands in the file a second time")
        for code in sorted({str(code) for code in codes if codes.count(code) > 1})
    ]
    if faults:
        raise refusal(name, faults)
    with transaction.atomic(), acting(actor):
        return [_store(each, now) for each in wanted]


def load_owrs(
    actor: Actor,
    path: Path | str,
    code: str,
    name: str,
    charge_kind: str | Mapping[str, str],
    source: str,
    now: datetime,
) -> Loaded:
    """Loads a tariff published in the Open Water Rate Specification.

    Each charge that the bill of a class is the sum of becomes a printed line. charge_kind: the kind
    that all lines raise, or one for each of the file's charges. Raises NotPermitted, TariffFault
    for the file, Invalid for the code or a charge without a kind.
    """
    actor.require("tariff.load")
    file = owrs.read(path)
    if not CODE.fullmatch(code) or len(code) > 40:
        raise Invalid("The code must be small letters, digits, _ and -, at most 40.", field="code")
    if len(file.bill_unit) > _UNIT_LENGTH:
        raise Invalid(f"The file's unit, {file.bill_unit[:40]}, is unknown here.", field="unit")
    wanted = _Wanted(
        {
            "code": code,
            "name": name,
            "kind": Tariff.Kind.OWRS,
            "unit": file.bill_unit,
            "proration": Tariff.Proration.NONE,
            "source": source,
            "source_text": owrs.text_of(Path(path)),
        },
        {
            charge: _owrs_component(charge, position, charge_kind, source)
            for position, charge in enumerate(owrs_rating.parts(file), 1)
        },
    )
    with transaction.atomic(), acting(actor):
        return _store(wanted, now)


def _owrs_component(
    charge: str, position: int, charge_kind: str | Mapping[str, str], source: str
) -> dict[str, object]:
    kind = charge_kind if isinstance(charge_kind, str) else charge_kind.get(charge)
    if kind is None:
        raise Invalid(f"Name the kind of charge for {charge} of the tariff.", field="charge_kind")
    label = "Water" if charge == "bill" else charge.replace("_", " ").capitalize()
    return {
        "position": position,
        "label": label[:80],
        "charge_kind": kind,
        "formula": f"{charge} of the published tariff"[:200],
        "terms": {"type": "owrs", "charge": charge},
        "source": source,
    }


def _wanted(item: object, number: int, faults: Faults) -> _Wanted:
    """A tariff of the file, with the faults of its fields noted under its code."""
    found: Faults = []
    item = _grown(item, found)
    schedule = parse_schedule(item, found)
    place = schedule.code or f"tariff {number}"
    faults += [BadRecord(f"{place}.{fault.place}", fault.reason) for fault in found]
    return _Wanted(
        {
            "code": schedule.code,
            "name": schedule.name,
            "kind": Tariff.Kind.CITY,
            "unit": schedule.unit,
            "proration": schedule.proration,
            "source": schedule.source,
            "source_text": "",
        },
        _component_fields(schedule, item),
    )


def _grown(item: object, faults: Faults) -> object:
    """The tariff with every `growth` written out as versions."""
    if not isinstance(item, Mapping) or not isinstance(item.get("components"), list):
        return item
    components = []
    for component in item["components"]:
        terms = component.get("terms") if isinstance(component, Mapping) else None
        if isinstance(terms, Mapping) and "growth" in terms:
            place = str(component.get("code"))
            component = {**component, "terms": growth.grown(terms, faults, place)}  # noqa: PLW2901
        components.append(component)
    return {**item, "components": components}


def _component_fields(schedule: Schedule, item: object) -> dict[str, dict[str, object]]:
    items: Sequence[object] = []
    if isinstance(item, Mapping) and isinstance(item.get("components"), list):
        items = item["components"]
    return {
        component.code: {
            "position": component.position,
            "label": component.label,
            "charge_kind": component.charge_kind,
            "formula": component.formula,
            "terms": written["terms"],
            "source": component.source,
        }
        for component, written in zip(schedule.components, items, strict=False)
        if isinstance(written, Mapping) and "terms" in written
    }


def _store(wanted: _Wanted, now: datetime) -> Loaded:
    """Makes the rows as wanted, touching only those that differ."""
    code = str(wanted.tariff["code"])
    tariff = Tariff.objects.select_for_update().filter(code=code).first()
    if tariff is None:
        tariff = Tariff.objects.create(**wanted.tariff)
        for component, fields in wanted.components.items():
            Component.objects.create(tariff=tariff, code=component, **fields)
        return Loaded(tariff.pk, code, "created", now)
    if tariff.kind != wanted.tariff["kind"]:
        raise Invalid(f"Tariff {code} is of another kind; load it under another code.")
    present = {component.code: component for component in tariff.components.all()}
    _refuse_missing(code, present, wanted)
    changed = _update(tariff, wanted.tariff)
    _make_way(present, wanted)
    for component, fields in wanted.components.items():
        if component not in present:
            Component.objects.create(tariff=tariff, code=component, **fields)
            changed = True
        else:
            changed |= _update(present[component], fields)
    return Loaded(tariff.pk, code, "changed" if changed else "unchanged", now)


def _refuse_missing(code: str, present: Mapping[str, Component], wanted: _Wanted) -> None:
    """Bills cite components, so one that is no longer charged ends with a version of zero."""
    gone = sorted(present.keys() - wanted.components.keys())
    if gone:
        reason = "is no longer there; keep it, with a version of zero from its last day on"
        raise BadFile(
            f"Tariff “{code}” cannot be loaded: {gone[0]} {reason}.",
            [BadRecord(f"{code}.{component}", reason) for component in gone],
        )


def _make_way(present: Mapping[str, Component], wanted: _Wanted) -> None:
    """Moves components aside whose position another one needs."""
    for code, component in present.items():
        if component.position != wanted.components[code]["position"]:
            component.position += _ASIDE
            component.save(update_fields=["position"])


def _update(row: Tariff | Component, fields: Mapping[str, object]) -> bool:
    differing = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, fields[name])
    if differing:
        row.save(update_fields=differing)
    return bool(differing)

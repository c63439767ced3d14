"""A city's schedule from its mapping (YAML or the database): strict, and complete in its faults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from chamberlain.kernel.errors import BadFile
from chamberlain.tariffs.reading import NAME, Faults, Fields, micros, shown
from chamberlain.tariffs.schedule import (
    PER,
    PRORATIONS,
    Component,
    Exemption,
    Fixed,
    FlatRate,
    Minimum,
    Percent,
    Schedule,
    Terms,
    Tier,
    Tiered,
    Value,
    Version,
)
from chamberlain.tariffs.units import UNIT_NAMES

COMPONENTS_MAX = 60
VERSIONS_MAX = 200
TIERS_MAX = 20
_DOLLARS_MAX = 1_000_000
_PERCENT_MAX = 1_000
_UNITS_MAX = 1_000_000_000
_COLUMNS = ("rate_class", "meter_size", "dwelling_units")


@dataclass(frozen=True, slots=True)
class Figure:
    """What a version of a component holds: the name of its field, and how to read it."""

    field: str
    read: Callable[[Fields, str, object], Value]


def parse(content: object) -> Schedule:
    """The schedule that a mapping describes.

    content: a tariff as the city's YAML has it; each component may carry an `id`, 0 when not.
    Raises BadFile with every fault and its place, `component.version.field`.
    """
    faults: Faults = []
    schedule = parse_schedule(content, faults)
    if faults:
        raise refusal(f"Tariff “{schedule.code}”", faults)
    return schedule


def refusal(what: str, faults: Faults) -> BadFile:
    """The refusal of a tariff or file with its faults."""
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return BadFile(f"{what} cannot be used: {faults[0]}{more}; correct the file.", faults)


def parse_schedule(content: object, faults: Faults) -> Schedule:
    """The schedule, with its faults added to the list; with faults it is not fit to rate by."""
    fields = Fields(content, "", faults)
    components: list[Component] = []
    schedule = Schedule(
        code=fields.code("code", 40),
        name=fields.text("name", 120),
        unit=fields.choice("unit", tuple(UNIT_NAMES)),
        proration=fields.choice("proration", PRORATIONS),
        source=fields.text("source", 300),
        components=(),
    )
    items = fields.items("components")
    if len(items) > COMPONENTS_MAX:
        fields.fault("components", f"has more than {COMPONENTS_MAX} components")
    for position, item in enumerate(items[:COMPONENTS_MAX], 1):
        components.append(_component(item, position, components, faults))
    fields.finish()
    return Schedule(
        schedule.code,
        schedule.name,
        schedule.unit,
        schedule.proration,
        schedule.source,
        tuple(components),
    )


def _component(item: object, position: int, before: list[Component], faults: Faults) -> Component:
    head = Fields(item, "", faults)
    code = str(head.take("code") or f"component {position}")
    head.place = code
    found = head.code("code", 40)
    if found in {component.code for component in before}:
        head.fault("code", f"“{found}” stands here a second time")
    terms_of = head.take("terms")
    fields = Fields(terms_of, code, faults)
    source = head.text("source", 300)
    kind = fields.choice("type", tuple(_TYPES))
    terms, figure = _TYPES[kind](fields, [component.code for component in before])
    by = fields.names("by")
    _check_attributes(fields, "by", by)
    component = Component(
        id=head.count("id") or 0,
        position=position,
        code=found,
        label=head.text("label", 80),
        charge_kind=head.code("charge_kind", 24),
        formula=head.text("formula", 200),
        source=source,
        terms=terms,
        by=by,
        versions=_versions(fields, bool(by), figure, source),
        exemptions=_exemptions(fields, source),
        applies_to=_applies_to(fields),
        most_dwelling_units=fields.count("most_dwelling_units"),
        begins_with_first_version=fields.choice(
            "before_first_version", ("refuse", "no_charge"), "refuse"
        )
        == "no_charge",
    )
    fields.finish()
    head.finish()
    return component


def _check_attributes(fields: Fields, name: str, attributes: tuple[str, ...]) -> None:
    for attribute in attributes:
        if not NAME.fullmatch(attribute):
            fields.fault(name, f"“{attribute}” is no attribute; use small letters, digits and _")


def _applies_to(fields: Fields) -> Mapping[str, tuple[str, ...]]:
    if not fields.has("applies_to"):
        return {}
    inner = Fields(fields.take("applies_to"), fields.at("applies_to"), fields.faults)
    found = {name: tuple(str(each) for each in inner.items(name)) for name in inner.all_names()}
    _check_attributes(fields, "applies_to", tuple(found))
    return found


# --- What each type of component needs -------------------------------------------------------


def _fixed(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    return Fixed(fields.choice("per", PER)), _dollars("amount")


def _per_dwelling_unit(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    return Fixed(fields.choice("per", PER), per_dwelling_unit=True), _dollars("amount")


def _fixtures(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    count = fields.text("count", 60)
    if count and (not NAME.fullmatch(count) or count in _COLUMNS):
        fields.fault("count", f"“{count}” is no attribute of the account")
    return Fixed("period", count=count, season_starts=_months(fields)), _dollars("rate")


def _months(fields: Fields) -> tuple[int, ...]:
    """The first months of the seasons that a rate is for; empty when none are given."""
    value = fields.take("season_starts")
    if value is None:
        return ()
    found = value if isinstance(value, list) else []
    if not found or found != sorted({each for each in found if each in range(1, 13)}):
        fields.fault("season_starts", "must list different months, 1 to 12, in their order")
        return ()
    return tuple(int(each) for each in found)


def _flat_rate(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    return FlatRate(fields.choice("unit", tuple(UNIT_NAMES))), _dollars("rate")


def _tiers(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    terms = Tiered(
        fields.choice("unit", tuple(UNIT_NAMES)),
        fields.choice("per", PER, "period"),
        fields.flag("per_dwelling_unit", default=False),
    )
    return terms, _tier_list("up_to", _UNITS_MAX)


def _budget_tiers(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    budget = fields.text("budget", 60)
    if budget and (not NAME.fullmatch(budget) or budget in _COLUMNS):
        fields.fault("budget", f"“{budget}” is no attribute of the account")
    terms = Tiered(
        fields.choice("unit", tuple(UNIT_NAMES)),
        fields.choice("per", PER, "period"),
        per_dwelling_unit=False,
        budget=budget,
    )
    return terms, _tier_list("up_to_percent", _PERCENT_MAX)


def _percent(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    def value(inner: Fields, name: str, content: object) -> Value:
        figure = inner.figure(name, content, _PERCENT_MAX) / 100
        if figure * 1_000_000 % 1:
            inner.fault(name, "has more than four decimals")
        return micros(figure)

    return Percent(_others(fields, before)), Figure("percent", value)


def _minimum(fields: Fields, before: list[str]) -> tuple[Terms, Figure]:
    return Minimum(_others(fields, before), fields.choice("per", PER)), _dollars("amount")


_TYPES: dict[str, Callable[[Fields, list[str]], tuple[Terms, Figure]]] = {
    "fixed": _fixed,
    "per_dwelling_unit": _per_dwelling_unit,
    "fixtures": _fixtures,
    "flat_rate": _flat_rate,
    "tiers": _tiers,
    "budget_tiers": _budget_tiers,
    "percent": _percent,
    "minimum": _minimum,
}
TYPES = tuple(_TYPES)


def _others(fields: Fields, before: list[str]) -> tuple[str, ...]:
    """The earlier components that a percent or minimum is of."""
    found = fields.names("of")
    if not found and not fields.has("of"):
        fields.fault("of", "is missing; name the components that it is of")
    for code in found:
        if code not in before:
            fields.fault("of", f"“{code}” is no component above this one")
    return found


def _dollars(field: str) -> Figure:
    def value(fields: Fields, name: str, content: object) -> Value:
        return micros(fields.figure(name, content, _DOLLARS_MAX))

    return Figure(field, value)


def _tier_list(limit: str, largest: int) -> Figure:
    def value(fields: Fields, name: str, content: object) -> Value:
        if not isinstance(content, list) or not 0 < len(content) <= TIERS_MAX:
            fields.fault(name, f"must be a list of 1 to {TIERS_MAX} tiers")
            return ()
        tiers: list[Tier] = []
        for number, item in enumerate(content, 1):
            inner = Fields(item, fields.at(f"{name}.{number}"), fields.faults)
            up_to = None
            if number < len(content):
                up_to = inner.number(limit, largest)
            elif inner.take(limit) is not None:
                inner.fault(limit, "the last tier has no end; leave it out")
            if up_to is not None and up_to <= (tiers[-1].up_to or 0 if tiers else 0):
                inner.fault(limit, "must be larger than in the tier before, and than zero")
            tiers.append(Tier(up_to, micros(inner.number("rate", _DOLLARS_MAX))))
            inner.finish()
        return tuple(tiers)

    return Figure("tiers", value)


# --- Versions and exemptions ------------------------------------------------------------------


def _versions(fields: Fields, keyed: bool, figure: Figure, source: str) -> tuple[Version, ...]:
    items = fields.items("versions")
    if len(items) > VERSIONS_MAX:
        fields.fault("versions", f"has more than {VERSIONS_MAX} versions")
    found: list[Version] = []
    for number, item in enumerate(items[:VERSIONS_MAX], 1):
        inner = Fields(item, fields.place, fields.faults)
        said = inner.take("effective")
        inner.place = f"{fields.place}.{said if said is not None else f'version {number}'}"
        effective = inner.day("effective")
        if effective is not None and found and effective <= found[-1].effective:
            inner.fault("effective", "must be later than in the version before")
        found.append(
            Version(
                effective or date.min,
                _values(inner, keyed, figure),
                inner.text("source", 300, source),
                inner.flag("verified", default=True),
                inner.text("note", 300, ""),
            )
        )
        inner.finish()
    return tuple(found)


def _values(fields: Fields, keyed: bool, figure: Figure) -> dict[str, Value]:
    field = figure.field
    if not keyed:
        return {"": figure.read(fields, field, fields.take(field))}
    many = "tiers_by" if field == "tiers" else f"{field}s"
    content = fields.take(many)
    if not isinstance(content, Mapping) or not content:
        fields.fault(many, "must be a map from each value of `by` to its figure")
        return {}
    return {str(key): figure.read(fields, f"{many}.{key}", value) for key, value in content.items()}


def _exemptions(fields: Fields, source: str) -> tuple[Exemption, ...]:
    if not fields.has("exemptions"):
        return ()
    found: list[Exemption] = []
    for number, item in enumerate(fields.items("exemptions"), 1):
        inner = Fields(item, fields.at(f"exemption {number}"), fields.faults)
        code = inner.code("code", 24)
        percent = inner.number("percent", 100)
        if percent * 100 % 1:
            inner.fault("percent", "has more than two decimals")
        from_on, to_on = inner.day("from", needed=False), inner.day("to", needed=False)
        if from_on is not None and to_on is not None and to_on <= from_on:
            inner.fault("to", f"{shown(to_on)} is not after {from_on}, where it begins")
        source_of = inner.text("source", 300, source)
        found.append(
            Exemption(code, percent, from_on, to_on, source_of, inner.text("note", 300, ""))
        )
        inner.finish()
    return tuple(found)

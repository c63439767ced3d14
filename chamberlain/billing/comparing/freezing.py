"""A tariff as if nothing in it had changed after a day."""

from dataclasses import replace
from datetime import date

from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.schedule import Component, Minimum, Percent, Schedule

ALWAYS = date(1900, 1, 1)


def changes(schedule: Schedule | OwrsSchedule) -> list[date]:
    """The days from which a figure or an exemption is another one, the oldest first.

    A published file has one version, so it has none.
    """
    if isinstance(schedule, OwrsSchedule):
        return []
    days: set[date] = set()
    for component in schedule.components:
        days |= {version.effective for version in component.versions}
        for exemption in component.exemptions:
            days |= {day for day in (exemption.from_on, exemption.to_on) if day is not None}
    return sorted(days)


def frozen(schedule: Schedule | OwrsSchedule, on: date) -> Schedule | OwrsSchedule:
    """The tariff whose figures and exemptions of one day hold on all days.

    A component that has no figure on that day is left out, also of the sums of others.
    """
    if isinstance(schedule, OwrsSchedule):
        return schedule
    kept: list[Component] = []
    for component in schedule.components:
        found = _component(component, on, {each.code for each in kept})
        if found is not None:
            kept.append(found)
    return replace(schedule, components=tuple(kept))


def _component(component: Component, on: date, known: set[str]) -> Component | None:
    begun = [version for version in component.versions if version.effective <= on]
    if not begun:
        return None
    terms = component.terms
    if isinstance(terms, Percent | Minimum):
        of = tuple(code for code in terms.of if code in known)
        if not of and isinstance(terms, Percent):
            return None
        terms = replace(terms, of=of)
    exemptions = tuple(
        replace(exemption, from_on=None, to_on=None)
        for exemption in component.exemptions
        if (exemption.from_on is None or exemption.from_on <= on)
        and (exemption.to_on is None or on < exemption.to_on)
    )
    return replace(
        component,
        terms=terms,
        versions=(replace(begun[-1], effective=ALWAYS),),
        exemptions=exemptions,
    )

"""The oracle: one account rated day by day in fractions, as plainly as it can be said."""

from datetime import date, timedelta
from fractions import Fraction
from math import floor

from chamberlain.kernel.periods import add_months
from chamberlain.tariffs.schedule import (
    Component,
    Fixed,
    FlatRate,
    Minimum,
    Percent,
    Schedule,
    Tier,
    Tiered,
    Version,
)

CUBIC_INCHES = {
    "gal": Fraction(231),
    "kgal": Fraction(231_000),
    "ccf": Fraction(172_800),
    "mcf": Fraction(1_728_000),
    "kl": Fraction(1_000_000) / Fraction("16.387064"),
}


class CannotRate(Exception):
    """The account has no bill; the first argument is the code."""


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def months(start: date, end: date) -> Fraction:
    whole = 0
    while add_months(start, whole + 1) <= end:
        whole += 1
    begun = add_months(start, whole)
    return whole + Fraction((end - begun).days, (add_months(start, whole + 1) - begun).days)


class Account:
    """One usage under one schedule. `lines` maps component codes to cents."""

    def __init__(self, schedule: Schedule, usage: dict) -> None:
        self.schedule = schedule
        self.usage = usage
        self.start, self.end = usage["from_on"], usage["to_on"]
        self.days = [
            self.start + timedelta(days=day) for day in range((self.end - self.start).days)
        ]
        self.lines: dict[str, int] = {}
        self.daily: dict[str, list[int]] = {}
        for component in schedule.components:
            self.daily[component.code] = [0] * len(self.days)
            if self.has(component):
                self.rate(component)

    def attribute(self, name: str) -> str | None:
        return self.usage[name] if name in self.usage else self.usage["attributes"].get(name)

    def has(self, component: Component) -> bool:
        units = component.most_dwelling_units
        return all(
            str(self.attribute(name)) in values for name, values in component.applies_to.items()
        ) and (units is None or self.usage["dwelling_units"] <= units)

    def day_that_counts(self, day: date) -> date:
        choice = {"by_day": day, "by_read_date": self.days[-1], "none": self.start}
        return choice[self.schedule.proration]

    def version(self, component: Component, day: date) -> Version | None:
        begun = [v for v in component.versions if v.effective <= self.day_that_counts(day)]
        if not begun and not component.begins_with_first_version:
            raise CannotRate("no_version")
        return begun[-1] if begun else None

    def figure(self, component: Component, version: Version) -> int | tuple[Tier, ...]:
        key = "|".join(str(self.attribute(name)) for name in component.by)
        if key not in version.values:
            raise CannotRate("unknown")
        return version.values[key]

    def kept(self, component: Component, day: date) -> Fraction:
        day = self.day_that_counts(day)
        waived = [
            exemption.percent
            for exemption in component.exemptions
            if exemption.code in self.usage["exemptions"]
            and (exemption.from_on is None or exemption.from_on <= day)
            and (exemption.to_on is None or day < exemption.to_on)
        ]
        return 1 - max(waived, default=Fraction(0)) / 100

    def amount_of_day(self, component: Component, index: int) -> Fraction:
        """Exact cents of one of the period's days."""
        day = self.days[index]
        version = self.version(component, day)
        if version is None:
            return Fraction(0)
        figure = self.figure(component, version)
        kept = self.kept(component, day)
        match component.terms:
            case Fixed(per, per_dwelling_unit, count):
                number = self.usage["dwelling_units"] if per_dwelling_unit else 1
                number = int(self.usage["attributes"].get(count, 0)) if count else number
                cents = Fraction(figure, 10_000) * number * self.times(per) / len(self.days)
            case FlatRate(unit):
                cents = Fraction(figure, 10_000) * self.usage_in(unit) / len(self.days)
            case Tiered():
                cents = self.tiers(component.terms, figure)
            case Minimum(_, per):
                cents = Fraction(figure, 10_000) * self.times(per) / len(self.days)
            case _:
                raise AssertionError
        return cents * kept

    def times(self, per: str) -> Fraction:
        if per == "month":
            return months(self.start, self.end)
        return Fraction(len(self.days) if per == "day" else 1)

    def usage_in(self, unit: str) -> Fraction:
        used = Fraction(self.usage["usage_thousandths"], 1000)
        return used * CUBIC_INCHES[self.usage["unit"]] / CUBIC_INCHES[unit]

    def tiers(self, terms: Tiered, tiers: tuple[Tier, ...]) -> Fraction:
        """A day's usage through a day's allowances."""
        used = self.usage_in(terms.unit) / len(self.days)
        share = self.times(terms.per) / len(self.days)
        if terms.per_dwelling_unit:
            share *= self.usage["dwelling_units"]
        if terms.budget:
            share *= Fraction(self.usage["attributes"][terms.budget]) / 100
        cents, below = Fraction(0), Fraction(0)
        for tier in tiers:
            top = used if tier.up_to is None else min(used, tier.up_to * share)
            if top > below:
                cents += (top - below) * Fraction(tier.rate_micros, 10_000)
                below = top
        return cents

    def rate(self, component: Component) -> None:
        if isinstance(component.terms, Percent):
            return self.rate_percent(component)
        exact = [self.amount_of_day(component, index) for index in range(len(self.days))]
        cents = half_up(sum(exact, Fraction(0)))
        if isinstance(component.terms, Minimum):
            base = sum(self.lines.get(code, 0) for code in component.terms.of)
            cents = max(0, cents - base)
            exact = [Fraction(cents, len(self.days))] * len(self.days)
        self.spread(component, cents, exact)
        in_force = any(self.version(component, day) for day in self.days)
        counted = component.terms.count if isinstance(component.terms, Fixed) else ""
        if counted and int(self.usage["attributes"].get(counted, 0)) == 0:
            return None
        if in_force and (cents or not isinstance(component.terms, Minimum)):
            self.lines[component.code] = cents
        return None

    def spread(self, component: Component, cents: int, exact: list[Fraction]) -> None:
        """The line's cents by days: what it comes to up to each day, rounded."""
        until = [half_up(sum(exact[: index + 1], Fraction(0))) for index in range(len(exact))]
        until[-1] = cents
        self.daily[component.code] = [
            now - before for before, now in zip([0, *until], until, strict=False)
        ]

    def rate_percent(self, component: Component) -> None:
        """Days that share a percentage share a part of the lines it is of."""
        of = component.terms.of
        exact = []
        for index, day in enumerate(self.days):
            version = self.version(component, day)
            rate = Fraction(self.figure(component, version), 1_000_000) if version else 0
            base = sum(self.daily[code][index] for code in of)
            exact.append(base * rate * self.kept(component, day))
        self.spread(component, half_up(sum(exact, Fraction(0))), exact)
        if any(self.version(component, day) for day in self.days):
            self.lines[component.code] = sum(self.daily[component.code])

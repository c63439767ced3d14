"""A scenario: what is imagined to be other than it was, and the tariff that follows from it."""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import polars as pl

from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import micros_of, round_half_up
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.schedule import (
    Component,
    Exemption,
    Fixed,
    FlatRate,
    Percent,
    Schedule,
    Value,
    Version,
)

IMAGINED = "what_if"
BASIS_POINTS = 10_000
LARGEST_CHANGE = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is imagined for the bills of a tariff.

    other_tariff: rate them by this one. component: the printed line whose figures change by
    change_percent, or to new_rate (dollars for each unit; a percentage for a percent line); with
    an exemption it is the only line that is exempted. exempt_percent: how much of it is waived.
    rate_class: exempts only this class, "" all. Zero, None and "" change nothing.
    """

    tariff: str
    other_tariff: str = ""
    component: str = ""
    change_percent: Decimal | None = None
    new_rate: Decimal | None = None
    exempt_percent: Decimal | None = None
    rate_class: str = ""

    def __post_init__(self) -> None:
        if self.change_percent is not None and self.new_rate is not None:
            raise Invalid(
                "A rate changes by a percentage or to a new rate, not both; leave one out.",
                field="new_rate",
            )
        if (self.change_percent is not None or self.new_rate is not None) and not self.component:
            raise Invalid(
                "A change of a rate needs the line it is for; choose one.", field="component"
            )
        _check_percent(self.change_percent, -100, LARGEST_CHANGE, "change_percent")
        _check_percent(self.exempt_percent, 0, 100, "exempt_percent")
        if self.new_rate is not None and not 0 <= self.new_rate <= 1_000_000:
            raise Invalid(
                f"A rate of {self.new_rate} is not one; give 0 or more.", field="new_rate"
            )

    @property
    def changes_something(self) -> bool:
        """Whether it is anything but the bills as they were."""
        return bool(
            self.other_tariff
            or self.change_percent
            or self.new_rate is not None
            or self.exempt_percent
        )

    def refuse_nothing(self) -> None:
        """Raises Invalid when nothing is imagined."""
        if not self.changes_something:
            raise Invalid(
                "Nothing is imagined yet; choose another tariff, a rate or an exemption.",
                field="other_tariff",
            )


def _check_percent(
    percent: Decimal | None, least: Decimal | int, most: Decimal | int, field: str
) -> None:
    if percent is None:
        return
    if not least <= percent <= most:
        raise Invalid(f"{percent} percent is out of range; give {least} to {most}.", field=field)
    if percent * 100 != int(percent * 100):
        raise Invalid(f"{percent} percent has more than two decimals; round it.", field=field)


def imagined_schedule(
    schedule: Schedule | OwrsSchedule, scenario: Scenario
) -> Schedule | OwrsSchedule:
    """The tariff with the scenario's rates and exemption in it, from its first day on.

    schedule: the one to rate by, which is the other tariff where there is one. Raises Invalid for
    a line that the tariff does not have, or a new rate for a line with tiers.
    """
    changes_rates = scenario.change_percent is not None or scenario.new_rate is not None
    if not (changes_rates or scenario.exempt_percent):
        return schedule
    if isinstance(schedule, OwrsSchedule):
        raise Invalid(
            f"Tariff {schedule.code} is a published formula, whose rates cannot be imagined "
            "otherwise; compare it with another tariff.",
            field="component",
        )
    codes = [component.code for component in schedule.components]
    if scenario.component and scenario.component not in codes:
        raise Invalid(
            f"Tariff {schedule.code} has no line {scenario.component[:40]}; choose one of "
            f"{', '.join(codes)}.",
            field="component",
        )
    return replace(
        schedule,
        components=tuple(_imagined(component, scenario) for component in schedule.components),
    )


def _imagined(component: Component, scenario: Scenario) -> Component:
    if scenario.component not in ("", component.code):
        return component
    if scenario.change_percent is not None or scenario.new_rate is not None:
        versions = tuple(_version(component, each, scenario) for each in component.versions)
        component = replace(component, versions=versions)
    if scenario.exempt_percent:
        exemption = Exemption(
            IMAGINED, Fraction(scenario.exempt_percent), None, None, component.source, ""
        )
        component = replace(component, exemptions=(*component.exemptions, exemption))
    return component


def _version(component: Component, version: Version, scenario: Scenario) -> Version:
    return replace(
        version,
        values={key: _value(component, value, scenario) for key, value in version.values.items()},
    )


def _value(component: Component, value: Value, scenario: Scenario) -> Value:
    if scenario.new_rate is not None:
        return _new_rate(component, scenario.new_rate)
    assert scenario.change_percent is not None
    parts = BASIS_POINTS + int(scenario.change_percent * 100)
    if isinstance(value, int):
        return round_half_up(value * parts, BASIS_POINTS)
    return tuple(
        replace(tier, rate_micros=round_half_up(tier.rate_micros * parts, BASIS_POINTS))
        for tier in value
    )


def _new_rate(component: Component, rate: Decimal) -> int:
    if not isinstance(component.terms, Fixed | FlatRate | Percent):
        raise Invalid(
            f"“{component.label}” has no single rate; change it by a percentage.", field="new_rate"
        )
    shown = rate / 100 if isinstance(component.terms, Percent) else rate
    return micros_of(shown, field="new_rate")


def imagined_usages(usages: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    """Usages with the imagined exemption on those that it is for. Columns stay as they are."""
    if not scenario.exempt_percent:
        return usages
    exempt = pl.concat_list(
        pl.col("exemptions").fill_null(pl.lit([], dtype=pl.List(pl.String))), pl.lit([IMAGINED])
    )
    if scenario.rate_class:
        exempt = (
            pl.when(pl.col("rate_class") == scenario.rate_class)
            .then(exempt)
            .otherwise(pl.col("exemptions"))
        )
    return usages.with_columns(exemptions=exempt)

"""Rate schedules as values: what a tariff's components charge, from which day, and why.

A **schedule** has **components** in printed order. A component has **terms** (how it charges),
dated **versions** (the figures), and **exemptions** that waive it wholly or in part. In a version
a figure stands plainly, or for each value of the attributes that `by` names; several attributes
make one key, joined by `|`.

    terms:
      type: tiers                      # one of TYPES
      unit: ccf                        # ccf, mcf, kgal, gal, kl
      per: month                       # what allowances or amounts are for: period, month, day
      by: [meter_size]
      applies_to: {rate_class: [residential]}
      most_dwelling_units: 4           # larger buildings have no such line
      before_first_version: no_charge  # or refuse, which is the default
      versions:
        - effective: 2026-01-01
          tiers_by: {'1"': [{up_to: "10", rate: "2.87"}, {rate: "4.29"}]}
          source: Ordinance 12
          verified: false
          note: Read from a newspaper
      exemptions:
        - {code: senior, percent: "50", from: 2026-01-01, to: 2027-01-01}

`parsing.py` reads it strictly; docs/tariffs.md explains every field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

PER = ("period", "month", "day")
PRORATIONS = ("by_day", "by_read_date", "none")


@dataclass(frozen=True, slots=True)
class Tier:
    """up_to: the last unit (or percent of the budget) at this rate; None in the last tier."""

    up_to: Fraction | None
    rate_micros: int


Value = int | tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """The figures from a day on, until the next version.

    values: by key ("" without `by`); millionths of a dollar, of one for a percent, or tiers.
    """

    effective: date
    values: Mapping[str, Value]
    source: str
    is_verified: bool
    note: str


@dataclass(frozen=True, slots=True)
class Exemption:
    """A named reason that waives a component, in percent, from a day up to a day."""

    code: str
    percent: Fraction
    from_on: date | None
    to_on: date | None
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """An amount per period, month or day; for each dwelling unit, or for each of a count.

    season_starts: the first months of seasons that the amount is for instead; none for a period.
    """

    per: str
    per_dwelling_unit: bool = False
    count: str = ""
    season_starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class FlatRate:
    """A rate for each unit of usage."""

    unit: str


@dataclass(frozen=True, slots=True)
class Tiered:
    """Rates by tiers of usage. budget: the attribute whose percents the tiers are, or ""."""

    unit: str
    per: str
    per_dwelling_unit: bool
    budget: str = ""


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage of the printed cents of earlier components."""

    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Minimum:
    """What earlier components lack to an amount per period, month or day."""

    of: tuple[str, ...]
    per: str


Terms = Fixed | FlatRate | Tiered | Percent | Minimum


@dataclass(frozen=True, slots=True)
class Component:
    """A printed line. applies_to: attribute and the values for which there is a line at all."""

    id: int
    position: int
    code: str
    label: str
    charge_kind: str
    formula: str
    source: str
    terms: Terms
    by: tuple[str, ...]
    versions: tuple[Version, ...]
    exemptions: tuple[Exemption, ...] = ()
    applies_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    most_dwelling_units: int | None = None
    begins_with_first_version: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A tariff of the city, ready to rate by. unit: the one its usage is shown in."""

    code: str
    name: str
    unit: str
    proration: str
    source: str
    components: tuple[Component, ...]

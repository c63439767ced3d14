"""`watching.yaml`: which usage somebody looks at, and how an entry of the worklist is closed."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.cities.fields import Code, Name, Source, Strict
from chamberlain.kernel.errors import BadRecord
from chamberlain.metering.watching.terms import Resolution, Rule, Terms

Days = Annotated[int, Field(ge=1, le=3660)]
WholePercent = Annotated[int, Field(ge=1, le=10_000)]
Gallons = Annotated[int, Field(ge=0, le=10_000_000)]
InARow = Annotated[int, Field(ge=2, le=24)]


class WatchRule(Strict):
    """What each rule has: how soon somebody looks, and whether the bill waits until then."""

    severity: Annotated[int, Field(ge=1, le=3)]
    holds_bill: bool = False
    except_types: tuple[Code, ...] = ()


class HighRule(WatchRule):
    """Usage a day against last year, the own usual and the class."""

    percent_of_last_year: WholePercent
    percent_of_usual: WholePercent
    percent_of_class: WholePercent
    least_more_gallons: Gallons


class LowRule(WatchRule):
    """Usage a day, where there was at least so much before."""

    percent_of_last_year: WholePercent
    percent_of_usual: WholePercent
    least_before_gallons: Gallons


class ZeroRule(WatchRule):
    """No usage in at least so many days."""

    least_days: Days


class InARowRule(WatchRule):
    """So many reads in a row that measured nothing, or were estimated."""

    reads: InARow


class LeakRule(InARowRule):
    """So many reads in a row of a steady, higher flow."""

    percent_of_usual: WholePercent
    spread_percent: WholePercent
    least_more_gallons: Gallons


class WatchTerms(Strict):
    """The rules from a day on; one that is left out is not looked at."""

    starts_on: Annotated[date, Field(alias="from")]
    look_back_days: Days
    usual_days: Days
    high: HighRule | None = None
    low: LowRule | None = None
    zero: ZeroRule | None = None
    reversed: WatchRule | None = None
    stopped: InARowRule | None = None
    estimated: InARowRule | None = None
    leak: LeakRule | None = None
    source: Source
    verified: bool

    @property
    def rules(self) -> dict[str, WatchRule]:
        """The rules that the file has, by their codes."""
        named = {
            "high": self.high,
            "low": self.low,
            "zero": self.zero,
            "reversed": self.reversed,
            "stopped": self.stopped,
            "estimated": self.estimated,
            "leak": self.leak,
        }
        return {code: rule for code, rule in named.items() if rule is not None}

    def terms(self) -> Terms:
        """As the watch takes them."""
        shared = set(WatchRule.model_fields)
        return Terms(
            self.starts_on,
            self.look_back_days,
            self.usual_days,
            tuple(
                Rule(
                    code,
                    rule.severity,
                    rule.holds_bill,
                    rule.model_dump(exclude=shared),
                    rule.except_types,
                )
                for code, rule in self.rules.items()
            ),
            self.source,
            self.verified,
        )


class WatchResolution(Strict):
    """How an entry of the worklist may be closed."""

    code: Code
    name: Name
    verifies_reads: bool = False
    source: Source
    verified: bool

    def resolution(self) -> Resolution:
        """As the worklist takes it."""
        return Resolution(self.code, self.name, self.verifies_reads, self.source, self.verified)


class WatchingFile(Strict):
    """`watching.yaml`."""

    watching: tuple[WatchTerms, ...] = ()
    resolutions: tuple[WatchResolution, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "WatchingFile":
        days = [each.starts_on for each in self.watching]
        codes = [each.code for each in self.resolutions]
        if len(set(days)) < len(days) or len(set(codes)) < len(codes):
            raise ValueError("a day or a code appears more than once")
        if self.watching and not self.resolutions:
            raise ValueError("resolutions: give at least one, or no entry can be closed")
        return self

    def faults(self, property_types: set[str]) -> list[BadRecord]:
        """Property types that the city does not have."""
        return [
            BadRecord(f"watching.yaml watching.{i}.{code}.except_types", f"city.yaml has no {kind}")
            for i, terms in enumerate(self.watching)
            for code, rule in terms.rules.items()
            for kind in rule.except_types
            if kind not in property_types
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            (f"Watching usage: rules from {each.starts_on} ({each.source})", each.verified)
            for each in self.watching
        ] + [
            (f"Watching usage: {each.name} ({each.source})", each.verified)
            for each in self.resolutions
        ]

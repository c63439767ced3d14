"""`reads.yaml`: how often routes are read, and how what was not read is estimated."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chamberlain.billing.estimating.terms import NewTerms
from chamberlain.cities.fields import Code, Name, Source, Strict
from chamberlain.kernel.errors import BadRecord
from chamberlain.metering.routes.cycles import CycleTerms


class Cycle(Strict):
    """How often a route is read, and on which work days of a month."""

    code: Code
    name: Name
    months: Literal[1, 2, 3, 4, 6, 12]
    first_month: Annotated[int, Field(ge=1, le=12)]
    work_days: Annotated[int, Field(ge=1, le=23)]
    early_days: Annotated[int, Field(ge=0, le=27)]
    source: Source
    verified: bool

    def terms(self) -> CycleTerms:
        """As the routes take it."""
        return CycleTerms(
            self.code, self.name, self.months, self.first_month, self.work_days,
            self.early_days, self.source, self.verified,
        )  # fmt: skip


class EstimateTerms(Strict):
    """How estimates come about from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    in_row: Annotated[int, Field(ge=0, le=24)]
    covered_percent: Annotated[int, Field(ge=1, le=100)]
    class_days: Annotated[int, Field(ge=1, le=1100)]
    class_services: Annotated[int, Field(ge=1, le=1_000_000)]
    true_up_reason: Code
    source: Source
    verified: bool

    def terms(self) -> NewTerms:
        """As the estimates take them."""
        return NewTerms(
            self.starts_on, self.in_row, self.covered_percent, self.class_days,
            self.class_services, self.true_up_reason, self.source, self.verified,
        )  # fmt: skip


class ReadsFile(Strict):
    """`reads.yaml`."""

    cycles: tuple[Cycle, ...] = ()
    estimates: tuple[EstimateTerms, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "ReadsFile":
        days = [each.starts_on for each in self.estimates]
        codes = [each.code for each in self.cycles]
        if len(set(days)) < len(days) or len(set(codes)) < len(codes):
            raise ValueError("a day or a code appears more than once")
        return self

    def faults(self, reasons: set[str]) -> list[BadRecord]:
        """Reasons of rebilling that the city does not have."""
        return [
            BadRecord(
                f"reads.yaml estimates.{i}.true_up_reason",
                f"rebilling.yaml has no {each.true_up_reason}",
            )
            for i, each in enumerate(self.estimates)
            if each.true_up_reason not in reasons
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            (f"Reading: {each.name} ({each.source})", each.verified) for each in self.cycles
        ] + [
            (f"Estimates: terms from {each.starts_on} ({each.source})", each.verified)
            for each in self.estimates
        ]

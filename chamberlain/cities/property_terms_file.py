"""`property_terms.yaml`: how properties are billed by their type and dwelling units."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.billing.property_terms.terms import Terms
from chamberlain.cities.fields import Code, Source, Strict
from chamberlain.kernel.errors import BadRecord

Tariff = Annotated[str, Field(max_length=48)]
Months = Annotated[int, Field(ge=1, le=12)]


class Service(Strict):
    """The tariff and how often it is billed; what is left out stays as an agreement has it."""

    tariff: Tariff = ""
    months: Months | None = None


class PropertyTermsRow(Strict):
    """Terms of some types with so many dwelling units, from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    property_types: Annotated[tuple[Code, ...], Field(min_length=1)]
    least_units: Annotated[int, Field(ge=0, le=9999)] = 0
    most_units: Annotated[int, Field(ge=0, le=9999)] | None = None
    rate_class: Annotated[str, Field(max_length=40)] = ""
    metered: Service = Service()
    unmetered: Service = Service()
    exemptions: tuple[Code, ...] = ()
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _in_order(self) -> "PropertyTermsRow":
        if self.most_units is not None and self.most_units < self.least_units:
            raise ValueError("most_units is less than least_units")
        return self


class PropertyTermsFile(Strict):
    """`property_terms.yaml`."""

    property_terms: tuple[PropertyTermsRow, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> "PropertyTermsFile":
        seen: dict[tuple[str, date], list[tuple[int, int]]] = {}
        for row in self.property_terms:
            most = 9999 if row.most_units is None else row.most_units
            for code in row.property_types:
                ranges = seen.setdefault((code, row.starts_on), [])
                if any(row.least_units <= high and low <= most for low, high in ranges):
                    raise ValueError(f"{code}: the same units appear twice from {row.starts_on}")
                ranges.append((row.least_units, most))
        return self

    def faults(self, property_types: set[str]) -> list[BadRecord]:
        """What does not fit the city's property types."""
        return [
            BadRecord(f"property_terms.yaml property_terms.{i}", f"city.yaml has no {code}")
            for i, row in enumerate(self.property_terms)
            for code in row.property_types
            if code not in property_types
        ]

    def terms(self) -> list[Terms]:
        """As the office keeps them: one for each type."""
        return [
            Terms(
                code,
                row.least_units,
                row.most_units,
                row.starts_on,
                row.rate_class,
                row.metered.tariff,
                row.metered.months,
                row.unmetered.tariff,
                row.unmetered.months,
                tuple(sorted(set(row.exemptions))),
                row.source,
                row.verified,
            )
            for row in self.property_terms
            for code in row.property_types
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each row in words with its source, and whether somebody verified it."""
        return [
            (
                f"Terms of {', '.join(row.property_types)} from {row.starts_on} ({row.source})",
                row.verified,
            )
            for row in self.property_terms
        ]

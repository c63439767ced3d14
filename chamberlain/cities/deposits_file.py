"""`deposits.yaml`: whose accounts pay a deposit, how much, at what interest, and for how long."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chamberlain.billing.deposits.terms import Rate, Requirement, Terms
from chamberlain.cities.fields import Amount, Code, Name, Percent, Source, Strict
from chamberlain.kernel.errors import BadRecord


class DepositRequirement(Strict):
    """Who pays a deposit; the first that fits decides, and without an amount it asks none."""

    property_types: tuple[Code, ...] = ()
    holders: Literal["any", "owner", "tenant"] = "any"
    cents: Annotated[Amount, Field(alias="amount")] = 0
    per_unit: bool = False


class DepositTermsFile(Strict):
    """Deposits from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    due_days: Annotated[int, Field(ge=0, le=365)]
    release_months: Annotated[int, Field(ge=1, le=120)]
    grace_days: Annotated[int, Field(ge=0, le=90)]
    year_days: Annotated[int, Field(ge=360, le=366)]
    requirements: Annotated[tuple[DepositRequirement, ...], Field(min_length=1)]
    source: Source
    verified: bool

    def terms(self) -> Terms:
        """As the office keeps them."""
        return Terms(
            self.starts_on,
            self.due_days,
            self.release_months,
            self.grace_days,
            self.year_days,
            tuple(
                Requirement(each.property_types, each.holders, each.cents, each.per_unit)
                for each in self.requirements
            ),
            self.source,
            self.verified,
        )


class DepositInterest(Strict):
    """Simple interest on deposits from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    percent_per_year: Percent
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _sound(self) -> "DepositInterest":
        if (self.percent_per_year * 10_000) % 1:
            raise ValueError("percent_per_year: give at most four decimals")
        return self

    def rate(self) -> Rate:
        """As the office keeps it."""
        micros = int(self.percent_per_year * 10_000)
        return Rate(self.starts_on, micros, self.source, self.verified)


class DepositsFile(Strict):
    """`deposits.yaml`. name, priority: of the charge; the lowest priority is paid first."""

    name: Name = "Deposit"
    priority: Annotated[int, Field(ge=1, le=999)] = 20
    deposits: tuple[DepositTermsFile, ...] = ()
    interest: tuple[DepositInterest, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "DepositsFile":
        for rows in (self.deposits, self.interest):
            days = [each.starts_on for each in rows]
            if len(set(days)) < len(days):
                raise ValueError("two of the terms or rates begin on the same day")
        return self

    def faults(self, property_types: set[str]) -> list[BadRecord]:
        """What does not fit the city's property types."""
        return [
            BadRecord(f"deposits.yaml deposits.{i}.requirements.{j}", f"city.yaml has no {code}")
            for i, terms in enumerate(self.deposits)
            for j, each in enumerate(terms.requirements)
            for code in each.property_types
            if code not in property_types
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            *(
                (f"Deposits: terms from {each.starts_on} ({each.source})", each.verified)
                for each in self.deposits
            ),
            *(
                (f"Deposits: interest from {each.starts_on} ({each.source})", each.verified)
                for each in self.interest
            ),
        ]

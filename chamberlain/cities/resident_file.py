"""`resident.yaml`: what holds on the public pages of accounts."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.billing.access.terms import Terms
from chamberlain.cities.fields import Amount, Source, Strict


class ResidentTermsFile(Strict):
    """From a day on. code_months: how long the code on a bill lets its holder in."""

    starts_on: Annotated[date, Field(alias="from")]
    code_months: Annotated[int, Field(ge=1, le=120)]
    smallest_payment: Amount
    largest_payment: Amount
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _sound(self) -> "ResidentTermsFile":
        if not 0 < self.smallest_payment <= self.largest_payment:
            raise ValueError("smallest_payment: give more than nothing, at most largest_payment")
        return self

    def terms(self) -> Terms:
        """As the office keeps them."""
        return Terms(
            self.starts_on,
            self.code_months,
            self.smallest_payment,
            self.largest_payment,
            self.source,
            self.verified,
        )


class ResidentFile(Strict):
    """`resident.yaml`."""

    resident: tuple[ResidentTermsFile, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "ResidentFile":
        days = [each.starts_on for each in self.resident]
        if len(set(days)) < len(days):
            raise ValueError("two of the terms begin on the same day")
        return self

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            (f"Public pages: terms from {each.starts_on} ({each.source})", each.verified)
            for each in self.resident
        ]

"""`reconciliation.yaml`: how deposits are looked for at the bank, and what is posted by itself."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.cities.fields import Amount, Source, Strict
from chamberlain.reconciliation.terms import Terms


class MatchingTermsFile(Strict):
    """Rules of matching from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    within_days: Annotated[int, Field(ge=1, le=60)]
    tolerance: Amount
    confidence: Annotated[int, Field(ge=50, le=101)]
    up_to: Amount
    source: Source
    verified: bool

    def terms(self) -> Terms:
        """As the office keeps them."""
        return Terms(
            self.starts_on,
            self.within_days,
            self.tolerance,
            self.confidence,
            self.up_to,
            self.source,
            self.verified,
        )


class ReconciliationFile(Strict):
    """`reconciliation.yaml`."""

    matching: tuple[MatchingTermsFile, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "ReconciliationFile":
        days = [each.starts_on for each in self.matching]
        if len(set(days)) < len(days):
            raise ValueError("two of the terms begin on the same day")
        return self

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            (f"Matching with the bank: terms from {each.starts_on} ({each.source})", each.verified)
            for each in self.matching
        ]

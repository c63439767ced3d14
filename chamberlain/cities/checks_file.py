"""`checks.yaml`: from which amount checks are verified, and what is printed on their back."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.cashiering.checks.terms import Terms
from chamberlain.cities.fields import Amount, FeeCode, Source, Strict
from chamberlain.kernel.errors import BadRecord

Line = Annotated[str, Field(min_length=1, max_length=42)]


class CheckTermsFile(Strict):
    """Rules of checks from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    verify_from: Amount
    unreachable_up_to: Amount
    endorsement: Annotated[tuple[Line, ...], Field(min_length=1, max_length=6)]
    returned_fee: FeeCode | None = None
    source: Source
    verified: bool

    def terms(self) -> Terms:
        """As the office keeps them."""
        return Terms(
            self.starts_on,
            self.verify_from,
            self.unreachable_up_to,
            "\n".join(self.endorsement),
            self.source,
            self.verified,
            self.returned_fee or "",
        )


class ChecksFile(Strict):
    """`checks.yaml`."""

    checks: tuple[CheckTermsFile, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "ChecksFile":
        days = [each.starts_on for each in self.checks]
        if len(set(days)) < len(days):
            raise ValueError("two of the terms begin on the same day")
        return self

    def faults(self, fees: set[str]) -> list[BadRecord]:
        """What does not fit the city's fees."""
        return [
            BadRecord(
                f"checks.yaml checks.{i}.returned_fee", f"fees.yaml has no {each.returned_fee}"
            )
            for i, each in enumerate(self.checks)
            if each.returned_fee and each.returned_fee not in fees
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            (f"Checks: terms from {each.starts_on} ({each.source})", each.verified)
            for each in self.checks
        ]

"""`citations.yaml`: when a citation is noticed and doubles, and which vehicles are booted."""

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.cities.fields import FeeCode, Source, Strict
from chamberlain.kernel.errors import BadRecord
from chamberlain.revenue.citations.terms import Terms

Days = Annotated[int, Field(ge=1, le=3660)]
Count = Annotated[int, Field(ge=1, le=100)]


class CitationTermsFile(Strict):
    """Rules of citations from a day on. Days count from the issue, or from the hearing."""

    starts_on: Annotated[date, Field(alias="from")]
    notice_days: Days
    doubles_days: Days
    collection_days: Days
    boot_count: Count
    boot_old_count: Count
    boot_old_days: Days
    boot_fee: FeeCode
    tow_fee: FeeCode
    storage_days: Annotated[int, Field(ge=0, le=366)]
    storage_fee: FeeCode
    storage_fee_after: FeeCode
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _in_order(self) -> "CitationTermsFile":
        if not self.notice_days < self.doubles_days < self.collection_days:
            raise ValueError(
                "notice_days come before doubles_days, and these before collection_days"
            )
        return self

    def terms(self) -> Terms:
        """As the office keeps them."""
        values = self.model_dump()
        return Terms(is_verified=values.pop("verified"), **values)


class CitationsFile(Strict):
    """`citations.yaml`."""

    citations: tuple[CitationTermsFile, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "CitationsFile":
        days = [each.starts_on for each in self.citations]
        if len(set(days)) < len(days):
            raise ValueError("two of the terms begin on the same day")
        return self

    def faults(self, fees: set[str]) -> list[BadRecord]:
        """What does not fit the city's fees."""
        return [
            BadRecord(f"citations.yaml citations.{i}", f"fees.yaml has no {code}")
            for i, each in enumerate(self.citations)
            for code in (each.boot_fee, each.tow_fee, each.storage_fee, each.storage_fee_after)
            if code not in fees
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each figure in words with its source, and whether somebody verified it."""
        return [
            (f"Citations: terms from {each.starts_on} ({each.source})", each.verified)
            for each in self.citations
        ]

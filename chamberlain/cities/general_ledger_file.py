"""`general_ledger.yaml`: which account of the city's general ledger each of ours is."""

from typing import Annotated

from pydantic import Field, model_validator

from chamberlain.cities.fields import Source, Strict
from chamberlain.reconciliation.general_ledger.operations import MappingTerms


class MappingFile(Strict):
    """Accounts whose code begins so; of several that fit, the longest."""

    begins: Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9_-]{0,23}$")]
    account: Annotated[str, Field(pattern=r"^[!-~]([ -~]{0,58}[!-~])?$")]


class GeneralLedgerFile(Strict):
    """`general_ledger.yaml`."""

    accounts: tuple[MappingFile, ...] = ()
    source: Source = "not given"
    verified: bool = False

    @model_validator(mode="after")
    def _once(self) -> "GeneralLedgerFile":
        begins = [each.begins for each in self.accounts]
        if len(set(begins)) < len(begins):
            raise ValueError("two lines begin alike")
        return self

    def mapping(self) -> list[MappingTerms]:
        """As the office keeps it."""
        return [
            MappingTerms(each.begins, each.account, self.source, self.verified)
            for each in self.accounts
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """The mapping in words with its source, and whether somebody verified it."""
        if not self.accounts:
            return []
        return [(f"Accounts of the general ledger ({self.source})", self.verified)]

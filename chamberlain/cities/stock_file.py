"""`stock.yaml`: what bears serial numbers, how they are written, which fees it is sold with."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from chamberlain.cashiering.stock.terms import KindTerms
from chamberlain.cities.fields import Code, Name, Source, Strict
from chamberlain.kernel.errors import BadRecord

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{0,7}[A-Z-]$|^$")]


class StockKindFile(Strict):
    """A kind of numbered item. low_below: a till with fewer pieces is said to run low."""

    code: Code
    name: Name
    prefix: Prefix = ""
    digits: Annotated[int, Field(ge=1, le=12)]
    low_below: Annotated[int, Field(ge=0, le=100_000)] = 0
    sold_with: tuple[str, ...] = ()
    source: Source
    verified: bool

    def terms(self) -> KindTerms:
        """As the office keeps it."""
        return KindTerms(
            self.code, self.name, self.prefix, self.digits, self.low_below, self.sold_with
        )


class StockFile(Strict):
    """`stock.yaml`."""

    stock: tuple[StockKindFile, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "StockFile":
        codes = [kind.code for kind in self.stock]
        if len(set(codes)) < len(codes):
            raise ValueError("two kinds of stock have the same code")
        fees = [fee for kind in self.stock for fee in kind.sold_with]
        if len(set(fees)) < len(fees):
            raise ValueError("a fee is sold with one kind of stock; it stands at two")
        return self

    def faults(self, fees: set[str]) -> list[BadRecord]:
        """What does not fit the city's fees."""
        return [
            BadRecord(f"stock.yaml stock.{i}.sold_with", f"fees.yaml has no {code}")
            for i, kind in enumerate(self.stock)
            for code in kind.sold_with
            if code not in fees
        ]

    def figures(self) -> list[tuple[str, bool]]:
        """Each kind in words with its source, and whether somebody verified it."""
        return [(f"Stock: {kind.name} ({kind.source})", kind.verified) for kind in self.stock]

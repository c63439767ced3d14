"""A bank that writes BAI2 files for tests, with totals that hold."""

from dataclasses import dataclass
from datetime import date

from tests.office import DAY

ACCOUNT = "1234567890"


@dataclass(frozen=True)
class Line:
    """A movement: amounts are never signed, the type code says credit or debit."""

    cents: int
    type_code: str = "301"
    bank_reference: str = ""
    customer_reference: str = ""
    text: str = ""
    continuations: tuple[str, ...] = ()

    def records(self) -> list[str]:
        """The movement with its continuations."""
        head = f"16,{self.type_code},{self.cents},,{self.bank_reference},{self.customer_reference},"
        return [f"{head}{self.text}/", *(f"88,{text}" for text in self.continuations)]


def statement(
    *lines: Line,
    account: str = ACCOUNT,
    on: date = DAY,
    opening: int | None = 0,
    closing: int | None = None,
    currency: str = "USD",
    status: str = "1",
    counts_continuations: bool = True,
    file_id: str = "1",
) -> bytes:
    """A file of one account's day. closing: by default what the movements lead to."""
    movements = sum(line.cents if line.type_code < "400" else -line.cents for line in lines)
    if closing is None and opening is not None:
        closing = opening + movements
    summary = "".join(
        f",{code},{cents},,"
        for code, cents in (("010", opening), ("015", closing))
        if cents is not None
    )
    records = [r for line in lines for r in line.records()]
    counted = [r for r in records if counts_continuations or not r.startswith("88")]
    total = sum(line.cents for line in lines) + (opening or 0) + (closing or 0)
    inside = len(counted) + 2
    day = f"{on:%y%m%d}"
    return "\n".join(
        [
            f"01,BANK,CITY,{day},0600,{file_id},,,2/",
            f"02,CITY,BANK,{status},{day},2359,{currency},2/",
            f"03,{account},{currency}{summary}/",
            *records,
            f"49,{total},{inside}/",
            f"98,{total},1,{inside + 2}/",
            f"99,{total},1,{inside + 4}/",
        ]
    ).encode()

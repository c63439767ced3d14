"""The kinds of adjustment: what each does to the ledger is the program's, the rest the city's."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Codes of the kinds."""

    LEAK_CREDIT = "leak_credit"
    GOODWILL = "goodwill"
    WRITE_OFF = "write_off"
    PENALTY_WAIVER = "penalty_waiver"
    MISAPPLIED_PAYMENT = "misapplied_payment"
    MOVE_CREDIT = "move_credit"
    MOVE_CHARGES = "move_charges"
    REFUND = "refund"
    UNCLAIMED = "unclaimed_credit"


@dataclass(frozen=True, slots=True)
class KindRow:
    """What a kind needs and does.

    settles: it lowers what the account owes, at the office's cost. leaves_credit: what is more
    than owed becomes credit of the account. moves: it needs another account. needs_payment: it
    names the payment that was applied wrongly. needs_charges: it names charges, whole.
    """

    kind: Kind
    name: str
    settles: bool = False
    leaves_credit: bool = False
    moves: bool = False
    needs_payment: bool = False
    needs_charges: bool = False

    @property
    def in_batch(self) -> bool:
        """Whether many accounts may be adjusted so from a file."""
        return not self.moves


KINDS: dict[str, KindRow] = {
    row.kind.value: row
    for row in (
        KindRow(Kind.LEAK_CREDIT, "Leak credit", settles=True, leaves_credit=True),
        KindRow(Kind.GOODWILL, "Goodwill credit", settles=True, leaves_credit=True),
        KindRow(Kind.WRITE_OFF, "Write-off", settles=True),
        KindRow(Kind.PENALTY_WAIVER, "Penalty waiver", settles=True),
        KindRow(
            Kind.MISAPPLIED_PAYMENT, "Misapplied payment moved", moves=True, needs_payment=True
        ),
        KindRow(Kind.MOVE_CREDIT, "Credit moved", moves=True),
        KindRow(Kind.MOVE_CHARGES, "Charges moved", moves=True, needs_charges=True),
        KindRow(Kind.REFUND, "Refund of credit"),
        KindRow(Kind.UNCLAIMED, "Unclaimed credit handed over"),
    )
}

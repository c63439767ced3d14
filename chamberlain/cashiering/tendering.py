"""What is handed over, what comes back as change, and which tender settles which charge.

A basket of charges is paid with several tenders at once. The books must say, for each charge,
which money settled it, because cash, checks and cards go to the bank on different ways. For
example, $100.00 owed, paid with a check of $70.00 and two twenties:

    charge  owed        tenders in order    settles
    7       $60.00      check $70.00        charge 7 $60.00, charge 8 $10.00
    8       $40.00      cash  $30.00        charge 8 $30.00
                        (change $10.00)

Charges and tenders are laid end to end on the same line; where two pieces overlap, that tender
settles that charge. Cash comes last, so that it alone is lowered by the change, and an order of
kinds that never changes makes the same payment always post the same transfers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chamberlain.cashiering.checks.bank_line import BankLine
from chamberlain.cashiering.models import Tender
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.kernel.money import LARGEST_CENTS, show_cents

ITEMS_MAX = 500
TENDERS_MAX = 50
REFERENCE_MAX = 40

_KIND_ORDER = ("card", "check", "money_order", "cash")
_LABELS = {kind.value: kind.label.lower() for kind in Tender.Kind}
_NUMBER_OF = {
    "check": "the check's number",
    "money_order": "the money order's number",
    "card": "the card's authorization number",
}


@dataclass(frozen=True, slots=True)
class TenderLine:
    """One thing handed over. kind: see Tender.Kind. reference: check number and the like.

    bank_line: what the bottom line of a check says, when it was read.
    """

    kind: str
    cents: int
    reference: str = ""
    bank_line: BankLine | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """Cents of a tender that settle a charge, or without a charge become the payer's credit."""

    charge_id: int | None
    tender: str
    cents: int


def is_amount(cents: object) -> bool:
    """Whether it is a positive whole number of cents that the program keeps."""
    return isinstance(cents, int) and not isinstance(cents, bool) and 0 < cents <= LARGEST_CENTS


def check_tenders(tenders: Sequence[TenderLine]) -> None:
    """Raises Invalid for no tender, an unknown kind, a wrong amount, a missing number."""
    if not tenders:
        raise Invalid("Nothing was handed over; add cash, a check or a card.", field="tenders")
    if len(tenders) > TENDERS_MAX:
        raise Invalid(
            f"A payment takes at most {TENDERS_MAX} tenders; split it in two.", field="tenders"
        )
    for position, tender in enumerate(tenders, start=1):
        label = _LABELS.get(tender.kind)
        if label is None:
            raise Invalid(
                f"Tender {position}: “{tender.kind[:20]}” is not taken here; take cash, a check, "
                "a money order or a card.",
                field="tenders",
            )
        if not is_amount(tender.cents):
            raise Invalid(
                f"Tender {position}: the {label} needs an amount of more than zero; type it again.",
                field="tenders",
            )
        _check_reference(position, label, tender)


def _check_reference(position: int, label: str, tender: TenderLine) -> None:
    if tender.kind != "cash" and not tender.reference.strip():
        raise Invalid(
            f"Tender {position}: a {label} is taken only with {_NUMBER_OF[tender.kind]}; type it.",
            field="reference",
        )
    if len(tender.reference) > REFERENCE_MAX or not tender.reference.isprintable():
        raise Invalid(
            f"Tender {position}: the number of the {label} has more than {REFERENCE_MAX} "
            "characters or some that cannot be printed; type it again.",
            field="reference",
        )


def check_items(items: Sequence[tuple[int, int]]) -> None:
    """Raises Invalid for too many charges, one named twice, or an amount of zero or less."""
    if len(items) > ITEMS_MAX:
        raise Invalid(
            f"A basket holds at most {ITEMS_MAX} charges; split the payment in two.", field="items"
        )
    if len({charge_id for charge_id, _ in items}) < len(items):
        raise Invalid("A charge is in the basket twice; take one of the two out.", field="items")
    for charge_id, cents in items:
        if not is_amount(cents):
            raise Invalid(
                f"Charge {charge_id}: the amount to pay must be more than zero; correct it or "
                "take the charge out.",
                field="items",
            )


def change_of(total_cents: int, tenders: Sequence[TenderLine]) -> int:
    """What is given back in cash.

    Raises Refused when the tenders fall short of the total, or when more would be given back
    than was given in cash.
    """
    tendered = sum(tender.cents for tender in tenders)
    cash = sum(tender.cents for tender in tenders if tender.kind == "cash")
    change = tendered - total_cents
    if change < 0:
        raise Refused(
            f"{show_cents(tendered)} was handed over for {show_cents(total_cents)}; "
            f"{show_cents(-change)} is missing. Add a tender or pay less.",
            field="tenders",
        )
    if change > cash:
        raise Refused(
            f"Change is given from cash only, and {show_cents(change)} would have to come back "
            f"for {show_cents(cash)} of cash; keep the rest as credit or take a smaller tender.",
            field="tenders",
        )
    return change


def split(
    items: Sequence[tuple[int | None, int]], tenders: Sequence[TenderLine], change_cents: int
) -> list[Settling]:
    """Which tender settles which charge.

    items: charge id (None for credit) and cents, adding up to the tenders less the change.
    Returns pieces of more than zero cents, charges in the order given.
    """
    left = dict.fromkeys(_KIND_ORDER, 0)
    for tender in tenders:
        left[tender.kind] += tender.cents
    left["cash"] -= change_cents
    settled = []
    kinds = iter(_KIND_ORDER)
    kind = next(kinds)
    for charge_id, cents in items:
        while cents:
            while not left[kind]:
                kind = next(kinds)
            piece = min(cents, left[kind])
            settled.append(Settling(charge_id, kind, piece))
            left[kind] -= piece
            cents -= piece  # noqa: PLW2901 - what is left of this charge
    return settled

"""What the customer sees on the second screen of a till: the basket as it is typed, the change.

It is kept in the cache for the moment, only while a display looks at it, and names nobody: amounts
and what they are for.
"""

from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache

from chamberlain.cashiering.queries import ReceiptView
from chamberlain.web.basket import BasketForm

_LOOKS_SECONDS = 60
_LINES_MAX = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a display. lines: what is paid for and cents; more: lines left out."""

    lines: tuple[tuple[str, int], ...] = ()
    more: int = 0
    total_cents: int = 0
    tendered_cents: int = 0
    change_cents: int = 0
    is_paid: bool = False


def show_basket(session_id: int, form: BasketForm) -> None:
    """Puts the basket on the till's display, if one looks."""
    if not _is_looked_at(session_id):
        return
    figures, amounts = form.figures, form.amounts
    lines = [
        (f"{charge.kind_name} {charge.document}", amounts[charge.charge_id])
        for account in form.accounts
        for charge in account.charges
        if amounts.get(charge.charge_id)
    ]
    lines += [
        (f"{part.charge.kind_name} {part.charge.document}", part.cents)
        for part in figures.allotted
        if part.charge
    ]
    _put(
        session_id,
        Shown(
            tuple(lines[:_LINES_MAX]),
            max(len(lines) - _LINES_MAX, 0),
            figures.total_cents,
            figures.tendered_cents,
            figures.change_cents,
        ),
    )


def show_receipt(receipt: ReceiptView) -> None:
    """Puts what was paid and the change on the till's display, if one looks."""
    if not _is_looked_at(receipt.session_id):
        return
    lines = [(f"{line.kind_name} {line.document}".strip(), line.cents) for line in receipt.lines]
    _put(
        receipt.session_id,
        Shown(
            tuple(lines[:_LINES_MAX]),
            max(len(lines) - _LINES_MAX, 0),
            receipt.total_cents,
            receipt.tendered_cents,
            receipt.change_cents,
            is_paid=True,
        ),
    )


def look(session_id: int) -> Shown:
    """What stands on the till's display now; from then on it is kept up to date."""
    cache.set(_looked_at(session_id), True, _LOOKS_SECONDS)
    found: dict[str, Any] | None = cache.get(_key(session_id))
    if found is None:
        return Shown()
    return Shown(**{**found, "lines": tuple((label, cents) for label, cents in found["lines"])})


def _put(session_id: int, shown: Shown) -> None:
    cache.set(_key(session_id), asdict(shown), _LOOKS_SECONDS)


def _is_looked_at(session_id: int) -> bool:
    return bool(cache.get(_looked_at(session_id)))


def _key(session_id: int) -> str:
    return f"display:{session_id}"


def _looked_at(session_id: int) -> str:
    return f"display-looks:{session_id}"

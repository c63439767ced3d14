"""What the customer sees on the second screen of a till: the basket as it is typed, the change.

It is kept in the cache for the moment, only while a display looks at it, by the cashier, who is at
one till at a time. It names nobody: amounts and what they are for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache

from chamberlain.cashiering.queries import ReceiptView
from chamberlain.web.basket import BasketForm

_LOOKS_SECONDS = 60
_LINES_MAX = 12
Line = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a display. lines: what is paid for and cents; more: lines left out."""

    lines: tuple[Line, ...] = ()
    more: int = 0
    total_cents: int = 0
    tendered_cents: int = 0
    change_cents: int = 0
    is_paid: bool = False


def show_basket(cashier_id: int, form: BasketForm) -> None:
    """Puts the basket on the cashier's display, if one looks."""
    if not _is_looked_at(cashier_id):
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
    sums = (figures.total_cents, figures.tendered_cents, figures.change_cents)
    _put(cashier_id, lines, sums, is_paid=False)


def show_receipt(cashier_id: int, receipt: ReceiptView) -> None:
    """Puts what was paid and the change on the cashier's display, if one looks."""
    if not _is_looked_at(cashier_id):
        return
    lines = [(f"{line.kind_name} {line.document}".strip(), line.cents) for line in receipt.lines]
    sums = (receipt.total_cents, receipt.tendered_cents, receipt.change_cents)
    _put(cashier_id, lines, sums, is_paid=True)


def look(cashier_id: int) -> Shown:
    """What stands on the cashier's display now; from then on it is kept up to date."""
    cache.set(_looked_at(cashier_id), True, _LOOKS_SECONDS)
    found: dict[str, Any] | None = cache.get(_key(cashier_id))
    if found is None:
        return Shown()
    return Shown(**{**found, "lines": tuple((label, cents) for label, cents in found["lines"])})


def _put(
    cashier_id: int, lines: Sequence[Line], sums: tuple[int, int, int], *, is_paid: bool
) -> None:
    """Keeps lines and sums: total, tendered, change."""
    more = max(len(lines) - _LINES_MAX, 0)
    shown = Shown(tuple(lines[:_LINES_MAX]), more, *sums, is_paid=is_paid)
    cache.set(_key(cashier_id), asdict(shown), _LOOKS_SECONDS)


def _is_looked_at(cashier_id: int) -> bool:
    return bool(cache.get(_looked_at(cashier_id)))


def _key(cashier_id: int) -> str:
    return f"display:{cashier_id}"


def _looked_at(cashier_id: int) -> str:
    return f"display-looks:{cashier_id}"

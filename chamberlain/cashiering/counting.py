"""Counting a drawer, and what it means when the count differs from the books.

A drawer opens with a float out of the center's change fund, a fixed sum that never goes to the
bank. At closing the drawer should hold

    float + cash taken - change given - cash given back for voids - drops.

What is counted above that is over, below it is short; either is posted and never carried in the
drawer. The float is put back first: a shortage takes from the day's takings, and only what they
do not cover is missing from the change fund. For example, a float of $100.00:

    taken    counted   over or short   from the takings   from the change fund
    $250.00  $350.00   $0.00
    $250.00  $345.00   short $5.00     $5.00
    $2.00    $95.00    short $7.00     $2.00              $5.00
    $2.00    $103.00   over $1.00      $1.00 more
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import LARGEST_CENTS, show_cents

DENOMINATIONS = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 25, 10, 5, 1)
PIECES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class OverShort:
    """Cash over (positive) or short (negative) in all, and the accounts that it falls on.

    takings_cents: signed change of the takings; fund_short_cents: >= 0, missing from the fund.
    """

    cents: int
    takings_cents: int
    fund_short_cents: int


def counted_cents(counts: Mapping[int, int]) -> int:
    """The value of a count: pieces by denomination in cents. Raises Invalid."""
    for denomination, pieces in counts.items():
        if denomination not in DENOMINATIONS:
            raise Invalid(
                f"There is no coin or note of {show_cents(denomination)}; count by the "
                "denominations of the form.",
                field="counts",
            )
        if not isinstance(pieces, int) or isinstance(pieces, bool) or pieces < 0:
            raise Invalid(
                f"{show_cents(denomination)}: the number of pieces must be zero or more; "
                "count them again.",
                field="counts",
            )
        if pieces > PIECES_MAX:
            raise Invalid(
                f"{show_cents(denomination)}: {pieces} pieces do not fit a drawer; "
                "count them again.",
                field="counts",
            )
    return sum(denomination * pieces for denomination, pieces in counts.items())


def check_counted(cents: object, what: str) -> None:
    """Raises Invalid unless it is zero or a whole number of cents above."""
    if not isinstance(cents, int) or isinstance(cents, bool) or not 0 <= cents <= LARGEST_CENTS:
        raise Invalid(f"The total of {what} must be zero or more; add them up again.", field=what)


def over_short(expected_cents: int, counted: int, takings_cents: int) -> OverShort:
    """Over or short of a drawer.

    expected_cents: what should lie in it, with the float. takings_cents: >= 0, cash that this
    session took, with what was dropped since.
    """
    difference = counted - expected_cents
    takings = max(difference, -takings_cents)
    return OverShort(difference, takings, takings - difference)

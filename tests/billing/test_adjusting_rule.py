"""What an adjustment settles and leaves, against a plain oracle."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from chamberlain.billing.adjusting.outcomes import (
    CHARGES,
    STANDINGS,
    WANTED,
    left_by,
    settled_by,
    settling_faults,
)

Charge = tuple[int, int, int, int, int]  # id, account, open cents, priority, due day
CENTS = st.integers(1, 5_000)


@st.composite
def offices(draw: st.DrawFn) -> tuple[dict[int, int], list[Charge], dict[int, int], int | None]:
    """Wanted cents by account, charges, credit by account, and the most credit allowed."""
    wanted = draw(st.dictionaries(st.integers(1, 4), CENTS, min_size=1))
    charges = [
        (i + 1, draw(st.integers(1, 4)), draw(CENTS), draw(st.integers(1, 2)),
         draw(st.integers(0, 9)))
        for i in range(draw(st.integers(0, 8)))
    ]  # fmt: skip
    credit = {account: draw(st.integers(0, 3_000)) for account in wanted}
    return wanted, charges, credit, draw(st.none() | st.integers(0, 6_000))


def by_hand(account: int, cents: int, charges: list[Charge]) -> tuple[dict[int, int], int]:
    """Charge by charge in the order of payment."""
    settled = {}
    mine = [c for c in charges if c[1] == account]
    for charge_id, _, is_open, _, _ in sorted(mine, key=lambda c: (c[3], c[4], c[0])):
        take = min(cents, is_open)
        if take:
            settled[charge_id] = take
            cents -= take
    return settled, cents


@given(offices())
def test_adjustments_settle_in_the_order_of_payment_and_leave_what_is_allowed(
    drawn: tuple[dict[int, int], list[Charge], dict[int, int], int | None],
) -> None:
    wanted, charges, credit, most = drawn
    frame = pl.DataFrame(list(wanted.items()), schema=WANTED, orient="row")
    rows = [(i, a, c, p, date(2026, 1, 1) + timedelta(days=d), 7) for i, a, c, p, d in charges]
    settled = settled_by(frame, pl.DataFrame(rows, schema=CHARGES, orient="row"))
    left = left_by(frame, settled)
    standing = [(account, 0, credit[account]) for account in wanted]
    faults = settling_faults(left, pl.DataFrame(standing, schema=STANDINGS, orient="row"), most)
    expected = {account: by_hand(account, cents, charges) for account, cents in wanted.items()}
    assert {row[1]: row[2] for row in settled.iter_rows()} == {
        charge: cents for taken, _ in expected.values() for charge, cents in taken.items()
    }
    assert {row[0]: row[3] for row in left.iter_rows()} == {a: e[1] for a, e in expected.items()}
    too_much = {
        account
        for account, (_, rest) in expected.items()
        if rest and (most is None or credit[account] + rest > most)
    }
    assert set(faults) == too_much

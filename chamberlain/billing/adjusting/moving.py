"""Adjustments that touch two accounts: a payment, credit or charges moved from one to the other.

Everything goes through the ledger account `chart.MOVES`, which every such entry leaves as it
found it, because a transfer belongs to one customer account.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.billing.adjusting.kinds import Kind
from chamberlain.billing.adjusting.outcomes import WANTED, left_by, settled_by, settling_faults
from chamberlain.billing.adjusting.reasons import Reason
from chamberlain.billing.adjusting.standing import adjustable, standings
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.posting import Leg, NewCharge


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved. charge_ids: for charges; payment_id: the entry of the payment."""

    kind: str
    account_id: int
    other_account_id: int
    cents: int
    charge_ids: tuple[int, ...] = ()
    payment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The legs and new charges of a move."""

    legs: list[Leg]
    charges: list[NewCharge]


def plan_move(move: Move, reason: Reason, today: date, document: str) -> Moved:
    """What posting a move would do, as the two accounts are now.

    Raises Refused when there is not so much to move, or when it would leave more credit on the
    other account than the reason allows; Invalid when the charges are not the account's.
    """
    if move.kind == Kind.MOVE_CHARGES:
        return _charges(move, reason, today, document)
    if move.kind == Kind.MISAPPLIED_PAYMENT:
        return Moved([*_from_payment(move), *_onto(move, reason)], [])
    return Moved([*_from_credit(move), *_onto(move, reason)], [])


def open_to_move(charge_ids: tuple[int, ...], account_id: int, reason: Reason) -> pl.DataFrame:
    """Charges that are to be moved, as CHARGES. Raises Invalid when one of them may not be."""
    if not charge_ids:
        raise Invalid("Choose the charges to move.", field="charges")
    found = adjustable([account_id], reason, charge_ids)
    missing = sorted(set(charge_ids) - set(found["charge_id"].to_list()))
    if missing:
        raise Invalid(
            f"Charge {missing[0]} is not open on this account or not of a kind that may be moved; "
            "choose others.",
            field="charges",
        )
    return found


def _charges(move: Move, reason: Reason, today: date, document: str) -> Moved:
    found = open_to_move(move.charge_ids, move.account_id, reason)
    is_open = int(found["open_cents"].sum())
    if is_open != move.cents:
        raise Refused(
            f"{show_cents(is_open)} is open on the charges now, and {show_cents(move.cents)} was "
            "asked for; withdraw this and ask again."
        )
    kinds = {kind.receivable_id: kind for kind in chart.charge_kinds().values()}
    moves = chart.ledger_account_id(chart.MOVES)
    legs, charges = [], []
    for row in found.iter_rows(named=True):
        kind = kinds[row["receivable_id"]]
        legs.append(
            Leg(
                moves,
                kind.receivable_id,
                row["open_cents"],
                "settle",
                move.account_id,
                row["charge_id"],
            )
        )
        charges.append(
            NewCharge(
                move.other_account_id,
                kind.id,
                kind.receivable_id,
                moves,
                row["open_cents"],
                today,
                max(today, row["due_on"]),
                document,
            )
        )
    return Moved(legs, charges)


def _from_credit(move: Move) -> list[Leg]:
    credit = int(standings([move.account_id])["credit_cents"][0])
    if move.cents > credit:
        raise Refused(
            f"The account has {show_cents(credit)} of credit, and {show_cents(move.cents)} was "
            "asked for; ask for at most its credit.",
            field="cents",
        )
    return [_credit_leg(move.account_id, move.cents)]


def _credit_leg(account_id: int, cents: int) -> Leg:
    debit, credit = chart.ledger_account_id(chart.CREDITS), chart.ledger_account_id(chart.MOVES)
    return Leg(debit, credit, cents, "none", account_id)


_PAID_SQL = """
    SELECT t.charge_id, k.receivable_id, t.cents, s.settled_cents, c.document,
        EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = c.entry_id)
    FROM ledger_transfer t
    LEFT JOIN ledger_charge c ON c.id = t.charge_id
    LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE t.entry_id = %s AND t.account_id = %s
        AND (t.effect = 'settle' OR t.effect = 'none' AND t.credit_id = %s)
    ORDER BY t.charge_id IS NOT NULL, t.id DESC
"""
_MOVED_SQL = """
    SELECT coalesce(sum(cents), 0)::bigint,
        (SELECT count(*) FROM ledger_entry WHERE reverses_id = %s)
    FROM adjusting_adjustment a
    WHERE payment_id = %s AND account_id = %s AND status = 'posted'
        AND NOT EXISTS (SELECT 1 FROM ledger_entry r WHERE r.reverses_id = a.entry_id)
"""


def _from_payment(move: Move) -> list[Leg]:
    """Takes a payment back off the account: what is credit first, then what it settled last."""
    assert move.payment_id is not None
    paid = rows(
        _PAID_SQL, [move.payment_id, move.account_id, chart.ledger_account_id(chart.CREDITS)]
    )
    moved, reversals = rows(_MOVED_SQL, [move.payment_id, move.payment_id, move.account_id])[0]
    if reversals:
        raise Refused("This payment was reversed, so nothing of it is left to move.")
    still = sum(row[2] for row in paid) - int(moved)
    if move.cents > still:
        raise Refused(
            f"{show_cents(still)} of this payment is on the account, and {show_cents(move.cents)} "
            "was asked for; ask for at most that.",
            field="cents",
        )
    return _taken_back(move, paid)


def _taken_back(move: Move, paid: list[tuple[int | None, int, int, int, str, bool]]) -> list[Leg]:
    moves = chart.ledger_account_id(chart.MOVES)
    credit = int(standings([move.account_id])["credit_cents"][0])
    left, legs = move.cents, []
    for charge_id, receivable_id, cents, settled_cents, document, is_reversed in paid:
        take = min(left, cents, credit if charge_id is None else settled_cents)
        if take <= 0:
            continue
        if is_reversed:
            raise Refused(
                f"Bill {document} was reversed or replaced since, and what was paid on it went "
                "with it; move it as credit."
            )
        left -= take
        if charge_id is None:
            legs.append(_credit_leg(move.account_id, take))
        else:
            legs.append(Leg(receivable_id, moves, take, "unsettle", move.account_id, charge_id))
    if left:
        raise Refused(
            f"{show_cents(left)} of what this payment settled was taken back since; ask for "
            f"{show_cents(move.cents - left)}.",
            field="cents",
        )
    return legs


def _onto(move: Move, reason: Reason) -> list[Leg]:
    """Settles the other account's charges; what is left becomes its credit."""
    other = move.other_account_id
    wanted = pl.DataFrame({"account_id": [other], "cents": [move.cents]}, schema=WANTED)
    settled = settled_by(wanted, adjustable([other], reason))
    left = left_by(wanted, settled)
    faults = settling_faults(left, standings([other]), reason.largest_credit_cents)
    if faults:
        raise Refused(f"On the other account: {faults[other]}", field="cents")
    moves = chart.ledger_account_id(chart.MOVES)
    legs = [
        Leg(moves, row["receivable_id"], row["cents"], "settle", other, row["charge_id"])
        for row in settled.iter_rows(named=True)
    ]
    rest = int(left["left_cents"][0])
    if rest:
        legs.append(Leg(moves, chart.ledger_account_id(chart.CREDITS), rest, "none", other))
    return legs

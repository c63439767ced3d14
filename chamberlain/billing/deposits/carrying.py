"""When an account ends: its deposit pays what is owed, or goes on with the holder."""

from datetime import date, datetime
from typing import Any

from django.db import connection

from chamberlain.billing.deposits.models import Deposit, DepositMovement
from chamberlain.billing.deposits.returning import ENTRY_KIND, Way, close_deposits, with_interest
from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import next_ids
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import Leg, NewEntry, lock_balances, post

Kind = DepositMovement.Kind


def lock_for_end(account_id: int, next_account_id: int | None) -> None:
    """Takes the locks that `give_back_at_end` needs, in the order in which all take them."""
    lock_balances(sorted({account_id, next_account_id or account_id}))


def give_back_at_end(
    actor: Actor, account_id: int, next_account_id: int | None, day: BusinessDay, now: datetime
) -> int:
    """An account ended: its open deposit pays what it owes, or goes on to the next account.

    It goes on only where the next account has no open deposit of its own. The caller has the
    locks of `lock_for_end` and is in a transaction. Returns the cents, with interest, that were
    given back or carried on; 0 without a deposit.
    """
    open_ones = Deposit.objects.select_for_update().filter(closed_on=None)
    deposit = open_ones.filter(account_id=account_id).first()
    if deposit is None:
        return 0
    if next_account_id is None or open_ones.filter(account_id=next_account_id).exists():
        return close_deposits(actor, [deposit.pk], Way.APPLY, day, now)[deposit.pk]
    return _carry_on(actor, deposit, next_account_id, day, now)


def _carry_on(
    actor: Actor, deposit: Deposit, next_account_id: int, day: BusinessDay, now: datetime
) -> int:
    """What is held goes on with its interest; what was not paid is not asked for any more."""
    row = with_interest([deposit.pk], day.day).row(0, named=True)
    back = int(row["back_cents"])
    legs = _legs(row, next_account_id)
    entry_id = post(
        NewEntry(
            day.pk,
            ENTRY_KIND,
            actor.user_id,
            now,
            deposit.number,
            legs,
            "Carried on to the holder's next account" if back else "Ended without a payment",
            None,
            f"{deposit.number} closed",
        )
    )
    moved = [
        (Kind.INTEREST, row["interest_cents"]),
        (Kind.CANCELED, -row["unpaid_cents"]),
        (Kind.CARRIED_OUT, -back),
    ]
    _write(deposit, entry_id, day.day, moved)
    deposit.closed_on = day.day
    deposit.save(update_fields=["closed_on"])
    if back:
        made = _made(actor, deposit, row["whole_on"], next_account_id, day.day, now)
        _write(made, entry_id, day.day, [(Kind.CARRIED_IN, back)])
    return back


def _legs(row: dict[str, Any], next_account_id: int) -> list[Leg]:
    kind = chart.charge_kinds()[chart.DEPOSIT_KIND]
    moves = chart.ledger_account_id(chart.MOVES)
    account_id, back = row["account_id"], int(row["back_cents"])
    interest = chart.ledger_account_id(chart.DEPOSIT_INTEREST)
    wanted = [
        Leg(interest, kind.revenue_id, row["interest_cents"], "none", account_id),
        Leg(
            kind.revenue_id,
            kind.receivable_id,
            row["unpaid_cents"],
            "settle",
            account_id,
            row["charge_id"],
        ),
        Leg(kind.revenue_id, moves, back, "none", account_id),
        Leg(moves, kind.revenue_id, back, "none", next_account_id),
    ]
    return [leg for leg in wanted if leg.cents]


def _write(deposit: Deposit, entry_id: int, on: date, moved: list[tuple[Kind, int]]) -> None:
    DepositMovement.objects.bulk_create(
        DepositMovement(deposit=deposit, entry_id=entry_id, kind=kind, on=on, cents=cents)
        for kind, cents in moved
        if cents
    )


def _made(
    actor: Actor,
    deposit: Deposit,
    whole_on: date | None,
    account_id: int,
    on: date,
    now: datetime,
) -> Deposit:
    deposit_id = int(next_ids(connection.connection, "deposits_deposit", 1)[0])
    return Deposit.objects.create(
        pk=deposit_id,
        number=f"DEP-{deposit_id:06d}",
        account_id=account_id,
        carried_from=deposit,
        whole_since=whole_on or on,
        basis=f"Carried on from {deposit.number}",
        asked_by_id=actor.user_id,
        asked_at=now,
        asked_on=on,
        idempotency_key=f"{deposit.number} carried on",
    )

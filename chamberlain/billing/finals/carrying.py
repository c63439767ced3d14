"""The balance of an account that was given up goes to the holder's next account."""

from datetime import date, datetime

from django.db import transaction

from chamberlain.billing.adjusting import operations as adjusting
from chamberlain.billing.adjusting.queries import adjustment
from chamberlain.billing.finals.finding import locked, next_account_of
from chamberlain.billing.finals.models import MoveOut
from chamberlain.billing.finals.terms import terms_on
from chamberlain.billing.plans.queries import plans_of_account
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.models import Account
from chamberlain.ledger.queries import balance, open_charges
from chamberlain.registry.models import AccountHolding


def carry_balance(
    actor: Actor, move_out_id: int, next_account: str, today: date, now: datetime
) -> tuple[str, ...]:
    """Asks that what is owed, or the credit, goes to the holder's next account.

    next_account: "" for the one that was named at the move. Returns the numbers of the
    adjustments; another person approves them. Raises Refused before the final bill, with a
    payment plan in force or with nothing to carry, Invalid for an account that is not the
    holder's, AlreadyDone.
    """
    actor.require("adjustment.ask")
    with acting(actor), transaction.atomic():
        found = locked(move_out_id)
        _check_carry(found)
        holding = AccountHolding.objects.get(
            account_id=found.account_id, period__endswith=found.left_on
        )
        if next_account.strip():
            found.next_account_id = next_account_of(
                next_account, found.account_id, holding.customer_id
            )
        if found.next_account_id is None:
            raise Invalid("Give the holder's next account.", field="next_account")
        found.carried_by = ", ".join(_ask_moves(actor, found, today, now))
        found.save(update_fields=["carried_by", "next_account"])
        return tuple(found.carried_by.split(", "))


def _check_carry(found: MoveOut) -> None:
    if found.billed_at is None:
        raise Refused("The final bill comes first; make it, then carry the balance.")
    standing = [number for number in _asked_before(found) if _stands(number)]
    if standing:
        raise AlreadyDone(f"The balance is carried by {', '.join(standing)} already.")
    running = [p for p in plans_of_account(found.account_id) if p.status == "in_force"]
    if running:
        raise Refused(
            f"Payment plan {running[0].number} is in force on the account; withdraw it first, "
            "since its charges leave the account."
        )


def _asked_before(found: MoveOut) -> list[str]:
    return found.carried_by.split(", ") if found.carried_by else []


def _stands(number: str) -> bool:
    """Whether an adjustment waits or was posted; one that was refused carries nothing."""
    return adjustment(number).status in ("asked", "posted")


def _ask_moves(actor: Actor, found: MoveOut, today: date, now: datetime) -> list[str]:
    terms = terms_on(today)
    number = found.account.number
    assert found.next_account_id is not None
    other = Account.objects.values_list("number", flat=True).get(pk=found.next_account_id)
    note = f"Moved out on {found.left_on:%B %-d, %Y}; the balance goes to account {other}"
    charges = tuple(
        charge.charge_id
        for charge in open_charges([found.account_id])
        if charge.kind != chart.DEPOSIT_KIND
    )
    credit = balance(found.account_id).credit_cents
    wanted = []
    if charges:
        wanted.append(
            adjusting.Wanted(number, terms.charges_reason, 0, note, charges, other_account=other)
        )
    if credit:
        wanted.append(
            adjusting.Wanted(number, terms.credit_reason, credit, note, other_account=other)
        )
    if not wanted:
        raise Refused("Nothing is owed and no credit is left, so there is nothing to carry.")
    again = "".join(f" after {number}" for number in _asked_before(found)[-1:])
    return [
        adjusting.ask_adjustment(
            actor, each, today, now, f"move-out {found.pk} {each.reason}{again}"
        )
        for each in wanted
    ]

"""The calculator: what a plan over chosen charges would be, before anything is saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.billing.approving import Approval
from chamberlain.billing.plans.models import PlanCharge
from chamberlain.billing.plans.schedule import most_instalments, schedule
from chamberlain.billing.plans.terms import Terms, terms_of, terms_row
from chamberlain.kernel.errors import AlreadyDone, Invalid
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import OpenCharge, open_charges


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer asks for: which charges, under which terms, in how many instalments."""

    account_id: int
    charge_ids: tuple[int, ...]
    terms_code: str
    instalments: int


@dataclass(frozen=True, slots=True)
class OfferedInstalment:
    """What would be paid by when; number 0 is a down payment."""

    number: int
    due_on: date
    cents: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan that could be made today. Its instalments add up to total_cents."""

    terms: Terms
    charges: tuple[OpenCharge, ...]
    total_cents: int
    instalments: tuple[OfferedInstalment, ...]
    approval: Approval


def charges_for_plan(account_id: int, terms: Sequence[Terms]) -> list[OpenCharge]:
    """Open charges that a plan under any of the terms may cover and that none covers now."""
    kinds = {kind for each in terms for kind in each.charge_kinds}
    charges = [charge for charge in open_charges([account_id]) if charge.kind in kinds]
    held = _held([charge.charge_id for charge in charges])
    return [charge for charge in charges if charge.charge_id not in held]


def what_if(wanted: Wanted, today: date) -> Offer:
    """The plan that would be made. Changes nothing.

    Raises NotFound (terms), AlreadyDone (a charge is in a plan), Invalid (no charge, not open,
    kind, amount, number of instalments).
    """
    terms = terms_of(terms_row(wanted.terms_code, today))
    charges = _chosen(wanted, terms)
    total = sum(charge.open_cents for charge in charges)
    if total < terms.smallest_plan_cents:
        raise Invalid(
            f"A plan “{terms.name}” is for at least {show_cents(terms.smallest_plan_cents)}, and "
            f"this one is for {show_cents(total)}; take more charges in, or pay them now.",
            field="charges",
        )
    approval = terms.approval(total)
    instalments = _instalments(wanted, terms, total, today)
    return Offer(terms, charges, total, instalments, approval)


def _chosen(wanted: Wanted, terms: Terms) -> tuple[OpenCharge, ...]:
    if not wanted.charge_ids:
        raise Invalid("Choose at least one charge for the plan.", field="charges")
    is_open = {charge.charge_id: charge for charge in open_charges([wanted.account_id])}
    held = _held(wanted.charge_ids)
    for charge_id in wanted.charge_ids:
        charge = is_open.get(charge_id)
        if charge is None:
            raise Invalid(
                f"Charge {charge_id} is not open on this account any more; look at it again.",
                field="charges",
            )
        if charge.kind not in terms.charge_kinds:
            raise Invalid(
                f"{charge.kind_name} {charge.document} cannot be in a plan “{terms.name}”; leave "
                "it out.",
                field="charges",
            )
        if charge_id in held:
            raise AlreadyDone(
                f"{charge.kind_name} {charge.document} is in a plan already; leave it out.",
                field="charges",
            )
    return tuple(charge for charge in is_open.values() if charge.charge_id in wanted.charge_ids)


def _held(charge_ids: Sequence[int]) -> set[int]:
    held = PlanCharge.objects.filter(charge_id__in=charge_ids, is_held=True)
    return set(held.values_list("charge_id", flat=True))


def _instalments(
    wanted: Wanted, terms: Terms, total: int, today: date
) -> tuple[OfferedInstalment, ...]:
    most = most_instalments(
        total,
        terms.down_payment_basis_points,
        terms.longest_instalments,
        terms.longer_instalments,
        terms.longer_above_cents,
    )
    if not 1 <= wanted.instalments <= most:
        raise Invalid(
            f"{show_cents(total)} may be paid in 1 to {most} instalments under “{terms.name}”; "
            "give a number between them.",
            field="instalments",
        )
    frame = pl.DataFrame(
        {
            "plan": [0],
            "total_cents": [total],
            "down_basis_points": [terms.down_payment_basis_points],
            "instalments": [wanted.instalments],
            "interval_months": [terms.interval_months],
            "starts_on": [today],
        }
    )
    rows = schedule(frame).select("number", "due_on", "cents").rows()
    found = tuple(OfferedInstalment(*row) for row in rows)
    smallest = min((each.cents for each in found if each.number > 0), default=0)
    if smallest < terms.smallest_instalment_cents:
        raise Invalid(
            f"An instalment would be {show_cents(smallest)}, and the smallest allowed is "
            f"{show_cents(terms.smallest_instalment_cents)}; give fewer instalments.",
            field="instalments",
        )
    return found

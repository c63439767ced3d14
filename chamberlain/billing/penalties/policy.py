"""The city's late policy: loaded from its file, and as values for the rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from chamberlain.billing.penalties.models import LatePolicy
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger import chart


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy from a day on; see `models.LatePolicy` for units and meanings."""

    starts_on: date
    rate_micros: int
    grace_days: int
    days_after_dispute: int
    charge_kinds: tuple[str, ...]
    penalty_kind: str
    exempt: tuple[str, ...]
    source: str
    is_verified: bool


def load_late_policies(actor: Actor, policies: Sequence[Policy]) -> None:
    """Brings the policies to what the city's file says. Harmless when they are so.

    Raises NotFound for an unknown charge kind.
    """
    actor.require("city.load")
    known = set(chart.charge_kinds())
    with acting(actor), transaction.atomic():
        for each in policies:
            missing = sorted({*each.charge_kinds, each.penalty_kind} - known)
            if missing:
                raise NotFound(f"The late policy names the charge kind {missing[0]}; add it.")
            columns = {name: getattr(each, name) for name in Policy.__slots__}
            columns["charge_kinds"] = list(each.charge_kinds)
            columns["exempt"] = list(each.exempt)
            LatePolicy.objects.update_or_create(starts_on=each.starts_on, defaults=columns)


def policies() -> list[Policy]:
    """All policies, the earliest first."""
    return [
        Policy(
            **{
                name: getattr(row, name)
                for name in Policy.__slots__
                if name not in ("charge_kinds", "exempt")
            },
            charge_kinds=tuple(row.charge_kinds),
            exempt=tuple(row.exempt),
        )
        for row in LatePolicy.objects.order_by("starts_on")
    ]


def policy_on(day: date) -> Policy:
    """The policy in force on a day. Raises NotFound."""
    found = [policy for policy in policies() if policy.starts_on <= day]
    if not found:
        raise NotFound(f"The city has no late policy on {day:%B %-d, %Y}; load its policies.")
    return found[-1]

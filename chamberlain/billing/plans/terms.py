"""The city's terms of payment plans: loaded from its file, looked up by day and amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q, QuerySet

from chamberlain.billing import approving
from chamberlain.billing.approving import Approval
from chamberlain.billing.plans.models import PlanTerms
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of a kind of plan from a day on; see `models.PlanTerms` for units and meanings."""

    code: str
    name: str
    starts_on: date
    ends_on: date | None
    charge_kinds: tuple[str, ...]
    down_payment_basis_points: int
    longest_instalments: int
    longer_instalments: int | None
    longer_above_cents: int | None
    interval_months: int
    smallest_plan_cents: int
    smallest_instalment_cents: int
    grace_days: int
    needs_new_bills_paid: bool
    reinstatements: int
    reinstatement_days: int
    approvals: tuple[Approval, ...]
    source: str
    is_verified: bool

    @property
    def largest_plan_cents(self) -> int:
        """The largest plan that anybody may approve."""
        return self.approvals[-1].up_to_cents

    def approval(self, cents: int) -> Approval:
        """Who approves a plan of so many cents. Raises Invalid when nobody may."""
        for step in self.approvals:
            if cents <= step.up_to_cents:
                return step
        raise Invalid(
            f"A plan “{self.name}” is for at most {show_cents(self.largest_plan_cents)}, and this "
            f"one is for {show_cents(cents)}; leave some charges out.",
            field="charges",
        )


def load_plan_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Brings the terms to what the city's file says. Harmless when they are so.

    Terms that plans were made under are never removed. Raises NotFound for an unknown charge
    kind.
    """
    actor.require("city.load")
    known = set(chart.charge_kinds())
    with acting(actor), transaction.atomic():
        for each in terms:
            missing = sorted(set(each.charge_kinds) - known)
            if missing:
                raise NotFound(f"Plan {each.code} names the charge kind {missing[0]}; add it.")
            PlanTerms.objects.update_or_create(
                code=each.code, starts_on=each.starts_on, defaults=_columns(each)
            )


def _columns(terms: Terms) -> dict[str, object]:
    columns: dict[str, object] = {
        name: getattr(terms, name)
        for name in Terms.__slots__
        if name not in ("code", "starts_on", "approvals", "charge_kinds")
    }
    columns["charge_kinds"] = list(terms.charge_kinds)
    columns["approvals"] = approving.kept(terms.approvals)
    return columns


def terms_of(row: PlanTerms) -> Terms:
    """Terms as a value."""
    return Terms(
        **{
            name: getattr(row, name)
            for name in Terms.__slots__
            if name not in ("approvals", "charge_kinds")
        },
        charge_kinds=tuple(row.charge_kinds),
        approvals=approving.of_kept(row.approvals),
    )


def terms_on(day: date) -> list[Terms]:
    """Terms under which a plan may be made on a day, by name."""
    return sorted(map(terms_of, _in_force(day)), key=lambda terms: terms.name)


def terms_row(code: str, day: date) -> PlanTerms:
    """The terms of that code on a day. Raises NotFound."""
    found = _in_force(day).filter(code=code).first()
    if found is None:
        raise NotFound(
            f"The city offers no plan “{code[:24]}” on {day:%B %-d, %Y}; choose another.",
            field="terms",
        )
    return found


def _in_force(day: date) -> QuerySet[PlanTerms]:
    return (
        PlanTerms.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), starts_on__lte=day)
        .order_by("code", "-starts_on")
        .distinct("code")
    )

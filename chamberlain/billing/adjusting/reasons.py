"""The city's reasons for adjusting: loaded from its file, looked up by day and amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q, QuerySet

from chamberlain.billing import approving
from chamberlain.billing.adjusting.kinds import KINDS, KindRow
from chamberlain.billing.adjusting.models import AdjustmentReason
from chamberlain.billing.approving import Approval
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import Invalid, NotFound
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason from a day on; see `models.AdjustmentReason` for units and meanings."""

    code: str
    kind: str
    name: str
    starts_on: date
    ends_on: date | None
    charge_kinds: tuple[str, ...]
    largest_credit_cents: int
    needs_nothing_owed: bool
    approvals: tuple[Approval, ...]
    source: str
    is_verified: bool
    untouched_months: int | None = None

    @property
    def kind_row(self) -> KindRow:
        """What its kind needs and does."""
        return KINDS[self.kind]

    @property
    def largest_cents(self) -> int:
        """The largest single adjustment that anybody may approve."""
        return self.approvals[-1].up_to_cents

    def step(self, cents: int) -> Approval:
        """Who approves so much; a batch that comes to more than the largest goes to the last."""
        return next((s for s in self.approvals if cents <= s.up_to_cents), self.approvals[-1])

    def check_amount(self, cents: int) -> None:
        """Raises Invalid for an amount that is nothing, or more than anybody may approve."""
        if cents <= 0:
            raise Invalid("Give an amount above nothing.", field="cents")
        if cents > self.largest_cents:
            raise Invalid(
                f"“{self.name}” allows at most {show_cents(self.largest_cents)}, and this is "
                f"{show_cents(cents)}; ask for less.",
                field="cents",
            )


def load_reasons(actor: Actor, reasons: Sequence[Reason]) -> None:
    """Brings the reasons to what the city's file says, with the ledger accounts they need.

    Harmless when they are so. A reason that was used is never removed. Raises NotFound for an
    unknown charge kind.
    """
    actor.require("city.load")
    known = set(chart.charge_kinds())
    with acting(actor), transaction.atomic():
        chart.ensure_adjusting_accounts(
            {code: row.name for code, row in KINDS.items() if row.settles}
        )
        for each in reasons:
            missing = sorted(set(each.charge_kinds) - known)
            if missing:
                raise NotFound(f"Reason {each.code} names the charge kind {missing[0]}; add it.")
            AdjustmentReason.objects.update_or_create(
                code=each.code, starts_on=each.starts_on, defaults=_columns(each)
            )


def _columns(reason: Reason) -> dict[str, object]:
    columns: dict[str, object] = {
        name: getattr(reason, name)
        for name in Reason.__slots__
        if name not in ("code", "starts_on", "approvals", "charge_kinds")
    }
    columns["charge_kinds"] = list(reason.charge_kinds)
    columns["approvals"] = approving.kept(reason.approvals)
    return columns


def reason_of(row: AdjustmentReason) -> Reason:
    """A reason as a value."""
    return Reason(
        **{
            name: getattr(row, name)
            for name in Reason.__slots__
            if name not in ("approvals", "charge_kinds")
        },
        charge_kinds=tuple(row.charge_kinds),
        approvals=approving.of_kept(row.approvals),
    )


def reasons_on(day: date) -> list[Reason]:
    """Reasons that may be given on a day, by kind and name."""
    order = list(KINDS)
    found = map(reason_of, _in_force(day))
    return sorted(found, key=lambda reason: (order.index(reason.kind), reason.name))


def reason_row(code: str, day: date) -> AdjustmentReason:
    """The reason of that code on a day. Raises NotFound."""
    found = next((row for row in _in_force(day) if row.code == code), None)
    if found is None:
        raise NotFound(
            f"There is no reason “{code[:24]}” on {day:%B %-d, %Y}; choose another.",
            field="reason",
        )
    return found


def _in_force(day: date) -> QuerySet[AdjustmentReason]:
    """The latest version of each code that has begun, without those that have ended."""
    latest = (
        AdjustmentReason.objects.filter(starts_on__lte=day)
        .order_by("code", "-starts_on")
        .distinct("code")
        .values("pk")
    )
    return AdjustmentReason.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), pk__in=latest)

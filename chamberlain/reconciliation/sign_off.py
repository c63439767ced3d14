"""A day's receipts held against its deposits and the bank, prepared by one, signed by another."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from chamberlain.cashiering.models import Receipt, TillSession
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.models import Deposit, Reconciliation

NOTE_MAX = 400


@dataclass(frozen=True, slots=True)
class Figures:
    """A day in cents: receipts without voids, over (or short) at closing, deposits, bank."""

    receipts_cents: int
    over_short_cents: int
    deposits_cents: int
    bank_cents: int

    @property
    def deposit_difference_cents(self) -> int:
        """Deposited more (or less) than was found in the tills."""
        return self.deposits_cents - self.receipts_cents - self.over_short_cents

    @property
    def bank_difference_cents(self) -> int:
        """What the bank got above (or below) what was deposited."""
        return self.bank_cents - self.deposits_cents

    @property
    def agrees(self) -> bool:
        """Whether nothing differs: not at the tills, not in the bags, not at the bank."""
        return not (
            self.over_short_cents or self.deposit_difference_cents or self.bank_difference_cents
        )


def figures(business_day_id: int) -> Figures:
    """A day's figures as they are now."""
    receipts = Receipt.objects.filter(session__business_day_id=business_day_id, void_entry=None)
    deposits = Deposit.objects.filter(business_day_id=business_day_id)
    sessions = TillSession.objects.filter(
        business_day_id=business_day_id, closed_at__isnull=False
    ).aggregate(
        cash=Sum("counted_cash_cents") - Sum("expected_cash_cents"),
        checks=Sum("counted_check_cents") - Sum("expected_check_cents"),
        orders=Sum("counted_money_order_cents") - Sum("expected_money_order_cents"),
    )
    return Figures(
        receipts_cents=int(receipts.aggregate(cents=Sum("total_cents"))["cents"] or 0),
        over_short_cents=sum(int(cents or 0) for cents in sessions.values()),
        deposits_cents=int(deposits.aggregate(cents=Sum("cents"))["cents"] or 0),
        bank_cents=int(
            deposits.filter(matched__isnull=False).aggregate(cents=Sum("cents"))["cents"] or 0
        ),
    )


def prepare_reconciliation(
    actor: Actor, business_day_id: int, note: str, now: datetime
) -> Reconciliation:
    """Sets down a closed day's figures for another person to sign. Preparing again replaces it.

    Raises NotPermitted, NotFound, Refused (the day is open), AlreadyDone (signed), Invalid (the
    figures differ and no note says why).
    """
    actor.require("reconciliation.prepare")
    note = note.strip()
    if len(note) > NOTE_MAX:
        raise Invalid(f"The note has more than {NOTE_MAX} characters; shorten it.", field="note")
    with transaction.atomic():
        day = _day(actor, business_day_id, "reconciliation.prepare")
        if day.closed_at is None:
            raise Refused(
                f"{day.day:%B %-d, %Y} is still open at {day.center.name}; close it first."
            )
        if Reconciliation.objects.filter(business_day=day, signed_at__isnull=False).exists():
            raise AlreadyDone(
                f"{day.day:%B %-d, %Y} of {day.center.name} is signed; it stays as it is."
            )
        found = figures(day.pk)
        if not found.agrees and not note:
            raise Invalid("Receipts, deposits and bank differ; say in the note why.", field="note")
        prepared, _ = Reconciliation.objects.update_or_create(
            business_day=day,
            defaults={
                "receipts_cents": found.receipts_cents,
                "over_short_cents": found.over_short_cents,
                "deposits_cents": found.deposits_cents,
                "bank_cents": found.bank_cents,
                "note": note,
                "prepared_by_id": actor.user_id,
                "prepared_at": now,
            },
        )
        return prepared


def sign_reconciliation(actor: Actor, business_day_id: int, now: datetime) -> Reconciliation:
    """Signs what another person prepared. Raises NotPermitted (also for the preparer), NotFound,
    AlreadyDone, Refused when the figures have changed since."""
    actor.require("reconciliation.sign")
    with transaction.atomic():
        day = _day(actor, business_day_id, "reconciliation.sign")
        prepared = Reconciliation.objects.filter(business_day=day).first()
        if prepared is None:
            raise NotFound(
                f"{day.day:%B %-d, %Y} of {day.center.name} was not prepared yet; have it prepared."
            )
        if prepared.signed_at:
            raise AlreadyDone(f"{day.day:%B %-d, %Y} of {day.center.name} is signed already.")
        if prepared.prepared_by_id == actor.user_id:
            raise NotPermitted("A reconciliation is signed by another person than who prepared it.")
        if figures(day.pk) != Figures(
            prepared.receipts_cents,
            prepared.over_short_cents,
            prepared.deposits_cents,
            prepared.bank_cents,
        ):
            raise Refused(
                "The figures have changed since it was prepared; have it prepared again.",
            )
        prepared.signed_by_id, prepared.signed_at = actor.user_id, now
        prepared.save(update_fields=["signed_by", "signed_at"])
        return prepared


def _day(actor: Actor, business_day_id: int, permission: str) -> BusinessDay:
    day = (
        BusinessDay.objects.select_for_update(of=("self",), no_key=True)
        .select_related("center")
        .filter(pk=business_day_id)
        .first()
    )
    if day is None:
        raise NotFound("There is no such business day.")
    actor.require(permission, day.center_id)
    return day

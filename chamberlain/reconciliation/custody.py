"""A deposit's way from the safe to the bank: its courier, and the bank's receipt."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.money import LARGEST_CENTS
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.models import BankReceipt, Deposit, PickedUp, Pickup

TEXT_MAX = 40
COURIER_MAX = 80


def hand_to_courier(
    actor: Actor,
    center_id: int,
    deposit_ids: Sequence[int],
    courier: str,
    receipt_number: str,
    now: datetime,
) -> int:
    """Gives bags of a center to a courier against a receipt. Returns the pick-up's id.

    Raises NotPermitted, Invalid, NotFound (a bag of another center), AlreadyDone.
    """
    actor.require("deposit.make", center_id)
    courier = _text(courier, "Type the courier's name.", "courier", COURIER_MAX)
    receipt = _text(receipt_number, "Type the number of the courier's receipt.", "receipt_number")
    if not deposit_ids:
        raise Invalid("Tick the bags that the courier takes.", field="deposit")
    with transaction.atomic():
        deposits = list(
            Deposit.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk__in=set(deposit_ids), business_day__center_id=center_id)
            .order_by("pk")
        )
        if len(deposits) != len(set(deposit_ids)):
            raise NotFound("One of these bags is not this center's.")
        gone = PickedUp.objects.filter(deposit__in=deposits).select_related("deposit").first()
        if gone:
            raise AlreadyDone(f"A courier took bag {gone.deposit.bag_number} before.")
        pickup = Pickup.objects.create(
            center_id=center_id,
            courier=courier,
            receipt_number=receipt,
            handed_by_id=actor.user_id,
            handed_at=now,
        )
        PickedUp.objects.bulk_create(PickedUp(pickup=pickup, deposit=each) for each in deposits)
    return pickup.pk


def enter_bank_receipt(
    actor: Actor, deposit_id: int, number: str, cents: int, received_on: date, now: datetime
) -> int:
    """Keeps what the bank acknowledged for a bag; a difference shows in the day's reconciliation.

    Raises NotPermitted, NotFound, Invalid, AlreadyDone, Refused (received before it was made).
    """
    number = _text(number, "Type the number of the bank's receipt.", "number")
    if not isinstance(cents, int) or not 0 <= cents <= LARGEST_CENTS:
        raise Invalid("Type the amount that the bank's receipt says.", field="cents")
    with transaction.atomic():
        deposit = (
            Deposit.objects.select_for_update(of=("self",), no_key=True)
            .select_related("business_day")
            .filter(pk=deposit_id)
            .first()
        )
        if deposit is None:
            raise NotFound("There is no such deposit.")
        actor.require("deposit.make", deposit.business_day.center_id)
        if BankReceipt.objects.filter(deposit=deposit).exists():
            raise AlreadyDone(f"The bank's receipt of deposit {deposit.number} is kept already.")
        if received_on < deposit.business_day.day:
            raise Refused("The bank cannot have received it before its day.", field="received_on")
        return BankReceipt.objects.create(
            deposit=deposit,
            number=number,
            cents=cents,
            received_on=received_on,
            entered_by_id=actor.user_id,
            entered_at=now,
        ).pk


def refuse_one_name(day: BusinessDay, actor: Actor, witness: Actor | None) -> None:
    """Raises Refused when the center keeps its safe and nobody else seals the bag.

    A witness is always somebody else of the center.
    """
    if witness is not None:
        witness.require("safe.witness", day.center_id)
        if witness.user_id == actor.user_id:
            raise Refused("A bag is sealed by two people; another one signs in beside you.")
    elif hasattr(day.center, "change_fund"):
        raise Refused(
            f"Bags of {day.center.name} are sealed by two people; another one signs in beside you."
        )


def _text(text: str, sentence: str, field: str, longest: int = TEXT_MAX) -> str:
    stripped = text.strip()
    if not stripped or not stripped.isprintable():
        raise Invalid(sentence, field=field)
    if len(stripped) > longest:
        raise Invalid(f"Use at most {longest} characters.", field=field)
    return stripped

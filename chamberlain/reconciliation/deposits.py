"""Bagging a day's money for the bank."""

from datetime import datetime

from django.db import transaction

from chamberlain.cashiering.closing import in_tills, refuse_unfinished_tills
from chamberlain.cashiering.models import Tender
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import Leg, NewEntry, post
from chamberlain.reconciliation.bank_lines import posting_day
from chamberlain.reconciliation.custody import refuse_one_name
from chamberlain.reconciliation.models import Deposit, Seal

BAG_MAX = 40


def make_deposit(
    actor: Actor,
    business_day_id: int,
    tender_kind: str,
    bag_number: str,
    now: datetime,
    witness: Actor | None = None,
) -> int:
    """Bags all that lies in a center's tills of one kind of tender. Returns the deposit's id.

    It posts on the day that took the money, so it is made before that day closes, when all of its
    tills are closed and verified. For cards the bag is the terminal's batch; any other bag of a
    center that keeps its safe is sealed with a witness. Raises NotPermitted, Invalid, NotFound,
    DayClosed, Refused (a till is unfinished, nothing lies there, one name only).
    """
    actor.require("deposit.make")
    bag = _bag(bag_number)
    if tender_kind not in Tender.Kind.values:
        raise Invalid(
            f"There is no tender “{tender_kind[:20]}”; deposit cash, checks, money orders or "
            "cards.",
            field="tender_kind",
        )
    with transaction.atomic():
        day = posting_day(actor, business_day_id, "deposit.make")
        refuse_unfinished_tills(day)
        if tender_kind != Tender.Kind.CARD:
            refuse_one_name(day, actor, witness)
        cents = in_tills(day)[tender_kind]
        label = Tender.Kind(tender_kind).label.lower()
        if cents <= 0:
            raise Refused(
                f"No {label} lies in the tills of {day.center.name}; it was deposited before or "
                "none was taken."
            )
        number = _next_number(day)
        entry_id = post(
            NewEntry(
                business_day_id=day.pk,
                kind="deposit",
                actor_id=actor.user_id,
                posted_at=now,
                document=number,
                legs=[
                    Leg(
                        chart.ledger_account_id(chart.vault_code(day.center.code, tender_kind)),
                        chart.ledger_account_id(chart.till_code(day.center.code, tender_kind)),
                        cents,
                    )
                ],
                reason=f"Bag {bag}",
            )
        )
        deposit = Deposit.objects.create(
            number=number,
            business_day=day,
            tender_kind=tender_kind,
            cents=cents,
            bag_number=bag,
            entry_id=entry_id,
            made_by_id=actor.user_id,
            made_at=now,
        )
        if witness is not None:
            Seal.objects.create(deposit=deposit, sealed_with_id=witness.user_id, sealed_at=now)
    return deposit.pk


def _bag(number: str) -> str:
    bag = number.strip()
    if not 0 < len(bag) <= BAG_MAX or not bag.isprintable():
        raise Invalid(
            f"A deposit goes in a numbered bag; type its number, at most {BAG_MAX} characters.",
            field="bag_number",
        )
    return bag


def _next_number(day: BusinessDay) -> str:
    """Deposits of a day are numbered through; the day is locked."""
    made = Deposit.objects.filter(business_day=day).count()
    return f"D{day.center.code}-{day.day:%Y%m%d}-{made + 1}"

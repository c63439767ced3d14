"""A payment that came back, and the letter that tells the customer, in one act."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from chamberlain.casework.letters.operations import send_letter
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound, Refused
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.queries import account_id_of
from chamberlain.reconciliation.returned import operations, queries

LETTER = "payment_returned"
_WORDS = {"check": "Check", "card": "Card payment"}


@dataclass(frozen=True, slots=True)
class Told:
    """What was done. letter: its number, or "" with the reason why none was written."""

    item_id: int
    letter: str
    why_not: str


def return_and_tell(
    actor: Actor,
    tender_id: int,
    reason: str,
    note: str,
    business_day_id: int,
    today: date,
    now: datetime,
) -> Told:
    """Enters that a tender came back and writes to who paid with it.

    Where no letter can be written (no address, no wording) the payment came back all the same,
    and it is said why. Raises as `returned.operations.return_tender`.
    """
    with transaction.atomic():
        tender = queries.tender_row(tender_id)
        if tender is None:
            raise NotFound("There is no such tender; trace the payment again.")
        item_id = operations.return_tender(actor, tender_id, reason, note, business_day_id, now)
        told = (
            f"{_WORDS[tender.kind]} {tender.reference} of {show_cents(tender.cents)}, receipt "
            f"{tender.receipt}: {operations.Reason(reason).label.lower()}."
        )
        try:
            with transaction.atomic():
                letter = send_letter(
                    actor, account_id_of(tender.account), LETTER, today, now,
                    f"returned {item_id}", told,
                )  # fmt: skip
        except Refused as refusal:
            return Told(item_id, "", refusal.sentence)
    return Told(item_id, letter, "")

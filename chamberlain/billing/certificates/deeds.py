"""The deed comes in: ownership and service pass from the seller to the buyer."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from chamberlain.billing.certificates.applications import locked
from chamberlain.billing.certificates.issuing import is_open_again
from chamberlain.billing.certificates.models import Application, Certificate, DeedTransfer
from chamberlain.billing.deposits.models import Deposit
from chamberlain.billing.finals.operations import Leaving, ask_final_bill
from chamberlain.billing.occupancy import move_in, move_out
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, Refused
from chamberlain.registry.operations import NewCustomer, known_customer
from chamberlain.registry.ownership import end_ownership, record_ownership
from chamberlain.registry.queries import account_summary, owners


@dataclass(frozen=True, slots=True)
class Deed:
    """A recorded deed. number: the recorder's; owned_from: the buyer's first day as owner."""

    number: str
    owned_from: date
    buyer: int | NewCustomer


def apply_deed(actor: Actor, number: str, deed: Deed, today: date, now: datetime) -> str:
    """Makes the buyer the owner and moves the service over; returns the buyer's account number.

    The present owners end and the buyer owns all from the deed's day. The seller's account is
    given up, and a new one of the buyer is billed, from the closing that was paid up to. A deposit
    of the seller comes back with the final bill, which is asked for. Either all of it happens or
    nothing. Raises Invalid (deed, day), AlreadyDone, Refused without a certificate that was good
    on the deed's day and is paid, and what moving out and in raise.
    """
    actor.require("property.change")
    if not deed.number.strip():
        raise Invalid("Give the recorder's number of the deed.", field="deed")
    if deed.owned_from > today:
        raise Invalid("The deed's day has not come yet; correct it.", field="owned_from")
    with acting(actor), transaction.atomic():
        found = locked(number)
        certificate = _certificate(found, deed)
        account = account_summary(found.account.number)
        if account.property_id is None:
            raise Refused("The account is for no property, so there is nothing to transfer.")
        buyer_id = known_customer(actor, deed.buyer)
        for owner in owners(account.property_id, deed.owned_from):
            end_ownership(actor, owner.ownership_id, deed.owned_from)
        record_ownership(actor, account.property_id, buyer_id, deed.owned_from)
        move_out(actor, found.account_id, certificate.closing_on, today)
        if Deposit.objects.filter(account_id=found.account_id, closed_on=None).exists():
            leaving = Leaving(account.account_number, certificate.closing_on)
            ask_final_bill(actor, leaving, today, now)
        moved = move_in(actor, account.property_id, buyer_id, certificate.closing_on, today)
        DeedTransfer.objects.create(
            application=found,
            certificate=certificate,
            deed=deed.number.strip()[:40],
            owned_from=deed.owned_from,
            customer_id=buyer_id,
            account_id=moved.account_id,
            applied_at=now,
            applied_by_id=actor.user_id,
        )
        return moved.account_number


def _certificate(found: Application, deed: Deed) -> Certificate:
    if DeedTransfer.objects.filter(application=found).exists():
        raise AlreadyDone(f"The deed on application {found.number} was applied already.")
    if DeedTransfer.objects.filter(deed=deed.number.strip()[:40]).exists():
        raise AlreadyDone(f"Deed {deed.number.strip()} was applied already.", field="deed")
    certificate = found.certificates.order_by("-pk").first()
    if found.stage != Application.Stage.ISSUED or certificate is None:
        raise Refused(f"Application {found.number} has no certificate yet; issue it first.")
    if not certificate.issued_on <= deed.owned_from < certificate.valid_until:
        raise Invalid(
            f"Certificate {certificate.number} was good from {certificate.issued_on:%B %-d, %Y} "
            f"until {certificate.valid_until:%B %-d, %Y}, which the deed's day is not in; correct "
            "the day, or move the closing and issue another.",
            field="owned_from",
        )
    if is_open_again(certificate):
        raise Refused(
            f"What was paid for certificate {certificate.number} is open again; it must be paid "
            "before the deed is applied."
        )
    return certificate

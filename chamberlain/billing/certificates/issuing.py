"""Certificates: issued at zero balance, replaced, renewed, verified."""

import secrets
from datetime import date, datetime, timedelta
from enum import Enum

from django.db import connection, transaction

from chamberlain.billing.certificates.applications import locked
from chamberlain.billing.certificates.models import Application, Certificate
from chamberlain.billing.certificates.obstacles import (
    check_held,
    check_no_deed,
    check_payoff_stands,
)
from chamberlain.billing.certificates.payoff import covered_charges
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotPermitted, Refused
from chamberlain.kernel.frames import next_ids
from chamberlain.kernel.money import show_cents
from chamberlain.ledger.models import Charge
from chamberlain.ledger.queries import charges_by_id

# Without letters and digits that are mistaken for each other on paper.
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 12


class StillOwed(Refused):
    """Something that the certificate covers is not paid."""


class Standing(Enum):
    """What a number and a code prove. WITHHELD: what was paid for it was taken back."""

    VALID = "valid"
    WITHHELD = "withheld"
    OUT_OF_DATE = "out_of_date"
    UNKNOWN = "unknown"


def certificate_number(pk: int) -> str:
    """The id in seven digits and two check digits (ISO 7064, MOD 97-10), so that a slip of one
    digit or of two that changed places is no other certificate's number."""
    return f"FPC-{pk:07d}{98 - (pk * 100) % 97:02d}"


def issue_certificate(actor: Actor, number: str, today: date, now: datetime) -> str:
    """Issues the certificate of an application; returns its number.

    After a move of the closing date it replaces the one before. The same person may not accept
    an application and issue its certificate. Raises NotPermitted, StillOwed with the amount,
    Refused (a reversed bill, an account given up before), Invalid when the closing date is past,
    AlreadyDone.
    """
    actor.require("certificate.issue")
    with acting(actor), transaction.atomic():
        found = locked(number)
        if found.stage == Application.Stage.ISSUED:
            raise AlreadyDone(f"The certificate of {number} was issued; re-issue it if it is lost.")
        if found.stage != Application.Stage.PAYABLE:
            raise Refused(f"Application {number} has no payoff yet; set it first.")
        _check_another(actor, found)
        if found.closing_on < today:
            raise Invalid(
                f"The closing date, {found.closing_on:%B %-d, %Y}, is past; move it, so that the "
                "days since are paid too."
            )
        check_held(found.account_id, found.closing_on)
        check_payoff_stands(found)
        _check_paid(found)
        before = found.certificates.order_by("-pk").first()
        made = _write(actor, found, before, today, now,
                      today + timedelta(days=found.terms.valid_days), "")  # fmt: skip
        found.stage = Application.Stage.ISSUED
        found.save()
        return made.number


def reissue_certificate(actor: Actor, number: str, reason: str, today: date, now: datetime) -> str:
    """Issues a certificate again, for one that is lost or misspelled; returns the new number.

    The new one ends on the same day, and the old one is no longer valid. One that has expired is
    renewed by moving the closing date. Raises Invalid without a reason, NotPermitted, StillOwed,
    AlreadyDone, also once the deed came in.
    """
    actor.require("certificate.issue")
    if not reason.strip():
        raise Invalid("Say why it is issued again.", field="reason")
    with acting(actor), transaction.atomic():
        found = locked(number)
        before = found.certificates.order_by("-pk").first()
        if found.stage != Application.Stage.ISSUED or before is None:
            raise AlreadyDone(f"Application {number} has no certificate to issue again.")
        _check_another(actor, found)
        if before.valid_until <= today:
            raise AlreadyDone(
                f"The certificate expired on {before.valid_until:%B %-d, %Y}; move the closing "
                "date, so that the days since are paid too.",
                field="reason",
            )
        check_no_deed(found)
        check_payoff_stands(found)
        _check_paid(found)
        return _write(actor, found, before, today, now, before.valid_until,
                      reason.strip()[:200]).number  # fmt: skip


def _check_another(actor: Actor, found: Application) -> None:
    if actor.user_id == found.accepted_by_id:
        raise NotPermitted(
            "You accepted this application, so another person issues its certificate; ask one of "
            "them."
        )


def _check_paid(found: Application) -> None:
    owed = sum(charge.open_cents for charge in covered_charges(found))
    if owed:
        raise StillOwed(
            f"{show_cents(owed)} of what the certificate covers is still open; it can be paid at "
            "any counter."
        )


def _write(
    actor: Actor, found: Application, before: Certificate | None, today: date, now: datetime,
    valid_until: date, reason: str,
) -> Certificate:  # fmt: skip
    assert found.accepted_by_id is not None
    [pk] = next_ids(connection.connection, "certificates_certificate", 1)
    return Certificate.objects.create(
        pk=pk,
        number=certificate_number(pk),
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)),
        application=found,
        closing_on=found.closing_on,
        valid_until=valid_until,
        issued_on=today,
        issued_at=now,
        issued_by_id=actor.user_id,
        accepted_by_id=found.accepted_by_id,
        paid_cents=_paid_cents(found),
        replaces=before,
        reason=reason,
    )


def _paid_cents(found: Application) -> int:
    """What the application itself raised, payoff and fee, and was not taken back since."""
    raised = [*found.payoff_charges.values_list("charge_id", flat=True), found.fee_charge_id or 0]
    standing = Charge.objects.filter(pk__in=raised, entry__reversed_by=None)
    return sum(standing.values_list("cents", flat=True))


def is_open_again(certificate: Certificate) -> bool:
    """Whether something of the payoff or the fee that was paid for it is open, as after a receipt
    was voided. What a later payoff raised is not of this certificate.
    """
    found = certificate.application
    raised = [*found.payoff_charges.values_list("charge_id", flat=True), found.fee_charge_id or 0]
    before = Charge.objects.filter(pk__in=raised, entry__posted_at__lte=certificate.issued_at)
    return bool(charges_by_id(list(before.values_list("pk", flat=True))))


def standing_of(number: str, code: str, today: date) -> Standing:
    """What is known of a certificate to who holds it: valid, withheld while its payoff or fee is
    open again, out of date (expired or replaced), or unknown, which a wrong number and a wrong code
    are alike.
    """
    found = (
        Certificate.objects.select_related("replaced_by", "application")
        .filter(number=number.strip().upper())
        .first()
    )
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    kept = found.code if found else "-" * CODE_LENGTH
    if not secrets.compare_digest(kept.encode(), typed.encode()) or found is None:
        return Standing.UNKNOWN
    if found.valid_until <= today or hasattr(found, "replaced_by"):
        return Standing.OUT_OF_DATE
    if is_open_again(found):
        return Standing.WITHHELD
    return Standing.VALID

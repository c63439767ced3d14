"""How a customer wants to be written to, and what the office has to know about the customer."""

import re
from datetime import date

from django.conf.global_settings import LANGUAGES
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.kernel.periods import Period
from chamberlain.ledger.models import Account
from chamberlain.registry.models import (
    AccountMailing,
    Contact,
    Customer,
    CustomerMark,
    PersonalNumber,
)
from chamberlain.registry.operations import locked_customer, typed_text

LANGUAGE_NAMES: dict[str, str] = dict(LANGUAGES)
_PERSONAL = re.compile(r"^[A-Z0-9]{4,32}$")


def choose_mail(actor: Actor, customer_id: int, language: str, is_paperless: bool) -> None:
    """The language in which a customer is written to, and whether bills come by e-mail alone.

    language: a code such as `en`, `es` or `pl`. Raises Invalid for a language that has no code,
    or when the customer has no e-mail for paperless bills.
    """
    actor.require("customer.change")
    if language not in LANGUAGE_NAMES:
        raise Invalid("Choose one of the languages of the list.", field="language")
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        emails = Contact.objects.filter(customer=customer, kind=Contact.Kind.EMAIL)
        if is_paperless and not emails.exists():
            raise Invalid(
                f"{customer.name} has no e-mail on file; add one before bills go without paper.",
                field="is_paperless",
            )
        customer.language, customer.is_paperless = language, is_paperless
        customer.save(update_fields=["language", "is_paperless"])


def mark_customer(
    actor: Actor, customer_id: int, kind: str, from_on: date, today: date, reference: str = ""
) -> int:
    """Marks a customer as deceased or bankrupt from a day on; returns the mark's id.

    reference: the number of the court's case or of the certificate. Raises Invalid (kind, a day
    to come, an organization that died), AlreadyDone when marked so on that day or later.
    """
    actor.require("customer.change")
    if kind not in CustomerMark.Kind.values:
        raise Invalid("A customer is marked deceased or bankrupt; choose one.", field="kind")
    if from_on > today:
        raise Invalid("The day lies ahead; give the day on which it happened.", field="from_on")
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        if kind == CustomerMark.Kind.DECEASED and customer.kind != Customer.Kind.PERSON:
            raise Invalid("An organization does not die; mark a person.", field="kind")
        same = CustomerMark.objects.filter(customer=customer, kind=kind)
        if same.filter(period__overlap=DateRange(from_on, None)).exists():
            raise AlreadyDone(f"{customer.name} is marked {kind} already.", field="kind")
        return CustomerMark.objects.create(
            customer=customer,
            kind=kind,
            reference=reference.strip()[:80],
            period=DateRange(from_on, None),
        ).pk


def end_mark(actor: Actor, mark_id: int, on: date) -> None:
    """A mark no longer holds from a day on, as when a bankruptcy is discharged."""
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        mark = CustomerMark.objects.select_for_update().filter(pk=mark_id).first()
        if mark is None:
            raise NotFound("There is no such mark; look at the customer again.")
        if mark.period.upper is not None:
            raise AlreadyDone("This mark has ended already.", field="on")
        mark.period = DateRange(mark.period.lower, Period(mark.period.lower, on).end)
        mark.save(update_fields=["period"])


def keep_personal_number(actor: Actor, customer_id: int, kind: str, number: str) -> int:
    """Keeps a personal number of a customer; returns its id. Spaces and hyphens are left out.

    Raises Invalid (kind, shape, an organization with anything but a taxpayer number),
    AlreadyDone when there is one of that kind.
    """
    actor.require("customer.change")
    actor.require("personal.view")
    if kind not in PersonalNumber.Kind.values:
        raise Invalid("Say what kind of number it is: choose one of the list.", field="kind")
    kept = re.sub(r"[\s.-]+", "", number).upper()
    if not _PERSONAL.match(kept):
        raise Invalid("The number has 4 to 32 letters and digits; correct it.", field="number")
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        if customer.kind != Customer.Kind.PERSON and kind != PersonalNumber.Kind.TAXPAYER:
            raise Invalid("An organization has a taxpayer number only; choose it.", field="kind")
        if PersonalNumber.objects.filter(customer=customer, kind=kind).exists():
            raise AlreadyDone(
                f"{customer.name} has a number of this kind; remove it first.", field="kind"
            )
        return PersonalNumber.objects.create(customer=customer, kind=kind, number=kept).pk


def remove_personal_number(actor: Actor, number_id: int) -> None:
    """Takes a personal number off the file; the history keeps that it was there, not the number."""
    actor.require("customer.change")
    actor.require("personal.view")
    with acting(actor), transaction.atomic():
        found, _ = PersonalNumber.objects.filter(pk=number_id).delete()
        if not found:
            raise NotFound("This number is not on file any more; look at the customer again.")


def mail_elsewhere(
    actor: Actor, account_id: int, addressee: str, address: str, postal_code: str, from_on: date
) -> int:
    """The mail of an account goes to another address than its property's from a day on.

    addressee: "" is the holder. Returns the mailing's id; the one before ends on that day.
    Raises Invalid for an empty or long line, or a day not after the start of the one before.
    """
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        _end_mailing(account_id, from_on)
        return AccountMailing.objects.create(
            account_id=account_id,
            addressee=typed_text(addressee, "addressee", 120) if addressee.strip() else "",
            address=typed_text(address, "address", 160),
            postal_code=typed_text(postal_code, "postal_code", 12),
            period=DateRange(from_on, None),
        ).pk


def mail_to_property(actor: Actor, account_id: int, from_on: date) -> None:
    """The mail of an account goes to its property again from a day on."""
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        if not _end_mailing(account_id, from_on):
            raise AlreadyDone("The mail of this account goes to its property already.")


def _end_mailing(account_id: int, from_on: date) -> bool:
    """Ends what holds on that day or later; whether there was one."""
    if not Account.objects.select_for_update().filter(pk=account_id).exists():
        raise NotFound("There is no such account; search for it by name.")
    present = AccountMailing.objects.filter(
        account_id=account_id, period__overlap=DateRange(from_on, None)
    ).first()
    if present is None:
        return False
    start = present.period.lower
    if start >= from_on:
        raise Invalid(
            f"The present mailing address began on {start:%B %-d, %Y}; give a later day.",
            field="from_on",
        )
    present.period = DateRange(start, from_on)
    present.save(update_fields=["period"])
    return True

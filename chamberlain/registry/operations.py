"""What is done to the registry: customers, contacts, properties, owners, accounts and holders.

Each function is one thing that a person does, in one transaction. What changes over time is
closed with an end and followed by a new row, never overwritten.
"""

import re
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, Refused
from chamberlain.kernel.periods import Period
from chamberlain.ledger.models import Account
from chamberlain.ledger.operations import open_accounts
from chamberlain.registry.models import (
    AccountHolding,
    Contact,
    Customer,
    Property,
    PropertyType,
    ServicePoint,
)

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_NUMBER = re.compile(r"^[A-Z0-9][A-Z0-9-]{2,23}$")
_SPACES = re.compile(r"\s+")


def register_customer(actor: Actor, kind: str, name: str, language: str = "en") -> int:
    """Registers a person or an organization; returns the customer's id.

    kind: `person` or `organization`. Raises Invalid for another kind or a name that is empty or
    longer than 120 characters.
    """
    actor.require("customer.register")
    if kind not in Customer.Kind.values:
        raise Invalid(f"“{kind}” is no kind of customer; use person or organization.", field="kind")
    with acting(actor), transaction.atomic():
        made = Customer.objects.create(
            kind=kind, name=typed_text(name, "name", 120), language=language
        )
    return made.pk


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """Somebody who is not on file yet."""

    name: str
    kind: str = "person"
    language: str = "en"


def known_customer(actor: Actor, customer: int | NewCustomer) -> int:
    """The id of a customer on file, or of one who is registered now."""
    if isinstance(customer, NewCustomer):
        return register_customer(actor, customer.kind, customer.name, customer.language)
    return customer


def register_payer(
    actor: Actor, kind: str, name: str, phone: str, opened_on: date, language: str = "en"
) -> str:
    """Registers somebody who pays for something that is no utility, with an account of their own;
    returns the account's number.

    Whoever is on file by that name and phone with an account for no property keeps that one.
    Raises Invalid for another kind, an empty name or a malformed phone.
    """
    actor.require("customer.register")
    name, value = typed_text(name, "name", 120), _phone(phone, "phone")
    with acting(actor), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{name.lower()}{value}"]
            )
        known = AccountHolding.objects.filter(
            customer__name__iexact=name,
            customer__contacts__kind=Contact.Kind.PHONE,
            customer__contacts__value=value,
            property=None,
            period__contains=opened_on,
        ).order_by("account_id")
        if holding := known.select_related("account").first():
            return str(holding.account.number)
        customer_id = register_customer(actor, kind, name, language)
        Contact.objects.create(customer_id=customer_id, kind=Contact.Kind.PHONE, value=value)
        account_id = open_account(actor, customer_id, None, opened_on)
        return str(Account.objects.values_list("number", flat=True).get(pk=account_id))


def rename_customer(actor: Actor, customer_id: int, name: str) -> None:
    """Corrects or changes a customer's name; the old one stays in the history."""
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        customer.name = typed_text(name, "name", 120)
        customer.save(update_fields=["name"])


def add_contact(actor: Actor, customer_id: int, kind: str, value: str) -> int:
    """Adds a phone, an e-mail or a mailing address; returns the contact's id.

    A phone is kept as its digits, ten in North America, more with a country's prefix. Raises
    Invalid for a malformed value, AlreadyDone when the customer has that contact.
    """
    actor.require("customer.change")
    value = _contact_value(kind, value)
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        if Contact.objects.filter(customer=customer, kind=kind, value=value).exists():
            raise AlreadyDone(f"{customer.name} has this {kind} contact already.", field="value")
        return Contact.objects.create(customer=customer, kind=kind, value=value).pk


def remove_contact(actor: Actor, contact_id: int) -> None:
    """Takes a contact that is no longer right away from its customer; the history keeps it.

    Raises Refused for the last e-mail of a customer whose bills come without paper.
    """
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        found = Contact.objects.filter(pk=contact_id).first()
        if found is None:
            raise NotFound("This contact is not on file any more; look at the customer again.")
        customer = locked_customer(found.customer_id)
        emails = Contact.objects.filter(customer=customer, kind=Contact.Kind.EMAIL)
        if customer.is_paperless and list(emails) == [found]:
            raise Refused(
                f"{customer.name}'s bills go to this e-mail without paper; add another one, or "
                "choose paper, before it is removed."
            )
        found.delete()


def register_property(
    actor: Actor,
    parcel_number: str,
    address: str,
    postal_code: str,
    property_type: str,
    dwelling_units: int = 1,
) -> int:
    """Registers a property; returns its id.

    Raises AlreadyDone when the parcel is registered, Invalid for a type that the city does not
    know, a negative number of dwelling units, or an empty address.
    """
    actor.require("property.change")
    if dwelling_units < 0:
        raise Invalid(
            "The number of dwelling units cannot be negative; give 0 for none.",
            field="dwelling_units",
        )
    if not PropertyType.objects.filter(pk=property_type).exists():
        known = ", ".join(PropertyType.objects.order_by("pk").values_list("pk", flat=True))
        raise Invalid(
            f"The city has no property type “{property_type}”; use one of: {known or 'none yet'}.",
            field="property_type",
        )
    parcel = typed_text(parcel_number, "parcel_number", 24)
    with acting(actor), transaction.atomic():
        if Property.objects.filter(parcel_number=parcel).exists():
            raise AlreadyDone(
                f"Parcel {parcel} is registered already; look it up and change it there.",
                field="parcel_number",
            )
        made = Property.objects.create(
            parcel_number=parcel,
            address=typed_text(address, "address", 160),
            postal_code=typed_text(postal_code, "postal_code", 12),
            property_type_id=property_type,
            dwelling_units=dwelling_units,
        )
    return made.pk


def add_service_point(actor: Actor, property_id: int, code: str) -> int:
    """Adds a place at a property where a service is taken; returns its id."""
    actor.require("property.change")
    code = typed_text(code, "code", 24)
    with acting(actor), transaction.atomic():
        if not Property.objects.filter(pk=property_id).exists():
            raise NotFound("There is no such property; look it up by its address or parcel.")
        if ServicePoint.objects.filter(code=code).exists():
            raise AlreadyDone(f"Service point {code} exists already; use another code.")
        return ServicePoint.objects.create(property_id=property_id, code=code).pk


def open_account(
    actor: Actor,
    customer_id: int,
    property_id: int | None,
    opened_on: date,
    number: str | None = None,
) -> int:
    """Opens an account for its holder, and for a property if it is about one; returns its id.

    number: the city's own number; without one the next of the program's is used. Raises
    AlreadyDone when the number is taken, Invalid when it is malformed.
    """
    actor.require("customer.register" if property_id is None else "customer.change")
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        if property_id is not None and not Property.objects.filter(pk=property_id).exists():
            raise NotFound("There is no such property; register it before its account.")
        chosen = _next_number() if number is None else number.strip().upper()
        if not _NUMBER.match(chosen):
            raise Invalid(
                "An account number has 3 to 24 letters, digits and hyphens; correct it.",
                field="number",
            )
        if Account.objects.filter(number=chosen).exists():
            raise AlreadyDone(f"Account {chosen} exists already; use another number.")
        [account_id] = open_accounts([chosen], opened_on)
        AccountHolding.objects.create(
            account_id=account_id,
            customer=customer,
            property_id=property_id,
            period=DateRange(opened_on, None),
        )
    return account_id


def change_holder(actor: Actor, account_id: int, customer_id: int, from_on: date) -> int:
    """Another customer holds the account from a day on; returns the new holding's id.

    Raises Refused when the account has no holder, when that customer holds it already, or when
    the day is not after the start of the present holding.
    """
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        customer = locked_customer(customer_id)
        present = _present_holding(account_id)
        if present.customer_id == customer.pk:
            raise AlreadyDone(f"{customer.name} holds this account already.", field="customer")
        _end_holding(present, from_on)
        return AccountHolding.objects.create(
            account_id=account_id,
            customer=customer,
            property_id=present.property_id,
            period=DateRange(from_on, None),
        ).pk


def end_holding(actor: Actor, account_id: int, on: date) -> None:
    """The present holder gives the account up on a day; nobody holds it from then on."""
    actor.require("customer.change")
    with acting(actor), transaction.atomic():
        _end_holding(_present_holding(account_id), on)


def _present_holding(account_id: int) -> AccountHolding:
    found = (
        AccountHolding.objects.select_for_update(of=("self",))
        .filter(account_id=account_id, period__endswith=None)
        .first()
    )
    if found is None:
        raise Refused("Nobody holds this account now; open a new account for the customer.")
    return found


def _end_holding(holding: AccountHolding, on: date) -> None:
    start = holding.period.lower
    if on <= start:
        raise Invalid(
            f"The present holding began on {start:%B %-d, %Y}; give a later day.", field="from_on"
        )
    holding.period = DateRange(start, Period(start, on).end)
    holding.save(update_fields=["period"])


def locked_customer(customer_id: int) -> Customer:
    """The customer, locked until the transaction ends. Raises NotFound."""
    found = Customer.objects.select_for_update().filter(pk=customer_id).first()
    if found is None:
        raise NotFound("There is no such customer; search by name or register the customer.")
    return found


def _next_number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('registry_account_number')")
        return str(cursor.fetchone()[0])


def typed_text(value: str, field: str, longest: int) -> str:
    """A typed line without stray spaces. Raises Invalid when nothing is left or it is too long."""
    cleaned = _SPACES.sub(" ", value).strip()
    label = field.replace("_", " ")
    if not cleaned:
        raise Invalid(f"The {label} is empty; fill it in.", field=field)
    if len(cleaned) > longest:
        raise Invalid(f"The {label} is longer than {longest} characters; shorten it.", field=field)
    return cleaned


def _contact_value(kind: str, value: str) -> str:
    if kind == Contact.Kind.PHONE:
        return _phone(value)
    if kind == Contact.Kind.EMAIL:
        email = typed_text(value, "value", 160).lower()
        if not _EMAIL.match(email):
            raise Invalid(
                f"“{email[:40]}” is not an e-mail address; it needs a name, an @ and a domain.",
                field="value",
            )
        return email
    if kind == Contact.Kind.MAIL:
        return typed_text(value, "value", 160)
    raise Invalid(f"“{kind}” is no kind of contact; use phone, email or mail.", field="kind")


def _phone(value: str, field: str = "value") -> str:
    digits = re.sub(r"[^0-9]", "", value)
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if not 10 <= len(digits) <= 15 or re.search(r"[A-Za-z]", value):
        raise Invalid(
            "A phone number has ten digits, or up to fifteen with a country's prefix; correct it.",
            field=field,
        )
    return digits

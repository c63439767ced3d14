"""The whole record of a property and of a customer, for those who look after it."""

from dataclasses import dataclass
from datetime import date

from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.registry.history import Change, changes_of_customer, changes_of_property
from chamberlain.registry.models import PersonalNumber

__all__ = [
    "Change",
    "CustomerRecord",
    "HeldAccount",
    "Mailing",
    "Mark",
    "PersonalNumberRow",
    "PropertyRecord",
    "Use",
    "accounts_at",
    "accounts_of_customer",
    "changes_of_customer",
    "changes_of_property",
    "count_accounts_of_customer",
    "customer_record",
    "mailing_on",
    "marks",
    "personal_numbers",
    "property_named",
    "property_record",
    "uses",
]


@dataclass(frozen=True, slots=True)
class PropertyRecord:
    """A property with the type and dwelling units that were recorded for it last."""

    property_id: int
    parcel_number: str
    address: str
    postal_code: str
    type_code: str
    type_name: str
    dwelling_units: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a property is from a day on; from_on None is since it was registered.

    document_id: what proved it; reason: how it is known without one. superseded: whether another
    change for the same day replaced it.
    """

    from_on: date | None
    type_name: str
    dwelling_units: int
    document_id: int | None
    reason: str
    found_by: str
    decided_by: str
    superseded: bool


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A customer; language is a code such as `en`."""

    customer_id: int
    kind: str
    name: str
    language: str
    is_paperless: bool


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """An account of a holder, at a property, with what it owes in cents; until: first day after."""

    account_number: str
    customer_id: int
    customer_name: str
    property_id: int | None
    address: str
    owed_cents: int
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A customer died or is bankrupt, from a day on; until: first day after."""

    mark_id: int
    kind: str
    reference: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class PersonalNumberRow:
    """A personal number, shown by its last characters to those who need no more."""

    number_id: int
    kind: str
    number: str

    @property
    def label(self) -> str:
        """What kind of number it is, in words."""
        return str(PersonalNumber.Kind(self.kind).label)


@dataclass(frozen=True, slots=True)
class Mailing:
    """Where an account's mail goes; since: None when it goes to the property or a contact."""

    addressee: str
    address: str
    postal_code: str
    since: date | None


def property_record(property_id: int) -> PropertyRecord:
    """The property. Raises NotFound."""
    query = """
        SELECT p.id, p.parcel_number, p.address, p.postal_code, t.code, t.name,
            coalesce(u.dwelling_units, p.dwelling_units)
        FROM registry_property p LEFT JOIN LATERAL (
            SELECT property_type_id, dwelling_units FROM registry_propertychange
            WHERE property_id = p.id ORDER BY from_on DESC, id DESC LIMIT 1) u ON true
        JOIN registry_propertytype t ON t.code = coalesce(u.property_type_id, p.property_type_id)
        WHERE p.id = %s
    """
    found = _rows(query, [property_id])
    if not found:
        raise NotFound("There is no such property; look it up by its address or parcel.")
    return PropertyRecord(*found[0])


def property_named(parcel_or_account: str) -> PropertyRecord:
    """The property of a parcel number, or the one that an account is or was last for.

    Raises NotFound beside `property`.
    """
    query = """
        SELECT id FROM (
            SELECT 1 AS place, id, NULL::daterange AS period FROM registry_property
            WHERE registry_digits(parcel_number) = registry_digits(%(text)s)
                AND registry_digits(%(text)s) <> ''
            UNION ALL SELECT 2, h.property_id, h.period
            FROM ledger_account a JOIN registry_accountholding h ON h.account_id = a.id
            WHERE a.number = upper(trim(%(text)s)) AND h.property_id IS NOT NULL) found
        ORDER BY place, lower(period) DESC LIMIT 1
    """
    found = _rows(query, {"text": parcel_or_account})
    if not found:
        raise NotFound(
            "No property has this parcel number, and no account with this number is for one; "
            "look it up in the search.",
            field="property",
        )
    return property_record(found[0][0])


def uses(property_id: int) -> list[Use]:
    """Everything that a property was, the latest first."""
    query = """
        SELECT c.from_on, t.name, c.dwelling_units, f.document_id, f.reason, found.display_name,
            decided.display_name,
            row_number() OVER (PARTITION BY c.from_on ORDER BY c.id DESC) > 1
        FROM registry_propertychange c JOIN registry_propertytype t ON t.code = c.property_type_id
        JOIN registry_finding f ON f.id = c.finding_id
        JOIN identity_user found ON found.id = f.found_by_id
        JOIN identity_user decided ON decided.id = f.decided_by_id
        WHERE c.property_id = %(id)s
        UNION ALL SELECT NULL, t.name, p.dwelling_units, NULL, '', '', '', false
        FROM registry_property p JOIN registry_propertytype t ON t.code = p.property_type_id
        WHERE p.id = %(id)s
        ORDER BY 1 DESC NULLS LAST, 8
    """
    return [Use(*row) for row in _rows(query, {"id": property_id})]


def customer_record(customer_id: int) -> CustomerRecord:
    """The customer. Raises NotFound."""
    found = _rows(
        "SELECT id, kind, name, language, is_paperless FROM registry_customer WHERE id = %s",
        [customer_id],
    )
    if not found:
        raise NotFound("There is no such customer; search by name or register the customer.")
    return CustomerRecord(*found[0])


_HELD_SQL = """
    SELECT a.number, c.id, c.name, h.property_id, coalesce(p.address, ''),
        coalesce(b.owed_cents, 0), lower(h.period), upper(h.period)
    FROM registry_accountholding h JOIN ledger_account a ON a.id = h.account_id
    JOIN registry_customer c ON c.id = h.customer_id
    LEFT JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    WHERE {about} ORDER BY upper_inf(h.period) DESC, lower(h.period) DESC, h.id
    LIMIT %s OFFSET %s
"""


def accounts_of_customer(customer_id: int, limit: int, offset: int) -> list[HeldAccount]:
    """Accounts that a customer holds or held, those of today first."""
    query = _HELD_SQL.format(about="h.customer_id = %s")
    return [HeldAccount(*row) for row in _rows(query, [customer_id, limit, offset])]


def count_accounts_of_customer(customer_id: int) -> int:
    """How many accounts a customer holds or held."""
    query = "SELECT count(*) FROM registry_accountholding WHERE customer_id = %s"
    return int(_rows(query, [customer_id])[0][0])


def accounts_at(property_id: int, limit: int = 50, offset: int = 0) -> list[HeldAccount]:
    """Accounts that are or were for a property, those of today first."""
    query = _HELD_SQL.format(about="h.property_id = %s")
    return [HeldAccount(*row) for row in _rows(query, [property_id, limit, offset])]


def marks(customer_id: int) -> list[Mark]:
    """A customer's marks, the latest first."""
    query = """
        SELECT id, kind, reference, lower(period), upper(period) FROM registry_customermark
        WHERE customer_id = %s ORDER BY lower(period) DESC, id DESC
    """
    return [Mark(*row) for row in _rows(query, [customer_id])]


def personal_numbers(customer_id: int, *, unmasked: bool) -> list[PersonalNumberRow]:
    """A customer's personal numbers. unmasked: whether the viewer holds personal.view."""
    query = "SELECT id, kind, number FROM registry_personalnumber WHERE customer_id = %s ORDER BY 2"
    return [
        PersonalNumberRow(pk, kind, number if unmasked else masked_number(number))
        for pk, kind, number in _rows(query, [customer_id])
    ]


def masked_number(number: str) -> str:
    """The last characters of a number, never more than half of it and never more than four."""
    shown = min(4, len(number) // 2)
    return "•••" + number[len(number) - shown :]


def mailing_on(account_id: int, day: date) -> Mailing | None:
    """Where an account's mail goes on a day: to an address of its own, else to its holder's
    mailing address, else to its property. None when there is none of them.
    """
    query = """
        SELECT addressee, address, postal_code, since FROM (
            SELECT 1 AS rank, addressee, address, postal_code, lower(period) AS since, id
            FROM registry_accountmailing WHERE account_id = %(id)s AND period @> %(day)s::date
            UNION ALL SELECT 2, '', k.value, '', NULL, -k.id
            FROM registry_accountholding h JOIN registry_contact k ON k.customer_id = h.customer_id
            WHERE h.account_id = %(id)s AND h.period @> %(day)s::date AND k.kind = 'mail'
            UNION ALL SELECT 3, '', p.address, p.postal_code, NULL, p.id
            FROM registry_accountholding h JOIN registry_property p ON p.id = h.property_id
            WHERE h.account_id = %(id)s AND h.period @> %(day)s::date) found
        ORDER BY rank, id DESC LIMIT 1
    """
    found = _rows(query, {"id": account_id, "day": day})
    return Mailing(*found[0]) if found else None

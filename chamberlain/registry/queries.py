"""What is on file about accounts, their holders, properties and contacts, now and before."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.registry.history import Change, changes
from chamberlain.registry.search import Found, search

__all__ = [
    "AccountSummary",
    "Change",
    "ContactRow",
    "Found",
    "Holder",
    "Owner",
    "PropertyRow",
    "ServicePointRow",
    "account_summary",
    "changes",
    "contacts",
    "holders",
    "owners",
    "properties_of",
    "property_types",
    "search",
    "service_points",
]


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account with its latest holder and its property; what is owed and in credit in cents."""

    account_id: int
    account_number: str
    opened_on: date
    owed_cents: int
    credit_cents: int
    customer_id: int | None
    customer_name: str
    customer_kind: str
    language: str
    held_from: date | None
    held_until: date | None
    property_id: int | None
    address: str
    postal_code: str
    parcel_number: str
    property_type: str
    dwelling_units: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A customer who holds or held an account; `until` is the first day after."""

    customer_id: int
    name: str
    since: date
    until: date | None
    address: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer who owns or owned a share of a property; 10000 basis points are all of it."""

    ownership_id: int
    customer_id: int
    name: str
    share_basis_points: int
    since: date
    until: date | None

    @property
    def percent(self) -> str:
        """The share in percent, as short as it can be said."""
        return f"{Decimal(self.share_basis_points) / 100:f}"


@dataclass(frozen=True, slots=True)
class PropertyRow:
    """A property that a customer owns or owned."""

    property_id: int
    parcel_number: str
    address: str
    postal_code: str
    property_type: str
    dwelling_units: int
    share_basis_points: int
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A way to reach a customer. `value` is masked for those who may not see contacts."""

    contact_id: int
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class ServicePointRow:
    """A place at a property where a service is taken."""

    service_point_id: int
    code: str


_SUMMARY_SQL = """
    SELECT a.id, a.number, a.opened_on, coalesce(b.owed_cents, 0), coalesce(b.credit_cents, 0),
        c.id, coalesce(c.name, ''), coalesce(c.kind, ''), coalesce(c.language, 'en'),
        lower(h.period), upper(h.period), p.id, coalesce(p.address, ''),
        coalesce(p.postal_code, ''), coalesce(p.parcel_number, ''), coalesce(t.name, ''),
        coalesce(u.dwelling_units, p.dwelling_units, 0)
    FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN LATERAL (
        SELECT * FROM registry_accountholding h
        WHERE h.account_id = a.id ORDER BY lower(h.period) DESC LIMIT 1) h ON true
    LEFT JOIN registry_customer c ON c.id = h.customer_id
    LEFT JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN LATERAL (
        SELECT property_type_id, dwelling_units FROM registry_propertychange
        WHERE property_id = p.id ORDER BY from_on DESC, id DESC LIMIT 1) u ON true
    LEFT JOIN registry_propertytype t
        ON t.code = coalesce(u.property_type_id, p.property_type_id)
    WHERE a.number = %s
"""


def account_summary(account_number: str) -> AccountSummary:
    """The account of that number; raises NotFound."""
    rows = _rows(_SUMMARY_SQL, [account_number.strip().upper()])
    if not rows:
        raise NotFound(f"There is no account {account_number[:24]}; search for it by name.")
    return AccountSummary(*rows[0])


def holders(account_id: int) -> list[Holder]:
    """Everyone who held the account, the latest first."""
    query = """
        SELECT c.id, c.name, lower(h.period), upper(h.period), coalesce(p.address, '')
        FROM registry_accountholding h JOIN registry_customer c ON c.id = h.customer_id
        LEFT JOIN registry_property p ON p.id = h.property_id
        WHERE h.account_id = %s ORDER BY lower(h.period) DESC
    """
    return [Holder(*row) for row in _rows(query, [account_id])]


def owners(property_id: int, on: date | None = None) -> list[Owner]:
    """Owners of a property: those of a day, or all that there were, the latest first."""
    query = """
        SELECT o.id, c.id, c.name, o.share_basis_points, lower(o.period), upper(o.period)
        FROM registry_ownership o JOIN registry_customer c ON c.id = o.customer_id
        WHERE o.property_id = %s AND (%s::date IS NULL OR o.period @> %s::date)
        ORDER BY lower(o.period) DESC, c.name
    """
    return [Owner(*row) for row in _rows(query, [property_id, on, on])]


def properties_of(customer_id: int) -> list[PropertyRow]:
    """Properties that a customer owns or owned, the latest first."""
    query = """
        SELECT p.id, p.parcel_number, p.address, p.postal_code, t.name,
            coalesce(u.dwelling_units, p.dwelling_units), o.share_basis_points, lower(o.period),
            upper(o.period)
        FROM registry_ownership o JOIN registry_property p ON p.id = o.property_id
        LEFT JOIN LATERAL (
            SELECT property_type_id, dwelling_units FROM registry_propertychange
            WHERE property_id = p.id ORDER BY from_on DESC, id DESC LIMIT 1) u ON true
        JOIN registry_propertytype t ON t.code = coalesce(u.property_type_id, p.property_type_id)
        WHERE o.customer_id = %s ORDER BY lower(o.period) DESC, p.id
    """
    return [PropertyRow(*row) for row in _rows(query, [customer_id])]


def contacts(customer_id: int, *, unmasked: bool) -> list[ContactRow]:
    """A customer's contacts. unmasked: whether the viewer holds the permission contact.view."""
    query = "SELECT id, kind, value FROM registry_contact WHERE customer_id = %s ORDER BY kind, id"
    return [
        ContactRow(pk, kind, value if unmasked else masked(kind, value))
        for pk, kind, value in _rows(query, [customer_id])
    ]


def masked(kind: str, value: str) -> str:
    """What is shown of a contact to those who may not see it: enough to recognize it by."""
    if kind == "phone":
        return "•••-•••-" + value[-4:]
    if kind == "email":
        return f"{value[:1]}•••@{value.rpartition('@')[2]}"
    return "•••"


def property_types() -> dict[str, str]:
    """The city's property types, by code."""
    return dict(_rows("SELECT code, name FROM registry_propertytype ORDER BY name", []))


def service_point_named(code: str) -> int | None:
    """The id of a service point by its code, None when there is none."""
    found = _rows("SELECT id FROM registry_servicepoint WHERE code = %s", [code])
    return int(found[0][0]) if found else None


def service_points(property_id: int) -> list[ServicePointRow]:
    """The service points of a property."""
    query = "SELECT id, code FROM registry_servicepoint WHERE property_id = %s ORDER BY id"
    return [ServicePointRow(*row) for row in _rows(query, [property_id])]

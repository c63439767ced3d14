"""Who changed what on an account: its holders, customers, contacts, property and owners."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from chamberlain.registry.models import PropertyType
from chamberlain.registry.preferences import LANGUAGE_NAMES

_WHAT = {
    "registry_accountholdingevent": "account holder",
    "registry_customerevent": "customer",
    "registry_contactevent": "contact",
    "registry_propertyevent": "property",
    "registry_ownershipevent": "owner",
    "registry_propertychangeevent": "type of property",
    "registry_documentevent": "document",
    "registry_accountmailingevent": "mailing address",
    "registry_customermarkevent": "mark of the customer",
    "registry_personalnumberevent": "personal number",
}
_MASKED = {"registry_contactevent": {"value"},
           "registry_accountmailingevent": {"addressee", "address"}}  # fmt: skip
_FIELDS = {"share_basis_points": "share", "is_paperless": "bills without paper",
           "property_type_id": "type"}  # fmt: skip
_OWN_FIELDS = ("id", "account_id", "customer_id", "property_id", "finding_id")


@dataclass(frozen=True, slots=True)
class Change:
    """A field that changed. who: "" when it came with a city's import; old: "" for a new item."""

    at: datetime
    who: str
    what: str
    done: str
    field: str
    old: str
    new: str


_EVENTS_SQL = """
    WITH held AS (SELECT customer_id, property_id FROM registry_accountholding
        WHERE account_id = %(account)s
        UNION ALL SELECT %(customer)s::bigint, %(property)s::bigint)
    SELECT e.source, e.pgh_obj_id, e.pgh_created_at, e.pgh_label, e.data,
        coalesce(x.metadata ->> 'actor', '')
    FROM (
        SELECT 'registry_accountholdingevent' AS source, pgh_id, pgh_obj_id, pgh_created_at,
            pgh_label, pgh_context_id, to_jsonb(t) AS data
        FROM registry_accountholdingevent t WHERE account_id = %(account)s
        UNION ALL SELECT 'registry_customerevent', pgh_id, pgh_obj_id, pgh_created_at, pgh_label,
            pgh_context_id, to_jsonb(t)
        FROM registry_customerevent t WHERE pgh_obj_id IN (SELECT customer_id FROM held)
        UNION ALL SELECT 'registry_contactevent', pgh_id, pgh_obj_id, pgh_created_at, pgh_label,
            pgh_context_id, to_jsonb(t)
        FROM registry_contactevent t WHERE customer_id IN (SELECT customer_id FROM held)
        UNION ALL SELECT 'registry_propertyevent', pgh_id, pgh_obj_id, pgh_created_at, pgh_label,
            pgh_context_id, to_jsonb(t)
        FROM registry_propertyevent t WHERE pgh_obj_id IN (SELECT property_id FROM held)
        UNION ALL SELECT 'registry_ownershipevent', pgh_id, pgh_obj_id, pgh_created_at, pgh_label,
            pgh_context_id, to_jsonb(t)
        FROM registry_ownershipevent t WHERE property_id IN (SELECT property_id FROM held)
        UNION ALL SELECT 'registry_propertychangeevent', pgh_id, pgh_obj_id, pgh_created_at,
            pgh_label, pgh_context_id, to_jsonb(t)
        FROM registry_propertychangeevent t WHERE property_id IN (SELECT property_id FROM held)
        UNION ALL SELECT 'registry_documentevent', pgh_id, pgh_obj_id, pgh_created_at,
            pgh_label, pgh_context_id, to_jsonb(t)
        FROM registry_documentevent t WHERE property_id IN (SELECT property_id FROM held)
        UNION ALL SELECT 'registry_accountmailingevent', pgh_id, pgh_obj_id, pgh_created_at,
            pgh_label, pgh_context_id, to_jsonb(t)
        FROM registry_accountmailingevent t WHERE account_id = %(account)s
        UNION ALL SELECT 'registry_customermarkevent', pgh_id, pgh_obj_id, pgh_created_at,
            pgh_label, pgh_context_id, to_jsonb(t)
        FROM registry_customermarkevent t WHERE customer_id IN (SELECT customer_id FROM held)
        UNION ALL SELECT 'registry_personalnumberevent', pgh_id, pgh_obj_id, pgh_created_at,
            pgh_label, pgh_context_id, to_jsonb(t)
        FROM registry_personalnumberevent t WHERE customer_id IN (SELECT customer_id FROM held)
    ) e LEFT JOIN pghistory_context x ON x.id = e.pgh_context_id
    ORDER BY e.source, e.pgh_obj_id, e.pgh_id
"""


def changes(account_id: int, *, unmasked: bool = False, limit: int = 200) -> list[Change]:
    """The latest changes on an account, the newest first.

    unmasked: whether the viewer may see contacts; without it only their kind is shown.
    """
    return _changes({"account": account_id, "customer": None, "property": None}, unmasked, limit)


def changes_of_customer(
    customer_id: int, *, unmasked: bool = False, limit: int = 200
) -> list[Change]:
    """The latest changes of a customer: name, contacts, preferences, marks, personal numbers."""
    return _changes({"account": None, "customer": customer_id, "property": None}, unmasked, limit)


def changes_of_property(property_id: int, limit: int = 200) -> list[Change]:
    """The latest changes of a property: its owners, type and dwelling units."""
    return _changes({"account": None, "customer": None, "property": property_id}, False, limit)


def _changes(about: dict[str, int | None], unmasked: bool, limit: int) -> list[Change]:
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS_SQL, about)
        rows = cursor.fetchall()
    types = dict(PropertyType.objects.values_list("code", "name"))
    found = [
        change
        for _, events in groupby(rows, key=lambda row: row[:2])
        for change in _of_item(list(events), unmasked, types)
    ]
    in_order = sorted(enumerate(found), key=lambda numbered: (numbered[1].at, numbered[0]))
    return [change for _, change in reversed(in_order)][:limit]


def _of_item(events: list[Any], unmasked: bool, types: dict[str, str]) -> Iterator[Change]:
    before: dict[str, str] = {}
    for source, _, at, label, data, who in events:
        after = {
            name: _said(name, value, types)
            for name, value in json.loads(data).items()
            if not name.startswith("pgh_")
            and name not in _OWN_FIELDS
            and value is not None
            and label != "delete"
        }
        hidden = set() if unmasked else _MASKED.get(source, set())
        for name in sorted(after.keys() | before.keys()):
            old, new = before.get(name, ""), after.get(name, "")
            if old != new:
                if name in hidden:
                    old, new = old and "•••", new and "•••"
                yield Change(at, who, _WHAT[source], label, _FIELDS.get(name, name), old, new)
        before = after


def _said(name: str, value: Any, types: dict[str, str]) -> str:
    """A value as the office says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "share_basis_points":
        return f"{Decimal(value) / 100:f} %"
    if name == "property_type_id":
        return types.get(str(value), str(value))
    if name == "language":
        return LANGUAGE_NAMES.get(str(value), str(value))
    return str(value)

"""Whether the city's rule asks a deposit of an account, how much, and why."""

import json
from dataclasses import asdict, dataclass
from datetime import date

from chamberlain.billing.deposits.terms import terms_on
from chamberlain.database.rows import rows
from chamberlain.kernel.money import show_cents


@dataclass(frozen=True, slots=True)
class Required:
    """What the rule asks of an account. cents: 0 for nothing; basis: why, in words."""

    cents: int
    basis: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An account that should have a deposit and was never asked for one."""

    account_id: int
    account: str
    holder: str
    address: str
    since: date
    property_type: str
    cents: int


# What each account is on a day, or on its holder's first if that is later: its property's type and
# units as said last for the day.
_HELD_SQL = """
    SELECT h.account_id, a.number, c.name, p.address, lower(h.period), t.code, t.name,
        coalesce(u.dwelling_units, p.dwelling_units),
        EXISTS (SELECT 1 FROM registry_ownership o WHERE o.property_id = p.id
            AND o.customer_id = h.customer_id
            AND o.period @> greatest(%(day)s::date, lower(h.period)))
    FROM registry_accountholding h
    JOIN ledger_account a ON a.id = h.account_id
    JOIN registry_customer c ON c.id = h.customer_id
    JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN LATERAL (SELECT property_type_id, dwelling_units FROM registry_propertychange
        WHERE property_id = p.id AND from_on <= greatest(%(day)s::date, lower(h.period))
        ORDER BY from_on DESC, id DESC LIMIT 1) u ON true
    JOIN registry_propertytype t ON t.code = coalesce(u.property_type_id, p.property_type_id)
"""

# The first requirement that fits, as JSON of the terms keeps them in order.
_MISSING_SQL = f"""
    WITH held AS (
        SELECT * FROM ({_HELD_SQL} WHERE h.period @> %(day)s::date) h(account_id, number, holder,
            address, since, code, type, units, is_owner)
        WHERE since >= %(from)s
            AND NOT EXISTS (SELECT 1 FROM deposits_deposit d WHERE d.account_id = h.account_id
                AND (d.closed_on IS NULL OR EXISTS (SELECT 1 FROM deposits_depositmovement m
                    WHERE m.deposit_id = d.id AND m.kind NOT IN ('asked', 'canceled')))))
    SELECT h.account_id, h.number, h.holder, h.address, h.since, h.type,
        (q.rule->>'cents')::bigint
            * CASE WHEN (q.rule->>'is_per_unit')::boolean THEN greatest(h.units, 1) ELSE 1 END
    FROM held h CROSS JOIN LATERAL (
        SELECT r.rule FROM jsonb_array_elements(%(rules)s::jsonb) WITH ORDINALITY r(rule, n)
        WHERE (jsonb_array_length(r.rule->'property_types') = 0
                OR r.rule->'property_types' ? h.code)
            AND (r.rule->>'holders' = 'any' OR (r.rule->>'holders' = 'owner') = h.is_owner)
        ORDER BY r.n LIMIT 1) q
    WHERE (q.rule->>'cents')::bigint > 0
"""


def required_of(account_id: int, day: date) -> Required:
    """What the city's rule asks of an account on a day, by its holder of then or the next one.

    Raises NotFound without terms.
    """
    terms = terms_on(day)
    found = rows(
        f"""{_HELD_SQL} WHERE h.account_id = %(id)s AND coalesce(upper(h.period) > %(day)s, true)
            ORDER BY h.period LIMIT 1""",
        {"id": account_id, "day": day},
    )
    if not found:
        return Required(0, "nobody holds the account for a property on this day")
    _, _, _, _, _, code, name, units, is_owner = found[0]
    who = "its owner" if is_owner else "somebody who does not own it"
    held = f"{name} with {units} dwelling unit{'' if units == 1 else 's'}, held by {who}"
    for each in terms.requirements:
        if each.fits(code, is_owner=is_owner) and each.cents:
            per = f", {show_cents(each.cents)} for each unit" if each.is_per_unit else ""
            return Required(each.amount(units), f"{held}{per}"[:200])
        if each.fits(code, is_owner=is_owner):
            break
    return Required(0, held)


def missing_deposits(day: date, since: date, limit: int = 50, offset: int = 0) -> list[Missing]:
    """Accounts held since a day or later that should have a deposit and have none.

    One that was asked for and taken back unpaid is none. The newest come first.
    """
    query = f"{_MISSING_SQL} ORDER BY h.since DESC, h.account_id LIMIT %(limit)s OFFSET %(offset)s"
    values = {**_values(day, since), "limit": limit, "offset": offset}
    return [Missing(*row) for row in rows(query, values)]


def count_missing(day: date, since: date) -> int:
    """How many `missing_deposits` there are."""
    return int(rows(f"SELECT count(*) FROM ({_MISSING_SQL}) m", _values(day, since))[0][0])


def _values(day: date, since: date) -> dict[str, object]:
    requirements = [asdict(each) for each in terms_on(day).requirements]
    return {"day": day, "from": since, "rules": json.dumps(requirements)}

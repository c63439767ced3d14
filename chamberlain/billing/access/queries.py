"""What the holder of an account may see of it: their own days on it, and nothing of others.

A bill is the holder's when its last day is one of theirs, as on the bill itself. A charge that
came from no bill is theirs when it was raised since they hold the account, a payment when it
came in since then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.billing import queries as billing
from chamberlain.billing.queries import BillRow
from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import OpenCharge, charges_by_id
from chamberlain.ledger.statements import PaymentRow, payments_of_account


@dataclass(frozen=True, slots=True)
class Held:
    """An account as its latest holder has it. since: their first day on it."""

    account_id: int
    account_number: str
    holding_id: int
    customer_id: int
    holder: str
    language: str
    since: date


@dataclass(frozen=True, slots=True)
class Owed:
    """What a holder owes, of it past due, and the account's credit, in cents."""

    owed_cents: int
    past_due_cents: int
    credit_cents: int
    next_due_on: date | None


@dataclass(frozen=True, slots=True)
class AskedPlan:
    """An application for a payment plan. plan_number: the plan that was made of it, else ""."""

    application_id: int
    account_number: str
    holder: str
    terms_name: str
    instalments: int
    total_cents: int
    phone: str
    asked_at: datetime
    answered_at: datetime | None
    reply: str
    plan_number: str

    @property
    def is_waiting(self) -> bool:
        """Whether nobody answered yet, neither in words nor by a plan."""
        return self.answered_at is None and not self.plan_number


_HELD = """
    SELECT a.id, a.number, h.id, c.id, c.name, c.language, lower(h.period)
    FROM ledger_account a
    JOIN LATERAL (
        SELECT k.id, k.customer_id, k.period FROM registry_accountholding k
        WHERE k.account_id = a.id AND lower(k.period) <= %(today)s
        ORDER BY lower(k.period) DESC LIMIT 1) h ON true
    JOIN registry_customer c ON c.id = h.customer_id
"""


def held(account_id: int, holding_id: int, today: date) -> Held | None:
    """The account while this is still its latest holding, else None."""
    found = _rows(_HELD + "WHERE a.id = %(id)s", {"id": account_id, "today": today})
    return Held(*found[0]) if found and found[0][2] == holding_id else None


def held_by_number(number: str, today: date) -> Held | None:
    """The account as its latest holder has it, by its number."""
    found = _rows(_HELD + "WHERE a.number = %(number)s", {"number": number, "today": today})
    return Held(*found[0]) if found else None


_OWN_BILLS = """
    SELECT b.id FROM billing_bill b
    WHERE b.account_id = %s AND b.to_on > %s
"""


def bills_of(of: Held, limit: int = 50, offset: int = 0) -> list[BillRow]:
    """The holder's bills, the newest first; those that were taken back are left out."""
    query = _OWN_BILLS + (
        " AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)"
        " ORDER BY b.to_on DESC, b.id DESC LIMIT %s OFFSET %s"
    )
    ids = [int(row[0]) for row in _rows(query, [of.account_id, of.since, limit, offset])]
    by_id = {row.bill_id: row for row in billing.bills_by_id(ids)}
    return [by_id[bill_id] for bill_id in ids]


def count_bills(of: Held) -> int:
    """How many bills `bills_of` has."""
    query = f"""SELECT count(*) FROM ({_OWN_BILLS} AND NOT EXISTS
        (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)) x"""
    return int(_rows(query, [of.account_id, of.since])[0][0])


def bill_of(of: Held, number: str) -> BillRow:
    """One of the holder's bills. Raises NotFound, alike for another's bill and for none."""
    found = _rows(_OWN_BILLS + " AND b.number = %s", [of.account_id, of.since, number])
    if not found:
        raise NotFound("There is no such bill among yours; look at the list of your bills.")
    return billing.bills_by_id([int(found[0][0])])[0]


def own_charges(account_id: int, since: date) -> list[OpenCharge]:
    """Open charges of whoever holds the account since that day, what is due first standing first.

    One that a bill raised goes by the bill's last day, any other by the day it was raised; a late
    penalty goes by the charge that caused it.
    """
    query = """
        SELECT c.id FROM ledger_charge c
        LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        LEFT JOIN penalties_penalty p ON p.charge_id = c.id
        JOIN ledger_charge o ON o.id = coalesce(p.caused_by_id, c.id)
        LEFT JOIN billing_billline l ON l.charge_id = o.id
        LEFT JOIN billing_bill b ON b.id = l.bill_id
        WHERE c.account_id = %s AND c.cents > coalesce(s.settled_cents, 0)
            AND coalesce(b.to_on, o.raised_on + 1) > %s
    """
    ids = [int(row[0]) for row in _rows(query, [account_id, since])]
    return sorted(charges_by_id(ids), key=lambda each: (each.due_on, each.priority))


def owed_by(of: Held, today: date) -> Owed:
    """What the holder owes on a day."""
    charges = own_charges(of.account_id, of.since)
    credit = _rows("SELECT credit_cents FROM ledger_balance WHERE account_id = %s", [of.account_id])
    return Owed(
        sum(charge.open_cents for charge in charges),
        sum(charge.open_cents for charge in charges if charge.due_on < today),
        int(credit[0][0]) if credit else 0,
        min((charge.due_on for charge in charges), default=None),
    )


_RECENT = 400


def payments_of(of: Held) -> list[PaymentRow]:
    """Payments that came in since the holder has the account, the newest first, 400 at most."""
    return [each for each in payments_of_account(of.account_id, _RECENT) if each.day >= of.since]


_ASKED = """
    SELECT p.id, a.number, c.name, t.name, p.instalments, p.total_cents, p.phone, p.asked_at,
        p.answered_at, p.reply, coalesce(n.number, '')
    FROM access_planapplication p
    JOIN ledger_account a ON a.id = p.account_id
    JOIN registry_customer c ON c.id = p.customer_id
    JOIN plans_planterms t ON t.id = p.terms_id
    LEFT JOIN LATERAL (
        SELECT number FROM plans_plan WHERE account_id = p.account_id
            AND offered_at >= p.asked_at ORDER BY id LIMIT 1) n ON true
"""
_WAITING = "WHERE p.answered_at IS NULL AND n.number IS NULL"


def asked_plans(limit: int = 50, offset: int = 0) -> list[AskedPlan]:
    """Applications for plans that nobody answered, the oldest first."""
    query = f"{_ASKED} {_WAITING} ORDER BY p.id LIMIT %s OFFSET %s"
    return [AskedPlan(*row) for row in _rows(query, [limit, offset])]


def count_asked_plans() -> int:
    """How many applications for plans wait."""
    return int(_rows(f"SELECT count(*) FROM ({_ASKED} {_WAITING}) x", [])[0][0])


def latest_asked_plan(account_id: int, customer_id: int) -> AskedPlan | None:
    """The last application of a holder."""
    where = "WHERE p.account_id = %s AND p.customer_id = %s ORDER BY p.id DESC LIMIT 1"
    found = _rows(f"{_ASKED} {where}", [account_id, customer_id])
    return AskedPlan(*found[0]) if found else None


def bills_with_codes(of: Held, issued_since: date, limit: int) -> Sequence[tuple[int, str]]:
    """Id and number of the holder's bills whose codes still let in, the newest first."""
    query = """
        SELECT b.id, b.number FROM billing_bill b
        WHERE b.account_id = %s AND b.to_on > %s AND b.issued_on >= %s
        ORDER BY b.issued_on DESC, b.id DESC LIMIT %s
    """
    found = _rows(query, [of.account_id, of.since, issued_since, limit])
    return [(int(bill_id), str(number)) for bill_id, number in found]

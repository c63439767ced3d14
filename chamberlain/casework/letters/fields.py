"""What a letter can say about an account: the catalog of fields, and their values for many.

Every value is text in the language of the letter. A field is empty where the account has nothing
of the kind; a letter that names it is not written then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from chamberlain.database.rows import rows
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words

FIELDS = {
    "city": "the city's name",
    "today": "the day of the letter",
    "account": "the account's number",
    "holder": "who holds the account",
    "service_address": "the address of the property",
    "balance": "what is owed on the account, less its credit",
    "past_due": "what is open and was due before the day of the letter",
    "oldest_due": "since when the oldest of it is due",
    "last_bill": "the number of the latest bill",
    "last_bill_amount": "what the latest bill comes to",
    "last_bill_due": "when the latest bill is due",
    "plan": "the number of the payment plan in force",
    "next_instalment": "what is due next under the plan",
    "next_instalment_due": "when it is due",
    "certificate": "the number of the latest full payment certificate",
}
"""By name, what each field says."""

_MONTHS_IN_SPANISH = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
    "octubre", "noviembre", "diciembre",
)  # fmt: skip

_FACTS = """
    SELECT a.id, a.number, coalesce(h.name, ''), coalesce(h.language, 'en'),
        coalesce(h.address, ''), coalesce(nullif(m.addressee, ''), h.name, ''),
        coalesce(m.address || ', ' || m.postal_code, h.address, ''),
        coalesce(m.postal_code, h.postal_code, ''),
        coalesce(b.owed_cents - b.credit_cents, 0), coalesce(o.cents, 0), o.due_on,
        l.number, l.total_cents, l.due_on, p.number, i.cents, i.due_on, f.number
    FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN LATERAL (
        SELECT c.name, c.language, p.postal_code, p.address || ', ' || p.postal_code AS address
        FROM registry_accountholding k
        JOIN registry_customer c ON c.id = k.customer_id
        LEFT JOIN registry_property p ON p.id = k.property_id
        WHERE k.account_id = a.id AND lower(k.period) <= %(today)s
        ORDER BY lower(k.period) DESC LIMIT 1) h ON true
    LEFT JOIN registry_accountmailing m ON m.account_id = a.id AND m.period @> %(today)s::date
    LEFT JOIN LATERAL (
        SELECT sum(c.cents - coalesce(s.settled_cents, 0))::bigint AS cents,
            min(c.due_on) AS due_on
        FROM ledger_charge c LEFT JOIN ledger_settlement s ON s.charge_id = c.id
        WHERE c.account_id = a.id AND c.due_on < %(today)s
            AND c.cents > coalesce(s.settled_cents, 0)) o ON true
    LEFT JOIN LATERAL (
        SELECT number, total_cents, due_on FROM billing_bill x
        WHERE x.account_id = a.id AND x.issued_on <= %(today)s
            AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = x.entry_id)
        ORDER BY x.issued_on DESC, x.id DESC LIMIT 1) l ON true
    LEFT JOIN plans_plan p ON p.account_id = a.id AND p.status = 'in_force'
    LEFT JOIN LATERAL (
        SELECT cents, due_on FROM plans_instalment n
        WHERE n.plan_id = p.id AND n.due_on >= %(today)s ORDER BY n.due_on LIMIT 1) i ON true
    LEFT JOIN LATERAL (
        SELECT c.number FROM certificates_certificate c
        JOIN certificates_application q ON q.id = c.application_id
        WHERE q.account_id = a.id ORDER BY c.id DESC LIMIT 1) f ON true
    WHERE a.id = ANY(%(accounts)s) ORDER BY a.id
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What letters say of one account. postal_code: where the letter goes."""

    account_id: int
    language: str
    addressee: str
    address: str
    postal_code: str
    values: dict[str, str]


def facts_of(
    account_ids: Sequence[int], today: date, languages: Sequence[str] = ("en",)
) -> dict[int, Facts]:
    """The facts of accounts by id, in each holder's language where letters have it."""
    found = rows(_FACTS, {"accounts": list(account_ids), "today": today})
    return {int(row[0]): _facts(row, today, languages) for row in found}


def _facts(row: Sequence[Any], today: date, languages: Sequence[str]) -> Facts:
    (account_id, number, holder, language, service, addressee, address, postal_code, balance,
     past_due, oldest, bill, bill_cents, bill_due, plan, instalment, instalment_due,
     certificate) = row  # fmt: skip
    spoken = language if language in languages else languages[0]

    def day(value: date | None) -> str:
        return said_day(value, spoken) if value else ""

    def money(cents: int | None) -> str:
        return show_cents(cents) if cents is not None else ""

    return Facts(
        account_id,
        spoken,
        addressee,
        address,
        postal_code,
        {
            "city": settings.CITY_NAME,
            "today": day(today),
            "account": number,
            "holder": holder,
            "service_address": service,
            "balance": money(balance),
            "past_due": money(past_due),
            "oldest_due": day(oldest),
            "last_bill": bill or "",
            "last_bill_amount": money(bill_cents),
            "last_bill_due": day(bill_due),
            "plan": plan or "",
            "next_instalment": money(instalment),
            "next_instalment_due": day(instalment_due),
            "certificate": certificate or "",
        },
    )


def said_day(day: date, language: str) -> str:
    """A day in words: `March 2, 2026`, or `2 de marzo de 2026`."""
    if language == "es":
        return f"{day.day} de {_MONTHS_IN_SPANISH[day.month - 1]} de {day.year}"
    return day_in_words(day)

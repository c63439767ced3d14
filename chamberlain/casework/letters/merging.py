"""The values of merge fields, for one account and for many alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format

from chamberlain.database.rows import rows
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words

DAYS = frozenset({"last_bill_date", "due_date"})
AMOUNTS = frozenset({"balance", "past_due", "last_bill_total", "plan_total", "plan_open"})
AND = {"es": "y"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to, and the values of an account's fields; "" where it has none."""

    account_id: int
    language: str
    is_paperless: bool
    addressed_to: tuple[str, ...]
    values: dict[str, str]


_COLUMNS = (
    "account_number", "balance", "past_due", "holder", "mailing_address", "service_address",
    "parcel_number", "property_type", "last_bill_number", "last_bill_total", "last_bill_date",
    "due_date", "plan_number", "plan_terms", "plan_total", "plan_open", "certificate_number",
)  # fmt: skip

_SQL = """
    SELECT a.id, coalesce(c.language, 'en'), coalesce(c.is_paperless, false),
        coalesce(m.addressee, ''), coalesce(j.names, '{}'), coalesce(m.postal_code, ''),
        a.number, coalesce(b.owed_cents - b.credit_cents, 0), coalesce(d.cents, 0), c.name,
        coalesce(m.address, k.value, p.address), p.address || ', ' || p.postal_code,
        p.parcel_number, t.name, l.number, l.total_cents, l.issued_on, l.due_on,
        n.number, n.name, n.total_cents, n.open_cents, f.number,
        CASE WHEN m.address IS NULL AND k.value IS NULL THEN coalesce(p.postal_code, '') ELSE ''
        END
    FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN registry_accountholding h ON h.account_id = a.id AND h.period @> %(day)s::date
    LEFT JOIN registry_customer c ON c.id = h.customer_id
    LEFT JOIN registry_property p ON p.id = h.property_id
    LEFT JOIN LATERAL (
        SELECT property_type_id FROM registry_propertychange WHERE property_id = p.id
            AND from_on <= %(day)s ORDER BY from_on DESC, id DESC LIMIT 1) u ON true
    LEFT JOIN registry_propertytype t
        ON t.code = coalesce(u.property_type_id, p.property_type_id)
    LEFT JOIN registry_accountmailing m ON m.account_id = a.id AND m.period @> %(day)s::date
    LEFT JOIN LATERAL (
        SELECT value FROM registry_contact WHERE customer_id = c.id AND kind = 'mail'
        ORDER BY id LIMIT 1) k ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(o.name ORDER BY o.id <> c.id, o.name) AS names
        FROM registry_ownership s JOIN registry_customer o ON o.id = s.customer_id
        WHERE s.property_id = p.id AND s.period @> %(day)s::date
        HAVING bool_or(o.id = c.id)) j ON true
    LEFT JOIN LATERAL (
        SELECT sum(g.cents - coalesce(s.settled_cents, 0))::bigint AS cents
        FROM ledger_charge g LEFT JOIN ledger_settlement s ON s.charge_id = g.id
        WHERE g.account_id = a.id AND g.due_on < %(day)s) d ON true
    LEFT JOIN LATERAL (
        SELECT i.number, i.total_cents, i.issued_on, i.due_on FROM billing_bill i
        WHERE i.account_id = a.id AND i.issued_on <= %(day)s
            AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = i.entry_id)
        ORDER BY i.issued_on DESC, i.id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (
        SELECT x.number, y.name, x.total_cents,
            (SELECT coalesce(sum(least(q.cents, g.cents - coalesce(s.settled_cents, 0))), 0)
                FROM plans_plancharge q JOIN ledger_charge g ON g.id = q.charge_id
                LEFT JOIN ledger_settlement s ON s.charge_id = g.id
                WHERE q.plan_id = x.id)::bigint AS open_cents
        FROM plans_plan x JOIN plans_planterms y ON y.id = x.terms_id
        WHERE x.account_id = a.id AND x.status IN ('in_force', 'defaulted')
        ORDER BY x.id DESC LIMIT 1) n ON true
    LEFT JOIN LATERAL (
        SELECT v.number FROM certificates_certificate v
        JOIN certificates_application w ON w.id = v.application_id
        WHERE w.account_id = a.id ORDER BY v.id DESC LIMIT 1) f ON true
    WHERE a.id = ANY(%(accounts)s) ORDER BY a.id
"""


def recipients(account_ids: Sequence[int], day: date) -> list[Recipient]:
    """Accounts with the values of their fields as of now, addressed as on a day, by their ids.

    Joint owners are all addressed where the holder is one of them, the holder first. A mailing
    address of the account comes before the holder's own, and that before the property.
    """
    found = rows(_SQL, {"accounts": list(account_ids), "day": day})
    return [_recipient(row, day) for row in found]


def _recipient(row: tuple[object, ...], day: date) -> Recipient:
    account_id, language, is_paperless, addressee, names, postal_code = row[:6]
    raw = dict(zip(_COLUMNS, row[6:], strict=False))
    property_code = str(row[-1])
    values = {name: _shown(name, value, str(language)) for name, value in raw.items()}
    code = str(postal_code) or property_code
    if values["mailing_address"] and code:
        values["mailing_address"] += f", {code}"
    assert isinstance(names, list)
    values |= {"letter_date": in_words(day, str(language)), "city": settings.CITY_NAME}
    to = str(addressee) or _joined(names, str(language)) or values["holder"]
    lines = tuple(line for line in (to, values["mailing_address"]) if line)
    assert isinstance(account_id, int)
    return Recipient(account_id, str(language), bool(is_paperless), lines, values)


def _joined(names: list[str], language: str) -> str:
    word = AND.get(language, "and")
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), "".join(names[-1:]))))


def _shown(name: str, value: object, language: str) -> str:
    if value is None:
        return ""
    if name in AMOUNTS:
        assert isinstance(value, int)
        return show_cents(value)
    if name in DAYS:
        assert isinstance(value, date)
        return in_words(value, language)
    return str(value)


def in_words(day: date, language: str) -> str:
    """A day as it is written in a language: `March 2, 2026`, `2 de marzo de 2026`."""
    if language == "en":
        return day_in_words(day)
    with translation.override(language):
        return date_format(day, "DATE_FORMAT", use_l10n=True)

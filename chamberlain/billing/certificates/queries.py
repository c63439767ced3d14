"""Applications, their progress and certificates, for pages and documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection
from django.utils import timezone

from chamberlain.billing.certificates.deadlines import ROWS, deadlines
from chamberlain.billing.certificates.payoff import Payoff, PayoffBill, payoff_of
from chamberlain.billing.certificates.terms import terms_row
from chamberlain.billing.certificates.unbilled import NotPayable
from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.frames import read_frame
from chamberlain.ledger.queries import OpenCharge

__all__ = [
    "ApplicationRow",
    "BoardRow",
    "CertificateRow",
    "FinalReadRow",
    "NotPayable",
    "OpenCharge",
    "Payoff",
    "PayoffBill",
    "application",
    "applications_of_account",
    "board",
    "certificate",
    "certificates_of",
    "certificates_of_account",
    "certified_until",
    "count_ended",
    "exemptions_on",
    "final_reads",
    "latest_applications",
    "payoff_of",
]


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application with its account. open_cents: what it still needs paid, of what is raised.

    deed, buyer_account: once the deed came in, else "".
    """

    application_id: int
    number: str
    account_id: int
    account_number: str
    address: str
    stage: str
    is_from_public: bool
    role: str
    applicant: str
    phone: str
    seller: str
    buyer: str
    attorney_card: str
    closing_on: date
    exemption: str
    received_at: datetime
    received_by: str
    accepted_at: datetime | None
    accepted_by: str
    accepted_by_id: int | None
    fee_cents: int | None
    reviewed_at: datetime | None
    reviewed_by: str
    review: str
    payoff_at: datetime | None
    payoff_by: str
    withdrawn_because: str
    open_cents: int
    reads_waiting: int
    reads: int
    deed: str
    buyer_account: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An application under way, and when it will be ready as things usually go."""

    application: ApplicationRow
    age_days: int
    ready_on: date
    misses: bool


@dataclass(frozen=True, slots=True)
class FinalReadRow:
    """An order of a final read, and the read that came of it."""

    order_id: int
    service_point: str
    meter_serial: str
    ordered_on: date
    wanted_by: date
    read_on: date | None
    register: int | None
    usage_thousandths: int | None
    unit: str | None
    last_on: date | None
    last_register: int | None


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate. is_replaced: another was issued in its place."""

    certificate_id: int
    number: str
    code: str
    application_number: str
    account_number: str
    address: str
    parcel_number: str
    seller: str
    buyer: str
    closing_on: date
    issued_on: date
    valid_until: date
    issued_by: str
    paid_cents: int
    reason: str
    is_replaced: bool


_PERSON = "coalesce(nullif({0}.display_name, ''), {0}.username, '')"

_APPLICATIONS = f"""
    SELECT p.id, p.number, p.account_id, a.number, coalesce(h.address, ''), p.stage,
        p.is_from_public, p.role, p.applicant, p.phone, p.seller, p.buyer, p.attorney_card,
        p.closing_on, coalesce(t.exemptions ->> p.exemption, p.exemption), p.received_at,
        {_PERSON.format("u")}, p.accepted_at, {_PERSON.format("v")}, p.accepted_by_id, f.cents,
        p.reviewed_at, {_PERSON.format("w")}, p.review, p.payoff_at, {_PERSON.format("x")},
        p.withdrawn_because,
        coalesce((SELECT sum(c.cents - coalesce(s.settled_cents, 0)) FROM ledger_charge c
            JOIN ledger_chargekind k ON k.id = c.kind_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE c.account_id = p.account_id
                AND (c.id = p.fee_charge_id OR k.code = ANY(t.covered_kinds::text[]))), 0)::bigint,
        (SELECT count(*) FROM certificates_finalread o
            WHERE o.application_id = p.id AND o.read_id IS NULL),
        (SELECT count(*) FROM certificates_finalread o
            WHERE o.application_id = p.id AND o.wanted_by = p.closing_on),
        coalesce(d.deed, ''), coalesce(n.number, '')
    FROM certificates_application p
    JOIN certificates_certificateterms t ON t.id = p.terms_id
    JOIN ledger_account a ON a.id = p.account_id
    JOIN identity_user u ON u.id = p.received_by_id
    LEFT JOIN identity_user v ON v.id = p.accepted_by_id
    LEFT JOIN identity_user w ON w.id = p.reviewed_by_id
    LEFT JOIN identity_user x ON x.id = p.payoff_by_id
    LEFT JOIN ledger_charge f ON f.id = p.fee_charge_id
    LEFT JOIN certificates_deedtransfer d ON d.application_id = p.id
    LEFT JOIN ledger_account n ON n.id = d.account_id
    LEFT JOIN LATERAL (
        SELECT r.address || ', ' || r.postal_code AS address FROM registry_accountholding k
        JOIN registry_property r ON r.id = k.property_id
        WHERE k.account_id = p.account_id ORDER BY lower(k.period) DESC LIMIT 1) h ON true
"""


def application(number: str) -> ApplicationRow:
    """One application by its number. Raises NotFound."""
    found = _rows(_APPLICATIONS + "WHERE p.number = %s", [number.strip().upper()])
    if not found:
        raise NotFound(f"There is no application {number[:16]}; look at the list.")
    return ApplicationRow(*found[0])


def applications_of_account(account_id: int) -> list[ApplicationRow]:
    """All applications for an account, the latest first."""
    where = "WHERE p.account_id = %s ORDER BY p.id DESC LIMIT 50"
    return [ApplicationRow(*row) for row in _rows(_APPLICATIONS + where, [account_id])]


def latest_applications(limit: int = 50, offset: int = 0) -> list[ApplicationRow]:
    """Applications that ended, issued or withdrawn, the latest first."""
    where = "WHERE p.stage IN ('issued', 'withdrawn') ORDER BY p.id DESC LIMIT %s OFFSET %s"
    return [ApplicationRow(*row) for row in _rows(_APPLICATIONS + where, [limit, offset])]


def count_ended() -> int:
    """How many applications ended, issued or withdrawn."""
    query = "SELECT count(*) FROM certificates_application WHERE stage IN ('issued', 'withdrawn')"
    return int(_rows(query, [])[0][0])


_DEADLINES = """
    SELECT p.id, p.stage, (p.received_at AT TIME ZONE %(zone)s)::date, p.closing_on,
        EXISTS (SELECT 1 FROM billing_serviceagreement g WHERE g.account_id = p.account_id
            AND g.is_metered AND g.period @> p.closing_on),
        (SELECT count(*) FROM certificates_finalread o
            WHERE o.application_id = p.id AND o.read_id IS NULL),
        p.reviewed_at IS NOT NULL,
        coalesce((SELECT sum(c.cents - coalesce(s.settled_cents, 0)) FROM ledger_charge c
            JOIN ledger_chargekind k ON k.id = c.kind_id
            LEFT JOIN ledger_settlement s ON s.charge_id = c.id
            WHERE c.account_id = p.account_id
                AND (c.id = p.fee_charge_id OR k.code = ANY(t.covered_kinds::text[]))), 0)::bigint,
        (t.step_days ->> 'accept')::int, (t.step_days ->> 'read')::int,
        (t.step_days ->> 'review')::int, (t.step_days ->> 'payoff')::int,
        (t.step_days ->> 'payment')::int, (t.step_days ->> 'issue')::int
    FROM certificates_application p
    JOIN certificates_certificateterms t ON t.id = p.terms_id
    WHERE p.stage IN ('received', 'accepted', 'payable')
"""


def board(today: date) -> list[BoardRow]:
    """Applications under way: first those that will miss their closing date, then by age."""
    text = {"is_metered": pl.String, "is_reviewed": pl.String}
    frame = read_frame(
        connection.connection,
        _DEADLINES,
        {**ROWS, **text},
        {"zone": timezone.get_current_timezone_name()},
    )
    ordered = deadlines(
        frame.with_columns((pl.col(name) == "t").alias(name) for name in text), today
    )
    ids = ordered["application_id"].to_list()
    found = {
        row[0]: ApplicationRow(*row) for row in _rows(_APPLICATIONS + "WHERE p.id = ANY(%s)", [ids])
    }
    return [BoardRow(found[pk], *rest) for pk, *rest in ordered.rows()]


def final_reads(application_id: int) -> list[FinalReadRow]:
    """Orders of final reads of an application, the latest first."""
    query = """
        SELECT o.id, s.code, coalesce(m.serial, ''), o.ordered_on, o.wanted_by, r.to_on,
            r.register, r.usage_thousandths, r.unit, l.to_on, l.register
        FROM certificates_finalread o
        JOIN billing_serviceagreement g ON g.id = o.agreement_id
        JOIN registry_servicepoint s ON s.id = g.service_point_id
        LEFT JOIN metering_read r ON r.id = o.read_id
        LEFT JOIN LATERAL (
            SELECT i.meter_id FROM metering_installation i
            WHERE i.service_point_id = s.id AND upper_inf(i.period) LIMIT 1) i ON true
        LEFT JOIN metering_meter m ON m.id = i.meter_id
        LEFT JOIN LATERAL (
            SELECT l.to_on, l.register FROM metering_read l WHERE l.service_point_id = s.id
                AND (o.read_id IS NULL OR l.to_on < r.to_on)
            ORDER BY l.to_on DESC LIMIT 1) l ON true
        WHERE o.application_id = %s ORDER BY o.wanted_by DESC, o.id
    """
    return [FinalReadRow(*row) for row in _rows(query, [application_id])]


_CERTIFICATES = f"""
    SELECT c.id, c.number, c.code, p.number, a.number, coalesce(h.address, ''),
        coalesce(h.parcel_number, ''), p.seller, p.buyer, c.closing_on, c.issued_on,
        c.valid_until, {_PERSON.format("u")}, c.paid_cents, c.reason,
        EXISTS (SELECT 1 FROM certificates_certificate n WHERE n.replaces_id = c.id)
    FROM certificates_certificate c
    JOIN certificates_application p ON p.id = c.application_id
    JOIN ledger_account a ON a.id = p.account_id
    JOIN identity_user u ON u.id = c.issued_by_id
    LEFT JOIN LATERAL (
        SELECT r.address || ', ' || r.postal_code AS address, r.parcel_number
        FROM registry_accountholding k JOIN registry_property r ON r.id = k.property_id
        WHERE k.account_id = p.account_id ORDER BY lower(k.period) DESC LIMIT 1) h ON true
"""


def certificate(number: str) -> CertificateRow:
    """One certificate by its number. Raises NotFound."""
    found = _rows(_CERTIFICATES + "WHERE c.number = %s", [number.strip().upper()])
    if not found:
        raise NotFound(f"There is no certificate {number[:16]}; check the number.")
    return CertificateRow(*found[0])


def certificates_of(application_id: int) -> list[CertificateRow]:
    """Certificates of an application, the latest first."""
    where = "WHERE c.application_id = %s ORDER BY c.id DESC"
    return [CertificateRow(*row) for row in _rows(_CERTIFICATES + where, [application_id])]


def certificates_of_account(account_id: int) -> list[CertificateRow]:
    """Certificates for an account, the latest first."""
    where = "WHERE p.account_id = %s ORDER BY c.id DESC LIMIT 50"
    return [CertificateRow(*row) for row in _rows(_CERTIFICATES + where, [account_id])]


def certified_until(account_ids: Sequence[int], today: date) -> dict[int, date]:
    """Accounts for whose days up to a closing a certificate stands, with the first day after.

    A certificate stands until it expires, and for good once the deed came in on it.
    """
    query = """
        SELECT p.account_id, max(c.closing_on) FROM certificates_certificate c
        JOIN certificates_application p ON p.id = c.application_id
        LEFT JOIN certificates_deedtransfer d ON d.application_id = p.id
        WHERE p.account_id = ANY(%s) AND (c.valid_until > %s OR d.id IS NOT NULL)
        GROUP BY p.account_id
    """
    return dict(_rows(query, [list(account_ids), today]))


def exemptions_on(day: date) -> list[tuple[str, str]]:
    """Exemptions from the transfer tax on a day: (code, name). Raises NotFound without terms."""
    return list(terms_row(day).exemptions.items())

"""Documents, what was found in them, and who saw them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from chamberlain.database.rows import rows as _rows
from chamberlain.registry.models import Document

KINDS: dict[str, str] = {kind.value: str(kind.label) for kind in Document.Kind}


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document with its property. reviewed_at: None while it waits for its review."""

    document_id: int
    property_id: int
    address: str
    parcel_number: str
    kind: str
    name: str
    media_type: str
    size_bytes: int
    pages: int
    kept_by: str
    kept_at: datetime
    reviewed_by: str
    reviewed_at: datetime | None
    review_note: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """What was found; document_id: in which document, None when the reason says how it is known.

    share_basis_points 10000 is all.
    """

    finding_id: int
    property_id: int
    document_id: int | None
    address: str
    kind: str
    from_on: date
    owner: str
    share_basis_points: int | None
    type_name: str
    dwelling_units: int | None
    state: str
    found_by_id: int
    found_by: str
    found_at: datetime
    decided_by: str
    decided_at: datetime | None
    note: str
    reason: str

    @property
    def percent(self) -> str:
        """The share in percent, as short as it can be said."""
        return f"{Decimal(self.share_basis_points or 0) / 100:f}"


@dataclass(frozen=True, slots=True)
class ViewRow:
    """Who saw a document's content, and when."""

    name: str
    seen_at: datetime


_DOCUMENT_SQL = """
    SELECT d.id, p.id, p.address, p.parcel_number, d.kind, d.name, d.media_type, d.size_bytes,
        d.pages, k.display_name, d.kept_at, coalesce(v.display_name, ''), r.reviewed_at,
        coalesce(r.note, '')
    FROM registry_document d JOIN registry_property p ON p.id = d.property_id
    JOIN identity_user k ON k.id = d.kept_by_id
    LEFT JOIN registry_documentreview r ON r.document_id = d.id
    LEFT JOIN identity_user v ON v.id = r.reviewer_id
"""
_FINDING_SQL = """
    SELECT f.id, p.id, f.document_id, p.address, f.kind, f.from_on, coalesce(c.name, ''),
        f.share_basis_points, coalesce(t.name, ''), f.dwelling_units, f.state, f.found_by_id,
        u.display_name, f.found_at, coalesce(v.display_name, ''), f.decided_at, f.note, f.reason
    FROM registry_finding f LEFT JOIN registry_document d ON d.id = f.document_id
    JOIN registry_property p ON p.id = coalesce(d.property_id, f.property_id)
    JOIN identity_user u ON u.id = f.found_by_id
    LEFT JOIN identity_user v ON v.id = f.decided_by_id
    LEFT JOIN registry_customer c ON c.id = f.customer_id
    LEFT JOIN registry_propertytype t ON t.code = f.property_type_id
"""


def document_row(document_id: int) -> DocumentRow:
    """One document that is known to be there."""
    return DocumentRow(*_rows(f"{_DOCUMENT_SQL} WHERE d.id = %s", [document_id])[0])


def documents_of_property(property_id: int) -> list[DocumentRow]:
    """Documents about a property, the newest first."""
    query = f"{_DOCUMENT_SQL} WHERE d.property_id = %s ORDER BY d.kept_at DESC, d.id DESC"
    return [DocumentRow(*row) for row in _rows(query, [property_id])]


def waiting_documents(limit: int, offset: int) -> list[DocumentRow]:
    """Documents that nobody reviewed, the oldest first."""
    query = f"{_DOCUMENT_SQL} WHERE r.id IS NULL ORDER BY d.kept_at, d.id LIMIT %s OFFSET %s"
    return [DocumentRow(*row) for row in _rows(query, [limit, offset])]


def count_waiting_documents() -> int:
    """How many documents nobody reviewed."""
    query = """
        SELECT count(*) FROM registry_document d
        WHERE NOT EXISTS (SELECT FROM registry_documentreview r WHERE r.document_id = d.id)
    """
    return int(_rows(query, [])[0][0])


def findings_of_document(document_id: int) -> list[FindingRow]:
    """What was found in a document, in the order of finding."""
    query = f"{_FINDING_SQL} WHERE f.document_id = %s ORDER BY f.id"
    return [FindingRow(*row) for row in _rows(query, [document_id])]


def changes_asked(property_id: int) -> list[FindingRow]:
    """Changes of a property's type or units that were asked for without a document and wait."""
    query = f"{_FINDING_SQL} WHERE f.property_id = %s AND f.state = 'proposed' ORDER BY f.id"
    return [FindingRow(*row) for row in _rows(query, [property_id])]


def finding_row(finding_id: int) -> FindingRow | None:
    """One finding, None when there is none."""
    found = _rows(f"{_FINDING_SQL} WHERE f.id = %s", [finding_id])
    return FindingRow(*found[0]) if found else None


def waiting_findings(limit: int, offset: int) -> list[FindingRow]:
    """Changes of type or units that wait for a second person, the oldest first."""
    query = (
        f"{_FINDING_SQL} WHERE f.state = 'proposed' ORDER BY f.found_at, f.id LIMIT %s OFFSET %s"
    )
    return [FindingRow(*row) for row in _rows(query, [limit, offset])]


def count_waiting_findings() -> int:
    """How many changes wait for a second person."""
    return int(_rows("SELECT count(*) FROM registry_finding WHERE state = 'proposed'", [])[0][0])


def views_of_document(document_id: int, limit: int = 50) -> list[ViewRow]:
    """Who saw a document's content, the latest first."""
    query = """
        SELECT u.display_name, v.seen_at FROM registry_documentview v
        JOIN identity_user u ON u.id = v.user_id
        WHERE v.document_id = %s ORDER BY v.id DESC LIMIT %s
    """
    return [ViewRow(*row) for row in _rows(query, [document_id, limit])]

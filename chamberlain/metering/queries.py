"""What meters read, where they are, and what of an import is still to be settled."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows as _rows

LARGEST_LIST = 1000


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A read: usage in thousandths of the unit from `from_on` up to `to_on`."""

    read_id: int
    service_point_id: int
    meter: str
    from_on: date
    to_on: date
    register: int | None
    usage_thousandths: int
    unit: str
    quality: str
    is_verified: bool
    source: str


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter at a service point; `until` is the first day after."""

    serial: str
    size: str
    dials: int
    unit: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An imported file: its reads, and how many of its records are still on the worklist."""

    import_id: int
    name: str
    imported_at: datetime
    imported_by: str
    reads: int
    exceptions: int


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """An item of the metering worklist."""

    exception_id: int
    file: str
    line: int
    meter: str
    read_on: str
    register: str
    code: str
    sentence: str


def reads(service_point_id: int, limit: int = 60) -> list[ReadRow]:
    """The latest reads of a service point, the newest first."""
    return _reads("r.service_point_id = %s", service_point_id, limit)


def usage_history(account_id: int, limit: int = 60) -> list[ReadRow]:
    """The latest reads at the properties of an account's holders, the oldest first, as a chart
    of usage takes them."""
    where = """r.service_point_id IN (SELECT s.id FROM registry_servicepoint s
        JOIN registry_accountholding h ON h.property_id = s.property_id WHERE h.account_id = %s)"""
    return _reads(where, account_id, limit)[::-1]


def _reads(where: str, key: int, limit: int) -> list[ReadRow]:
    query = f"""
        SELECT r.id, r.service_point_id, coalesce(m.serial, ''), r.from_on, r.to_on, r.register,
            r.usage_thousandths, r.unit, r.quality, r.is_verified, r.source
        FROM metering_read r LEFT JOIN metering_meter m ON m.id = r.meter_id
        WHERE {where} ORDER BY r.to_on DESC, r.id DESC LIMIT %s
    """
    return [ReadRow(*row) for row in _rows(query, [key, limit])]


def meters(service_point_id: int) -> list[MeterRow]:
    """Meters that are or were at a service point, the latest first."""
    query = """
        SELECT m.serial, m.size, m.dials, m.unit, lower(i.period), upper(i.period)
        FROM metering_installation i JOIN metering_meter m ON m.id = i.meter_id
        WHERE i.service_point_id = %s ORDER BY lower(i.period) DESC
    """
    return [MeterRow(*row) for row in _rows(query, [service_point_id])]


def imports(limit: int = 50) -> list[ImportRow]:
    """The latest imported files."""
    query = """
        SELECT i.id, i.name, i.imported_at, coalesce(nullif(u.display_name, ''), u.username),
            i.reads, (SELECT count(*) FROM metering_readexception e
                WHERE e.read_import_id = i.id AND e.resolved_at IS NULL)
        FROM metering_readimport i JOIN identity_user u ON u.id = i.imported_by_id
        ORDER BY i.id DESC LIMIT %s
    """
    return [ImportRow(*row) for row in _rows(query, [limit])]


def worklist(
    import_id: int | None = None, limit: int = LARGEST_LIST, offset: int = 0
) -> list[ExceptionRow]:
    """Records that were put aside and not settled yet, of one file or of all."""
    query = """
        SELECT e.id, i.name, e.line, e.meter, e.read_on, e.register, e.code, e.sentence
        FROM metering_readexception e JOIN metering_readimport i ON i.id = e.read_import_id
        WHERE e.resolved_at IS NULL AND (%s::bigint IS NULL OR e.read_import_id = %s)
        ORDER BY e.read_import_id, e.line LIMIT %s OFFSET %s
    """
    return [ExceptionRow(*row) for row in _rows(query, [import_id, import_id, limit, offset])]


def count_worklist() -> int:
    """How many records of all files were put aside and not settled yet."""
    query = "SELECT count(*) FROM metering_readexception WHERE resolved_at IS NULL"
    return int(_rows(query, [])[0][0])

"""What the pages show of the usage worklist."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from django.db import connection

from chamberlain.database.rows import rows as _rows
from chamberlain.identity.permissions import PERMISSIONS
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.frames import read_frame
from chamberlain.metering.watching.comparing import GALLONS
from chamberlain.metering.watching.models import Finding, RuleCode, Severity

PICTURED_READS = 13
RULES: dict[str, str] = dict(RuleCode.choices)
SEVERITIES: dict[int, str] = dict(Severity.choices)
FIELD_CHECKS: dict[str, str] = dict(Finding.FieldCheck.choices)
STATES = {"open": "To look at", "field_check": "Field check asked for", "closed": "Closed"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which entries: by state, and by rule, severity, class, age and person where given.

    older_than: found at least so many days before `today`. route: the code of a route.
    """

    today: date
    state: str = "open"
    rule: str = ""
    severity: int | None = None
    property_type: str = ""
    route: str = ""
    older_than: int | None = None
    assigned_to: int | None = None


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """A read as a picture shows it: thousandths of a gallon a day. is_shown: it shows the entry."""

    from_on: date
    to_on: date
    daily_thousandths: int
    is_estimate: bool
    is_verified: bool
    register: int | None
    is_shown: bool

    @property
    def days(self) -> int:
        """How many days the usage is of."""
        return (self.to_on - self.from_on).days


@dataclass(frozen=True, slots=True)
class FindingRow:
    """An entry of the worklist, with the latest reads for its picture, the oldest first."""

    finding_id: int
    version: int
    rule: str
    severity: int
    sentence: str
    state: str
    found_on: date
    seen_on: date
    holds_bill: bool
    property_type: str
    account_number: str
    service_point_id: int
    service_point: str
    address: str
    assigned_to: str
    field_check: str
    check_by: date | None
    closed_at: datetime | None
    closed_by: str
    resolution: str
    is_verified: bool
    compared_thousandths: int | None
    usage: list[DailyUsage] = field(default_factory=list)

    @property
    def rule_name(self) -> str:
        """What the rule finds."""
        return RuleCode(self.rule).label

    @property
    def severity_name(self) -> str:
        """How soon somebody should look."""
        return Severity(self.severity).label

    @property
    def field_check_name(self) -> str:
        """What was asked for in the field."""
        return Finding.FieldCheck(self.field_check).label if self.field_check else ""

    @property
    def is_open(self) -> bool:
        """Whether something can still be done."""
        return self.state != Finding.State.CLOSED

    @property
    def holds_now(self) -> bool:
        """Whether it keeps a bill back at present."""
        return self.holds_bill and self.is_open and not self.is_verified


@dataclass(frozen=True, slots=True)
class StepRow:
    """What somebody did about an entry."""

    kind: str
    by: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class SightingRow:
    """A read that shows an entry."""

    from_on: date
    to_on: date
    sentence: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watch: how far it is, and what it found."""

    watch_id: int
    on: date
    points: int
    points_done: int
    reads: int
    found: int
    seen_again: int
    started_by: str
    started_at: datetime
    finished_at: datetime | None


_FINDINGS = """
    SELECT f.id, f.version, f.rule, f.severity, f.sentence, f.state, f.found_on, f.seen_on,
        f.holds_bill, coalesce(t.name, f.property_type), coalesce(a.number, ''), s.id, s.code,
        p.address, coalesce(nullif(w.display_name, ''), w.username, ''), f.field_check, f.check_by,
        f.closed_at, coalesce(nullif(c.display_name, ''), c.username, ''), coalesce(r.name, ''),
        NOT EXISTS (SELECT 1 FROM watching_sighting g JOIN metering_read m ON m.id = g.read_id
            WHERE g.finding_id = f.id AND NOT m.is_verified),
        (SELECT g.compared_thousandths FROM watching_sighting g
            WHERE g.finding_id = f.id ORDER BY g.id DESC LIMIT 1)
    FROM watching_finding f
    JOIN registry_servicepoint s ON s.id = f.service_point_id
    JOIN registry_property p ON p.id = s.property_id
    LEFT JOIN registry_propertytype t ON t.code = f.property_type
    LEFT JOIN ledger_account a ON a.id = f.account_id
    LEFT JOIN identity_user w ON w.id = f.assigned_to_id
    LEFT JOIN identity_user c ON c.id = f.closed_by_id
    LEFT JOIN watching_resolution r ON r.code = f.resolution_id
"""
_WHERE = """
    WHERE f.state = %(state)s
        AND (%(rule)s = '' OR f.rule = %(rule)s)
        AND (%(severity)s::int IS NULL OR f.severity = %(severity)s)
        AND (%(property_type)s = '' OR f.property_type = %(property_type)s)
        AND (%(latest)s::date IS NULL OR f.found_on <= %(latest)s)
        AND (%(assigned_to)s::bigint IS NULL OR f.assigned_to_id = %(assigned_to)s)
        AND (%(route)s = '' OR f.service_point_id IN (SELECT s.service_point_id
            FROM routes_stop s JOIN routes_route r ON r.id = s.route_id WHERE r.code = %(route)s))
"""
_ORDER = {
    "open": "f.severity, f.found_on, f.id",
    "field_check": "f.check_by, f.severity, f.id",
    "closed": "f.closed_at DESC, f.id DESC",
}


def _values(chosen: Chosen) -> dict[str, Any]:
    return {
        "state": chosen.state,
        "rule": chosen.rule,
        "severity": chosen.severity,
        "property_type": chosen.property_type,
        "route": chosen.route,
        "assigned_to": chosen.assigned_to,
        "latest": chosen.today - timedelta(days=chosen.older_than) if chosen.older_than else None,
    }


def findings(chosen: Chosen, limit: int, offset: int) -> list[FindingRow]:
    """Entries with their pictures: the most urgent and oldest first, closed ones by their end."""
    query = f"{_FINDINGS}{_WHERE} ORDER BY {_ORDER[chosen.state]} LIMIT %(limit)s OFFSET %(offset)s"
    values = {**_values(chosen), "limit": limit, "offset": offset}
    return _with_usage([FindingRow(*row) for row in _rows(query, values)])


def count_findings(chosen: Chosen) -> int:
    """How many entries were chosen."""
    query = f"SELECT count(*) FROM watching_finding f {_WHERE}"
    return int(_rows(query, _values(chosen))[0][0])


def counts_by_state() -> dict[str, int]:
    """How many entries wait, by state; closed ones are not counted."""
    query = "SELECT state, count(*) FROM watching_finding WHERE state <> %s GROUP BY state"
    return {"open": 0, "field_check": 0, **dict(_rows(query, ["closed"]))}


def finding(finding_id: int) -> FindingRow:
    """One entry. Raises NotFound."""
    found = _rows(f"{_FINDINGS} WHERE f.id = %s", [finding_id])
    if not found:
        raise NotFound(f"There is no entry {finding_id} on the usage worklist.")
    return _with_usage([FindingRow(*found[0])])[0]


def findings_of_account(account_id: int, limit: int = 100) -> list[FindingRow]:
    """The latest entries about an account, without pictures, the newest first."""
    query = f"{_FINDINGS} WHERE f.account_id = %s ORDER BY f.id DESC LIMIT %s"
    return [FindingRow(*row) for row in _rows(query, [account_id, limit])]


_USAGE = """
    SELECT f.id, u.from_on, u.to_on, u.usage_thousandths, u.unit, u.quality, u.is_verified,
        u.register, EXISTS (SELECT 1 FROM watching_sighting g
            WHERE g.finding_id = f.id AND g.read_id = u.id)
    FROM watching_finding f
    JOIN LATERAL (
        SELECT r.* FROM metering_read r WHERE r.service_point_id = f.service_point_id
            AND NOT EXISTS (SELECT 1 FROM metering_read l
                WHERE l.service_point_id = r.service_point_id AND l.id > r.id
                    AND l.meter_id IS NOT DISTINCT FROM r.meter_id
                    AND l.from_on < r.to_on AND l.to_on > r.from_on)
        ORDER BY r.to_on DESC, r.id DESC LIMIT %s) u ON true
    WHERE f.id = ANY(%s) ORDER BY f.id, u.to_on, u.id
"""


def _with_usage(found: list[FindingRow]) -> list[FindingRow]:
    by_id = {row.finding_id: row for row in found}
    usages = _rows(_USAGE, [PICTURED_READS, list(by_id)]) if by_id else []
    for id_, from_on, to_on, usage, unit, quality, is_verified, register, is_shown in usages:
        daily = round(usage * GALLONS[unit] / (to_on - from_on).days)
        by_id[id_].usage.append(
            DailyUsage(
                from_on, to_on, daily, quality == "estimate", is_verified, register, is_shown
            )
        )
    return found


def classes_found() -> dict[str, str]:
    """The property types that entries are about: code and name."""
    query = """
        SELECT DISTINCT f.property_type, coalesce(t.name, f.property_type)
        FROM watching_finding f LEFT JOIN registry_propertytype t ON t.code = f.property_type
        ORDER BY 2
    """
    return dict(_rows(query, []))


def workers(today: date) -> dict[str, str]:
    """Who works on the worklist on a day: username and name."""
    query = """
        SELECT DISTINCT u.username, coalesce(nullif(u.display_name, ''), u.username)
        FROM identity_user u JOIN identity_roleassignment a ON a.user_id = u.id
        WHERE u.is_active AND NOT u.is_program AND a.period @> %s::date AND a.role = ANY(%s)
        ORDER BY 2
    """
    return dict(_rows(query, [today, [str(role) for role in PERMISSIONS["usage.work"]]]))


def steps(finding_id: int) -> list[StepRow]:
    """What was done about an entry, the newest first."""
    query = """
        SELECT t.kind, coalesce(nullif(u.display_name, ''), u.username), t.at, t.text
        FROM watching_step t JOIN identity_user u ON u.id = t.by_id
        WHERE t.finding_id = %s ORDER BY t.id DESC
    """
    return [StepRow(*row) for row in _rows(query, [finding_id])]


def sightings(finding_id: int) -> list[SightingRow]:
    """The reads that show an entry, the newest first."""
    query = """
        SELECT r.from_on, r.to_on, g.sentence, g.found_at
        FROM watching_sighting g JOIN metering_read r ON r.id = g.read_id
        WHERE g.finding_id = %s ORDER BY r.to_on DESC, r.id DESC
    """
    return [SightingRow(*row) for row in _rows(query, [finding_id])]


def latest_watch() -> WatchRow | None:
    """The newest watch, finished or not."""
    query = """
        SELECT w.id, w."on", w.points, w.points_done, w.reads, w.found, w.seen_again,
            coalesce(nullif(u.display_name, ''), u.username), w.started_at, w.finished_at
        FROM watching_watch w JOIN identity_user u ON u.id = w.started_by_id
        ORDER BY w.id DESC LIMIT 1
    """
    found = _rows(query, [])
    return WatchRow(*found[0]) if found else None


_WATCHED = {"read_id": pl.Int64, "sentence": pl.String}


def keeping_bills_back(read_ids: Sequence[int]) -> pl.DataFrame:
    """Which of the reads have an entry that keeps their bill back, and its sentence.

    An entry does so while it is not closed and the read is not verified. Returns read_id and
    sentence, a row for each such read.
    """
    if not read_ids:
        return pl.DataFrame(schema=_WATCHED)
    query = """
        SELECT DISTINCT ON (g.read_id) g.read_id, g.sentence
        FROM watching_sighting g
        JOIN watching_finding f ON f.id = g.finding_id AND f.state <> 'closed' AND f.holds_bill
        JOIN metering_read r ON r.id = g.read_id AND NOT r.is_verified
        WHERE g.read_id = ANY(%s) ORDER BY g.read_id, f.severity, g.id
    """
    connection.ensure_connection()
    return read_frame(connection.connection, query, _WATCHED, [list(read_ids)])

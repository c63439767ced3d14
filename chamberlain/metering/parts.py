"""What each meter counted of reads, and which meters count for a service point."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chamberlain.database.rows import rows as _rows
from chamberlain.metering.models import Role, Unit

UNIT_NAMES: dict[str, str] = dict(Unit.choices)
"""Units that meters count in, with their names."""

ROLE_NAMES: dict[str, str] = {role.value: str(role.label) for role in Role}
"""What a meter is to the service point that it counts for."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """What a meter counted, in thousandths of the unit; below zero where it was subtracted."""

    read_id: int | None
    meter: str
    role: str
    from_on: date
    to_on: date
    register_before: int
    register_after: int
    usage_thousandths: int
    unit: str


@dataclass(frozen=True, slots=True)
class SideRow:
    """A meter that is or was read together with the one of a service point."""

    side_meter_id: int
    serial: str
    role: str
    size: str
    unit: str
    since: date
    until: date | None
    register: int


_PARTS = """
    SELECT p.read_id, m.serial, p.role, p.from_on, p.to_on, p.register_before, p.register_after,
        CASE p.role WHEN 'deduct' THEN -p.usage_thousandths ELSE p.usage_thousandths END, m.unit
    FROM metering_readpart p JOIN metering_meter m ON m.id = p.meter_id
"""


def parts_of_reads(read_ids: Sequence[int]) -> list[PartRow]:
    """The parts of reads that more than one meter counted, by read, day and serial."""
    where = "WHERE p.read_id = ANY(%s) ORDER BY p.read_id, p.role = 'deduct', p.to_on, m.serial"
    return [PartRow(*row) for row in _rows(_PARTS + where, [list(read_ids)])]


def waiting_parts(service_point_id: int) -> list[PartRow]:
    """What meters counted that were taken out since the last read."""
    where = "WHERE p.read_id IS NULL AND p.service_point_id = %s ORDER BY p.to_on, p.id"
    return [PartRow(*row) for row in _rows(_PARTS + where, [service_point_id])]


def side_meters(service_point_id: int) -> list[SideRow]:
    """Meters that are or were read together with the one of a service point, present ones first."""
    query = """
        SELECT s.id, m.serial, s.role, m.size, m.unit, lower(s.period), upper(s.period),
            coalesce((SELECT p.register_after FROM metering_readpart p
                WHERE p.service_point_id = s.service_point_id AND p.meter_id = s.meter_id
                    AND p.to_on > lower(s.period) ORDER BY p.to_on DESC, p.id DESC LIMIT 1),
                s.register_at_start)
        FROM metering_sidemeter s JOIN metering_meter m ON m.id = s.meter_id
        WHERE s.service_point_id = %s ORDER BY upper(s.period) IS NOT NULL, m.serial, s.id
    """
    return [SideRow(*row) for row in _rows(query, [service_point_id])]

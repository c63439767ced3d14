"""Routes with what of them is read, and the sheet of one of them, for pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chamberlain.database.rows import rows
from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.kernel.errors import NotFound
from chamberlain.metering.routes.cycles import work_calendar
from chamberlain.metering.routes.days import Rhythm, Turn, turn_due_by, turn_of


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route at the time to read that a day belongs to, and what of it is read.

    read: stops with an actual read (or the customer's own); estimated: with an estimate only;
    unread: with neither.
    """

    route_id: int
    code: str
    name: str
    cycle: str
    cycle_months: int
    work_day: int
    due_on: date
    reads_after: date
    counts_until: date
    next_due_on: date
    stops: int
    read: int
    estimated: int

    @property
    def unread(self) -> int:
        """Stops without any read this time."""
        return self.stops - self.read - self.estimated

    @property
    def state(self) -> str:
        """read, partly or unread."""
        if not self.unread:
            return "read"
        return "partly" if self.read or self.estimated else "unread"


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop of a sheet: where it is, what its meter showed last, and its read of this time."""

    stop_id: int
    sequence: int
    service_point_id: int
    service_point: str
    address: str
    note: str
    serial: str | None
    dials: int | None
    unit: str | None
    last_on: date | None
    last_register: int | None
    read_on: date | None
    register: int | None
    usage_thousandths: int | None
    quality: str | None


_Row = tuple[Any, ...]

_ROUTES_SQL = """
    SELECT r.id, r.code, r.name, c.name, c.months, r.work_day, c.first_month, c.early_days
    FROM routes_route r JOIN routes_readcycle c ON c.id = r.cycle_id
"""

_COUNTS_SQL = """
    SELECT x.route_id, count(s.id), count(*) FILTER (WHERE n.is_read),
        count(*) FILTER (WHERE NOT n.is_read)
    FROM unnest(%s::bigint[], %s::date[], %s::date[]) AS x (route_id, after, up_to)
    JOIN routes_stop s ON s.route_id = x.route_id
    LEFT JOIN LATERAL (SELECT bool_or(m.quality <> 'estimate') AS is_read FROM metering_read m
        WHERE m.service_point_id = s.service_point_id AND m.to_on > x.after AND m.to_on <= x.up_to
        HAVING count(*) > 0) n ON true
    GROUP BY x.route_id
"""


def routes(today: date) -> list[RouteRow]:
    """Every route at the time to read that today belongs to, the earliest due first.

    Raises NotFound when routes are there but no work days are loaded.
    """
    found = _with_turns(rows(_ROUTES_SQL, []), today)
    return sorted(_counted(found), key=lambda row: (row.due_on, row.code))


def route(code: str, today: date) -> RouteRow:
    """One route at the time to read that today belongs to. Raises NotFound."""
    found = rows(_ROUTES_SQL + " WHERE r.code = %s", [code])
    if not found:
        raise NotFound(f"There is no route {code[:24]}; look at the list of routes.")
    return _counted(_with_turns(found, today))[0]


def routes_due(after: date, up_to: date, cycle_months: int | None) -> list[RouteRow]:
    """Routes that were due after a day and up to another, with what is read of them.

    cycle_months: those of such cycles; None is all of them.
    """
    wanted = [row for row in rows(_ROUTES_SQL, []) if cycle_months in (None, row[4])]
    found = _with_turns(wanted, up_to, turn_due_by)
    return sorted(
        _counted([(row, turn) for row, turn in found if after < turn.due_on <= up_to]),
        key=lambda row: (row.due_on, row.code),
    )


def _with_turns(
    found: Sequence[_Row],
    day: date,
    turn: Callable[[Rhythm, BusinessCalendar, date], Turn] = turn_of,
) -> list[tuple[_Row, Turn]]:
    if not found:
        return []
    calendar = work_calendar()
    turns: dict[Rhythm, Turn] = {}
    pairs = []
    for row in found:
        rhythm = Rhythm(row[4], row[6], row[7], row[5])
        if rhythm not in turns:
            turns[rhythm] = turn(rhythm, calendar, day)
        pairs.append((row, turns[rhythm]))
    return pairs


def _counted(found: Sequence[tuple[_Row, Turn]]) -> list[RouteRow]:
    counts = {
        route_id: tuple(counted)
        for route_id, *counted in rows(
            _COUNTS_SQL,
            [
                [row[0] for row, _ in found],
                [turn.reads_after for _, turn in found],
                [turn.counts_until for _, turn in found],
            ],
        )
    }
    return [
        RouteRow(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            turn.due_on,
            turn.reads_after,
            turn.counts_until,
            turn.next_due_on,
            *counts.get(row[0], (0, 0, 0)),
        )
        for row, turn in found
    ]


_STOPS_SQL = """
    SELECT s.id, s.sequence, s.service_point_id, p.code, q.address, s.note, m.serial, m.dials,
        m.unit, l.to_on, l.register, n.to_on, n.register, n.usage_thousandths, n.quality
    FROM routes_stop s
    JOIN registry_servicepoint p ON p.id = s.service_point_id
    JOIN registry_property q ON q.id = p.property_id
    LEFT JOIN LATERAL (SELECT meter_id, period, register_at_start FROM metering_installation
        WHERE service_point_id = s.service_point_id AND upper_inf(period)
        ORDER BY lower(period) DESC LIMIT 1) i ON true
    LEFT JOIN metering_meter m ON m.id = i.meter_id
    LEFT JOIN LATERAL (SELECT r.to_on, r.register FROM metering_read r
        WHERE r.service_point_id = s.service_point_id AND r.meter_id = m.id
            AND r.register IS NOT NULL AND r.to_on <= %(after)s AND r.to_on > lower(i.period)
        ORDER BY r.to_on DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (SELECT r.to_on, r.register, r.usage_thousandths, r.quality
        FROM metering_read r
        WHERE r.service_point_id = s.service_point_id
            AND r.to_on > %(after)s AND r.to_on <= %(up_to)s
            AND NOT EXISTS (SELECT 1 FROM metering_read o
                WHERE o.service_point_id = r.service_point_id AND o.register IS NOT NULL
                    AND r.register IS NULL AND o.to_on = r.to_on)
        ORDER BY r.quality = 'estimate', r.to_on DESC, r.id DESC LIMIT 1) n ON true
    WHERE s.route_id = %(route)s
        AND (%(which)s = 'all' OR (%(which)s = 'unread' AND n.to_on IS NULL)
            OR (%(which)s = 'estimated' AND n.quality = 'estimate'))
    ORDER BY s.sequence LIMIT %(limit)s OFFSET %(offset)s
"""


def stops(
    row: RouteRow, which: str = "all", limit: int | None = None, offset: int = 0
) -> list[StopRow]:
    """The stops of a route in their order: all of them, the unread, or the estimated."""
    params = {
        "route": row.route_id,
        "after": row.reads_after,
        "up_to": row.counts_until,
        "which": which,
        "limit": limit,
        "offset": offset,
    }
    return [StopRow(*found) for found in rows(_STOPS_SQL, params)]

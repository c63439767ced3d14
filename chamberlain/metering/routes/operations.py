"""What people do with routes: look at a file of them, read it in, type a day's reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection, transaction

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, BadFile, NotFound, Refused
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.metering.routes.files import ReadFile, judged, read_lines
from chamberlain.metering.routes.low_reads import record_typed
from chamberlain.metering.routes.models import Route, RouteFile, Stop


@dataclass(frozen=True, slots=True)
class ReadIn:
    """What became of a file: routes made or replaced, and their stops."""

    routes: int
    stops: int


@dataclass(frozen=True, slots=True)
class Typed:
    """What became of typed reads: how many are recorded, and a sentence for each other stop."""

    recorded: int
    refusals: Mapping[int, str]


def keep_route_file(actor: Actor, content: bytes, name: str, now: datetime) -> int:
    """Keeps a file of routes to be looked at; returns its id. Raises Invalid (no such file)."""
    actor.require("route.change")
    read_lines(content)
    return RouteFile.objects.create(
        name=name[:120], content=content, kept_at=now, kept_by_id=actor.user_id
    ).pk


def look_at_route_file(actor: Actor, file_id: int) -> tuple[str, ReadFile]:
    """The name of a kept file, its stops, and a sentence for each wrong line. Raises NotFound."""
    actor.require("route.change")
    kept = _kept(file_id)
    return kept.name, _judged(bytes(kept.content))


def read_in_routes(actor: Actor, file_id: int, now: datetime) -> ReadIn:
    """Makes the routes of a kept file, or replaces them as a whole.

    Raises NotFound, AlreadyDone, and BadFile with every wrong line; then nothing is changed.
    """
    actor.require("route.change")
    with acting(actor), transaction.atomic():
        kept = _kept(file_id, for_update=True)
        if kept.read_in_at:
            raise AlreadyDone("This file was read in before; the routes have its stops.")
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE routes_stop IN SHARE ROW EXCLUSIVE MODE")
        found = _judged(bytes(kept.content))
        if found.faults:
            raise BadFile(
                f"{kept.name}: {found.faults[0]} Nothing was changed; correct the file.",
                found.faults,
            )
        routes = _routes(found.stops)
        Stop.objects.filter(route_id__in=list(routes.values())).delete()
        stops = found.stops.with_columns(
            route_id=pl.col("route").replace_strict(routes, return_dtype=pl.Int64)
        ).select("route_id", "sequence", "service_point_id", "note")
        database = connection.connection
        ids = next_ids(database, "routes_stop", stops.height)
        copy_frame(database, "routes_stop", stops.with_columns(id=ids))
        kept.read_in_at = now
        kept.save(update_fields=["read_in_at"])
    return ReadIn(len(routes), stops.height)


def drop_route_file(actor: Actor, file_id: int) -> None:
    """Drops a file that was looked at only. Raises NotFound, AlreadyDone when it was read in."""
    actor.require("route.change")
    with transaction.atomic():
        kept = _kept(file_id, for_update=True)
        if kept.read_in_at:
            raise AlreadyDone("This file was read in; read in another one to change its routes.")
        kept.delete()


def type_reads(
    actor: Actor, route_code: str, on: date, registers: Mapping[int, int], today: date
) -> Typed:
    """Records what was typed from a route's sheet, each stop for itself.

    registers: what the meter shows, by id of the stop. What cannot be a read is left out with its
    sentence. A register below an estimate, but not below the last actual read, is recorded and
    trued up. Raises NotFound (route).
    """
    actor.require("read.import")
    stops = _serials(route_code, registers)
    refusals = {}
    for stop_id, register in registers.items():
        meters, serial = stops.get(stop_id, (0, ""))
        try:
            if not meters:
                raise NotFound("No meter is installed at this stop; install one first.")
            if meters > 1:
                raise Refused(f"{meters} meters serve this stop; read each of them in from a file.")
            record_typed(actor, serial, on, register, today)
        except Refused as refusal:
            refusals[stop_id] = refusal.sentence
    return Typed(len(registers) - len(refusals), refusals)


def _kept(file_id: int, *, for_update: bool = False) -> RouteFile:
    files = RouteFile.objects.select_for_update() if for_update else RouteFile.objects
    found = files.filter(pk=file_id).first()
    if found is None:
        raise NotFound("There is no such file of routes; read it in again.")
    return found


_CYCLES_SQL = "SELECT code, id, work_days::bigint FROM routes_readcycle"
_POINTS_SQL = """
    SELECT p.code, p.id, r.code FROM registry_servicepoint p
    LEFT JOIN routes_stop s ON s.service_point_id = p.id
    LEFT JOIN routes_route r ON r.id = s.route_id
    WHERE p.code = ANY(%s)
"""


def _judged(content: bytes) -> ReadFile:
    connection.ensure_connection()
    database = connection.connection
    lines = read_lines(content)
    codes = lines["service_point"].unique().to_list()
    return judged(
        lines,
        read_frame(
            database,
            _CYCLES_SQL,
            {"cycle": pl.String, "cycle_id": pl.Int64, "work_days": pl.Int64},
        ),
        read_frame(
            database,
            _POINTS_SQL,
            {"service_point": pl.String, "service_point_id": pl.Int64, "on_route": pl.String},
            [codes],
        ),
    )


def _routes(stops: pl.DataFrame) -> dict[str, int]:
    """The file's routes, made or changed, with their ids by code."""
    wanted = stops.group_by("route", maintain_order=True).agg(
        pl.col("cycle_id").first(),
        pl.col("work_day").first(),
        name=pl.col("name").filter(pl.col("name") != "").first(),
    )
    routes = [
        Route(
            code=row["route"],
            name=row["name"] or row["route"],
            cycle_id=row["cycle_id"],
            work_day=row["work_day"],
        )
        for row in wanted.iter_rows(named=True)
    ]
    made = Route.objects.bulk_create(
        routes,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "cycle", "work_day"],
    )
    return {route.code: int(route.pk) for route in made}


_SERIALS_SQL = """
    SELECT s.id, count(m.id), min(m.serial) FROM routes_stop s
    JOIN routes_route r ON r.id = s.route_id
    LEFT JOIN metering_installation i ON i.service_point_id = s.service_point_id
        AND upper_inf(i.period)
    LEFT JOIN metering_meter m ON m.id = i.meter_id
    WHERE r.code = %s AND s.id = ANY(%s)
    GROUP BY s.id
"""


def _serials(route_code: str, registers: Mapping[int, int]) -> dict[int, tuple[int, str]]:
    if not Route.objects.filter(code=route_code).exists():
        raise NotFound(f"There is no route {route_code[:24]}; look at the list of routes.")
    found = rows(_SERIALS_SQL, [route_code, list(registers)])
    return {stop_id: (meters, serial) for stop_id, meters, serial in found}

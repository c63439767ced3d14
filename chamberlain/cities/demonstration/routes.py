"""Routes of the made-up city: metered places of a postal code, street by street."""

import polars as pl
from django.db import connection

from chamberlain.identity.actors import Actor
from chamberlain.identity.history import copy_recorded
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.metering.routes.models import ReadCycle

STOPS = 250
STEP = 10
CYCLE = "bimonthly"


def make_routes(actor: Actor, metered: pl.DataFrame) -> int:
    """Puts metered places on routes of at most so many stops; returns the number of routes.

    metered: service_point_id, postal_code, address. Needs the city's cycles loaded.
    """
    database = connection.connection
    cycle = ReadCycle.objects.get(code=CYCLE)
    street = pl.col("address").str.replace(r"^\S+\s+", "")
    number = pl.col("address").str.extract(r"^(\d+)").cast(pl.Int64)
    placed = metered.sort("postal_code", street, number, "service_point_id").with_columns(
        place=pl.int_range(pl.len()).over("postal_code")
    )
    placed = placed.with_columns(
        code=pl.format("{}-{}", "postal_code", pl.col("place") // STOPS + 1)
    )
    codes = placed.select("code").unique(maintain_order=True)
    routes = codes.with_columns(
        id=next_ids(database, "routes_route", codes.height),
        name=pl.format("Postal code {}", pl.col("code").str.head(5)),
        cycle_id=pl.lit(cycle.pk),
        work_day=pl.int_range(pl.len()) % cycle.work_days + 1,
    )
    copy_recorded(actor, "routes_route", routes)
    stops = placed.join(routes.select("code", route_id="id"), on="code", maintain_order="left")
    copy_frame(
        database,
        "routes_stop",
        stops.select(
            "route_id",
            "service_point_id",
            id=next_ids(database, "routes_stop", stops.height),
            sequence=(pl.col("place") % STOPS + 1) * STEP,
            note=pl.lit(""),
        ),
    )
    return routes.height

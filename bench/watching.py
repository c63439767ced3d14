"""A watch of the whole city's new reads, against reading the same reads out by COPY.

Each service point has reads of a year before its new one. Some forty in a thousand use twenty
times as much as before, so that the watch has entries to make.
"""

import time
from datetime import UTC, datetime, timedelta

from psycopg import sql

from bench import city
from bench.figures import Figure
from bench.room import Room

_PAST = """
    INSERT INTO metering_read (service_point_id, meter_id, from_on, to_on, register,
        usage_thousandths, unit, quality, is_verified, source)
    SELECT r.service_point_id, r.meter_id, r.from_on - 59 * j, r.to_on - 59 * j, NULL,
        r.usage_thousandths, r.unit, 'actual', true, 'past:' || j || ':' || r.id
    FROM metering_read r, generate_series(1, 7) j ORDER BY r.service_point_id, j
"""
_NEW = """
    UPDATE metering_read SET is_verified = false,
        usage_thousandths = CASE WHEN id %% 25 = 0 THEN 20 ELSE 1 END * usage_thousandths
    WHERE to_on = %s
"""


def measure(room: Room) -> list[Figure]:
    """New reads looked at a second."""
    room.database()
    built = city.build(room)
    with room.connect(owner=True) as owner:
        owner.execute(sql.SQL(_PAST))
        owner.execute(sql.SQL(_NEW), [city.READ_ON])
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE metering_read")
    started = time.perf_counter()
    _watch()
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    with room.connect() as office, office.cursor().copy(_COPY) as copy:
        for _ in copy:
            pass
    limit_seconds = time.perf_counter() - started
    return [
        Figure(
            "watching",
            round(built.accounts / seconds, 1),
            "reads/s",
            "COPY of the same reads with a year before them out of the database",
            round(built.accounts / limit_seconds, 1),
            round(limit_seconds / seconds, 3),
        )
    ]


_COPY = "COPY metering_read TO STDOUT (FORMAT csv)"


def _watch() -> None:
    from chamberlain.identity.actors import program_actor
    from chamberlain.metering.watching.watches import plan_watch, run_watch

    on = city.READ_ON + timedelta(days=1)
    actor = program_actor()
    result = run_watch(plan_watch(actor, on, datetime.now(UTC), "bench", city.FIRST))
    assert result.found, "the watch found nothing"

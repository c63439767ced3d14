"""The watch: all reads since the last one, looked at by the city's rules, in chunks.

A chunk of service points commits on its own. A watch that was killed goes on behind its last
chunk, and no read is said to show the same thing twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl
from django.db import connection, transaction

from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.metering.models import Read
from chamberlain.metering.operations import wait_for_imports
from chamberlain.metering.watching import reading, rules
from chamberlain.metering.watching.comparing import POINT
from chamberlain.metering.watching.entering import enter
from chamberlain.metering.watching.models import Watch
from chamberlain.metering.watching.reading import Scope
from chamberlain.metering.watching.terms import Terms, terms_on

CHUNK_POINTS = 50_000
_LOCK = 613_081


@dataclass(frozen=True, slots=True)
class WatchResult:
    """What a watch brought: reads looked at, new entries, and entries that were seen again."""

    watch_id: int
    on: date
    reads: int
    found: int
    seen_again: int


def plan_watch(
    actor: Actor, on: date, now: datetime, idempotency_key: str, since: date | None = None
) -> int:
    """Plans a watch over the reads since the last one; returns its id, for `run_watch`.

    since: look at all reads that ended after this day again, as after new thresholds. The same
    key gives the same watch, and so does a watch that is not finished yet: it goes on. Raises
    NotFound (no rules that day), Invalid (since is not before the day).
    """
    actor.require("usage.watch")
    terms = terms_on(on)
    if since is not None and since >= on:
        raise Invalid("Give a day before the day of the watch.", field="since")
    with acting(actor), transaction.atomic():
        wait_for_imports(alone=True)
        unfinished = Watch.objects.filter(finished_at=None).first()
        before = unfinished or Watch.objects.filter(idempotency_key=idempotency_key).first()
        if before is not None:
            return int(before.pk)
        last = Watch.objects.order_by("-id").first()
        newest = Read.objects.order_by("-id").values_list("id", flat=True).first() or 0
        scope = Scope(
            after=last.up_to_read if last and since is None else 0,
            up_to=newest,
            since=since or on - timedelta(days=terms.look_back_days),
        )
        return int(
            Watch.objects.create(
                on=on,
                since=scope.since,
                after_read=scope.after,
                up_to_read=scope.up_to,
                points=reading.points(connection.connection, scope).height,
                started_by_id=actor.user_id,
                started_at=now,
                idempotency_key=idempotency_key,
            ).pk
        )


def run_watch(
    watch_id: int,
    *,
    chunk_points: int = CHUNK_POINTS,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> WatchResult:
    """Goes through what is left of a planned watch; progress: service points done, and of how many.

    Raises NotFound, and AlreadyDone while another process goes through it.
    """
    watch = Watch.objects.filter(pk=watch_id).first()
    if watch is None:
        raise NotFound(f"There is no watch {watch_id}; look at the worklist.")
    scope = Scope(watch.after_read, watch.up_to_read, watch.since)
    with _alone():
        watch.refresh_from_db()
        if watch.finished_at is None:
            _go_through(watch, scope, chunk_points, progress)
    return WatchResult(watch.pk, watch.on, watch.reads, watch.found, watch.seen_again)


@contextmanager
def _alone() -> Iterator[None]:
    if not rows("SELECT pg_try_advisory_lock(%s)", [_LOCK])[0][0]:
        raise AlreadyDone("A watch is under way; wait until it has ended.")
    try:
        yield
    finally:
        if not connection.needs_rollback:
            rows("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _go_through(
    watch: Watch, scope: Scope, chunk_points: int, progress: Callable[[int, int], None]
) -> None:
    connection.ensure_connection()
    database = connection.connection
    terms = terms_on(watch.on)
    classes = reading.classes(database, watch.on, terms.usual_days)
    left = reading.points(database, scope).filter(pl.col(POINT) > watch.looked_up_to)
    actor = Actor(watch.started_by_id, str(watch.started_by), frozenset())
    for part in left.iter_slices(chunk_points):
        first, last = int(part[POINT][0]), int(part[POINT][-1])
        with acting(actor), transaction.atomic():
            shown = _shown(scope, terms, classes, first, last)
            new, again = enter(actor, shown, watch.on, watch.started_at, first, last)
            watch.found, watch.seen_again = watch.found + new, watch.seen_again + again
            watch.reads += int(part["reads"].sum())
            watch.points_done += part.height
            watch.looked_up_to = last
            watch.save()
        progress(watch.points_done, watch.points)
    watch.finished_at = datetime.now(UTC)
    watch.save(update_fields=["finished_at"])


def _shown(
    scope: Scope, terms: Terms, classes: pl.DataFrame, first: int, last: int
) -> pl.DataFrame:
    database = connection.connection
    return rules.found(
        reading.reads(database, scope, terms.usual_days, first, last),
        reading.places(database, first, last),
        reading.holders(database, first, last),
        classes,
        terms,
    )

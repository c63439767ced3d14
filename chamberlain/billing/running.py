"""Runs the chunks of a bill run: in this process, in local workers, or on a Dask cluster.

Whoever runs them, it is the same chunk function, and a chunk that is posted is never posted
again. So a run that was stopped or killed is resumed by running it once more.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connections
from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from chamberlain.billing.models import BillRun, Chunk
from chamberlain.billing.workers import post_in_worker, post_on_cluster, start_worker
from chamberlain.kernel.errors import NotFound

LARGEST_WORKERS = 64


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: chunks done of all, and what they billed and held back so far."""

    done: int
    chunks: int
    bills: int
    held: int
    cents: int
    is_stopped: bool = False


Listener = Callable[[RunProgress], None]


def run(
    run_id: int,
    *,
    workers: int = 1,
    dask: str | None = None,
    progress: Listener = lambda _: None,
) -> RunProgress:
    """Posts the chunks of a run that are not posted yet.

    workers: local processes; dask: the address of a scheduler, instead. progress: called after
    each chunk. Ends early when a stop was asked for. Raises NotFound, and DayClosed when the
    run's business day was closed; chunks posted until then stay.
    """
    if not BillRun.objects.filter(pk=run_id).exists():
        raise NotFound(f"There is no bill run {run_id}; look at the list of runs.")
    BillRun.objects.filter(pk=run_id).exclude(status=BillRun.Status.DONE).update(
        status=BillRun.Status.RUNNING, stop_requested=False
    )
    numbers = list(
        Chunk.objects.filter(run_id=run_id, posted_at=None)
        .order_by("number")
        .values_list("number", flat=True)
    )
    try:
        for _ in _chunks_done(run_id, numbers, workers, dask):
            progress(progress_of(run_id))
    finally:
        _settle_status(run_id)
    return progress_of(run_id)


def progress_of(run_id: int) -> RunProgress:
    """How far a run is."""
    sums = Chunk.objects.filter(run_id=run_id).aggregate(
        chunks=Count("id"),
        done=Count("posted_at"),
        bills=Coalesce(Sum("bills"), 0),
        held=Coalesce(Sum("held"), 0),
        cents=Coalesce(Sum("cents"), 0),
    )
    return RunProgress(**sums, is_stopped=_stop_requested(run_id))


def _settle_status(run_id: int) -> None:
    is_done = not Chunk.objects.filter(run_id=run_id, posted_at=None).exists()
    BillRun.objects.filter(pk=run_id).update(
        status=BillRun.Status.DONE if is_done else BillRun.Status.STOPPED,
        finished_at=datetime.now(UTC) if is_done else None,
    )


def _stop_requested(run_id: int) -> bool:
    return BillRun.objects.filter(pk=run_id, stop_requested=True).exists()


def _chunks_done(run_id: int, numbers: list[int], workers: int, dask: str | None) -> Iterator[int]:
    if dask is not None:
        yield from _on_dask(run_id, numbers, dask)
    elif workers > 1 and len(numbers) > 1:
        with local_workers(min(workers, len(numbers), LARGEST_WORKERS)) as pool:
            yield from _in_pool(run_id, numbers, pool, workers)
    else:
        yield from _here(run_id, numbers)


def _here(run_id: int, numbers: list[int]) -> Iterator[int]:
    from chamberlain.billing.chunks import post_chunk  # noqa: PLC0415 - loads the rating

    for number in numbers:
        if _stop_requested(run_id):
            return
        post_chunk(run_id, number)
        yield number


def _in_pool(
    run_id: int, numbers: list[int], pool: ProcessPoolExecutor, workers: int
) -> Iterator[int]:
    """Keeps only as many chunks under way as there are workers, so that a stop holds soon."""
    waiting = iter(numbers)
    under_way = {pool.submit(post_in_worker, run_id, number) for number in islice(waiting, workers)}
    while under_way:
        done = next(as_completed(under_way))
        under_way.remove(done)
        number = done.result()
        if not _stop_requested(run_id):
            under_way |= {
                pool.submit(post_in_worker, run_id, following) for following in islice(waiting, 1)
            }
        yield number


def _on_dask(run_id: int, numbers: list[int], address: str) -> Iterator[int]:
    from distributed import Client  # noqa: PLC0415
    from distributed import as_completed as dask_as_completed  # noqa: PLC0415

    database = _database_settings()
    with Client(address) as client:
        futures = client.map(
            post_on_cluster,
            [(run_id, number, database) for number in numbers],
            pure=False,
            retries=2,
        )
        for future in dask_as_completed(futures):
            yield future.result()
            if _stop_requested(run_id):
                client.cancel(futures)
                return


@contextmanager
def local_workers(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that start clean, each with one thread for frames and its own connection."""
    connections.close_all()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_worker,
        initargs=(_database_settings(),),
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _database_settings() -> dict[str, Any]:
    settings = connections["default"].settings_dict
    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    return {name: settings[name] for name in names}

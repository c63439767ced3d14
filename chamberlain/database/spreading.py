"""One function for many items: in this process, in local processes, or on a Dask cluster.

The function is a module's own, takes one item and returns plain values. Its module imports no
table before Django is set up, since a fresh process reads it first.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

LARGEST_WORKERS = 64
Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int = 1,
    dask: str | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Result]:
    """The result of each item as it is done, in no order.

    workers: local processes; dask: the address of a scheduler, instead. is_stopped: asked after
    each item; what is under way then is finished, and nothing more is begun.
    """
    if dask is not None:
        yield from _on_dask(function, items, dask, is_stopped)
    elif workers > 1 and len(items) > 1:
        with _local_workers(min(workers, len(items), LARGEST_WORKERS)) as pool:
            yield from _in_pool(function, items, pool, workers, is_stopped)
    else:
        yield from _here(function, items, is_stopped)


def start_worker(database: dict[str, Any]) -> None:
    """Makes a new process ready: one thread for frames, and the office's database."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chamberlain.settings")
    import django  # noqa: PLC0415

    django.setup()
    from django.db import connections  # noqa: PLC0415

    connections["default"].settings_dict.update(database)


def _here(
    function: Callable[[Item], Result], items: Sequence[Item], is_stopped: Callable[[], bool]
) -> Iterator[Result]:
    for item in items:
        if is_stopped():
            return
        yield function(item)


def _in_pool(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    pool: ProcessPoolExecutor,
    workers: int,
    is_stopped: Callable[[], bool],
) -> Iterator[Result]:
    """Keeps only as many items under way as there are workers, so that a stop holds soon."""
    waiting = iter(items)
    under_way = {pool.submit(function, item) for item in islice(waiting, workers)}
    while under_way:
        done = next(as_completed(under_way))
        under_way.remove(done)
        result = done.result()
        if not is_stopped():
            under_way |= {pool.submit(function, item) for item in islice(waiting, 1)}
        yield result


def _on_dask(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    address: str,
    is_stopped: Callable[[], bool],
) -> Iterator[Result]:
    from distributed import Client  # noqa: PLC0415
    from distributed import as_completed as dask_as_completed  # noqa: PLC0415

    database = _database_settings()
    with Client(address) as client:
        tasks = [(function, item, database) for item in items]
        futures = client.map(_on_cluster, tasks, pure=False, retries=2)
        for future in dask_as_completed(futures):
            yield future.result()
            if is_stopped():
                client.cancel(futures)
                return


def _on_cluster(task: tuple[Callable[[Any], Any], Any, dict[str, Any]]) -> Any:
    function, item, database = task
    start_worker(database)
    return function(item)


@contextmanager
def _local_workers(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that start clean, each with one thread for frames and its own connection."""
    from django.db import connections  # noqa: PLC0415

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
    from django.db import connections  # noqa: PLC0415

    settings = connections["default"].settings_dict
    names = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    return {name: settings[name] for name in names}

"""What a worker process runs. It imports no table before Django is set up in that process."""

import os
from typing import Any


def start_worker(database: dict[str, Any]) -> None:
    """Makes a new process ready: one thread for frames, and the run's database."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chamberlain.settings")
    import django  # noqa: PLC0415

    django.setup()
    from django.db import connections  # noqa: PLC0415

    connections["default"].settings_dict.update(database)


def post_in_worker(run_id: int, number: int) -> int:
    """Posts one chunk of a run; returns its number."""
    from chamberlain.billing.chunks import post_chunk  # noqa: PLC0415

    return post_chunk(run_id, number).number


def post_on_cluster(task: tuple[int, int, dict[str, Any]]) -> int:
    """The same on a machine of a cluster: run, number and the database's address."""
    run_id, number, database = task
    start_worker(database)
    return post_in_worker(run_id, number)

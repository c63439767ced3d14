"""Runs the chunks of a bill run: in this process, in local workers, or on a Dask cluster.

Whoever runs them, it is the same chunk function, and a chunk that is posted is never posted
again. So a run that was stopped or killed is resumed by running it once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from chamberlain.billing.models import BillRun, Chunk
from chamberlain.billing.workers import post_in_worker
from chamberlain.database.spreading import spread
from chamberlain.kernel.errors import NotFound


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
        for _ in spread(
            post_in_worker,
            [(run_id, number) for number in numbers],
            workers=workers,
            dask=dask,
            is_stopped=lambda: _stop_requested(run_id),
        ):
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

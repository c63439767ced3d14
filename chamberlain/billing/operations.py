"""What people do with bill runs: plan one, stop it, settle its worklist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Q

from chamberlain.billing.models import BillRun, Hold
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import DayClosed
from chamberlain.metering.watching.queries import keeping_bills_back
from chamberlain.tariffs.models import Tariff

CHUNK_BILLS = 20_000


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is to bill.

    Metered: reads that end on or before `reads_up_to`. With `reads_after`, agreements of the
    cycle that have no read between the two go to the worklist. Non-metered: the season from
    `season_from_on` up to `season_to_on`. cycle_months: None bills every cycle.
    """

    name: str
    tariff_code: str
    business_day_id: int
    due_on: date
    reads_up_to: date
    is_metered: bool = True
    reads_after: date | None = None
    season_from_on: date | None = None
    season_to_on: date | None = None
    cycle_months: int | None = None
    chunk_bills: int = CHUNK_BILLS


def plan_bill_run(actor: Actor, plan: RunPlan, now: datetime, idempotency_key: str) -> int:
    """Plans a run and cuts it into chunks; returns its id. The same key returns the same run.

    Raises Invalid (dates, season), NotFound (tariff, business day), DayClosed.
    """
    with transaction.atomic():
        found = BillRun.objects.filter(idempotency_key=idempotency_key).first()
        if found:
            actor.require_own(found.started_by_id)
            return int(found.pk)
        day = BusinessDay.objects.filter(pk=plan.business_day_id).first()
        if day is None:
            raise NotFound("There is no such business day; open one for the revenue office.")
        actor.require("bill_run.start", day.center_id)
        tariff = Tariff.objects.filter(code=plan.tariff_code).first()
        if tariff is None:
            raise NotFound(f"There is no tariff {plan.tariff_code}; load it first.", field="tariff")
        _check_plan(plan, day)
        run = BillRun.objects.create(
            name=plan.name,
            tariff=tariff,
            is_metered=plan.is_metered,
            cycle_months=plan.cycle_months,
            reads_after=plan.reads_after,
            reads_up_to=plan.reads_up_to,
            season_from_on=plan.season_from_on,
            season_to_on=plan.season_to_on,
            business_day=day,
            due_on=plan.due_on,
            started_by_id=actor.user_id,
            created_at=now,
            idempotency_key=idempotency_key,
        )
        _cut(run, plan.chunk_bills)
        return int(run.pk)


def _check_plan(plan: RunPlan, day: BusinessDay) -> None:
    if day.closed_at:
        raise DayClosed(f"{day.day:%B %-d, %Y} is closed; plan the run on an open business day.")
    if plan.due_on < day.day:
        raise Invalid(
            "The due date is before the day of the run; give a later one.", field="due_on"
        )
    if plan.reads_after and plan.reads_after >= plan.reads_up_to:
        raise Invalid("The first day of reads is after the last; swap them.", field="reads_after")
    start, end = plan.season_from_on, plan.season_to_on
    if not plan.is_metered and (start is None or end is None or end <= start):
        raise Invalid(
            "A run of non-metered accounts needs a season that ends after it starts.",
            field="season_to_on",
        )


_CUT_SQL = """
    INSERT INTO billing_chunk (run_id, number, first_agreement, last_agreement, bills, held, cents,
        seconds)
    SELECT %(run)s, row_number() OVER (ORDER BY min(id)), min(id), max(id), 0, 0, 0, 0
    FROM (
        SELECT id, account_id,
            (sum(bills) OVER (ORDER BY account_id, id) - bills)::bigint / %(size)s AS part
        FROM (
            SELECT a.id, a.account_id, greatest(1, count(r.id)) AS bills
            FROM billing_serviceagreement a
            LEFT JOIN metering_read r ON %(metered)s AND r.service_point_id = a.service_point_id
                AND r.to_on <= %(up_to)s AND r.to_on > %(after)s
            WHERE a.tariff_id = %(tariff)s AND a.is_metered = %(metered)s
            GROUP BY a.id, a.account_id) counted) parted
    GROUP BY part
"""


def _cut(run: BillRun, chunk_bills: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _CUT_SQL,
            {
                "run": run.pk,
                "size": chunk_bills,
                "metered": run.is_metered,
                "tariff": run.tariff_id,
                "up_to": run.reads_up_to,
                "after": run.reads_after or date.min,
            },
        )


def request_stop(actor: Actor, run_id: int) -> None:
    """Asks a run to stop after the chunks under way; what is posted stays."""
    actor.require("bill_run.stop")
    if not BillRun.objects.filter(pk=run_id).update(stop_requested=True):
        raise NotFound(f"There is no bill run {run_id}; look at the list of runs.")


def resume_bill_run(actor: Actor, run_id: int) -> None:
    """Lets a run that was stopped, or that no worker took, be run again; the caller hands it over.

    Raises NotFound, and AlreadyDone for a run with nothing left to post.
    """
    actor.require("bill_run.start")
    waiting = BillRun.objects.filter(pk=run_id).exclude(status=BillRun.Status.DONE)
    if not waiting.update(status=BillRun.Status.PLANNED, stop_requested=False):
        if BillRun.objects.filter(pk=run_id).exists():
            raise AlreadyDone("This run is done; nothing is left to bill.")
        raise NotFound(f"There is no bill run {run_id}; look at the list of runs.")


def resolve_hold(actor: Actor, hold_id: int, resolution: str, now: datetime) -> None:
    """Takes an item off a worklist, saying what was done about it. The next run looks again."""
    actor.require("hold.resolve")
    if not resolution.strip():
        raise Invalid("Say what was done about it.", field="resolution")
    with transaction.atomic():
        hold = Hold.objects.select_for_update().filter(pk=hold_id).first()
        if hold is None:
            raise NotFound("There is no such item on a worklist.")
        if hold.resolved_at:
            raise AlreadyDone("This item was resolved already.")
        hold.resolved_at, hold.resolved_by_id = now, actor.user_id
        hold.resolution = resolution.strip()[:200]
        hold.save(update_fields=["resolved_at", "resolved_by", "resolution"])


def release_holds(actor: Actor, read_ids: Sequence[int], now: datetime) -> int:
    """Takes what waited only until somebody looked at these reads off the worklists of runs.

    That is absurd usage of a read that is verified by now, and usage whose entry on the usage
    worklist keeps nothing back any more. The next run bills it. Returns how many.
    """
    actor.require("hold.resolve")
    kept_back = keeping_bills_back(read_ids)["read_id"].to_list()
    looked_at = Q(code="absurd_usage", read__is_verified=True) | (
        Q(code="watched_usage") & ~Q(read__in=kept_back)
    )
    return Hold.objects.filter(looked_at, read__in=read_ids, resolved_at=None).update(
        resolved_at=now, resolved_by_id=actor.user_id, resolution="Somebody looked at the usage"
    )

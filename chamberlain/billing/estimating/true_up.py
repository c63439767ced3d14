"""What people do: look at what true-ups would change, and post them, of one meter or a cycle.

A true-up is a rebill: its reads are corrected, its bills recomputed and replaced by the rebilling
room, under the city's limits of rebilling. All that was chosen is recomputed and posted at once.
What a second person has to decide is handed to one; what cannot be posted is left out with a
sentence.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.composing import Posting
from chamberlain.billing.estimating import weighing
from chamberlain.billing.estimating.due import Due, due
from chamberlain.billing.estimating.models import TrueUp
from chamberlain.billing.estimating.terms import terms_on
from chamberlain.billing.estimating.weighing import Weighed
from chamberlain.billing.rebilling import operations as rebilling
from chamberlain.billing.rebilling.corrections import Corrections
from chamberlain.billing.rebilling.models import CorrectedRead, Rebill
from chamberlain.billing.rebilling.operations import Changed, NewRebill, limits_on
from chamberlain.billing.rebilling.posting import Replaced, replace_bills
from chamberlain.billing.rebilling.recomputing import (
    Recomputed,
    Scope,
    accounts_of,
    kept,
    recompute,
)
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.ledger import chart
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import lock_balances, sentences
from chamberlain.metering.models import Read

MOST_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Looked:
    """True-ups as they would be posted. seen: a digest of all of it."""

    true_ups: tuple[Weighed, ...]
    seen: str

    @property
    def difference_cents(self) -> int:
        """What the bills change by, of those that would be posted or handed on."""
        return sum(each.difference_cents for each in self.true_ups if not each.refusal)


@dataclass(frozen=True, slots=True)
class TruedUp:
    """What became of true-ups: posted, handed to a second person, right as estimated, left out."""

    posted: int
    asked: int
    right: int
    left_out: int
    difference_cents: int


def look_at_true_ups(actor: Actor, run_ids: Sequence[int], today: date) -> Looked:
    """What true-ups would change; nothing is posted. run_ids: the actual reads that end them.

    Raises Invalid when none of them is due any more, or they are too many at once.
    """
    actor.require("bill.rebill")
    with transaction.atomic():
        looked, _, _ = _weighed(actor, run_ids, today)
        transaction.set_rollback(True)
    return looked


def post_true_ups(
    actor: Actor,
    run_ids: Sequence[int],
    seen: str,
    business_day_id: int,
    today: date,
    now: datetime,
) -> TruedUp:
    """Posts true-ups that were looked at, on an open business day.

    Those of the city's amount are handed to a second person. Raises Invalid (none due), DayClosed,
    and Changed when what would be posted is not what was shown; then nothing is posted.
    """
    actor.require("bill.rebill")
    with transaction.atomic(), sentences():
        day = day_to_post_on(business_day_id, else_do="true up on an open day")
        point = transaction.savepoint()
        looked, found, corrected = _weighed(actor, run_ids, today)
        transaction.savepoint_rollback(point)
        if looked.seen != seen:
            raise Changed(
                "The accounts changed since you looked; look at the true-ups again before you "
                "post them."
            )
        alone = [each for each in looked.true_ups if each.is_posted_alone]
        posting = Posting(
            run_id=None,
            business_day_id=day.pk,
            actor_id=actor.user_id,
            issued_on=day.day,
            due_on=day.day + timedelta(days=limits_on(today).due_days),
            posted_at=now,
            credits_id=chart.ledger_account_id(chart.CREDITS),
        )
        replaced = _post(actor, alone, found, corrected, posting, today)
        right = [each for each in looked.true_ups if each.is_right]
        TrueUp.objects.bulk_create(
            TrueUp(rebill=None, read_id=each.run_id, service_point_id=each.service_point_id)
            for each in right
        )
        to_ask = [each for each in looked.true_ups if each.is_for_two]
        for each in to_ask:
            _ask(actor, each, today, now)
    left_out = sum(1 for each in looked.true_ups if each.refusal)
    return TruedUp(len(alone), len(to_ask), len(right), left_out, replaced.difference_cents)


def _weighed(
    actor: Actor, run_ids: Sequence[int], today: date
) -> tuple[Looked, Recomputed | None, pl.DataFrame]:
    """Corrects the reads and recomputes the bills, in a savepoint that the caller rolls back.

    Returns what it would come to, what differs, and the corrected reads with their ids.
    """
    if len(run_ids) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE:,} estimates are trued up at once; choose fewer.")
    database = connection.connection
    points = due(run_ids=run_ids).runs["service_point_id"].unique().sort().to_list()
    if not points:
        raise Invalid("None of these is due any more; look at the list again.")
    whole = Scope(date.min, None, point_ids=tuple(points))
    lock_balances(accounts_of(database, whole))
    found = due(run_ids=run_ids)
    corrected = _corrected(found)
    _write_reads(corrected)
    able = found.runs.filter(pl.col("refusal").is_null())
    recomputed = None
    if able.height:
        recomputed = recompute(
            database,
            Scope(
                able["first_on"].min(),  # type: ignore[arg-type]
                able["read_on"].max(),  # type: ignore[arg-type]
                point_ids=tuple(able["service_point_id"].unique().sort().to_list()),
            ),
        )
    weighed = weighing.weigh(found, corrected, recomputed, today)
    digest = hashlib.sha256("".join(each.seen for each in weighed).encode()).hexdigest()
    return Looked(tuple(weighed), digest), recomputed, corrected


def _corrected(found: Due) -> pl.DataFrame:
    """Reads whose usage changes, with a fresh id of the read and of the rebill of their run."""
    database = connection.connection
    changed = found.reads.filter(pl.col("usage_thousandths") != pl.col("trued_thousandths"))
    runs = changed.select("run_id").unique(maintain_order=True)
    runs = runs.with_columns(rebill_id=next_ids(database, "rebilling_rebill", runs.height))
    return changed.with_columns(
        new_id=next_ids(database, "metering_read", changed.height)
    ).join(runs, on="run_id", maintain_order="left")  # fmt: skip


def _write_reads(corrected: pl.DataFrame) -> None:
    database = connection.connection
    copy_frame(
        database,
        Read._meta.db_table,
        corrected.select(
            "service_point_id",
            "meter_id",
            "from_on",
            "to_on",
            "unit",
            "quality",
            id="new_id",
            usage_thousandths="trued_thousandths",
            is_verified=pl.lit(True),
            source=pl.format("rebill {}, read {}", "rebill_id", "read_id"),
        ),
    )
    copy_frame(
        database,
        CorrectedRead._meta.db_table,
        corrected.select("rebill_id", "new_id", root_id="read_id", old_id="read_id"),
    )


def _post(
    actor: Actor,
    true_ups: Sequence[Weighed],
    found: Recomputed | None,
    corrected: pl.DataFrame,
    posting: Posting,
    today: date,
) -> Replaced:
    if not true_ups or found is None:
        return Replaced(0, 0, 0)
    runs = pl.DataFrame({"run_id": [each.run_id for each in true_ups]})
    reads = corrected.join(runs, on="run_id", how="semi", maintain_order="left")
    rebill_ids = dict(reads.select("run_id", "rebill_id").unique().iter_rows())
    reason = terms_on(today).true_up_reason
    _write_reads(reads)
    _settle_holds(actor, reads["read_id"].to_list(), posting.posted_at)
    Rebill.objects.bulk_create(
        Rebill(
            pk=rebill_ids[each.run_id],
            account_id=each.account_id,
            from_on=each.first_on,
            to_on=each.read_on,
            reason_id=weighing.reason_id(reason),
            note=each.note,
            corrections=_corrections(each).as_json(),
            shown=list(each.shown),
            seen=each.seen,
            difference_cents=each.difference_cents,
            moved_cents=each.moved_cents,
            penalty_cents=each.penalty_cents,
            needs_approval=False,
            status=Rebill.Status.POSTED,
            business_day_id=posting.business_day_id,
            asked_by_id=actor.user_id,
            asked_at=posting.posted_at,
            decided_by_id=actor.user_id,
            decided_at=posting.posted_at,
            idempotency_key=_key(each.run_id, rebill_ids[each.run_id]),
        )
        for each in true_ups
    )
    TrueUp.objects.bulk_create(
        TrueUp(
            rebill_id=rebill_ids[each.run_id],
            read_id=each.run_id,
            service_point_id=each.service_point_id,
        )
        for each in true_ups
    )
    pairs = weighing.pairs_of(found, corrected).join(runs, on="run_id", how="semi")
    wanted = found.pairs.join(
        pairs.select("old_id", "row"), on=["old_id", "row"], how="semi", nulls_equal=True
    )
    why = true_ups[0].note if len(true_ups) == 1 else "Estimates trued up by actual reads"
    return replace_bills(actor, connection.connection, kept(found, wanted), posting, why)


def _settle_holds(actor: Actor, read_ids: Sequence[int], now: datetime) -> None:
    """Takes reads that are trued up off the worklists of bill runs, as a usage below zero is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE billing_hold SET resolved_at = %s, resolved_by_id = %s, resolution = %s
               WHERE read_id = ANY(%s) AND resolved_at IS NULL""",
            [now, actor.user_id, "Trued up; the next run bills it.", list(read_ids)],
        )


def _corrections(each: Weighed) -> Corrections:
    return Corrections(reads=dict(each.usages))


def _key(run_id: int, number: int) -> str:
    return f"true-up {run_id} {number}"


def _ask(actor: Actor, each: Weighed, today: date, now: datetime) -> None:
    """Hands one to a second person, who posts it as any rebill."""
    earlier = TrueUp.objects.filter(read_id=each.run_id).count()
    new = NewRebill(
        each.account_number,
        each.first_on,
        each.read_on,
        terms_on(today).true_up_reason,
        each.note,
        _corrections(each),
    )
    rebill_id = rebilling.draft_rebill(
        actor, new, today, now, f"true-up {each.run_id} for two {earlier + 1}"
    )
    # By itself it may be below the amount that the account's true-ups reach together.
    Rebill.objects.filter(pk=rebill_id).update(needs_approval=True)
    rebilling.ask_for_approval(actor, rebill_id)
    TrueUp.objects.create(
        rebill_id=rebill_id, read_id=each.run_id, service_point_id=each.service_point_id
    )

"""Every bill under a tariff set right over a period: asked for, approved, run in chunks.

A chunk is what an account's rebill is, for a range of service points: the same recomputing and
the same posting. It commits on its own, and what is right already is left alone, so a run that
was stopped is run once more. What the city's limit does not allow, cannot be rated or was
forgiven in part is left out and counted.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl
from django.db import connection, transaction

from chamberlain.billing.composing import Posting
from chamberlain.billing.rebilling import limits as limit_rules
from chamberlain.billing.rebilling.models import CityChunk, CityRebill, Reason
from chamberlain.billing.rebilling.operations import NOTE_MAX, limits_on
from chamberlain.billing.rebilling.posting import (
    Replaced,
    not_to_be_taken_back,
    replace_bills,
)
from chamberlain.billing.rebilling.recomputing import (
    SPAN,
    Recomputed,
    Scope,
    accounts_of,
    changes,
    kept,
    recompute,
)
from chamberlain.billing.rebilling.workers import post_in_worker
from chamberlain.database.rows import rows
from chamberlain.database.spreading import spread
from chamberlain.identity.actors import Actor, actor_of
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound, NotPermitted, Refused
from chamberlain.ledger import chart
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import lock_balances, sentences
from chamberlain.tariffs.models import Tariff

CHUNK_POINTS = 3_000


@dataclass(frozen=True, slots=True)
class CityPlan:
    """What is to be set right for the whole city. to_on: the first day after, None without end."""

    tariff_code: str
    from_on: date
    to_on: date | None
    reason_code: str
    note: str
    business_day_id: int
    chunk_points: int = CHUNK_POINTS


@dataclass(frozen=True, slots=True)
class CityProgress:
    """How far a city's rebill is, and what it did so far."""

    chunks: int
    done: int
    taken_back: int
    made: int
    left_out: int
    difference_cents: int


def ask_city_rebill(actor: Actor, plan: CityPlan, now: datetime, idempotency_key: str) -> int:
    """Asks that every bill under a tariff be set right; returns its id. Nothing is posted.

    Raises NotFound (tariff, reason, day), Invalid (period, note), DayClosed.
    """
    actor.require("bill.approve_rebill")
    with transaction.atomic():
        found = CityRebill.objects.filter(idempotency_key=idempotency_key).first()
        if found:
            actor.require_own(found.asked_by_id)
            return int(found.pk)
        if plan.to_on is not None and plan.to_on <= plan.from_on:
            raise Invalid("The period ends before it starts; swap its days.", field="to_on")
        if not 0 < len(plan.note.strip()) <= NOTE_MAX:
            raise Invalid(f"Say what happened, in at most {NOTE_MAX} characters.", field="note")
        rebill = CityRebill.objects.create(
            tariff=_tariff(plan.tariff_code),
            from_on=plan.from_on,
            to_on=plan.to_on,
            reason=_reason(plan.reason_code),
            note=plan.note.strip(),
            business_day=day_to_post_on(plan.business_day_id, else_do="rebill on an open day"),
            asked_by_id=actor.user_id,
            asked_at=now,
            idempotency_key=idempotency_key,
        )
        _cut(rebill, plan.chunk_points)
        return int(rebill.pk)


def _tariff(code: str) -> Tariff:
    found = Tariff.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no tariff {code[:40]}; choose one of the list.", field="tariff")
    return found


def _reason(code: str) -> Reason:
    found = Reason.objects.filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no reason {code[:24]}; choose one of the list.", field="reason")
    return found


_CUT_SQL = """
    INSERT INTO rebilling_citychunk (rebill_id, number, first_point, last_point, taken_back, made,
        left_out, difference_cents)
    SELECT %s, part + 1, min(point), max(point), 0, 0, 0, 0
    FROM (SELECT point, (row_number() OVER (ORDER BY point) - 1) / %s AS part
        FROM (SELECT DISTINCT service_point_id AS point FROM billing_serviceagreement
            WHERE tariff_id = %s) points) parted
    GROUP BY part
"""


def _cut(rebill: CityRebill, chunk_points: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_CUT_SQL, [rebill.pk, chunk_points, rebill.tariff_id])


def approve_city_rebill(actor: Actor, rebill_id: int, now: datetime) -> None:
    """Lets a city's rebill be run; another person than the one who asked.

    Raises NotPermitted, NotFound, AlreadyDone.
    """
    actor.require("bill.approve_rebill")
    with transaction.atomic():
        rebill = CityRebill.objects.select_for_update().filter(pk=rebill_id).first()
        if rebill is None:
            raise NotFound(f"There is no rebill {rebill_id} of the city.")
        if rebill.approved_by_id is not None:
            raise AlreadyDone("This rebill of the city was approved before.")
        if actor.user_id == rebill.asked_by_id:
            raise NotPermitted(
                "A rebill of the city is approved by another person than the one who asked; call "
                "another supervisor."
            )
        rebill.approved_by_id, rebill.approved_at = actor.user_id, now
        rebill.save(update_fields=["approved_by", "approved_at"])


def run_city_rebill(actor: Actor, rebill_id: int, *, workers: int = 1) -> CityProgress:
    """Posts the chunks that are not posted yet, in this process or in local ones.

    Raises NotPermitted, NotFound, Refused (not approved), DayClosed; what was posted until then
    stays.
    """
    actor.require("bill.approve_rebill")
    rebill = CityRebill.objects.filter(pk=rebill_id).first()
    if rebill is None:
        raise NotFound(f"There is no rebill {rebill_id} of the city.")
    if rebill.approved_by_id is None:
        raise Refused("This rebill of the city waits for the approval of a second person.")
    left = CityChunk.objects.filter(rebill_id=rebill_id, posted_at=None).order_by("number")
    numbers = list(left.values_list("number", flat=True))
    for _ in spread(post_in_worker, [(rebill_id, number) for number in numbers], workers=workers):
        pass
    return progress_of(rebill_id)


def progress_of(rebill_id: int) -> CityProgress:
    """How far a city's rebill is."""
    query = """
        SELECT count(*), count(posted_at), coalesce(sum(taken_back), 0)::bigint,
            coalesce(sum(made), 0)::bigint, coalesce(sum(left_out), 0)::bigint,
            coalesce(sum(difference_cents), 0)::bigint
        FROM rebilling_citychunk WHERE rebill_id = %s
    """
    return CityProgress(*rows(query, [rebill_id])[0])


def post_city_chunk(rebill_id: int, number: int) -> None:
    """Sets right the bills of one range of service points, in one transaction.

    A chunk that is posted, or that another worker holds, is left alone. Raises DayClosed.
    """
    with transaction.atomic(), sentences():
        chunk = (
            CityChunk.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("rebill__business_day", "rebill__reason", "rebill__approved_by")
            .filter(rebill_id=rebill_id, number=number, posted_at=None)
            .first()
        )
        if chunk is None:
            return
        replaced, left_out = _set_right(chunk)
        chunk.taken_back, chunk.made = replaced.taken_back, replaced.made
        chunk.difference_cents, chunk.left_out = replaced.difference_cents, left_out
        chunk.posted_at = datetime.now(UTC)
        chunk.save()


def _set_right(chunk: CityChunk) -> tuple[Replaced, int]:
    rebill = chunk.rebill
    scope = Scope(
        rebill.from_on,
        rebill.to_on,
        tariff_id=rebill.tariff_id,
        points=(chunk.first_point, chunk.last_point),
    )
    database, day = connection.connection, rebill.business_day.day
    limits = limits_on(day)
    lock_balances(accounts_of(database, scope))
    found = recompute(database, scope)
    allowed = limit_rules.within(
        changes(found), limits, day, is_beyond_limit=rebill.reason.is_beyond_limit
    )
    allowed = allowed.join(_forgiven(found), on="old_id", how="anti", maintain_order="left")
    allowed = _of_whole_spans(found, allowed)
    left_out = found.pairs.height - allowed.height + found.refusals.height
    actor = actor_of(rebill.approved_by or rebill.asked_by, day)
    posting = Posting(
        run_id=None,
        business_day_id=rebill.business_day_id,
        actor_id=actor.user_id,
        issued_on=day,
        due_on=day + timedelta(days=limits.due_days),
        posted_at=datetime.now(UTC),
        credits_id=chart.ledger_account_id(chart.CREDITS),
    )
    reason = f"City rebill {rebill.pk}: {rebill.note}"
    pairs = allowed.select("old_id", "row")
    return replace_bills(actor, database, kept(found, pairs), posting, reason), left_out


def _of_whole_spans(found: Recomputed, allowed: pl.DataFrame) -> pl.DataFrame:
    """The allowed pairs of spans of which every pair is allowed: a bill that is left out stands for
    its days, so nothing else is billed for them."""
    key = ["old_id", "row"]
    spans = pl.concat(
        [
            found.pairs.join(found.old.select("old_id", *SPAN), on="old_id"),
            found.pairs.join(found.new.select("row", *SPAN), on="row").select(*key, *SPAN),
        ]
    )
    left = spans.join(allowed, on=key, how="anti", nulls_equal=True)
    broken = spans.join(left.select(SPAN).unique(), on=SPAN, how="semi", nulls_equal=True)
    return allowed.join(broken, on=key, how="anti", nulls_equal=True, maintain_order="left")


def _forgiven(found: Recomputed) -> pl.DataFrame:
    """Bills of which something was forgiven, or a part of a penalty that they caused: old_id."""
    named = list(not_to_be_taken_back(found))
    lines = found.old_lines.filter(pl.col("charge_id").is_in(named))
    return lines.select("old_id").unique()

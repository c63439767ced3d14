"""Penalties that fall due until a closing, by the rule of the nightly run.

The same rule and the same record of what was raised before (see `billing.penalties`), looked at
for one account and for days that are still to come; so the night that then comes raises none of
them again.
"""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from django.db import connection

from chamberlain.billing.penalties.candidates import Night
from chamberlain.billing.penalties.models import PenaltyRun
from chamberlain.billing.penalties.operations import penalties_due
from chamberlain.billing.penalties.policy import policies, policy_on
from chamberlain.billing.penalties.posting import post_penalties
from chamberlain.identity.actors import Actor
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay


@dataclass(frozen=True, slots=True)
class LatePenalty:
    """A penalty that will have fallen due: on which document, when, how much."""

    document: str
    falls_on: date
    cents: int


def late_until(account_id: int, closing_on: date) -> tuple[LatePenalty, ...]:
    """Penalties that fall due before the closing day and are not raised yet."""
    return tuple(
        LatePenalty(row["document"], row["falls_on"], row["penalty_cents"])
        for row in _due(account_id, closing_on).iter_rows(named=True)
    )


def raise_late(
    actor: Actor, account_id: int, closing_on: date, day: BusinessDay, now: datetime
) -> list[int]:
    """Raises what `late_until` says; returns the ids of the charges."""
    due = _due(account_id, closing_on)
    if due.is_empty():
        return []
    policy = policy_on(closing_on)
    run = PenaltyRun.objects.create(
        on=closing_on,
        business_day=day,
        started_by_id=actor.user_id,
        started_at=now,
        raised=due.height,
        raised_cents=int(due["penalty_cents"].sum()),
    )
    post_penalties(
        connection.connection,
        due,
        run_id=run.pk,
        kind=chart.charge_kinds()[policy.penalty_kind],
        business_day_id=day.pk,
        day=day.day,
        actor_id=actor.user_id,
        now=now,
        reason=policy.source,
    )
    return list(run.penalties.order_by("charge_id").values_list("charge_id", flat=True))


def _since() -> date:
    """The first day that no finished run has looked at; without a run, that of the office."""
    run = PenaltyRun.objects.filter(finished_at__isnull=False).order_by("-on").first()
    if run is not None:
        return run.on
    return BusinessDay.objects.latest("day").day


def _due(account_id: int, closing_on: date) -> pl.DataFrame:
    in_force = tuple(policies())
    since = min(_since(), closing_on)
    day_ids = tuple(BusinessDay.objects.filter(day__gte=since).values_list("pk", flat=True))
    return penalties_due(Night(since, closing_on, in_force, day_ids), account_id, account_id)

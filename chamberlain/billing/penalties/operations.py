"""What is done about late penalties: the night's run, holds, and penalties taken back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from chamberlain.billing.penalties.candidates import Night, candidates, done, held
from chamberlain.billing.penalties.late import falling_due, late_penalties
from chamberlain.billing.penalties.models import PenaltyHold, PenaltyRun
from chamberlain.billing.penalties.policy import policies, policy_on
from chamberlain.billing.penalties.posting import post_penalties
from chamberlain.billing.penalties.reversing import penalty_entries_of, reverse_entries
from chamberlain.database.rows import rows
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import AlreadyDone, Invalid, NotFound
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.operations import day_to_post_on
from chamberlain.ledger.posting import sentences
from chamberlain.ledger.queries import account_id_of, charge

CHUNK_ACCOUNTS = 50_000
# A reversal may be posted on a business day that stayed open for a while.
SWEPT_DAYS = 31
RUN_LOCK = 481_516
# Nobody plans a hold further ahead; a later day is a slip of the pen.
AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a night brought. penalties and cents: raised; reversed: taken back with their bills."""

    run_id: int
    since: date
    on: date
    penalties: int
    cents: int
    reversed: int


def raise_penalties(
    actor: Actor,
    on: date,
    business_day_id: int,
    now: datetime,
    since: date | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> RunResult:
    """Raises what fell due since the last finished run and before `on`; harmless when repeated.

    Chunks of accounts commit on their own, so a run that was killed is run once more. The first
    run of a city takes only the day before, unless `since` says from which day on. Penalties of
    charges that were reversed are reversed too.
    Raises NotFound (policy, business day), DayClosed, Invalid (a run in the future, or since a
    day that is not before it or leaves days out), AlreadyDone when another run is under way.
    """
    actor.require("penalty.run")
    day = day_to_post_on(business_day_id)
    if on > day.day + timedelta(days=1):
        raise Invalid("Penalties are raised for days that have ended; give an earlier day.")
    policy = policy_on(on)
    until = _last_finished()
    start = since or until or on - timedelta(days=1)
    if since and since >= on:
        raise Invalid("The first day is not before the last; give an earlier one.", field="since")
    if since and until and since > until:
        raise Invalid(
            f"The last run looked at the days before {until:%B %-d, %Y}; begin on that day or an "
            "earlier one, so that none is left out.",
            field="since",
        )
    with _alone():
        run = PenaltyRun.objects.create(
            on=on, business_day=day, started_by_id=actor.user_id, started_at=now
        )
        night = Night(start, on, tuple(policies()), _days_after(start))
        reversed_count = _sweep(actor, start, day, now)
        kind = chart.charge_kinds()[policy.penalty_kind]
        count = cents = 0
        chunks = _chunks(night)
        for i, (first, last) in enumerate(chunks):
            found = _raise_chunk(actor, run, night, kind, day, now, policy.source, first, last)
            count, cents = count + found[0], cents + found[1]
            progress(i + 1, len(chunks))
        run.raised, run.raised_cents, run.reversed = count, cents, reversed_count
        run.finished_at = now
        run.save()
    return RunResult(run.pk, start, on, count, cents, reversed_count)


class _alone:  # noqa: N801 - used as a statement
    """No two runs at the same time: the second is refused at once."""

    def __enter__(self) -> None:
        if not rows("SELECT pg_try_advisory_lock(%s)", [RUN_LOCK])[0][0]:
            raise AlreadyDone("A run of penalties is under way; wait until it has ended.")

    def __exit__(self, *_: object) -> None:
        if not connection.needs_rollback:
            rows("SELECT pg_advisory_unlock(%s)", [RUN_LOCK])


def _last_finished() -> date | None:
    found = PenaltyRun.objects.filter(finished_at__isnull=False).order_by("-on").first()
    return found.on if found else None


def _days_after(since: date) -> tuple[int, ...]:
    return tuple(BusinessDay.objects.filter(day__gte=since).values_list("pk", flat=True))


_CHUNKS_SQL = """
    SELECT min(account_id), max(account_id) FROM (
        SELECT account_id, (row_number() OVER (ORDER BY account_id) - 1) / %(size)s AS part
        FROM (SELECT account_id FROM ledger_balance WHERE owed_cents > 0
            UNION SELECT t.account_id FROM ledger_entry e
            JOIN ledger_transfer t ON t.entry_id = e.id AND t.effect = 'settle'
            WHERE e.business_day_id = ANY(%(days)s)) owing) parted
    GROUP BY part ORDER BY 1
"""


def _chunks(night: Night) -> list[tuple[int, int]]:
    values = {"size": CHUNK_ACCOUNTS, "days": list(night.day_ids)}
    return [(int(first), int(last)) for first, last in rows(_CHUNKS_SQL, values)]


# A payment that comes while a chunk is looked at waits, so that what is open and what moved agree.
_LOCK_SQL = """
    SELECT ledger_lock_balances(array_agg(account_id)) FROM ledger_balance
    WHERE account_id BETWEEN %s AND %s AND owed_cents > 0
"""


def _raise_chunk(
    actor: Actor,
    run: PenaltyRun,
    night: Night,
    kind: chart.KindOfCharge,
    day: BusinessDay,
    now: datetime,
    source: str,
    first: int,
    last: int,
) -> tuple[int, int]:
    with transaction.atomic(), sentences():
        rows(_LOCK_SQL, [first, last])
        penalties = penalties_due(night, first, last)
        if penalties.is_empty():
            return 0, 0
        post_penalties(
            connection.connection,
            penalties,
            run_id=run.pk,
            kind=kind,
            business_day_id=day.pk,
            day=day.day,
            actor_id=actor.user_id,
            now=now,
            reason=source,
        )
        return penalties.height, int(penalties["penalty_cents"].sum())


def penalties_due(night: Night, first: int, last: int) -> pl.DataFrame:
    """What accounts with ids from first to last owe for a night; see `late.late_penalties`.

    Inside a transaction; writes nothing.
    """
    database = connection.connection
    found = candidates(database, night, first, last)
    due = falling_due(found.charges, night.since, night.on)
    ids = due["charge_id"].unique().to_list()
    of_charges, of_accounts = held(ids, found.holds)
    return late_penalties(
        due,
        found.moves,
        of_charges,
        pl.concat([found.spared, of_accounts]),
        done(database, ids),
        night.rates,
    )


_SWEPT_SQL = """
    SELECT DISTINCT t.charge_id
    FROM ledger_entry r
    JOIN ledger_transfer t ON t.entry_id = r.reverses_id AND t.effect = 'raise'
    JOIN penalties_penalty p ON p.caused_by_id = t.charge_id
    WHERE r.business_day_id = ANY(%s)
"""


def _sweep(actor: Actor, since: date, day: BusinessDay, now: datetime) -> int:
    """Reverses the penalties of charges that were reversed since, whoever reversed them."""
    causes = [
        row[0] for row in rows(_SWEPT_SQL, [list(_days_after(since - timedelta(days=SWEPT_DAYS)))])
    ]
    if not causes:
        return 0
    return reverse_entries(
        actor, penalty_entries_of(causes), day.pk, now, "What caused it was reversed"
    )


def hold_penalties(
    actor: Actor,
    account_number: str,
    reason: str,
    from_on: date,
    now: datetime,
    charge_id: int | None = None,
) -> int:
    """From a day on, an account (or only a charge of it) draws no penalty; returns the hold's id.

    Raises NotFound, Invalid (no reason, more than a year ahead, a charge of another account).
    """
    actor.require("penalty.hold")
    if not reason.strip():
        raise Invalid("Say why penalties are held.", field="reason")
    last = now.date() + AHEAD
    if from_on > last:
        raise Invalid(f"Give a day until {last:%B %-d, %Y}.", field="from_on")
    account_id = account_id_of(account_number)
    if charge_id is not None and charge(charge_id).account_id != account_id:
        raise Invalid(f"Charge {charge_id} is not on this account; choose another.", field="charge")
    with acting(actor), transaction.atomic():
        hold = PenaltyHold.objects.create(
            account_id=account_id,
            charge_id=charge_id,
            period=DateRange(from_on, None),
            reason=reason.strip()[:200],
            placed_by_id=actor.user_id,
            placed_at=now,
        )
    return int(hold.pk)


def end_hold(actor: Actor, account_number: str, hold_id: int, resent_on: date, today: date) -> date:
    """Ends an account's hold, the bill sent again on a day; returns from when penalties count.

    That is the policy's days after a dispute later. Raises NotFound, AlreadyDone, Invalid (a day
    before the hold's first, or more than a year ahead).
    """
    actor.require("penalty.hold")
    account_id = account_id_of(account_number)
    with acting(actor), transaction.atomic():
        hold = (
            PenaltyHold.objects.select_for_update().filter(pk=hold_id, account=account_id).first()
        )
        if hold is None:
            raise NotFound("There is no such hold; look at the account.")
        if hold.period.upper is not None:
            raise AlreadyDone(f"This hold ends on {hold.period.upper:%B %-d, %Y} already.")
        first = hold.period.lower
        last = max(first, today) + AHEAD
        if not first <= resent_on <= last:
            raise Invalid(
                f"The hold began on {first:%B %-d, %Y}; give a day from then until "
                f"{last:%B %-d, %Y}.",
                field="resent_on",
            )
        until = resent_on + timedelta(days=policy_on(resent_on).days_after_dispute + 1)
        hold.period = DateRange(first, until)
        hold.save(update_fields=["period"])
    return until

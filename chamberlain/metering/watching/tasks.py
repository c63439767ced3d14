"""The night's watch, and one that somebody asked for."""

from datetime import date

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.identity.actors import program_actor
from chamberlain.metering.watching.watches import plan_watch, run_watch


@app.task(name="watching.run", queue="billing", lock="watching.run")
def run_watch_in_background(watch_id: int) -> None:
    """Goes through a planned watch."""
    run_watch(watch_id)


def defer_watch(watch_id: int) -> None:
    """Hands a planned watch to the workers, in the caller's transaction."""
    run_watch_in_background.defer(watch_id=watch_id)


def night_key(day: date) -> str:
    """The key of a night's watch, so that a night has one."""
    return f"night-{day.isoformat()}"


@app.periodic(cron="0 3 * * *")
@app.task(name="watching.night", queue="billing", lock="watching.run", pass_context=False)
def watch_by_night(timestamp: int) -> None:
    """Looks at the reads since the last watch. timestamp: of the schedule."""
    today = timezone.localdate()
    run_watch(plan_watch(program_actor(), today, timezone.now(), night_key(today)))

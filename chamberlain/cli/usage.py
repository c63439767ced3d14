"""The watch of the usage, by hand or by a scheduler of the city's own."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from chamberlain.cli import office

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def watch_usage(
    on: Day = None,
    since: Day = None,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Look at the reads since the last watch by the city's rules, as the worker does by night.

    With --since it looks again at all reads that ended after that day, as after new rules;
    nothing is entered twice. A watch that was killed goes on.
    """
    office.set_up()
    from chamberlain.metering.watching.watches import plan_watch, run_watch

    now = office.now()
    watch_id = plan_watch(
        office.actor(as_user),
        on.date() if on else office.today(),
        now,
        f"command {now.isoformat()}",
        since.date() if since else None,
    )
    result = run_watch(watch_id)
    if as_json:
        office.print_json(asdict(result))
        return
    office.console.print(
        f"{result.reads:,} reads looked at: {result.found:,} new entries on the usage worklist, "
        f"{result.seen_again:,} seen again."
    )

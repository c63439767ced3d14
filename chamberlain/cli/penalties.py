"""The night's late penalties, raised by hand or by a scheduler of the city's own."""

from datetime import datetime
from typing import Annotated

import typer

from chamberlain.cli import office
from chamberlain.kernel.money import show_cents

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def penalties(
    on: Day = None,
    since: Day = None,
    center: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="Post on this center's open day, not the revenue office's."
        ),
    ] = "",
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Raise the late penalties that fell due before a day (today), as the worker does by night.

    It goes on from the last run; repeating it raises nothing twice. The first run of a city looks
    at the day before only, unless --since says from which day on.
    """
    office.set_up()
    from chamberlain.billing.penalties.operations import raise_penalties

    day_id, _ = office.open_day(center)
    result = raise_penalties(
        office.actor(as_user),
        on.date() if on else office.today(),
        day_id,
        office.now(),
        since.date() if since else None,
    )
    if as_json:
        office.print_json(
            {
                "run": result.run_id,
                "since": result.since,
                "on": result.on,
                "penalties": result.penalties,
                "cents": result.cents,
                "reversed": result.reversed,
            }
        )
        return
    office.console.print(
        f"{result.penalties:,} penalties of {show_cents(result.cents)} in all for days from "
        f"{result.since} until before {result.on}; {result.reversed:,} reversed with their bills."
    )

"""The night's work on citations, done by hand or by a scheduler of the city's own."""

from datetime import datetime
from typing import Annotated

import typer

from chamberlain.cli import office
from chamberlain.kernel.money import show_cents

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def citations(
    on: Day = None,
    center: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="Post on this center's open day, not the revenue office's."
        ),
    ] = "",
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Notice, double and send to collection what is neither paid nor contested before a day.

    The worker does the same every night; repeating it does nothing twice.
    """
    office.set_up()
    from chamberlain.revenue.citations.nightly import work_on_citations

    day_id, _ = office.open_day(center)
    until = on.date() if on else office.today()
    done = work_on_citations(office.actor(as_user), until, day_id, office.now())
    if as_json:
        office.print_json(
            {
                "noticed": done.noticed,
                "doubled": done.doubled,
                "doubled_cents": done.doubled_cents,
                "collected": done.collected,
            }
        )
        return
    office.console.print(
        f"{done.noticed:,} noticed, {done.doubled:,} in final determination with penalties of "
        f"{show_cents(done.doubled_cents)} in all, {done.collected:,} in collection."
    )

"""Usage that nobody read: estimated from the terminal or by a scheduler of the city's own."""

import secrets
from datetime import datetime
from typing import Annotated

import typer

from chamberlain.cli import office

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def estimate_reads(
    tariff: Annotated[str, typer.Option(help="The code of the tariff that bills the services.")],
    reads_after: Day,
    reads_up_to: Day,
    cycle_months: Annotated[
        int | None, typer.Option(help="Only agreements that are billed every so many months.")
    ] = None,
    only_look: Annotated[
        bool, typer.Option("--only-look", help="Say what would be estimated; record nothing.")
    ] = False,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Estimate the services that have no read after one day and up to another.

    By the same days of last year, then by the class's average a day; what neither gives, or was
    estimated too often, stays unread. Repeating it estimates nothing twice. Reads that an import
    put aside because they are below an estimate are recorded first.
    """
    office.set_up()
    from chamberlain.billing.estimating import operations, queries
    from chamberlain.billing.estimating.finding import Wanted
    from chamberlain.metering.routes.low_reads import settle_low_reads

    wanted = Wanted(tariff, reads_after.date(), reads_up_to.date(), cycle_months)
    actor, low = office.actor(as_user), 0
    if only_look:
        found = queries.unread(wanted, 0)
        made, refused = found.estimates, found.refused
    else:
        low = settle_low_reads(actor, office.now())
        done = operations.estimate_reads(
            actor, wanted, office.today(), office.now(), secrets.token_urlsafe(16)
        )
        made, refused = done.estimates, done.refused
    if as_json:
        office.print_json({"estimates": made, "refused": refused, "low_reads": low})
        return
    what = "Would be estimated" if only_look else "Estimated"
    office.console.print(
        f"{what}: {made:,}. Cannot be, and stay unread: {refused:,}. Reads below an estimate "
        f"recorded: {low:,}."
    )

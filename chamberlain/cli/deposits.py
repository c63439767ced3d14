"""The night's release of deposits, by hand or by a scheduler of the city's own."""

from typing import Annotated

import typer

from chamberlain.cli import office
from chamberlain.kernel.money import show_cents


def deposits(
    center: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="Post on this center's open day, not the revenue office's."
        ),
    ] = "",
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Release the customer deposits whose term is over, as the worker does by night.

    Each goes to its account as credit, with interest. Repeating it releases nothing twice.
    """
    office.set_up()
    from chamberlain.billing.deposits.operations import release_due

    day_id, _ = office.open_day(center)
    released = release_due(office.actor(as_user), day_id, office.now())
    cents = sum(released.values())
    if as_json:
        office.print_json({"deposits": len(released), "cents": cents})
        return
    office.console.print(f"{len(released):,} deposits released, {show_cents(cents)} in all.")

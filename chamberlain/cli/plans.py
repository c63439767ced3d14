"""The night's look at payment plans, by hand or by a scheduler of the city's own."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from chamberlain.cli import office

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def plan_review(
    on: Day = None, as_json: office.AsJson = False, as_user: office.AsUser = ""
) -> None:
    """End the payment plans in default or paid off on a day (today), as the worker does by night.

    Repeating it changes nothing: a plan that has ended is not looked at any more.
    """
    office.set_up()
    from chamberlain.billing.plans.review import review_plans

    found = review_plans(office.actor(as_user), on.date() if on else office.today())
    if as_json:
        office.print_json(asdict(found))
        return
    office.console.print(
        f"{found.plans:,} plans in force: {found.defaulted:,} are in default now, "
        f"{found.kept:,} are paid off."
    )

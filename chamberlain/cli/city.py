"""A city's files: load them."""

from pathlib import Path
from typing import Annotated

import typer

from chamberlain.cli import office

app = typer.Typer(help="A city is data.", no_args_is_help=True)


@app.callback()
def _city() -> None:
    """A city is data."""


@app.command()
def load(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False)],
    as_user: office.AsUser = "",
) -> None:
    """Load centers, kinds of charges, fees and tariffs; the same files again change nothing."""
    office.set_up()
    from chamberlain.cities.loading import load_city

    city = load_city(office.actor(as_user), folder, office.now())
    office.console.print(
        f"{city.name}: {city.centers} centers, {city.charge_kinds} kinds of charges, "
        f"{city.fees} fees, {city.tariffs} tariffs."
    )
    if city.unverified:
        office.console.print("Nobody has verified yet:")
    for figure in city.unverified:
        office.console.print(f"  {figure}", markup=False)

"""The bills of a run as files for the printer."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chamberlain.cli import office


def print_bills(
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.")],
    run: Annotated[
        int | None, typer.Argument(metavar="RUN", help="The number of a bill run.")
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Instead: bills of a day that no run made."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The scheduler of a Dask cluster.")
    ] = None,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Write bills as PDF in postal order, with the mailing list and who gets no paper."""
    if (run is None) == (day is None):
        raise typer.BadParameter("Give the number of a bill run or --day, one of the two.")
    office.set_up()
    from chamberlain.billing.printing import print_day, print_run

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=office.console,
        disable=as_json,
    ) as bar:
        task = bar.add_task("Printing", total=None)
        options: dict[str, Any] = {
            "workers": workers,
            "dask": dask,
            "progress": lambda done, files: bar.update(task, completed=done, total=files),
        }
        actor = office.actor(as_user)
        if day is not None:
            printed = print_day(actor, day.date(), into, **options)
        else:
            assert run is not None
            printed = print_run(actor, run, into, **options)
    if as_json:
        office.print_json(
            {"bills": printed.bills, "files": printed.files, "by_email": printed.by_email}
        )
        return
    office.console.print(
        f"{printed.bills:,} bills in {printed.files:,} files, and {printed.by_email:,} for holders "
        f"who chose bills without paper: {into}"
    )

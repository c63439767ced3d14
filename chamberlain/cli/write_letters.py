"""A batch of letters written from the terminal, on all cores or a cluster."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chamberlain.cli import office


def write_letters(
    batch: Annotated[int, typer.Argument(metavar="BATCH", help="The number of a batch.")],
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the printer's files here, too.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The scheduler of a Dask cluster.")
    ] = None,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Write what is left of a batch of letters; nobody gets a second one."""
    office.set_up()
    from chamberlain.casework.letters import batches

    actor = office.actor(as_user)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=office.console,
        disable=as_json,
    ) as bar:
        task = bar.add_task("Writing", total=None)
        done = batches.progress_of(batch)
        if done.status != "done":
            done = batches.run_batch(
                actor,
                batch,
                workers=workers,
                dask=dask,
                progress=lambda p: bar.update(task, completed=p.done, total=p.accounts),
            )
    files = 0
    if into is not None and done.letters:
        into.mkdir(parents=True, exist_ok=True)
        for offset in range(0, done.letters, batches.PRINTED_AT_ONCE):
            files += 1
            path = into / f"letters-{batch}-{files:04}.pdf"
            path.write_bytes(batches.printed_batch(actor, batch, offset))
    if as_json:
        office.print_json(
            {
                "status": done.status,
                "letters": done.letters,
                "left_out": done.left_out,
                "files": files,
            }
        )
        return
    office.console.print(
        f"{done.letters:,} letters written and {done.left_out:,} accounts left out; "
        f"{files:,} files."
    )

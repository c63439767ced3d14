"""Reads of meters: import a file of them."""

from pathlib import Path
from typing import Annotated

import typer

from chamberlain.cli import office
from chamberlain.kernel.errors import Invalid

app = typer.Typer(help="Reads of meters.", no_args_is_help=True)

FORMATS = {".csv": "csv", ".parquet": "parquet"}


@app.callback()
def _reads() -> None:
    """Reads of meters."""


@app.command("import")
def import_reads(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Keep the good records of a file with bad ones.")
    ] = False,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Import a file of reads, CSV or Parquet; the same file again changes nothing.

    Every bad record is listed with its line and reason. Exits 1 when some were left out.
    """
    office.set_up()
    from chamberlain.metering.importing import import_reads as import_file

    format_of_file = FORMATS.get(file.suffix.lower())
    if format_of_file is None:
        raise Invalid(f"{file.name} is neither .csv nor .parquet; rename it or export it anew.")
    result = import_file(
        office.actor(as_user),
        file,
        format_of_file,
        file.name,
        office.now(),
        today=office.today(),
        keep_good=keep_good,
    )
    if as_json:
        office.print_json(
            {
                "import": result.import_id,
                "reads": result.reads,
                "exceptions": result.exceptions,
                "came_before": result.came_before,
                "faults": [{"place": f.place, "reason": f.reason} for f in result.faults],
            }
        )
    else:
        before = " It came before; nothing was changed." if result.came_before else ""
        office.console.print(
            f"{result.reads:,} reads; {result.exceptions:,} on the worklist; "
            f"{len(result.faults):,} bad records.{before}"
        )
        for fault in result.faults:
            office.console.print(f"  {fault}", markup=False)
    if result.faults:
        raise typer.Exit(1)

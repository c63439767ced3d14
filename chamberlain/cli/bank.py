"""The bank: read its files."""

from pathlib import Path
from typing import Annotated

import typer

from chamberlain.cli import office

app = typer.Typer(help="What the bank says.", no_args_is_help=True)


@app.callback()
def _bank() -> None:
    """What the bank says."""


@app.command()
def read(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    layout: Annotated[str, typer.Option(help="The layout of the bank's CSV, by its name.")] = "",
    as_user: office.AsUser = "",
) -> None:
    """Read a bank file (BAI2, camt, MT940, OFX, or CSV by a layout).

    A file with any fault leaves nothing behind; all are listed.
    """
    office.set_up()
    from chamberlain.reconciliation import queries
    from chamberlain.reconciliation.bank_files import read_bank_file

    file_id = read_bank_file(
        office.actor(as_user), file.name, file.read_bytes(), office.now(), layout
    )
    found = queries.bank_file(file_id)
    office.console.print(f"Read {file.name}: {len(found.statements):,} statements.")

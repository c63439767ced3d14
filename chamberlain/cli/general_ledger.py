"""Journals for the city's general ledger, made and written by a scheduler of the city's own."""

from pathlib import Path
from typing import Annotated

import typer

from chamberlain.cli import office


def general_ledger(
    folder: Annotated[
        Path, typer.Argument(help="Where the files of journals made now are written.")
    ],
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Make the journals of all closed days that have none, and write each as CSV and Beancount.

    A day gets its journal once; what is run again makes and writes nothing.
    """
    office.set_up()
    from chamberlain.kernel.errors import NotFound
    from chamberlain.reconciliation.general_ledger import files, operations, queries

    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}; make it first.")
    made = operations.make_journals(office.actor(as_user), office.now())
    for number in made:
        lines = queries.lines([number])
        (folder / f"{number}.csv").write_text(files.csv_text(lines), encoding="utf-8")
        (folder / f"{number}.beancount").write_text(files.beancount_text(lines), encoding="utf-8")
    if as_json:
        office.print_json({"journals": made})
        return
    office.console.print(f"{len(made):,} journals made and written to {folder}.")

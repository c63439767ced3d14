"""Tariffs: check published files, load the city's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from chamberlain.cli import office

if TYPE_CHECKING:
    from chamberlain.tariffs.owrs import FileReport

app = typer.Typer(help="Rate schedules.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files, or folders of them.")]


@app.callback()
def _tariff() -> None:
    """Rate schedules."""


@app.command()
def check(files: Files, as_json: office.AsJson = False) -> None:
    """Read published tariffs (OWRS) and say what is wrong, with file, place and reason.

    Exits 1 when something is wrong with any of them.
    """
    from chamberlain.tariffs import owrs

    found = track(files, "Reading", console=office.console, transient=True, disable=as_json)
    reports = [report for file in found for report in owrs.check([file])]
    if as_json:
        office.print_json([_as_row(report) for report in reports])
    else:
        _print(reports)
    if not all(report.is_ok for report in reports):
        raise typer.Exit(1)


@app.command()
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    as_user: office.AsUser = "",
) -> None:
    """Load a city's schedules from a YAML file; the same file again changes nothing."""
    office.set_up()
    from chamberlain.tariffs.operations import load_tariffs

    for loaded in load_tariffs(office.actor(as_user), file, office.now()):
        office.console.print(f"{loaded.code}: {loaded.change}")


def _as_row(report: "FileReport") -> dict[str, object]:
    return {
        "file": str(report.path),
        "ok": report.is_ok,
        "classes": list(report.classes),
        "faults": [{"place": fault.place, "reason": fault.reason} for fault in report.faults],
    }


def _print(reports: "list[FileReport]") -> None:
    for report in reports:
        mark = "[green]✓[/]" if report.is_ok else "[red]✗[/]"
        rated = ", ".join(report.classes) or "no class can be rated"
        office.console.print(mark, end=" ")
        office.console.print(f"{report.path}: {rated}", markup=False, soft_wrap=True)
        for fault in report.faults:
            office.console.print(f"    {fault.place}: {fault.reason}", markup=False, soft_wrap=True)
    well = sum(report.is_ok for report in reports)
    read = sum(report.is_readable and not report.is_ok for report in reports)
    refused = len(reports) - well - read
    office.console.print(
        f"{len(reports):,} files: {well:,} read, {read:,} read with faults, {refused:,} refused."
    )

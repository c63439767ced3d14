"""The ledger: prove it."""

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from chamberlain.cli import office
from chamberlain.kernel.money import show_cents

app = typer.Typer(help="The one ledger.", no_args_is_help=True)


@app.callback()
def _ledger() -> None:
    """The one ledger."""


@app.command()
def prove(as_json: office.AsJson = False, as_user: office.AsUser = "") -> None:
    """Recompute every balance, settlement, control account and seal from the transfers.

    Exits 1 when a difference is found; each is named.
    """
    office.set_up()
    if not show_proof(as_json=as_json, as_user=as_user):
        raise typer.Exit(1)


def show_proof(*, as_json: bool = False, as_user: str = "") -> bool:
    """Proves the ledger and prints the outcome; returns whether it holds."""
    from chamberlain.ledger import proof

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=office.console,
        transient=True,
        disable=as_json,
    ) as progress:
        task = progress.add_task("Proving the ledger")
        found = proof.prove(
            office.actor(as_user),
            lambda check: progress.update(task, description=f"Proving {check}"),
        )
    if as_json:
        office.print_json(
            {
                "holds": found.holds,
                "debit_cents": found.debit_cents,
                "counts": found.counts,
                "differences": list(found.differences),
            }
        )
        return found.holds
    counted = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in found.counts.items())
    office.console.print(f"{show_cents(found.debit_cents)} moved by transfers: {counted}.")
    for difference in found.differences:
        office.console.print(difference, style="red", markup=False)
    office.console.print(
        "[green]✓[/] The ledger proves itself."
        if found.holds
        else f"[red]✗[/] {len(found.differences):,} differences."
    )
    return found.holds

"""Every bill under a tariff set right: asked for, approved by another person, run."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from chamberlain.cli import office
from chamberlain.kernel.money import show_cents

if TYPE_CHECKING:
    from chamberlain.billing.rebilling.citywide import CityProgress

app = typer.Typer(help="Set right every bill under a tariff.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="NUMBER")]


@app.command("ask")
def ask(
    tariff: Annotated[str, typer.Option(metavar="CODE")],
    from_on: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")
    ],
    reason: Annotated[str, typer.Option(metavar="CODE", help="A reason of the city's list.")],
    note: Annotated[str, typer.Option(help="What happened; it stays with the bills.")],
    last_on: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day; else until now."),
    ] = None,
    center: Annotated[str, typer.Option(metavar="CODE")] = "",
    as_user: office.AsUser = "",
) -> None:
    """Ask that every bill under a tariff be set right, as after a rate that was loaded wrong."""
    office.set_up()
    from chamberlain.billing.rebilling.citywide import CityPlan, ask_city_rebill

    day_id, _ = office.open_day(center)
    to_on = last_on.date() + timedelta(days=1) if last_on else None
    plan = CityPlan(tariff, from_on.date(), to_on, reason, note, day_id)
    key = secrets.token_hex(16)
    number = ask_city_rebill(office.actor(as_user), plan, office.now(), key)
    office.console.print(f"Rebill {number} of the city waits for another person's approval.")


@app.command("approve")
def approve(number: Number, as_user: office.AsUser = "") -> None:
    """Approve what another person asked for."""
    office.set_up()
    from chamberlain.billing.rebilling.citywide import approve_city_rebill

    approve_city_rebill(office.actor(as_user), number, office.now())
    office.console.print(f"Rebill {number} of the city may be run.")


@app.command("run")
def run(
    number: Number,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on this machine.")] = 1,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Run what was approved, or what is left of it; nothing is rebilled twice."""
    office.set_up()
    from chamberlain.billing.rebilling.citywide import run_city_rebill

    _show(run_city_rebill(office.actor(as_user), number, workers=workers), as_json)


def _show(done: "CityProgress", as_json: bool) -> None:
    if as_json:
        office.print_json(
            {
                "chunks": done.chunks,
                "done": done.done,
                "taken_back": done.taken_back,
                "made": done.made,
                "left_out": done.left_out,
                "difference_cents": done.difference_cents,
            }
        )
        return
    office.console.print(
        f"{done.taken_back:,} bills taken back and {done.made:,} made, a difference of "
        f"{show_cents(done.difference_cents)}; {done.left_out:,} left out by the city's limit or "
        "because they cannot be rated."
    )

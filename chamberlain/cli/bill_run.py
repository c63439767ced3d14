"""The bill run: plan it, run it in one or many processes, go on with one that was stopped."""

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chamberlain.cli import office
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import show_cents

if TYPE_CHECKING:
    from chamberlain.billing.running import RunProgress

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def bill_run(
    tariff: Annotated[str, typer.Option(metavar="CODE", help="The tariff to bill under.")] = "",
    due: Day = None,
    reads_up_to: Day = None,
    reads_after: Day = None,
    season_from: Day = None,
    season_to: Day = None,
    cycle_months: Annotated[
        int | None, typer.Option(help="Only agreements billed every so many months.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "",
    center: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="Post on this center's open day, not the revenue office's."
        ),
    ] = "",
    resume: Annotated[
        int | None, typer.Option(metavar="RUN", help="Go on with this run; bills nothing twice.")
    ] = None,
    only_plan: Annotated[bool, typer.Option("--only-plan", help="Plan, and run it later.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on this machine.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The scheduler of a Dask cluster.")
    ] = None,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Bill what has been read (or a season), or go on with a run that was stopped.

    What cannot be billed goes to the worklist with its reason and holds back nobody else.
    """
    office.set_up()
    run_id = resume or _plan(
        as_user,
        tariff=tariff,
        center=center,
        name=name,
        due=due,
        reads_up_to=reads_up_to,
        reads_after=reads_after,
        season=(season_from, season_to),
        cycle_months=cycle_months,
    )
    if not only_plan:
        run_with_progress(run_id, workers=workers, dask=dask, quiet=as_json, as_user=as_user)
    _show(run_id, as_json)


def _plan(
    as_user: str,
    *,
    tariff: str,
    center: str,
    name: str,
    due: datetime | None,
    reads_up_to: datetime | None,
    reads_after: datetime | None,
    season: tuple[datetime | None, datetime | None],
    cycle_months: int | None,
) -> int:
    from chamberlain.billing.operations import RunPlan, plan_bill_run

    if not tariff or due is None:
        raise Invalid(
            "A new bill run needs --tariff and --due; --resume goes on with an old one.",
            field="tariff",
        )
    day_id, day = office.open_day(center)
    last_read = reads_up_to.date() if reads_up_to else day
    plan = RunPlan(
        name=name or f"{tariff} up to {last_read}",
        tariff_code=tariff,
        business_day_id=day_id,
        due_on=due.date(),
        reads_up_to=last_read,
        is_metered=season[0] is None,
        reads_after=reads_after.date() if reads_after else None,
        season_from_on=season[0].date() if season[0] else None,
        season_to_on=season[1].date() if season[1] else None,
        cycle_months=cycle_months,
    )
    return plan_bill_run(office.actor(as_user), plan, office.now(), secrets.token_hex(16))


def run_with_progress(
    run_id: int,
    *,
    workers: int = 1,
    dask: str | None = None,
    quiet: bool = False,
    as_user: str = "",
) -> "RunProgress":
    """Runs what is left of a run, with a bar that counts its chunks."""
    from chamberlain.billing import running

    office.actor(as_user).require("bill_run.start")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[bills]:,} bills"),
        TimeRemainingColumn(),
        console=office.console,
        disable=quiet,
    ) as bar:
        before = running.progress_of(run_id)
        task = bar.add_task(
            "Billing", total=before.chunks, completed=before.done, bills=before.bills
        )
        return running.run(
            run_id,
            workers=workers,
            dask=dask,
            progress=lambda p: bar.update(task, completed=p.done, bills=p.bills),
        )


def _show(run_id: int, as_json: bool) -> None:
    from chamberlain.billing import queries

    row = queries.run_status(run_id)
    classes = queries.billed_by_class(run_id)
    held = queries.held_by_code(run_id)
    if as_json:
        office.print_json(
            {
                "run": run_id,
                "status": row.status,
                "bills": row.bills,
                "cents": row.cents,
                "held": row.held,
                "classes": [{"class": c, "bills": n, "cents": cents} for c, n, cents in classes],
                "worklist": [{"code": code, "class": c, "count": n} for code, c, n in held],
            }
        )
        return
    table = Table("Class", "Bills", "Amount", title=f"Run {run_id} ({row.status}): {row.name}")
    for rate_class, bills, cents in classes:
        table.add_row(rate_class, f"{bills:,}", show_cents(cents))
    table.add_row("In all", f"{row.bills:,}", show_cents(row.cents), style="bold")
    for code, rate_class, count in held:
        table.add_row(f"{rate_class}, held: {code}", f"{count:,}", "")
    for column in (1, 2):
        table.columns[column].justify = "right"
    office.console.print(table)

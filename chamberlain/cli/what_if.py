"""What if: the bills of a period under another tariff, rate or exemption, without posting."""

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from chamberlain.cli import office
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.money import show_cents

if TYPE_CHECKING:
    from chamberlain.billing.what_if.results import Result
    from chamberlain.billing.what_if.running import Scope
    from chamberlain.billing.what_if.scenarios import Scenario

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


def what_if(
    tariff: Annotated[str, typer.Option(metavar="CODE", help="Whose bills are looked at.")],
    since: Day,
    until: Day,
    account: Annotated[str, typer.Option(metavar="NUMBER", help="Only this account.")] = "",
    other_tariff: Annotated[
        str, typer.Option(metavar="CODE", help="Rate them by this tariff.")
    ] = "",
    component: Annotated[
        str, typer.Option(metavar="CODE", help="The line whose rate or exemption is imagined.")
    ] = "",
    change_percent: Annotated[
        str, typer.Option(metavar="PERCENT", help="Raise or lower its rates by so much.")
    ] = "",
    new_rate: Annotated[
        str, typer.Option(metavar="RATE", help="Its rate in dollars, or in percent.")
    ] = "",
    exempt_percent: Annotated[
        str, typer.Option(metavar="PERCENT", help="Waive so much of it, or of all lines.")
    ] = "",
    rate_class: Annotated[
        str, typer.Option("--class", metavar="CLASS", help="Exempt only this class.")
    ] = "",
    every: Annotated[int, typer.Option(min=1, help="Look at every so many-th account.")] = 1,
    as_json: office.AsJson = False,
    as_user: office.AsUser = "",
) -> None:
    """Rate the bills that end from --since to --until otherwise, and show who pays what."""
    office.set_up()
    from chamberlain.billing.what_if.running import Scope
    from chamberlain.billing.what_if.scenarios import Scenario

    scenario = Scenario(
        tariff=tariff,
        other_tariff=other_tariff,
        component=component,
        change_percent=_number(change_percent, "change-percent"),
        new_rate=_number(new_rate, "new-rate"),
        exempt_percent=_number(exempt_percent, "exempt-percent"),
        rate_class=rate_class,
    )
    scope = Scope(since.date(), until.date() + timedelta(days=1), account, every)
    result = _run(scenario, scope, as_user, quiet=as_json)
    if as_json:
        office.print_json({**asdict(result), "total": asdict(result.total)})
    else:
        _print(result)


def _number(text: str, option: str) -> Decimal | None:
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise Invalid(f"--{option}: “{text[:40]}” is not a number; write one such as 4.69.")
    return found


def _run(scenario: "Scenario", scope: "Scope", as_user: str, *, quiet: bool) -> "Result":
    from chamberlain.billing.what_if import running

    with Progress(
        TextColumn("Rating"),
        BarColumn(),
        MofNCompleteColumn(),
        console=office.console,
        transient=True,
        disable=quiet,
    ) as bar:
        task = bar.add_task("Rating", total=None)
        return running.what_if(
            office.actor(as_user),
            scenario,
            scope,
            lambda done, of: bar.update(task, completed=done, total=of),
        )


def _print(result: "Result") -> None:
    classes = Table("Class", "Accounts", "Bills", "Billed", "Imagined", "Change")
    for each in (*result.classes, result.total):
        classes.add_row(
            each.rate_class or "In all",
            f"{each.accounts:,}",
            f"{each.bills:,}",
            show_cents(each.before_cents),
            show_cents(each.after_cents),
            show_cents(each.change_cents),
            style="" if each.rate_class else "bold",
        )
    bands = Table("An account pays", "Accounts", "In all")
    for band in result.bands:
        bands.add_row(band.label, f"{band.accounts:,}", show_cents(band.change_cents))
    for table in (classes, bands):
        for column in table.columns[1:]:
            column.justify = "right"
        office.console.print(table)
    office.console.print(
        f"{result.winners:,} accounts pay less, {result.losers:,} more, "
        f"{result.unchanged:,} the same. Nothing was posted."
    )
    for sentence, bills in result.not_rated:
        office.console.print(f"{bills:,} bills left out: {sentence}", markup=False)

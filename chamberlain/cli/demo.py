"""The demonstration: a city's revenue office from nothing, and whether its figures are right."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from chamberlain.cli import bill_run, database, ledger, office, serving
from chamberlain.database import server
from chamberlain.kernel.errors import Refused
from chamberlain.kernel.money import show_cents

if TYPE_CHECKING:
    from chamberlain.cities.comparing import Compared

SANTA_MONICA = "santa_monica"
CHICAGO = "chicago"
CENTER = "SM"
RUN_KEY = "demonstration-santa-monica"
DUE_DAYS = 21


def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop what is there first.")] = False,
    serve: Annotated[bool, typer.Option(help="Serve the pages afterwards.")] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes of the bill run.")] = 2,
) -> None:
    """Load two cities, bill one of them, prove the ledger and compare every figure.

    Exits 1 when a figure differs. Running it again is quick and harmless.
    """
    if database.has_own_server():
        raise Refused(
            "DATABASE_URL names the city's own server; the demonstration only goes into the "
            "private one. Unset it and run this again."
        )
    os.environ["CHAMBERLAIN_DEMO"] = "1"
    started = time.monotonic()
    with office.console.status("Starting the private database and making its tables"):
        if fresh:
            database.drop()
        database.bring_up_to_date()
    _load_cities()
    agrees = _santa_monica(workers)
    _chicago()
    sign_ins = _sign_ins()
    _account_work()
    holds = ledger.show_proof()
    office.console.print(sign_ins)
    office.console.print(_where_to_look())
    office.console.print(f"Made in {time.monotonic() - started:.0f} seconds.")
    if not (agrees and holds):
        raise typer.Exit(1)
    if serve:
        serving.serve()


@contextmanager
def _telling(first: str) -> Iterator[Callable[[str], None]]:
    """Shows what is being done, and for how long."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=office.console) as progress:
        task = progress.add_task(first, total=1)
        yield lambda what: progress.update(task, description=what)
        progress.update(task, completed=1, description=f"{first}: done")


def _load_cities() -> None:
    from chamberlain.cities.loading import city_folder, load_city

    for code in (CHICAGO, SANTA_MONICA):
        city = load_city(office.actor(), city_folder(code), office.now())
        office.console.print(
            f"{city.name}: {city.centers} centers, {city.charge_kinds} kinds of charges, "
            f"{city.tariffs} tariffs, {city.fees} fees; {len(city.unverified)} of their published "
            "figures are unverified."
        )


def _santa_monica(workers: int) -> bool:
    """Bills the usages of Santa Monica; returns whether every figure is the expected one."""
    from chamberlain.billing import queries
    from chamberlain.cities import comparing
    from chamberlain.cities.demonstration import load_santa_monica

    with _telling("Santa Monica's usages") as tell:
        load_santa_monica(tell, office.now())
    run_id = _plan_santa_monica()
    bill_run.run_with_progress(run_id, workers=workers)
    compared = comparing.compare(
        comparing.expected_of(SANTA_MONICA),
        queries.billed_by_class(run_id),
        queries.held_by_code(run_id),
    )
    office.console.print(_table(compared))
    return all(row.agrees for row in compared)


def _plan_santa_monica() -> int:
    """The one run over all usages; planned on the first time, found again afterwards."""
    from chamberlain.billing.operations import RunPlan, plan_bill_run
    from chamberlain.cities.demonstration.santa_monica import TARIFF
    from chamberlain.identity.queries import center_by_code
    from chamberlain.ledger.operations import open_business_day
    from chamberlain.ledger.queries import open_day

    actor, now, today = office.actor(), office.now(), office.today()
    center_id = center_by_code(CENTER).center_id
    day = open_day(center_id) or open_business_day(actor, center_id, today, now)
    plan = RunPlan(
        name="All published usages of Santa Monica",
        tariff_code=TARIFF,
        business_day_id=day.pk,
        due_on=today + timedelta(days=DUE_DAYS),
        reads_up_to=today,
    )
    return plan_bill_run(actor, plan, now, RUN_KEY)


def _chicago() -> None:
    from chamberlain.cities.demonstration import generate_chicago

    with _telling("Chicago's five years") as tell:
        accounts = generate_chicago(office.today(), progress=tell)
    office.console.print(f"Chicago: {accounts:,} made-up accounts under the real rates.")


def _account_work() -> None:
    from chamberlain.cities.demonstration import (
        do_account_work,
        enter_citations,
        stock_the_counters,
    )

    with _telling("Chicago's account work and counters"):
        do_account_work(office.today(), office.now())
        stock_the_counters(office.today(), office.now())
        enter_citations(office.today(), office.now())


def _sign_ins() -> Table:
    from chamberlain.cities.demonstration import ensure_demonstration_users

    password = _password()
    table = Table("Sign in as", "Password", "Role", "Center", title="One sign-in for each role")
    for user in ensure_demonstration_users(password, office.today(), office.now()):
        table.add_row(user.username, password, user.role, user.center or "city-wide")
    return table


def _where_to_look() -> Table:
    from chamberlain.cities.demonstration import places

    table = Table("What", "Page", title="Where to look, as clara or amir")
    table.columns[1].no_wrap = True
    for place in places():
        table.add_row(place.what, place.address)
    return table


def _password() -> str:
    """The demonstration's password, made on the first run and kept where only its owner reads."""
    path = server.data_folder().parent / "demonstration_password"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(9))
    return path.read_text(encoding="utf-8")


def _table(compared: "list[Compared]") -> Table:
    table = Table("", "Found", "Expected", "", title="Santa Monica's usages as billed")
    for column in (1, 2):
        table.columns[column].justify = "right"
    for row in compared:
        mark = "[green]✓[/]" if row.agrees else f"[red]{_shown(row, row.found - row.expected)}[/]"
        what = {"bills": "bills", "cents": "amount", "held": "on the worklist"}[row.kind]
        table.add_row(
            f"{row.name}, {what}", _shown(row, row.found), _shown(row, row.expected), mark
        )
    return table


def _shown(row: "Compared", figure: int) -> str:
    return show_cents(figure) if row.kind == "cents" else f"{figure:,}"

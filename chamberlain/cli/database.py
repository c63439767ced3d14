"""The database: migrate it, and the private server of an office that has none of its own."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from chamberlain.cli import office
from chamberlain.database import addresses, server, setup
from chamberlain.kernel.errors import Refused

app = typer.Typer(help="The private database server in var/.", no_args_is_help=True)


def migrate() -> None:
    """Bring the database to this version's shape. Harmless when it has it."""
    bring_up_to_date()
    office.console.print("The database has this version's shape.")


def bring_up_to_date() -> None:
    """Makes the private database when that is the one, migrates, and renews what roles may do."""
    if not has_own_server():
        setup.prepare_private_server(_name())
    office.set_up(needs_tables=False)
    setup.migrate()


def drop() -> None:
    """Takes the private database away with all that is in it."""
    setup.drop_private_database(_name())


def has_own_server() -> bool:
    """Whether the city named a PostgreSQL of its own."""
    return bool(os.environ.get("DATABASE_URL"))


def _refuse_own_server() -> None:
    if has_own_server():
        raise Refused(
            "DATABASE_URL names the city's own server; start, stop and look into it with its "
            "own tools."
        )


@app.command()
def start() -> None:
    """Start the private server; it goes on until it is stopped."""
    _refuse_own_server()
    office.console.print(f"The private server runs; its socket is in {server.start()}.")


@app.command()
def stop() -> None:
    """Stop the private server."""
    _refuse_own_server()
    server.stop()
    office.console.print("The private server is stopped.")


@app.command()
def status(as_json: office.AsJson = False) -> None:
    """Say whether the private server runs. Exits 1 when it does not."""
    _refuse_own_server()
    running = server.is_running()
    if as_json:
        office.print_json({"running": running, "folder": str(server.data_folder())})
    else:
        state = "runs" if running else "is stopped"
        office.console.print(f"The private server {state}; its data is in {server.data_folder()}.")
    if not running:
        raise typer.Exit(1)


@app.command()
def shell(
    as_owner: Annotated[
        bool, typer.Option("--owner", help="As the role that owns the tables.")
    ] = False,
) -> None:
    """Open psql on the office's database; it reads SQL from standard input too."""
    office.set_up(needs_tables=False)
    from django.conf import settings

    found = settings.DATABASES["owner" if as_owner else "default"]
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    given = {variable: str(found[key]) for variable, key in named.items() if found[key]}
    done = subprocess.run(
        [str(server.program("psql")), str(found["NAME"])], env={**os.environ, **given}, check=False
    )
    raise typer.Exit(min(done.returncode, 1))


@app.command()
def dump(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Must not exist yet.")],
) -> None:
    """Write the office's database into one file, while the office works."""
    _refuse_own_server()
    if file.exists():
        raise Refused(f"{file} exists; name another file, so that no backup is overwritten.")
    socket = server.start()
    with file.open("xb") as out:
        done = subprocess.run(
            [str(server.program("pg_dump")), "-h", socket, "-U", setup.ADMIN, "-Fc", _name()],
            stdout=out,
            check=False,
        )
    if done.returncode != 0:
        file.unlink()
        raise Refused("The database could not be written; pg_dump says why above.")
    office.console.print(f"Written to {file}.")


@app.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", exists=True)]) -> None:
    """Fill an empty database from a file that `dump` wrote."""
    _refuse_own_server()
    setup.prepare_private_server(_name())
    if setup.has_tables(_name()):
        raise Refused(
            f"The database {_name()} has tables; name an empty one in CHAMBERLAIN_DATABASE, or "
            "start with an empty var/."
        )
    command = [str(server.program("pg_restore")), "-h", server.start(), "-U", setup.ADMIN]
    done = subprocess.run(
        [*command, "--exit-on-error", "--single-transaction", "-d", _name(), str(file)], check=False
    )
    if done.returncode != 0:
        raise Refused(f"{file} could not be restored, and nothing was; pg_restore says why above.")
    bring_up_to_date()
    office.console.print("Restored; chamberlain ledger prove says whether all is as it was.")


def _name() -> str:
    return os.environ.get("CHAMBERLAIN_DATABASE", addresses.DATABASE_NAME)

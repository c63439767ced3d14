"""What commands need before their operation: Django at the right database, and an actor."""

import json
import os
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from chamberlain.kernel.errors import NotFound, Refused

if TYPE_CHECKING:
    from chamberlain.identity.actors import Actor

console = Console(highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
AsUser = Annotated[
    str,
    typer.Option("--as", metavar="USERNAME", help="Do it as this user; without it, the program."),
]


class NoTables(Refused):
    """The database is missing or older than the program."""


def set_up(*, needs_tables: bool = True) -> None:
    """Settings, connections and rooms are ready after this; nothing touches data before.

    needs_tables: refuses when the database was not migrated to this program's shape.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chamberlain.settings")
    import django
    from django.conf import settings

    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "0")
    django.setup()
    if needs_tables and not _is_migrated():
        name = settings.DATABASES["default"]["NAME"]
        raise NoTables(
            f"The database {name} does not have this version's tables; run chamberlain migrate."
        )


def _is_migrated() -> bool:
    from django.db import OperationalError, ProgrammingError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (OperationalError, ProgrammingError) as error:
        if "does not exist" in str(error):
            return False
        raise


def actor(username: str = "") -> "Actor":
    """Who does the command: the named user with today's roles, or the program itself."""
    from chamberlain.identity import actors

    return actors.actor_named(username, today()) if username else actors.program_actor()


def open_day(center_code: str = "") -> tuple[int, date]:
    """The id and date of the day that a center has open, the revenue office's without a code.

    Raises NotFound.
    """
    from chamberlain.identity import queries
    from chamberlain.ledger.queries import open_day as find_open_day

    center = queries.center_by_code(center_code) if center_code else queries.revenue_office()
    found = find_open_day(center.center_id)
    if found is None:
        raise NotFound(f"No business day is open at {center.name}; open one first.")
    return found.pk, found.day


def all_or_nothing() -> AbstractContextManager[None]:
    """Several operations that are kept together or not at all."""
    from django.db import transaction

    return transaction.atomic()


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The day it is in the city."""
    from django.utils import timezone

    return timezone.localdate()


def print_json(value: Any) -> None:
    """One JSON document on standard output; dates and decimals as text."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))

"""Brings a database to the program's present shape: roles, extensions, migrations, grants."""

import psycopg
from django.conf import settings
from django.core.management import call_command
from psycopg import sql

from chamberlain.database import roles, server

ADMIN = "postgres"


def prepare_private_server(database: str) -> None:
    """Roles, database and extensions on the private server. Harmless when they are there."""
    socket = server.start()
    with psycopg.connect(host=socket, user=ADMIN, dbname="postgres", autocommit=True) as admin:
        roles.create_roles(admin)
        roles.create_database(admin, database)
    with psycopg.connect(host=socket, user=ADMIN, dbname=database, autocommit=True) as admin:
        roles.create_extensions(admin)


def migrate() -> None:
    """Migrates as the owner, then gives the office its rights again."""
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    owner = settings.DATABASES["owner"]
    with psycopg.connect(
        host=owner["HOST"] or None,
        port=owner["PORT"] or None,
        user=owner["USER"] or None,
        password=owner["PASSWORD"] or None,
        dbname=owner["NAME"],
        **owner["OPTIONS"],
    ) as connection:
        roles.grant(connection, settings.DATABASES["default"]["USER"])


def has_tables(database: str) -> bool:
    """Whether a database of the private server has any table."""
    with psycopg.connect(host=server.start(), user=ADMIN, dbname=database) as admin:
        found = admin.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public' LIMIT 1")
        return found.fetchone() is not None


def drop_private_database(database: str) -> None:
    """Takes a database of the private server away with all that is in it."""
    with psycopg.connect(host=server.start(), user=ADMIN, dbname="postgres", autocommit=True) as a:
        a.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


def copy_private_database(database: str, copy: str) -> None:
    """Makes a copy of a database of the private server; nobody may be connected to it."""
    with psycopg.connect(host=server.start(), user=ADMIN, dbname="postgres", autocommit=True) as a:
        a.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(copy), sql.Identifier(database), sql.Identifier(roles.OWNER)
            )
        )

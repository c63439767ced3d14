"""Two roles: the owner, who migrates, and the office, which owns nothing and does the work.

What the office may not do (change or delete the ledger's rows, write the totals that only
triggers keep) is taken away here, and guarded once more by triggers.
"""

from typing import Any

import psycopg
from psycopg import sql

OWNER = "chamberlain_owner"
OFFICE = "chamberlain_office"

APPEND_ONLY = (
    "ledger_entry",
    "ledger_transfer",
    "ledger_charge",
    "ledger_daydigest",
    "ledger_entrydigest",
    "stock_move",
)
KEPT_BY_TRIGGERS = ("ledger_settlement", "ledger_balance", "stock_held")


def create_roles(admin: psycopg.Connection[Any]) -> None:
    """Creates both roles when they are missing. `admin` may create roles."""
    for role, options in ((OWNER, "LOGIN CREATEDB"), (OFFICE, "LOGIN")):
        found = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if not found:
            admin.execute(
                sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), sql.SQL(options))
            )


def create_database(admin: psycopg.Connection[Any], name: str) -> None:
    """Creates a database that belongs to the owner when it is missing."""
    found = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if not found:
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(OWNER)
            )
        )


def create_extensions(admin: psycopg.Connection[Any]) -> None:
    """Creates the extensions that the schema needs, inside the database connected to."""
    for extension in ("btree_gist", "pg_trgm", "unaccent"):
        admin.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension))
        )


def grant(owner: psycopg.Connection[Any], office: str = OFFICE) -> None:
    """Gives the office what it needs in every table of the schema, and no more."""
    role = sql.Identifier(office)
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}",
    ):
        owner.execute(sql.SQL(statement).format(role))
    for table in APPEND_ONLY:
        owner.execute(
            sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(
                sql.Identifier(table), role
            )
        )
    for table in KEPT_BY_TRIGGERS:
        owner.execute(
            sql.SQL("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(
                sql.Identifier(table), role
            )
        )

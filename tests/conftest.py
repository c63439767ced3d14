"""One real PostgreSQL database for each test process, migrated once and then cloned.

Tests connect as the office's role, so that what the database refuses to the program it refuses
to the tests too. A test that commits takes `own_database`, a fresh clone of its own.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg import sql

ROOT = Path(__file__).parents[1]

# Other branches and the change before this one may still need theirs.
_TEMPLATES_KEPT = 4

# A busy machine is no failure, and a change is judged by the same examples each time.
hypothesis_settings.register_profile(
    "office", deadline=None, derandomize=os.environ.get("CI") == "true"
)
hypothesis_settings.load_profile("office")


def _schema_fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in ("chamberlain/**/migrations/*.py", "chamberlain/**/sql/*.sql"):
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    for path in sorted(ROOT.glob("chamberlain/database/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _admin(database: str = "postgres") -> psycopg.Connection[Any]:
    from chamberlain.database import server

    return psycopg.connect(host=server.start(), user="postgres", dbname=database, autocommit=True)


def _ensure_template() -> str:
    from django.conf import settings

    from chamberlain.database import setup

    name = f"chamberlain_template_{_schema_fingerprint()}"
    with _admin() as admin:
        admin.execute("SELECT pg_advisory_lock(4711)")
        if admin.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [name]
        ).fetchone():
            return name
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        setup.prepare_private_server(name)
        _point_django_at(name)
        setup.migrate()
        from django.db import connections

        connections.close_all()
        assert settings.DATABASES["default"]["NAME"] == name
        admin.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(name)))
        _drop_old_templates(admin)
    return name


def _drop_old_templates(admin: psycopg.Connection[Any]) -> None:
    old = admin.execute(
        "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid DESC OFFSET %s",
        [r"chamberlain\_template\_%", _TEMPLATES_KEPT],
    ).fetchall()
    for (name,) in old:
        admin.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _point_django_at(name: str) -> None:
    from django.conf import settings
    from django.db import connections

    for alias in ("default", "owner"):
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def _clone(admin: psycopg.Connection[Any], template: str, name: str) -> None:
    from chamberlain.database.roles import OWNER

    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    admin.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER)
        )
    )


@pytest.fixture(scope="session")
def template_database(django_db_blocker: Any) -> str:
    """The name of the migrated database that others are cloned from."""
    with django_db_blocker.unblock():
        return _ensure_template()


@pytest.fixture(scope="session")
def django_db_setup(template_database: str) -> Iterator[None]:
    """The process's own database, which each test leaves as it found it (by rolling back)."""
    name = f"chamberlain_test_{os.getpid()}"
    with _admin() as admin:
        _clone(admin, template_database, name)
    _point_django_at(name)
    yield
    from django.db import connections

    connections.close_all()
    with _admin() as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def own_database(
    django_db_setup: None, template_database: str, django_db_blocker: Any
) -> Iterator[str]:
    """A database of the test's own, whose commits are real. Yields its name."""
    from django.conf import settings
    from django.db import connections

    before = settings.DATABASES["default"]["NAME"]
    name = f"chamberlain_own_{os.getpid()}"
    with _admin() as admin:
        _clone(admin, template_database, name)
        _point_django_at(name)
        with django_db_blocker.unblock():
            yield name
        connections.close_all()
        _point_django_at(before)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(autouse=True)
def forget_ledger_accounts() -> Iterator[None]:
    """Ids that a test made are gone after it."""
    yield
    from chamberlain.ledger import chart

    chart.forget()

"""The private server comes up again after whatever happened to it."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from chamberlain.database import roles, server


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder of the test's own, where the server's system user may write."""
    made = server.data_folder().parent / f"test_server_{os.getpid()}"
    yield made
    server.stop(made)
    shutil.rmtree(made, ignore_errors=True)
    made.with_name(f".{made.name}.starting").unlink(missing_ok=True)


def _connect(folder: Path) -> psycopg.Connection[Any]:
    return psycopg.connect(host=server.start(folder), user="postgres", autocommit=True)


@pytest.mark.slow
def test_what_was_committed_survives_a_killed_server(folder: Path) -> None:
    with _connect(folder) as admin:
        assert admin.execute("SHOW fsync").fetchone() == ("on",)
        assert admin.execute("SHOW listen_addresses").fetchone() == ("",)
        admin.execute("CREATE TABLE kept (cents bigint)")
        admin.execute("INSERT INTO kept VALUES (4850)")
    postmaster = int((folder / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    _wait_until_gone(postmaster)
    with _connect(folder) as admin:
        assert admin.execute("SELECT cents FROM kept").fetchone() == (4850,)


def _wait_until_gone(pid: int) -> None:
    with contextlib.suppress(psutil.Error):
        psutil.Process(pid).wait(timeout=10)


@pytest.mark.slow
def test_a_lock_file_from_before_a_reboot_does_not_keep_it_down(folder: Path) -> None:
    server.start(folder)
    server.stop(folder)
    assert not server.is_running(folder)
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n0\n5432\n\n\n\nready\n")
    assert not server.is_running(folder), "that process is no PostgreSQL"
    with _connect(folder) as admin:
        assert admin.execute("SELECT 1").fetchone() == (1,)
    assert server.is_running(folder)


@pytest.mark.slow
def test_many_that_start_it_at_once_get_the_same_server(folder: Path) -> None:
    server.stop(folder)
    with ThreadPoolExecutor(4) as pool:
        sockets = set(pool.map(lambda _: server.start(folder), range(4)))
    assert len(sockets) == 1


def test_data_of_another_major_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("17\n")
    with pytest.raises(server.ServerRefused) as refused:
        server.start(folder)
    assert "PostgreSQL 17" in refused.value.sentence
    assert "pg_dumpall" in refused.value.sentence
    assert (folder / "PG_VERSION").read_text() == "17\n"


@pytest.mark.django_db
@pytest.mark.parametrize("table", [*roles.APPEND_ONLY, *roles.KEPT_BY_TRIGGERS])
@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_offices_role_has_no_right_to_change_the_books(table: str, right: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s)", [table, right])
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
def test_the_offices_role_owns_nothing() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone() == (0,)

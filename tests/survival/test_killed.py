"""Processes and the database killed under load: what was printed is in the books, once.

CHAMBERLAIN_SURVIVAL_SECONDS says how long (25); run it for minutes before a release.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from chamberlain.database import server
from tests.survival.load import PROCESSES, Load, finished

SECONDS = float(os.environ.get("CHAMBERLAIN_SURVIVAL_SECONDS", "25"))
ACCOUNTS = max(int(SECONDS * 700), 8000)


@pytest.fixture
def var() -> Iterator[Path]:
    """A folder of everything that changes, with a server of its own."""
    made = server.data_folder().parent / f"survival_{os.getpid()}"
    made.mkdir(parents=True)
    made.chmod(0o755)
    yield made
    server.stop(made / "postgres")
    shutil.rmtree(made, ignore_errors=True)


def kill_the_database(folder: Path, chance: random.Random) -> None:
    """The whole server, or one of its sessions, which makes it start over by itself."""
    postmaster = int((folder / "postmaster.pid").read_text().splitlines()[0])
    whole = psutil.Process(postmaster)
    sessions = [each for each in whole.children() if "chamberlain_survival" in each.name()]
    sessions = sessions or whole.children()
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        if chance.random() < 0.5 and sessions:
            chance.choice(sessions).kill()
            return
        os.kill(postmaster, signal.SIGKILL)
        whole.wait(timeout=10)
    server.start(folder)


@pytest.mark.slow
def test_every_receipt_that_was_printed_is_in_the_books_once(var: Path) -> None:
    folder = var / "printed"
    folder.mkdir()
    finished(var, "prepare", str(folder), str(ACCOUNTS))
    load, chance = Load(var, folder, ACCOUNTS), random.Random(20260302)
    kills = {"process": 0, "database": 0}
    time.sleep(4)
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        time.sleep(chance.uniform(0.5, 3))
        if chance.random() < 0.5:
            load.kill(chance.randrange(PROCESSES))
            kills["process"] += 1
        else:
            kill_the_database(var / "postgres", chance)
            kills["database"] += 1
    load.stop()
    out = finished(var, "prove", str(folder))
    counts = out.splitlines()[-2]
    assert out.splitlines()[-1] == "all agree", out[-3000:]
    assert min(kills.values()) > 1, kills
    assert int(counts.split()[0]) > 100, counts

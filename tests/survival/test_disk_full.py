"""A full disk: payments are refused, none is torn, and the office goes on once there is room."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chamberlain.database import server
from tests.survival.load import Load, finished

VOLUME = "450m"
ROOM_LEFT = 6 * 1024 * 1024
ACCOUNTS = 16_000


@pytest.fixture
def var() -> Iterator[Path]:
    """A small volume of its own with a server in it."""
    made = server.data_folder().parent / f"full_{os.getpid()}"
    made.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={VOLUME},mode=0755", "tmpfs", str(made)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        made.rmdir()
        pytest.skip(f"needs the right to mount a small volume: {mounted.stderr.strip()}")
    yield made
    server.stop(made / "postgres")
    subprocess.run(["umount", "-l", str(made)], check=False)
    shutil.rmtree(made, ignore_errors=True)


def printed(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.glob("printed-*.txt"))


def wait_until_nothing_is_taken(folder: Path) -> int:
    """How many were printed when a second passed in which none was."""
    last = -1
    for _ in range(120):
        now = printed(folder)
        if now == last:
            return now
        last = now
        time.sleep(1)
    raise AssertionError("payments went on on a full disk")


@pytest.mark.slow
def test_a_full_disk_refuses_payments_and_tears_none(var: Path, tmp_path: Path) -> None:
    finished(var, "prepare", str(tmp_path), str(ACCOUNTS))
    free = shutil.disk_usage(var).free
    filler = var / "filler"
    with filler.open("wb") as out:
        out.write(b"\0" * (free - ROOM_LEFT))
    load = Load(var, tmp_path, ACCOUNTS)
    deadline = time.monotonic() + 60
    while printed(tmp_path) == 0 and time.monotonic() < deadline:
        time.sleep(0.2)
    before = wait_until_nothing_is_taken(tmp_path)
    assert shutil.disk_usage(var).free < ROOM_LEFT
    assert before > 0
    filler.unlink()
    server.start(var / "postgres")
    deadline = time.monotonic() + 60
    while printed(tmp_path) <= before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert printed(tmp_path) > before, "the office did not go on"
    load.stop()
    out = finished(var, "prove", str(tmp_path))
    assert out.splitlines()[-1] == "all agree", out[-3000:]

"""Processes of the office under load, each with the server of a folder."""

import os
import subprocess
import sys
from pathlib import Path

from tests.survival.office import CASHIERS

PROCESSES = 2


def started(var: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.survival.office", *arguments],
        env={**os.environ, "CHAMBERLAIN_VAR": str(var)}
        | {"DJANGO_SETTINGS_MODULE": "chamberlain.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(var: Path, *arguments: str) -> str:
    process = started(var, *arguments)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out[-3000:]
    return out


class Load:
    """The processes of the cashiers; one that was killed is started again."""

    def __init__(self, var: Path, folder: Path, accounts: int) -> None:
        self.var, self.folder, self.accounts = var, folder, accounts
        self.each = CASHIERS // PROCESSES
        self.processes = [self._start(nth) for nth in range(PROCESSES)]

    def _start(self, nth: int) -> subprocess.Popen[str]:
        first = str(nth * self.each)
        return started(
            self.var, "take", str(self.folder), first, str(self.each), str(self.accounts)
        )

    def kill(self, nth: int) -> None:
        self.processes[nth].kill()
        self.processes[nth].communicate()
        self.processes[nth] = self._start(nth)

    def stop(self) -> None:
        (self.folder / "stop").touch()
        for process in self.processes:
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0, out[-3000:]

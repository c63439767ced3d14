"""Running the command as a person does: in a process of its own, at the test's database."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def chamberlain(*words: str, database: str = "", given: str = "", **environment: str) -> Answer:
    """Runs `chamberlain` with these words; `given` is what it reads from standard input."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("chamberlain")), *words],
        input=given,
        capture_output=True,
        text=True,
        env={**inherited, "CHAMBERLAIN_DATABASE": database, "COLUMNS": "120", **environment},
        timeout=120,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)

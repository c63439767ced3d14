"""Known weaknesses of the locked packages, where the index that this machine reaches tells them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from checks.tracked import ROOT

SECONDS_MAX = 120


@dataclass(frozen=True)
class Audit:
    """What the audit found, and how many packages it could not ask about."""

    weaknesses: tuple[str, ...]
    unknown: int
    asked: int


def audit() -> Audit:
    """Asks about every package of the lock file."""
    try:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("pip-audit")),
                *("-r", "requirements.lock", "--require-hashes", "--disable-pip"),
                *("--format", "json", "--progress-spinner", "off", "--timeout", "10"),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Audit((), 0, 0)
    return read_answer(done.stdout)


def read_answer(answer: str) -> Audit:
    """The audit's JSON answer; one that is not JSON says that nothing was learned."""
    try:
        packages = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit((), 0, 0)
    weaknesses = tuple(
        f"{package['name']} {package['version']}: {weakness['id']}, mended in "
        f"{', '.join(weakness['fix_versions']) or 'no release yet'}."
        for package in packages
        for weakness in package.get("vulns", [])
    )
    return Audit(weaknesses, sum("skip_reason" in p for p in packages), len(packages))

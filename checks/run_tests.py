"""`make test`: all tests in some processes; operations and rules must be covered.

python checks/run_tests.py 2              all tests in two processes, with coverage
python checks/run_tests.py 2 tests/ledger a part of them, without
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COVERAGE = (
    "--cov=chamberlain",
    "--cov-config=checks/coverage.ini",
    "--cov-report=term:skip-covered",
)


def main(workers: str, parts: list[str]) -> int:
    """Runs pytest and returns its exit code; its own summary is printed last."""
    pytest = [sys.executable, "-m", "pytest", "-n", workers, "--dist", "loadfile"]
    done = subprocess.run(
        [*pytest, *(parts or COVERAGE)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

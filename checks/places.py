"""Nothing in the project may depend on, or tell of, the machine that it was written on."""

import re
from collections.abc import Iterator

from checks.tracked import text_files

_HOSTS = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com"
    r"|(?:deb|security)\.debian\.org)"
)
_PATHS = re.compile(r"(?<![\w.])/(?:work/|farm/|home/\w|Users/\w|opt/(?:pypi|wheels)|root/\.)")
_TEMPORARY = re.compile(r"(?<![\w.])/tmp/\w")
_UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")


def findings() -> Iterator[str]:
    """A sentence for each host of a registry, each machine path, each mark of unfinished work."""
    for name, text in text_files():
        yield from found_in(name, text)


def found_in(name: str, text: str) -> Iterator[str]:
    """The findings of one file."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _HOSTS.search(line):
            yield f"{name}:{number} names the registry {match[0]}."
        if match := _PATHS.search(line) or _TEMPORARY.search(line):
            yield f"{name}:{number} names the machine's path {match[0]}…"
        if name.endswith((".py", ".js", ".sql")) and (match := _UNFINISHED.search(line)):
            yield f"{name}:{number} is marked as unfinished ({match[0]})."

"""Nothing is added without a line in the documentation."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from chamberlain.cli.app import app
from checks.tracked import text_files

DOCS = Path(__file__).parents[2] / "docs"
_READS = re.compile(r'(?:environ(?:\.get|\.setdefault)?[(\[]|_flag\()\s*"([A-Z_]+)"')
_NOT_OURS = {"PATH", "POLARS_MAX_THREADS", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"}


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*words, name))
    else:
        yield " ".join(words), command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def _variables() -> set[str]:
    names = set()
    for name, text in text_files(".py"):
        if name.startswith("chamberlain/"):
            names |= set(_READS.findall(text))
    return names - _NOT_OURS


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_documented_with_its_options(words: str) -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    title = f"## `chamberlain {words}`"
    assert title in page
    section = page.split(title, 1)[1].split("\n## ", 1)[0]
    for option in COMMANDS[words].params:
        named = [name for name in option.opts if name.startswith("--")]
        for name in named[:1]:
            assert f"`{name}" in section, f"{words} {name}"


def test_no_command_is_documented_that_is_not_there() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## `chamberlain ([^`]+)`", page, re.MULTILINE)) == set(COMMANDS)


def test_every_environment_variable_is_documented() -> None:
    page = (DOCS / "production.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) == _variables()


def _links(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            yield target


PAGES = sorted([*DOCS.rglob("*.md"), DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_of_the_documentation_lead_somewhere(page: Path) -> None:
    for target in _links(page):
        assert (page.parent / target).exists(), target

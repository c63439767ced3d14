"""The catalogs of translated texts are complete: nothing is missing, left over or out of date."""

import ast
import re
import sys
from collections.abc import Iterator

import yaml

from chamberlain.web.catalogs import LOCALES, mo_bytes, read_po
from checks.tracked import ROOT, text_files

_CALLS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "pgettext": 2}
_TRANSLATE = re.compile(r"""\{%\s*translate\s+(?:"([^"]*)"|'([^']*)')\s*%\}""")
_BLOCK = re.compile(
    r"\{%\s*blocktranslate(?:\s[^%]*)?%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL
)
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_PLACE = re.compile(r"%\(\w+\)[sd]|%%")
_CONTEXT, _PLURAL = "\x04", "\0"


def texts_in_python(source: str) -> Iterator[str]:
    """Texts that a file of Python asks the catalog for."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        count = _CALLS.get(node.func.id, 0)
        values = [a.value for a in node.args[:count] if isinstance(a, ast.Constant)]
        words = [value for value in values if isinstance(value, str)]
        if count and len(words) == count:
            between = {"ngettext": _PLURAL, "pgettext": _CONTEXT}.get(node.func.id, "")
            yield between.join(words)


def texts_in_template(source: str) -> Iterator[str]:
    """Texts that a template asks the catalog for."""
    for match in _TRANSLATE.finditer(source):
        yield match[1] or match[2]
    for match in _BLOCK.finditer(source):
        yield _VARIABLE.sub(r"%(\1)s", match[1])


def _labels(value: object, names: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in names and isinstance(inner, str):
                yield inner
            yield from _labels(inner, names)
    elif isinstance(value, list):
        for inner in value:
            yield from _labels(inner, names)


def texts_of_cities() -> Iterator[str]:
    """What residents read of the city's files: lines, how they are reckoned, exemptions."""
    folder = ROOT / "chamberlain" / "cities" / "chicago"
    yield from _labels(yaml.safe_load((folder / "tariffs.yaml").read_text()), ("label", "formula"))
    for terms in yaml.safe_load((folder / "certificates.yaml").read_text())["certificates"]:
        yield from (exemption["name"] for exemption in terms["exemptions"])


def texts() -> set[str]:
    """Every text that a catalog has to have."""
    found = set(texts_of_cities())
    for name, source in text_files(".py", ".html"):
        if name.startswith("chamberlain/") and "/migrations/" not in name:
            found.update(
                texts_in_python(source) if name.endswith(".py") else texts_in_template(source)
            )
    return found


def findings() -> Iterator[str]:
    """A sentence for each text that a catalog lacks, has without need, or translates unevenly."""
    needed = texts()
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/django.po")):
        name = path.parent.parent.name
        catalog = read_po(path.read_text(encoding="utf-8"))
        catalog_texts = set(catalog) - {""}
        for text in sorted(needed - catalog_texts):
            yield f"The catalog {name} lacks “{text}”."
        for text in sorted(catalog_texts - needed):
            yield f"The catalog {name} has “{text}”, which nothing says any more."
        for text in sorted(catalog_texts & needed):
            if not all(catalog[text]):
                yield f"The catalog {name} does not translate “{text}”."
            elif any(_places(text) != _places(said) for said in catalog[text]):
                yield f"The catalog {name} fills “{text}” with other values than the text."
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or compiled.read_bytes() != mo_bytes(catalog):
            yield f"{name}: run python -m chamberlain.web.catalogs, then commit django.mo."


def _places(text: str) -> set[str]:
    return set(_PLACE.findall(text.partition(_PLURAL)[0]))


if __name__ == "__main__":
    found = list(findings())
    print("\n".join(found))
    sys.exit(bool(found))

"""The wording of a template: paragraphs with merge fields, and what becomes of it for an account.

Paragraphs are parted by an empty line. A paragraph that begins with `## ` is a heading; one whose
lines all begin with `- ` is a list. `{{ balance }}` is a merge field. There is nothing else: no
condition, no program. Structure is read before fields are filled in, so that what is on file can
never become a heading, a list, a field, or an instruction of the compiler.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chamberlain.casework.letters.fields import CATALOG, FREE, nearest
from chamberlain.kernel.errors import Invalid

LONGEST_BODY = 8000
LONGEST_SUBJECT = 120
LONGEST_FREE = 2000
_FIELD = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_PARTED = re.compile(r"\n[ \t]*\n+")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading or a paragraph (one item), or a list."""

    kind: Literal["heading", "paragraph", "list"]
    items: tuple[str, ...]


def blocks_of(text: str) -> tuple[Block, ...]:
    """The headings, paragraphs and lists of a text, in their order."""
    found = []
    for part in _PARTED.split(text.replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        if not lines:
            continue
        if lines[0].startswith("## "):
            found.append(Block("heading", (lines[0][3:].strip(),)))
            lines = lines[1:]
        if lines and all(line.startswith("- ") for line in lines):
            found.append(Block("list", tuple(line[2:].strip() for line in lines)))
        elif lines:
            found.append(Block("paragraph", (" ".join(lines),)))
    return tuple(found)


def fields_of(text: str) -> tuple[str, ...]:
    """The merge fields that a text names, each once, in their order."""
    return tuple(dict.fromkeys(_FIELD.findall(text)))


def check_wording(subject: str, body: str) -> None:
    """Raises Invalid for an empty or long text, an unknown field or a brace that is none."""
    for name, text, longest in (
        ("subject", subject, LONGEST_SUBJECT),
        ("body", body, LONGEST_BODY),
    ):
        if not text.strip():
            raise Invalid(f"The {name} is empty; write it.", field=name)
        if len(text) > longest or "\0" in text:
            raise Invalid(
                f"The {name} has more than {longest:,} characters or one that is no text; "
                "shorten it.",
                field=name,
            )
        for field in fields_of(text):
            if field not in CATALOG:
                raise Invalid(_unknown(field), field=name)
        if "{{" in (rest := _FIELD.sub("", text)) or "}}" in rest:
            raise Invalid(
                f"The {name} has braces that do not close around a field; "
                "write a field as {{ balance }}.",
                field=name,
            )
    if FREE in fields_of(subject):
        raise Invalid("The free paragraph belongs into the body, not the subject.", field="subject")
    if FREE in fields_of(body) and body.count(FREE) != len(
        [block for block in blocks_of(body) if block.items == (f"{{{{ {FREE} }}}}",)]
    ):
        raise Invalid(
            f"The free paragraph stands alone: put {{{{ {FREE} }}}} into a paragraph of its own.",
            field="body",
        )


def _unknown(field: str) -> str:
    near = nearest(field)
    advice = f"the nearest that there is is “{near}”" if near else "choose one of the list"
    return f"There is no field “{field[:40]}”; {advice}."


def merge_text(text: str, values: Mapping[str, str]) -> str:
    """A text with its fields filled in. Raises Invalid naming a field without a value."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if not values.get(name):
            says = CATALOG[name].says
            raise Invalid(
                f"The account has nothing for “{name}” ({says[0].lower()}{says[1:]}); "
                "choose another template.",
                field="template",
            )
        return values[name]

    return _FIELD.sub(value, text)


def merge_body(body: str, values: Mapping[str, str], free: str) -> tuple[Block, ...]:
    """The blocks of a body with fields filled in. free: paragraphs of plain text, or ""."""
    merged: list[Block] = []
    for block in blocks_of(body):
        if fields_of(block.items[0]) == (FREE,):
            parts = (" ".join(part.split()) for part in _PARTED.split(free.replace("\r\n", "\n")))
            merged += [Block("paragraph", (part,)) for part in parts if part]
        else:
            items = tuple(merge_text(item, values) for item in block.items)
            merged.append(Block(block.kind, items))
    return tuple(merged)


def plain(blocks: tuple[Block, ...]) -> str:
    """Blocks as plain text, as it is kept beside the file."""
    return "\n\n".join(
        "\n".join(f"- {item}" for item in block.items) if block.kind == "list" else block.items[0]
        for block in blocks
    )

"""The wording of a template: its merge fields are found, checked and filled.

A field is a name in braces, `{balance}`; two braces are one that is printed. What is filled in is
text and never read as wording again.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from string import Formatter

from chamberlain.kernel.errors import Invalid


def fields_in(text: str) -> set[str]:
    """The names of the fields that a text has. Raises Invalid for a brace that is not closed, or
    for anything but a name in braces."""
    found = set()
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise Invalid(
            "A brace is not closed; write a field as {balance}, and a brace of the text twice.",
            field="body",
        ) from error
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise Invalid(f"“{{{name}}}” is no field; write one as {{balance}}.", field="body")
        found.add(name)
    return found


def check(text: str, known: Mapping[str, object]) -> None:
    """Raises Invalid for the first field that there is not, with the nearest that there is."""
    for name in sorted(fields_in(text) - known.keys()):
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {{{near[0]}}}?" if near else "look at the list of fields."
        raise Invalid(f"There is no field {{{name}}}; {hint}", field="body")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields filled in. Every field has a value."""
    return "".join(
        literal + (values[name] if name is not None else "")
        for literal, name, _, _ in Formatter().parse(text)
    )

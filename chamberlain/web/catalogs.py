"""Catalogs of translated texts: read from .po, written as .mo, without any other tool.

`python -m chamberlain.web.catalogs` writes each .mo beside its .po.
"""

import ast
import struct
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"
_CONTEXT, _PLURAL = "\x04", "\0"


def read_po(text: str) -> dict[str, tuple[str, ...]]:
    """Texts with their translations; a text with a plural has several.

    A text with a context is named `context\\x04text`. Comments are passed over.
    """
    found: dict[str, tuple[str, ...]] = {}
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        current = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            keyword, quote, rest = line.partition('"')
            if keyword:
                current = keyword.strip()
                fields[current] = ""
            fields[current] += ast.literal_eval(quote + rest)
        if "msgid" in fields:
            context = fields["msgctxt"] + _CONTEXT if "msgctxt" in fields else ""
            plural = _PLURAL + fields["msgid_plural"] if "msgid_plural" in fields else ""
            said = [text for name, text in fields.items() if name.startswith("msgstr")]
            found[context + fields["msgid"] + plural] = tuple(said)
    return found


def mo_bytes(texts: dict[str, tuple[str, ...]]) -> bytes:
    """The catalog as gettext reads it; texts without a translation are left out."""
    rows = sorted(
        (key.encode(), _PLURAL.join(said).encode()) for key, said in texts.items() if all(said)
    )
    start = 28 + 16 * len(rows)
    keys: list[int] = []
    values: list[int] = []
    data = b""
    for place, column in ((0, keys), (1, values)):
        for row in rows:
            column += [len(row[place]), start + len(data)]
            data += row[place] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, start)
    return head + struct.pack(f"<{4 * len(rows)}I", *keys, *values) + data


def write_all() -> None:
    """Writes each .mo anew."""
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/django.po")):
        path.with_suffix(".mo").write_bytes(mo_bytes(read_po(path.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    write_all()

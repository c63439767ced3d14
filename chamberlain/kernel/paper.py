"""Documents as PDF/UA-1 by Typst."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst


@cache
def _fonts() -> typst.Fonts:
    """The compiler's own fonts, read once for the process: half the time of a short document."""
    return typst.Fonts(include_system_fonts=False)


def pdf(template: Path, data: Mapping[str, Any]) -> bytes:
    """The template filled with data, which it reads as JSON from `sys.inputs.data`.

    Figures come formatted; no fonts are read but those that come with the compiler.
    """
    made = typst.compile(
        str(template),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards="ua-1",
        font_paths=_fonts(),
        ignore_system_fonts=True,
    )
    return bytes(made)

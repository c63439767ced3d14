"""Documents as PDF/UA-1 by Typst."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst


def pdf(template: Path, data: Mapping[str, Any]) -> bytes:
    """The template filled with data, which it reads as JSON from `sys.inputs.data`.

    Figures come formatted; no fonts are read but those that come with the compiler.
    """
    made = typst.compile(
        str(template),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards="ua-1",
        ignore_system_fonts=True,
    )
    return bytes(made)

"""What a benchmark found, and the file that keeps it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, and what it is held against.

    limit: what the limit is, in words; limit_value: measured in the same run, in `unit`.
    ratio: how near the value is to its limit, 1 being as good as the limit and more better.
    """

    name: str
    value: float
    unit: str
    limit: str
    limit_value: float
    ratio: float


def write(
    path: Path, machine: dict[str, object], versions: dict[str, str], figures: Sequence[Figure]
) -> None:
    """Writes the figures with machine and versions, in one move, so that no reader sees half."""
    document = {
        "machine": machine,
        "versions": versions,
        "figures": [asdict(figure) for figure in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    new.replace(path)


def read(path: Path) -> list[Figure]:
    """The figures of a file that `write` wrote."""
    return [Figure(**row) for row in json.loads(path.read_text(encoding="utf-8"))["figures"]]

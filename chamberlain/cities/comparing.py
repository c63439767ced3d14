"""What a city's bill run came to, held against figures that were computed independently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

CITIES = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Expected:
    """Bills and cents by rate class, and how many items of each class are held back."""

    billed: Mapping[str, tuple[int, int]]
    held: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure beside the expected one. kind: `bills`, `cents` or `held`."""

    name: str
    kind: str
    found: int
    expected: int

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.found == self.expected


def expected_of(city: str) -> Expected:
    """The expected figures of a city that has them."""
    content = yaml.safe_load((CITIES / city / "expected.yaml").read_text(encoding="utf-8"))
    billed = {name: (row["bills"], row["cents"]) for name, row in content["billed"].items()}
    return Expected(billed, content["held"])


def compare(
    expected: Expected,
    billed: Sequence[tuple[str, int, int]],
    held: Sequence[tuple[str, str, int]],
) -> list[Compared]:
    """Every figure beside its expected one, the totals first.

    billed: class, bills, cents. held: code of the reason, class, how many. A class that nobody
    expected is compared with nothing.
    """
    found = {name: (bills, cents) for name, bills, cents in billed}
    kept: dict[str, int] = {}
    for _, name, count in held:
        kept[name] = kept.get(name, 0) + count
    rows = [
        Compared(
            "All classes",
            kind,
            sum(pair[i] for pair in found.values()),
            sum(pair[i] for pair in expected.billed.values()),
        )
        for i, kind in enumerate(("bills", "cents"))
    ]
    for name in [*expected.billed, *sorted(set(found) - set(expected.billed))]:
        for i, kind in enumerate(("bills", "cents")):
            one, other = found.get(name, (0, 0)), expected.billed.get(name, (0, 0))
            rows.append(Compared(name, kind, one[i], other[i]))
    for name in [*expected.held, *sorted(set(kept) - set(expected.held))]:
        rows.append(Compared(name, "held", kept.get(name, 0), expected.held.get(name, 0)))
    return rows

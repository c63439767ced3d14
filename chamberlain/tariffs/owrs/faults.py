"""What can be wrong with a tariff file, and with a frame that is rated by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chamberlain.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file.

    place: `line 12`, or `CLASS.field (line 12)`. reason: a clause that a person can act on.
    """

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class TariffFault(Invalid):
    """A tariff file, or one customer class of it, that cannot be used.

    path, place, reason: which file, where in it, and why; `faults` lists all that was found.
    """

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{path}: {first.place}: {first.reason}{more}.", field="tariff")
        self.path = path
        self.place = first.place
        self.reason = first.reason
        self.faults = tuple(faults)


class UnknownClass(Invalid):
    """The tariff has no such customer class."""


class MissingColumn(Invalid):
    """The data lack a column that the tariff needs."""

    def __init__(self, path: Path, customer_class: str, column: str) -> None:
        super().__init__(
            f"{path}: class {customer_class} needs the column {column}, which the data lack.",
            field=column,
        )
        self.path = path
        self.customer_class = customer_class
        self.column = column


class UnusableColumn(Invalid):
    """A column of the data has the wrong type, or a name that the result needs."""


class CannotCompute(Invalid):
    """A formula has no result for these data, or no exact one where an exact one is asked for."""


class Flaw(Exception):
    """Raised inside the reader, where the file and the class are not known yet."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line

"""Strict reading of nested mappings: every fault is noted with its place, and reading goes on.

Figures are whole numbers or text; a float has lost its exactness before we see it, so it is a
fault. A field that nothing asked for is a fault too, since it is most likely misspelt.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chamberlain.kernel.errors import BadRecord
from chamberlain.kernel.money import MICROS

NAME = re.compile(r"[a-z][a-z0-9_]*")
CODE = re.compile(r"[a-z][a-z0-9_-]*")
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,6})?")

Faults = list[BadRecord]


class Fields:
    """The fields of one mapping. A field that is missing or wrong gives a harmless value back."""

    def __init__(self, value: object, place: str, faults: Faults) -> None:
        self.place = place
        self.faults = faults
        self._asked: set[str] = set()
        self._values: dict[str, object] = {}
        if isinstance(value, Mapping):
            self._values = {str(name): content for name, content in value.items()}
        else:
            self.fault("", f"must be a map of fields, not {shown(value)}")

    def fault(self, name: str, reason: str) -> None:
        """Notes that a field is wrong."""
        self.faults.append(BadRecord(self.at(name), reason))

    def at(self, name: str) -> str:
        """The place of a field."""
        return ".".join(part for part in (self.place, name) if part)

    def has(self, name: str) -> bool:
        """Whether the field stands there."""
        return self._values.get(name) is not None

    def all_names(self) -> list[str]:
        """The names of the fields, in their order."""
        return list(self._values)

    def take(self, name: str) -> object:
        """The field as it stands, or None."""
        self._asked.add(name)
        return self._values.get(name)

    def text(self, name: str, longest: int, default: str | None = None) -> str:
        """A text of 1 to `longest` characters; without `default` it must stand there."""
        value = self.take(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            self.fault(name, "is missing; write a text" if value is None else "must be a text")
            return ""
        if len(value) > longest:
            self.fault(name, f"is longer than {longest} characters")
        return value.strip()

    def code(self, name: str, longest: int) -> str:
        """A text of small letters, digits, `_` and `-`."""
        value = self.text(name, longest)
        if value and not CODE.fullmatch(value):
            self.fault(name, f"“{value}” must be small letters, digits, _ and - only")
        return value

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of the choices."""
        value = self.take(name)
        if value is None and default is not None:
            return default
        if value not in choices:
            said = "is missing" if value is None else f"{shown(value)} is not known"
            self.fault(name, f"{said}; write one of {', '.join(choices)}")
            return choices[0]
        return str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """true or false."""
        value = self.take(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(name, f"must be true or false, not {shown(value)}")
            return default
        return value

    def day(self, name: str, *, needed: bool = True) -> date | None:
        """A day, as YYYY-MM-DD."""
        value = self.take(name)
        if isinstance(value, date):
            return value
        if value is None:
            if needed:
                self.fault(name, "is missing; write a day as YYYY-MM-DD")
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fault(name, f"{shown(value)} is not a day; write it as YYYY-MM-DD")
            return None

    def count(self, name: str) -> int | None:
        """A whole number above zero, or None when it does not stand there."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.fault(name, f"must be a whole number above zero, not {shown(value)}")
            return None
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """One name or a list of different names; empty when the field does not stand there."""
        value = self.take(name)
        if value is None:
            return ()
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            self.fault(name, "must be a name or a list of names")
            return ()
        if not found or len(set(found)) < len(found) or not all(map(CODE.fullmatch, found)):
            self.fault(name, "must name each thing once, in small letters, digits, _ and -")
        return tuple(found)

    def items(self, name: str) -> list[object]:
        """A list with at least one item."""
        value = self.take(name)
        if not isinstance(value, list) or not value:
            self.fault(name, "must be a list with at least one item")
            return []
        return value

    def number(self, name: str, largest: int) -> Fraction:
        """A figure of at least zero, exact, with at most six decimals."""
        return self.figure(name, self.take(name), largest)

    def figure(self, name: str, value: object, largest: int) -> Fraction:
        """`number`, of a value that was taken before."""
        reason = _why_no_figure(value, largest)
        if reason:
            self.fault(name, reason)
            return Fraction(0)
        return Fraction(Decimal(str(value)))

    def finish(self) -> None:
        """Notes the fields that nothing asked for."""
        for name in sorted(self._values.keys() - self._asked):
            self.fault(name, "is not a field that belongs here; check its spelling")


def micros(figure: Fraction) -> int:
    """A figure of at most six decimals in whole millionths."""
    return int(figure * MICROS)


def shown(value: object) -> str:
    """A value in quotes, short enough for a sentence."""
    text = str(value)
    return f"“{text if len(text) <= 40 else text[:37] + '…'}”"


def _why_no_figure(value: object, largest: int) -> str:
    if value is None:
        return "is missing; write a number as text"
    if isinstance(value, float):
        return f"write {value!r} as text, in quotes, so that it stays exact"
    if isinstance(value, bool) or not isinstance(value, int | str):
        return f"{shown(value)} is not a number"
    if not _NUMBER.fullmatch(str(value)):
        return f"{shown(value)} is not a number of at least zero with at most six decimals"
    if Decimal(str(value)) > largest:
        return f"{shown(value)} is larger than {largest:,}, which no tariff needs"
    return ""

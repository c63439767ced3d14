"""What a rule says when a person broke it."""

from collections.abc import Sequence
from dataclasses import dataclass


class Refused(Exception):
    """A rule was broken. `sentence` says what is wrong, with which item, and what to do.

    field: the name of the input that the sentence belongs beside, or "" for the whole request.
    """

    status = 409

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class Invalid(Refused):
    """The request itself is wrong: a value is missing, malformed or out of range."""

    status = 422


class NotPermitted(Refused):
    """The actor's role does not allow the operation at that center."""

    status = 403


class NotFound(Refused):
    """What the request names does not exist."""

    status = 404


class AlreadyDone(Refused):
    """The thing was done before; doing it again would change something that must not change."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """One bad record of an input file: where it stands and why it is bad."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class BadFile(Refused):
    """An input file has bad records; all of them are listed."""

    status = 422

    def __init__(self, sentence: str, records: Sequence[BadRecord]) -> None:
        super().__init__(sentence)
        self.records = tuple(records)

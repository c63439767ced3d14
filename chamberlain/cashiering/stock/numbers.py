"""Ranges of serial numbers: as they are typed, shown, and taken from each other. Pure.

A kind of stock is numbered by a prefix and so many digits, `P00412`; a range is typed by its ends,
with the prefix or without it, `412-430`. Ranges are lists of spans in order, which neither touch
nor overlap once they are `merged`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chamberlain.kernel.errors import Invalid

TYPED_MAX = 20_000
SPANS_MAX = 500
NOTHING = "none"

_SPLIT = re.compile(r"[,;\s]+")
_TO = re.compile(r"\s*(?:-|–|\bto\b)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Numbers from `first` to `last`, both of them in it."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the numbers of a kind of stock are written."""

    prefix: str
    digits: int

    def number(self, value: int) -> str:
        """One number as it is printed on the item."""
        return f"{self.prefix}{value:0{self.digits}d}"

    def shown(self, span: Span) -> str:
        """A span in words: its number, or its first and last."""
        if span.first == span.last:
            return self.number(span.first)
        return f"{self.number(span.first)} to {self.number(span.last)}"

    def listed(self, spans: Sequence[Span], most: int = 12) -> str:
        """Spans in words; of a long list the first ones, and how many more there are."""
        text = ", ".join(self.shown(span) for span in spans[:most])
        left = count(spans[most:])
        return f"{text} and {left:,} more" if left else text

    def typed(self, text: str, field: str) -> list[Span]:
        """The numbers that a person typed, in order.

        Raises Invalid for no number, something that is none, a range that ends before it starts,
        a number typed twice, or too many ranges.
        """
        if len(text) > TYPED_MAX:
            raise Invalid("That is too long; type ranges, first to last.", field=field)
        parts = [part for part in _SPLIT.split(_TO.sub("-", text.strip())) if part]
        if not parts:
            raise Invalid("Type the numbers, for example 412-430, 433.", field=field)
        if len(parts) > SPANS_MAX:
            raise Invalid(
                f"Those are more than {SPANS_MAX} ranges; do it in two parts.", field=field
            )
        spans = sorted(self._span(part, field) for part in parts)
        for before, after in pairwise(spans):
            if after.first <= before.last:
                raise Invalid(
                    f"{self.number(after.first)} is typed twice; take it out once.", field=field
                )
        return merged(spans)

    def found(self, text: str, field: str) -> list[Span]:
        """The numbers that a person found at a place, or none when “none” is typed. Raises as
        `typed`."""
        return [] if text.strip().lower() == NOTHING else self.typed(text, field)

    def value(self, text: str, field: str) -> int:
        """One number that was typed or scanned. Raises Invalid."""
        spans = self.typed(text, field)
        if count(spans) != 1:
            raise Invalid("Type one number.", field=field)
        return spans[0].first

    def _span(self, part: str, field: str) -> Span:
        ends = [self._digits(end, part, field) for end in part.split("-")]
        if len(ends) > 2:
            raise Invalid(f"“{part[:60]}” is no range; type its first and last.", field=field)
        span = Span(ends[0], ends[-1])
        if span.last < span.first:
            raise Invalid(
                f"The range {part[:60]} ends before it starts; swap its numbers.", field=field
            )
        return span

    def _digits(self, text: str, part: str, field: str) -> int:
        digits = text.upper().removeprefix(self.prefix.upper())
        if not (digits.isascii() and digits.isdigit() and len(digits) <= self.digits):
            raise Invalid(
                f"“{part[:60]}” is no number like {self.number(412)}; correct it.", field=field
            )
        return int(digits)


def as_kept(spans: Iterable[Span]) -> list[list[int]]:
    """Spans as a column of JSON keeps them: [first, last] of each."""
    return [[span.first, span.last] for span in spans]


def of_kept(kept: Iterable[Sequence[int]] | None) -> list[Span]:
    """Spans of such a column; none of an empty one."""
    return [Span(first, last) for first, last in kept or []]


def count(spans: Iterable[Span]) -> int:
    """How many numbers."""
    return sum(span.count for span in spans)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in order, in as few spans as can be."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first <= found[-1].last + 1:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The numbers of the first that are not among the second."""
    left = merged(spans)
    for out in merged(taken):
        left = [piece for span in left for piece in _cut(span, out)]
    return left


def both(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The numbers that are among both."""
    spans = merged(spans)
    return without(spans, without(spans, others))


def _cut(span: Span, out: Span) -> list[Span]:
    if out.last < span.first or out.first > span.last:
        return [span]
    pieces = (Span(span.first, out.first - 1), Span(out.last + 1, span.last))
    return [piece for piece in pieces if piece.first <= piece.last]

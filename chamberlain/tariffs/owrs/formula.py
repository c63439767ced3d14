"""Formulas of a tariff as small expression trees.

    sum     := product (("+" | "-") product)*
    product := signed (("*" | "/") signed)*
    signed  := ("-" | "+") signed | power
    power   := atom ("^" signed)?            so -2^2 is -4 and 2^3^2 is 2^9
    atom    := number | name | "(" sum ")" | number "%"

`%` stands only in tier starts, where it means percent of the budget.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from chamberlain.tariffs.owrs.faults import Flaw

LENGTH_MAX = 2_000
PARTS_MAX = 400
DEPTH_MAX = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>[-+*/^()%]))"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Name:
    """Another field of the class, or a column of the data."""

    name: str


@dataclass(frozen=True, slots=True)
class Percent:
    """So many percent of the class's budget; only in tier starts."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus an expression."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Operation:
    """left operator right, where operator is one of + - * / ^."""

    operator: str
    left: "Expression"
    right: "Expression"


Expression = Number | Name | Percent | Negative | Operation


def parse(text: str) -> Expression:
    """The tree of a formula. Raises Flaw with what cannot be read and where in the formula."""
    if len(text) > LENGTH_MAX:
        raise Flaw(f"the formula is longer than {LENGTH_MAX:,} characters")
    tokens = list(_tokens(text))
    if len(tokens) > PARTS_MAX:
        raise Flaw(f"the formula has more than {PARTS_MAX} parts")
    reader = _Reader(tokens, text)
    tree = reader.sum(0)
    if reader.at < len(reader.tokens):
        raise reader.stuck()
    return tree


def names(tree: Expression) -> Iterator[str]:
    """Every name in a formula, left to right."""
    match tree:
        case Name(name):
            yield name
        case Negative(operand):
            yield from names(operand)
        case Operation(_, left, right):
            yield from names(left)
            yield from names(right)


def has_percent(tree: Expression) -> bool:
    """Whether the formula names a percentage of the budget."""
    match tree:
        case Percent():
            return True
        case Negative(operand):
            return has_percent(operand)
        case Operation(_, left, right):
            return has_percent(left) or has_percent(right)
    return False


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            raise Flaw(f"“{_shown(text[at:].strip())}” is neither a number nor a formula")
        yield str(found.lastgroup), found[found.lastgroup or 0]
        at = found.end()


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


class _Reader:
    """Recursive descent over the tokens; depth is counted, so that no formula ends the stack."""

    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def stuck(self) -> Flaw:
        if self.at >= len(self.tokens):
            return Flaw(f"the formula “{_shown(self.text)}” ends too early")
        return Flaw(f"the formula “{_shown(self.text)}” cannot be read at “{self.peek()}”")

    def sum(self, depth: int) -> Expression:
        return self.chain("+-", depth)

    def chain(self, operators: str, depth: int) -> Expression:
        """A left-associative row of sums or products; its length counts as depth of the tree."""
        below = self.product if operators == "+-" else self.signed
        tree = below(depth + 1)
        while self.peek() and self.peek() in operators:
            operator = self.peek()
            self.at += 1
            right = below(depth + 1)
            if operator == "/" and right == Number(Decimal(0)):
                raise Flaw(f"the formula “{_shown(self.text)}” divides by zero")
            tree = Operation(operator, tree, right)
        return tree

    def product(self, depth: int) -> Expression:
        return self.chain("*/", depth)

    def signed(self, depth: int) -> Expression:
        if depth > 3 * DEPTH_MAX:
            raise Flaw(f"the formula is nested deeper than {DEPTH_MAX} levels")
        if self.peek() == "-":
            self.at += 1
            return Negative(self.signed(depth + 1))
        if self.peek() == "+":
            self.at += 1
            return self.signed(depth + 1)
        return self.power(depth)

    def power(self, depth: int) -> Expression:
        base = self.atom(depth)
        if self.peek() != "^":
            return base
        self.at += 1
        return Operation("^", base, self.signed(depth + 1))

    def atom(self, depth: int) -> Expression:
        if self.at >= len(self.tokens):
            raise self.stuck()
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            if self.peek() == "%":
                self.at += 1
                return Percent(Decimal(text))
            return Number(Decimal(text))
        if kind == "name":
            return Name(text)
        if text == "(":
            inner = self.sum(depth + 1)
            if self.peek() == ")":
                self.at += 1
                return inner
        else:
            self.at -= 1
        raise self.stuck()

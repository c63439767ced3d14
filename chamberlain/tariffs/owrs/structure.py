"""A customer class of a tariff as its fields: what each one is, before anything is computed.

A field is one of: a formula (a number is the shortest one), tiers (a list), a table (`depends_on`
and `values`), or a charge that prices the usage by tiers (`Tiered`, `Budget`).
"""

from dataclasses import dataclass

from chamberlain.tariffs.owrs import formula
from chamberlain.tariffs.owrs.faults import Flaw
from chamberlain.tariffs.owrs.formula import Expression, Name
from chamberlain.tariffs.owrs.yaml_tree import Listing, Mapping, Node, Scalar

TIERS_MAX = 50
_SWITCHES = {"true", "false", "yes", "no", "on", "off"}
_EMPTY = {"", "~", "null"}


@dataclass(frozen=True, slots=True)
class Tiers:
    """Tier starts or tier prices, lowest tier first."""

    entries: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A value for each value of a column, or for several columns' values joined with `|`."""

    depends_on: tuple[str, ...]
    cases: dict[str, Expression | Tiers]


@dataclass(frozen=True, slots=True)
class Charge:
    """The usage priced by tiers. kind: `Tiered` or `Budget`."""

    kind: str


Content = Expression | Tiers | Table | Charge


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a class, as it stands in the file."""

    name: str
    line: int
    content: Content


def read_field(name: str, node: Node, line: int) -> Field:
    """A field of a class. Raises Flaw with the line of what is wrong."""
    if isinstance(node, Mapping):
        return Field(name, line, _table(node))
    if isinstance(node, Scalar) and node.text in ("Tiered", "Budget"):
        return Field(name, line, Charge(node.text))
    return Field(name, line, _value(node))


def _table(node: Mapping) -> Table:
    for needed, other in (("depends_on", "values"), ("values", "depends_on")):
        if needed not in node.entries:
            said = f"has {other} but no {needed}" if other in node.entries else f"has no {needed}"
            raise Flaw(said, node.line)
    for key, line in node.lines.items():
        if key not in ("depends_on", "values"):
            raise Flaw(f"a table has depends_on and values only, not {key}", line)
    columns = _columns(node.entries["depends_on"])
    cases: dict[str, Expression | Tiers] = {}
    for key, value in _cases(node.entries["values"]):
        if key in cases:
            raise Flaw(f"the key {key} stands here a second time", value.line)
        cases[key] = _value(value)
    if not cases:
        raise Flaw("values is empty", node.lines["values"])
    return Table(columns, cases)


def _cases(node: Node) -> list[tuple[str, Node]]:
    """The entries of `values`, which is a map, or a list of maps of one entry."""
    if isinstance(node, Mapping):
        return list(node.entries.items())
    if isinstance(node, Listing):
        found: list[tuple[str, Node]] = []
        for item in node.items:
            if not isinstance(item, Mapping):
                raise Flaw("values must say for which key each value holds", item.line)
            found += item.entries.items()
        return found
    raise Flaw("values must be a map from keys to values", node.line)


def _columns(node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, Listing) else (node,)
    names: list[str] = []
    for item in items:
        if not isinstance(item, Scalar) or item.text in _EMPTY:
            raise Flaw("depends_on must name a column or a list of columns", item.line)
        names.append(item.text)
    if not names or len(set(names)) < len(names):
        raise Flaw("depends_on must name each column once", node.line)
    return tuple(names)


def _value(node: Node) -> Expression | Tiers:
    """A formula, or tiers; a list of one is its only item."""
    if isinstance(node, Mapping):
        raise Flaw("a map cannot stand here; write a number, a formula or a list", node.line)
    if isinstance(node, Scalar):
        return _formula(node)
    if not node.items:
        raise Flaw("the list is empty", node.line)
    if len(node.items) > TIERS_MAX:
        raise Flaw(f"more than {TIERS_MAX} tiers", node.line)
    entries = [_entry(item) for item in node.items]
    return entries[0] if len(entries) == 1 else Tiers(tuple(entries))


def _entry(node: Node) -> Expression:
    if not isinstance(node, Scalar):
        raise Flaw("a tier must be a number or a formula", node.line)
    if node.text.lower() in ("indoor", "outdoor"):
        return Name(node.text.lower())
    return _formula(node)


def _formula(node: Scalar) -> Expression:
    if not node.quoted and node.text.lower() in _EMPTY:
        raise Flaw("has no value", node.line)
    if node.text in ("Tiered", "Budget"):
        raise Flaw(f"{node.text} cannot stand inside a table or a list", node.line)
    if not node.quoted and node.text.lower() in _SWITCHES:
        raise Flaw(f"“{node.text}” is neither a number nor a formula", node.line)
    try:
        return formula.parse(node.text)
    except Flaw as flaw:
        raise Flaw(flaw.reason, node.line) from None


def as_tiers(value: Expression | Tiers) -> Tiers:
    """Tiers, where a single number is one tier."""
    return value if isinstance(value, Tiers) else Tiers((value,))

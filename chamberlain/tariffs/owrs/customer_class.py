"""A customer class made ready for rating: its fields, what they refer to, and what it needs.

Fields may stand in any order. What the bill needs is followed from `bill` through every name; a
fault there makes the class unusable, a fault elsewhere is reported and the class still rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chamberlain.tariffs.owrs import families, formula
from chamberlain.tariffs.owrs.faults import Fault, Flaw
from chamberlain.tariffs.owrs.formula import Expression, Name, Operation
from chamberlain.tariffs.owrs.structure import (
    Charge,
    Content,
    Field,
    Table,
    Tiers,
    as_tiers,
    read_field,
)
from chamberlain.tariffs.owrs.yaml_tree import Mapping, Node

FIELDS_MAX = 200
USAGE = "usage_ccf"


@dataclass(frozen=True, slots=True)
class CustomerClass:
    """One class of customers.

    fields: by name, in the file's order. order: the fields that the bill needs, each after what it
    refers to. extras: the other fields that can be computed, likewise. columns: what the data must
    have for the bill.
    """

    name: str
    fields: dict[str, Field]
    order: tuple[str, ...]
    extras: tuple[str, ...]
    columns: tuple[str, ...]

    def meaning(self, name: str, inside: str) -> str | None:
        """The field that a name means inside another field, or None when it is a column."""
        return families.find(name, inside, self.fields)

    def output(self, field: str) -> str:
        """The column that a field is shown in."""
        return families.output_name(field, self.fields)

    def bill_parts(self) -> tuple[str, ...]:
        """The columns that the bill is the plain sum of, in its order; else the bill itself."""
        found: list[str] = []
        content = self.fields["bill"].content
        for name in _summands(content) if isinstance(content, Name | Operation) else ():
            field = None if name is None else self.meaning(name, "bill")
            if field is None or isinstance(self.fields[field].content, Tiers):
                return ("bill",)
            found.append(self.output(field))
        return tuple(found) if found and len(set(found)) == len(found) else ("bill",)


def _summands(tree: Expression) -> Iterator[str | None]:
    """The names of a sum; None for what is no name."""
    if isinstance(tree, Operation) and tree.operator == "+":
        yield from _summands(tree.left)
        yield from _summands(tree.right)
    else:
        yield tree.name if isinstance(tree, Name) else None


def compile_class(name: str, node: Node) -> tuple[CustomerClass | None, list[Fault]]:
    """The class, or None when its bill cannot be computed, with every fault found."""
    if not isinstance(node, Mapping) or not node.entries:
        return None, [Fault(f"{name} (line {node.line})", "the class has no fields")]
    if len(node.entries) > FIELDS_MAX:
        reason = f"the class has more than {FIELDS_MAX} fields"
        return None, [Fault(f"{name} (line {node.line})", reason)]
    fields, unread, faults = _read_fields(name, node)
    walk = _Walk(fields, unread)
    if "bill" not in node.entries:
        return None, [*faults, Fault(f"{name} (line {node.line})", "the class has no bill")]
    found = _follow(name, walk, "bill", node)
    if found is not None:
        return None, _with(faults, found)
    order, columns = tuple(walk.done), tuple(walk.columns)
    for field in fields:
        if field not in walk.done and field not in families.SURCHARGES:
            found = _follow(name, walk, field, node)
            faults = faults if found is None else _with(faults, found)
    extras = tuple(walk.done)[len(order) :]
    return CustomerClass(name, fields, order, extras, columns), faults


def _with(faults: list[Fault], fault: Fault) -> list[Fault]:
    return faults if fault in faults else [*faults, fault]


def _read_fields(
    name: str, node: Mapping
) -> tuple[dict[str, Field], dict[str, Fault], list[Fault]]:
    """The fields that can be read, the fault of each that cannot, and the faults as a list."""
    fields: dict[str, Field] = {}
    unread: dict[str, Fault] = {}
    for key, value in node.entries.items():
        try:
            fields[key] = read_field(key, value, node.lines[key])
        except Flaw as flaw:
            place = f"{name}.{key} (line {flaw.line or node.lines[key]})"
            unread[key] = Fault(place, flaw.reason)
    return fields, unread, list(unread.values())


def _follow(name: str, walk: "_Walk", field: str, node: Mapping) -> Fault | None:
    """Walks from a field to all that it needs; the fault that stops it, if one does."""
    before = dict(walk.done)
    try:
        walk.visit(field, ())
    except _Stopped as stopped:
        walk.done = before
        if stopped.field in walk.unread:
            return walk.unread[stopped.field]
        line = stopped.line or node.lines.get(stopped.field, node.line)
        return Fault(f"{name}.{stopped.field} (line {line})", stopped.reason)
    return None


class _Stopped(Flaw):
    """A flaw met on the walk, with the field where it stands."""

    def __init__(self, field: str, reason: str, line: int = 0) -> None:
        super().__init__(reason, line)
        self.field = field


class _Walk:
    """Depth-first order of the fields; both dictionaries are used as ordered sets."""

    def __init__(self, fields: dict[str, Field], unread: dict[str, Fault]) -> None:
        self.fields = fields
        self.unread = unread
        self.named = {*fields, *unread}
        self.done: dict[str, None] = {}
        self.columns: dict[str, None] = {}

    def visit(self, name: str, path: tuple[str, ...]) -> None:
        if name in self.done:
            return
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise _Stopped(path[-1], f"refers to itself in a circle: {circle}")
        if name not in self.fields:
            raise _Stopped(name, self.unread[name].reason)
        field = self.fields[name]
        if isinstance(field.content, Charge):
            self._check_tiers_read(name)
            check_charge(field, self.fields)
        _check_shape(field)
        for reference in references(field, self.fields):
            target = families.find(reference, name, self.named)
            if target is None:
                self.columns[reference] = None
            else:
                self.visit(target, (*path, name))
                _check_use(field, self.fields[target])
        self.done[name] = None

    def _check_tiers_read(self, charge: str) -> None:
        for part in ("tier_starts", "tier_prices"):
            tiers = families.tiers_field(part, charge, self.named)
            if tiers in self.unread:
                raise _Stopped(str(tiers), self.unread[str(tiers)].reason)


def references(field: Field, fields: dict[str, Field]) -> Iterator[str]:
    """Every name that a field refers to: fields or columns, still undecided."""
    content = field.content
    if isinstance(content, Charge):
        yield USAGE
        yield from charge_tiers(field.name, fields)
    elif isinstance(content, Table):
        yield from content.depends_on
        for case in content.cases.values():
            yield from _value_names(case)
    else:
        yield from _value_names(content)


def _value_names(value: Expression | Tiers) -> Iterator[str]:
    for entry in as_tiers(value).entries:
        yield from formula.names(entry)
        if formula.has_percent(entry):
            yield "budget"


def charge_tiers(charge: str, fields: dict[str, Field]) -> tuple[str, str]:
    """The fields with the tier starts and the tier prices of a charge."""
    found = []
    for part in ("tier_starts", "tier_prices"):
        name = families.tiers_field(part, charge, fields)
        if name is None:
            wanted = families.tiers_family(charge).member(part)
            raise _Stopped(charge, f"prices by tiers, but the class has no {wanted}")
        found.append(name)
    return found[0], found[1]


def check_charge(field: Field, fields: dict[str, Field]) -> None:
    """Whether the tiers of a charge fit each other. Raises Flaw with the field at fault."""
    starts, prices = charge_tiers(field.name, fields)
    sizes = [_sizes(fields[name]) for name in (starts, prices)]
    if not sizes[0] & sizes[1]:
        counts = [" or ".join(map(str, sorted(each))) for each in sizes]
        reason = f"has {counts[0]} tiers, but {prices} has {counts[1]}"
        raise _Stopped(starts, reason, fields[starts].line)
    if isinstance(field.content, Charge) and field.content.kind == "Tiered":
        for value in _values(fields[starts].content):
            if any(formula.has_percent(entry) for entry in as_tiers(value).entries):
                reason = "a start in percent of the budget needs a Budget charge, not a Tiered one"
                raise _Stopped(starts, reason, fields[starts].line)


def _sizes(field: Field) -> set[int]:
    return {len(as_tiers(value).entries) for value in _values(field.content)}


def _values(content: Content) -> tuple[Expression | Tiers, ...]:
    if isinstance(content, Table):
        return tuple(content.cases.values())
    if isinstance(content, Charge):
        return ()
    return (content,)


def _check_shape(field: Field) -> None:
    """Tiers and percentages stand only in the fields that hold tiers."""
    holds_tiers = "tier_starts" in field.name or "tier_prices" in field.name
    for value in _values(field.content):
        if isinstance(value, Tiers) and not holds_tiers:
            raise _Stopped(field.name, "a list stands where one number is needed", field.line)
        percent = any(formula.has_percent(entry) for entry in as_tiers(value).entries)
        if percent and "tier_starts" not in field.name:
            raise _Stopped(field.name, "a percentage can stand in tier starts only", field.line)


def _check_use(field: Field, target: Field) -> None:
    """A list of tiers is of use to a charge only."""
    is_list = any(isinstance(value, Tiers) for value in _values(target.content))
    if is_list and not isinstance(field.content, Charge):
        reason = f"computes with {target.name}, which is a list of tiers"
        raise _Stopped(field.name, reason, field.line)

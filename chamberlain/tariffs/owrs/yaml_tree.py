"""A YAML file as a tree that keeps every scalar's own text and line.

A tariff's prices must stay the decimals that were written, and the keys of its tables the text
that was written, so scalars are not turned into floats, dates or booleans here. The tree is built
from the parser's events with a stack of our own, which gives limits on depth and size, line
numbers for every fault, and duplicate keys, which YAML forbids and most readers pass over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from chamberlain.tariffs.owrs.faults import Flaw

DEPTH_MAX = 30
NODES_MAX = 200_000

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word, number or formula; `quoted` says that it was written in quotation marks."""

    text: str
    line: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: "tuple[Node, ...]"
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map; its keys are in the order of the file."""

    entries: "dict[str, Node]"
    lines: dict[str, int]
    line: int


Node = Scalar | Listing | Mapping


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not been read yet."""

    event: Any
    children: list[Node]
    size: int = 1


class _Builder:
    """Puts events together; `anchors` has the finished nodes and each one's count of values."""

    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.root: Node | None = None
        self.size = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            line = _line(event)
            quoted = event.style in ("'", '"')
            self.place(event, Scalar(event.value.strip(), line, quoted), 1)
        elif isinstance(event, yaml.AliasEvent):
            self.alias(event)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if len(self.stack) >= DEPTH_MAX:
                raise Flaw(f"nested deeper than {DEPTH_MAX} levels", _line(event))
            self.stack.append(_Open(event, []))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = self.stack.pop()
            self.place(done.event, _finish(done), done.size)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise Flaw("a second document begins; a file holds one tariff", _line(event))

    def alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise Flaw(f"*{event.anchor} refers to nothing that is finished above", _line(event))
        node, size = self.anchors[event.anchor]
        self.place(None, node, size, _line(event))

    def place(self, event: Any, node: Node, size: int, line: int = 0) -> None:
        if event is not None and event.anchor:
            self.anchors[event.anchor] = (node, size)
        if not self.stack:
            self.root, self.size = node, size
            return
        parent = self.stack[-1]
        parent.children.append(node)
        parent.size += size
        if parent.size > NODES_MAX:
            raise Flaw(f"holds more than {NODES_MAX:,} values", line or node.line)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _finish(done: _Open) -> Node:
    line = _line(done.event)
    if isinstance(done.event, yaml.SequenceStartEvent):
        return Listing(tuple(done.children), line)
    entries: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key, value in zip(done.children[::2], done.children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise Flaw("a key must be a word, not a list or a map", key.line)
        if key.text in entries:
            raise Flaw(f"the key {key.text} stands here a second time", key.line)
        entries[key.text] = value
        lines[key.text] = key.line
    return Mapping(entries, lines, line)


def _events(text: str) -> Iterator[Any]:
    loader = _Parser(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def parse(text: str) -> Node:
    """The document as a tree. Raises Flaw with a line for whatever is not plain, valid YAML."""
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "not valid YAML"
        raise Flaw(f"not valid YAML: {reason}", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise Flaw(f"not valid YAML: {str(error).splitlines()[0]}", 1) from None
    if builder.root is None:
        raise Flaw("the file is empty", 1)
    return builder.root


def plain(node: Node) -> object:
    """A node as ordinary Python values, typed as YAML 1.1 types them (dates, numbers, text)."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    if node.quoted:
        return node.text
    loader: Any = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, node.text, (True, False))
    try:
        value: object = loader.construct_object(yaml.ScalarNode(tag, node.text))
    except (ValueError, yaml.YAMLError):
        return node.text
    return value

"""No file that a reader fears, and no function that does not fit on a page."""

import ast
from collections.abc import Iterator

from checks.tracked import text_files

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70


def findings() -> Iterator[str]:
    """A sentence for each file and function over its limit."""
    for name, text in text_files(".py", ".js", ".css", ".html", ".sql"):
        yield from too_long(name, text)


def too_long(name: str, text: str) -> Iterator[str]:
    """What is over the limits in one file; migrations are written by Django."""
    if "/migrations/" in name:
        return
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{name} has {lines} lines; at most {FILE_LINES_MAX}."
    if not name.endswith(".py"):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield (
                    f"{name}:{node.lineno} {node.name} has {length} lines; "
                    f"at most {FUNCTION_LINES_MAX}."
                )

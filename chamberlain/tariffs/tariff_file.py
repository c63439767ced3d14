"""A YAML file as plain values: text, whole numbers, true and false, lists, maps.

Days become text (YYYY-MM-DD), since tariffs are kept as JSON. A key that stands twice is refused:
YAML would silently keep the last one.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from chamberlain.kernel.errors import BadFile, BadRecord
from chamberlain.tariffs.reading import Faults

BYTES_MAX = 2_000_000
VALUES_MAX = 200_000


class _Loader(yaml.SafeLoader):
    """The safe loader, refusing keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value} stands here a second time", problem_mark=key.start_mark
                )
            seen.add(key.value)
        self.flatten_mapping(node)
        return super().construct_mapping(node, deep)


def read(path: Path) -> Mapping[str, object]:
    """The content of a file. Raises BadFile when it cannot be read as a map."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise _bad(path, "file", f"is larger than {BYTES_MAX:,} bytes, which no tariff is")
        # The loader is SafeLoader with one more check.
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise _bad(path, "file", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _bad(path, "file", "is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else "file"
        raise _bad(path, line, f"is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _bad(path, "file", f"is not YAML: {str(error)[:80]}") from None
    if not isinstance(content, Mapping):
        raise _bad(path, "file", "must be a map with `tariffs`")
    return content


def _bad(path: Path, place: str, reason: str) -> BadFile:
    return BadFile(
        f"“{path.name}” cannot be used: {place}: {reason}; correct the file.",
        [BadRecord(place, reason)],
    )


def plain(value: object, faults: Faults) -> object:
    """The value as JSON can keep it; notes what is too much or nested in itself."""
    left = [VALUES_MAX]

    def walk(each: object, depth: int) -> object:
        left[0] -= 1
        if left[0] < 0 or depth > 20:
            if not any(fault.place == "file" for fault in faults):
                faults.append(BadRecord("file", "holds more than any tariff does"))
            return None
        if isinstance(each, Mapping):
            return {str(key): walk(content, depth + 1) for key, content in each.items()}
        if isinstance(each, list | tuple):
            return [walk(content, depth + 1) for content in each]
        return each.isoformat() if isinstance(each, date) else each

    return walk(value, 0)

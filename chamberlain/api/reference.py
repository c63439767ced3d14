"""The page that describes the API, made from its own OpenAPI description."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

_NESTED_MAX = 4


@dataclass(frozen=True, slots=True)
class Value:
    """One thing that is sent or answered. where: `path`, `query`, `header` or `body`."""

    name: str
    kind: str
    is_required: bool
    description: str
    where: str = "body"


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the API: what is sent, and what comes back when it goes well."""

    method: str
    path: str
    summary: str
    description: str
    sent: list[Value]
    answered: list[Value]
    statuses: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """The operations on one subject."""

    name: str
    calls: list[Call] = field(default_factory=list)


class Reference(DocsBase):
    """Shows the operations as a page of the office, for people with and without scripts."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """The page at `/api/v1/docs`."""
        schema = api.get_openapi_schema()
        context = {
            "description": api.description,
            "subjects": subjects(schema),
            "openapi_url": self.get_openapi_url(api, kwargs),
        }
        return render(request, "api/reference.html", context)


def subjects(schema: dict[str, Any]) -> list[Subject]:
    """The operations of an OpenAPI description, by their tags, in its order."""
    found: dict[str, Subject] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            name = operation["tags"][0]
            call = _call(schema, method, path, operation)
            found.setdefault(name, Subject(name)).calls.append(call)
    return list(found.values())


def _call(schema: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> Call:
    sent = [
        Value(
            each["name"],
            _kind(schema, each["schema"]),
            each["required"],
            each["schema"].get("description", ""),
            each["in"],
        )
        for each in operation["parameters"]
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        sent += _values(schema, content["schema"])
    good = [answer for status, answer in operation["responses"].items() if int(status) < 300]
    content = good[0].get("content", {}).get("application/json")
    return Call(
        method.upper(),
        path,
        operation["summary"],
        operation.get("description", ""),
        sent,
        list(_values(schema, content["schema"])) if content else [],
        [(int(s), a["description"]) for s, a in operation["responses"].items() if int(s) >= 400],
    )


def _values(schema: dict[str, Any], part: dict[str, Any], before: str = "") -> Iterator[Value]:
    """The fields of an object, those of objects in it behind a dot, of lists behind `[]`."""
    part = _resolved(schema, part)
    if part.get("type") == "array":
        yield from _values(schema, part["items"], f"{before}[]")
        return
    required = part.get("required", [])
    for name, inner in part.get("properties", {}).items():
        full = f"{before}.{name}" if before else name
        description = inner.get("description", "")
        yield Value(full, _kind(schema, inner), name in required, description)
        inside = _object_in(schema, inner)
        if inside is not None and full.count(".") < _NESTED_MAX:
            suffix = "[]" if _is_list(schema, inner) else ""
            yield from _values(schema, inside, full + suffix)


def _options(schema: dict[str, Any], part: dict[str, Any]) -> list[dict[str, Any]]:
    options = part.get("anyOf", [part])
    return [_resolved(schema, each) for each in options if each.get("type") != "null"]


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    named: dict[str, Any] = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return named


def _is_list(schema: dict[str, Any], part: dict[str, Any]) -> bool:
    return any(each.get("type") == "array" for each in _options(schema, part))


def _object_in(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any] | None:
    for each in _options(schema, part):
        inner = _resolved(schema, each["items"]) if each.get("type") == "array" else each
        if "properties" in inner:
            return inner
    return None


def _kind(schema: dict[str, Any], part: dict[str, Any]) -> str:
    """What may stand there, in words: its type, its limits, its choices."""
    words = [_kind_of_one(schema, each) for each in _options(schema, part)]
    return " or ".join(words) + (", or null" if "anyOf" in part and len(words) == 1 else "")


def _kind_of_one(schema: dict[str, Any], part: dict[str, Any]) -> str:
    if part.get("type") == "array":
        return f"list of {_kind_of_one(schema, _resolved(schema, part['items']))}"
    if "enum" in part:
        return "one of " + ", ".join(str(each) for each in part["enum"])
    if "const" in part:
        return str(part["const"])
    words = str(part.get("format") or part.get("type") or "anything")
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        words += f", {low:,} to {high:,}"
    return words

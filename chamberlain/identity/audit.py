"""The audit trail: who changed what, when, from which value to which.

Every tracked table has a table of events beside it, written by triggers, so a change made behind
the program's back stands there too, only without an actor. A trail lists fields: an event of an
update is compared with the event before it of the same row.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, models

from chamberlain.kernel.errors import Invalid

LARGEST_LIST = 500
_BOOKKEEPING = ("pgh_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pgh_context_id", "id")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one row that changed. `actor` is "" for a change without a known actor.

    old: None when the row was made. Values are as JSON has them: text, numbers, true, lists.
    """

    at: datetime
    actor: str
    actor_id: int | None
    model: str
    row_id: str
    action: str
    field: str
    old: Any
    new: Any


def changes(
    *,
    rows: Sequence[tuple[str, int | str]] = (),
    related: Sequence[tuple[str, int | str]] = (),
    model: str = "",
    actor_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
) -> list[Change]:
    """Changes, the newest first; those of one event stand together.

    rows: tracked rows, as ("identity.User", 7). related: rows of any tracked table that point at
    something, as ("user_id", 7) or ("account_id", 12). Both together mean either. model: only
    that table. actor_id: only what that user did. since, until: closed-open, of the change.
    limit: of events, at most LARGEST_LIST. Raises Invalid for a table that is not tracked.
    """
    tables = _event_tables()
    for wanted in [name for name, _ in rows] + [model] * bool(model):
        if wanted not in tables:
            raise Invalid(f"No changes are kept of “{wanted[:60]}”.", field="model")
    parts, params = [], []
    for name, event in tables.items():
        if model and name != model:
            continue
        part = _part(name, event, rows, related, (actor_id, since, until), limit)
        if part:
            parts.append(part[0])
            params += part[1]
    if not parts:
        return []
    query = " UNION ALL ".join(f"({part})" for part in parts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({query}) k ORDER BY at DESC, event DESC LIMIT %s",
            [*params, min(limit, LARGEST_LIST)],
        )
        found = cursor.fetchall()
    return [change for row in found for change in _fields(row)]


def tracked_models() -> list[str]:
    """The tables whose changes are kept, as `identity.User`."""
    return sorted(_event_tables())


def _event_tables() -> dict[str, type[models.Model]]:
    found = {}
    for event in apps.get_models():
        tracked = getattr(event, "pgh_tracked_model", None)
        if tracked is not None:
            found[tracked._meta.label] = event
    return found


def _part(
    name: str,
    event: type[models.Model],
    rows: Sequence[tuple[str, int | str]],
    related: Sequence[tuple[str, int | str]],
    around: tuple[int | None, datetime | None, datetime | None],
    limit: int,
) -> tuple[str, list[Any]] | None:
    columns = {field.column for field in event._meta.local_fields}
    either: list[str] = []
    params: list[Any] = [name]
    ids = [row_id for wanted, row_id in rows if wanted == name]
    if ids:
        either.append("e.pgh_obj_id = ANY(%s)")
        params.append(ids)
    for column, value in related:
        if column in columns:
            either.append(f"e.{connection.ops.quote_name(column)} = %s")
            params.append(value)
    if (rows or related) and not either:
        return None
    where = [f"({' OR '.join(either)})"] if either else ["true"]
    tests = (
        "(c.metadata ->> 'user')::bigint = %s",
        "e.pgh_created_at >= %s",
        "e.pgh_created_at < %s",
    )
    for test, wanted_value in zip(tests, around, strict=True):
        if wanted_value is not None:
            where.append(test)
            params.append(wanted_value)
    return _EVENTS.format(
        table=connection.ops.quote_name(event._meta.db_table), where=" AND ".join(where)
    ), [*params, min(limit, LARGEST_LIST)]


_EVENTS = """
    SELECT e.pgh_created_at AS at, e.pgh_id AS event, %s AS model, e.pgh_obj_id::text, e.pgh_label,
        c.metadata ->> 'actor' AS actor, (c.metadata ->> 'user')::bigint AS actor_id,
        to_jsonb(e) AS new,
        (SELECT to_jsonb(b) FROM {table} b
            WHERE b.pgh_obj_id = e.pgh_obj_id AND b.pgh_id < e.pgh_id
            ORDER BY b.pgh_id DESC LIMIT 1) AS old
    FROM {table} e LEFT JOIN pghistory_context c ON c.id = e.pgh_context_id
    WHERE {where} ORDER BY e.pgh_created_at DESC, e.pgh_id DESC LIMIT %s
"""


def _fields(row: tuple[Any, ...]) -> Iterator[Change]:
    at, _, model, row_id, action, actor, actor_id, new, old = row
    new, old = _decoded(new), _decoded(old)
    for field, value in new.items():
        if field in _BOOKKEEPING:
            continue
        before = None if old is None else old.get(field)
        if before != value and not (old is None and value in ("", [], False)):
            yield Change(at, actor or "", actor_id, model, row_id, action, field, before, value)


def _decoded(value: Any) -> Any:
    """Django's psycopg hands JSON over as text."""
    return json.loads(value) if isinstance(value, str) else value

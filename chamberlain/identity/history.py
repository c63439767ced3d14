"""Bringing in very many rows of a tracked table at once, with their history written by set.

The triggers of the history write a row for each row, which is a tenth of a millisecond each. An
import of a city leaves them out and writes the same events by one statement, as the actor's.
"""

import json
import uuid

import polars as pl
from django.db import connection

from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import copy_frame

_TRIGGERS_SQL = """
    SELECT format('{%%s}', string_agg(t.tgname, ','))
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relname = %s AND t.tgname LIKE 'pgtrigger_insert%%'
"""

_EVENTS_SQL = """
    INSERT INTO {table}event ({columns}, pgh_created_at, pgh_label, pgh_obj_id, pgh_context_id)
    SELECT {columns}, now(), 'insert', id, %s FROM {table} WHERE id BETWEEN %s AND %s
"""


def copy_recorded(actor: Actor, table: str, frame: pl.DataFrame) -> int:
    """Appends a frame to a tracked table by COPY and records the rows; returns their number.

    The frame has the ids, drawn at one time by `kernel.frames.next_ids`. Runs in the caller's
    transaction. Columns that the history leaves out must not be in the frame.
    """
    if frame.is_empty():
        return 0
    context = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pghistory_context (id, created_at, updated_at, metadata) "
            "VALUES (%s, now(), now(), %s)",
            [context, json.dumps({"user": actor.user_id, "actor": actor.name})],
        )
        cursor.execute(_TRIGGERS_SQL, [table])
        _leave_out(cursor.fetchone()[0])
        copy_frame(connection.connection, table, frame)
        _leave_out("{}")
        names = connection.ops.quote_name
        events = _EVENTS_SQL.format(table=table, columns=", ".join(map(names, frame.columns)))
        ids = frame["id"].sort()
        cursor.execute(events, [context, int(ids[0]), int(ids[-1])])
    return frame.height


def _leave_out(triggers: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [triggers])

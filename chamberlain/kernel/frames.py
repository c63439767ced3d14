"""Bulk movement between PostgreSQL and Polars frames, by COPY in both directions."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

_WRITE_BYTES = 1 << 20


def read_frame(
    connection: psycopg.Connection[Any],
    query: str,
    schema: Mapping[str, Any],
    params: Sequence[Any] | Mapping[str, Any] = (),
) -> pl.DataFrame:
    """Rows of a SELECT as a frame. The schema names every column of the query, in its order."""
    buffer = io.BytesIO()
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(
        sql.SQL(_bound(connection, query, params))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for data in copy:
            buffer.write(data)
    buffer.seek(0)
    if buffer.getbuffer().nbytes == 0:
        return pl.DataFrame(schema=dict(schema))
    return pl.read_csv(buffer, has_header=False, new_columns=list(schema), schema=dict(schema))


def _bound(
    connection: psycopg.Connection[Any], query: str, params: Sequence[Any] | Mapping[str, Any]
) -> str:
    if not params:
        return query
    return psycopg.ClientCursor(connection).mogrify(query, params)


def copy_frame(connection: psycopg.Connection[Any], table: str, frame: pl.DataFrame) -> int:
    """Appends a frame's rows to a table; columns go by name. Returns the number of rows.

    Text columns may not hold the empty string where the table allows null: it is read as null.
    """
    if frame.is_empty():
        return 0
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    )
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False)
    view = buffer.getbuffer()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(view), _WRITE_BYTES):
            copy.write(view[start : start + _WRITE_BYTES])
    return frame.height


def next_ids(connection: psycopg.Connection[Any], table: str, count: int) -> pl.Series:
    """So many fresh primary keys of a table with a generated `id`, as Int64."""
    query = """
        SELECT min(id), max(id) FROM (
            SELECT nextval(sequence) AS id, nth FROM generate_series(1, %s) nth,
                (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence OFFSET 0) s) drawn
        GROUP BY id - nth ORDER BY 1
    """
    unbroken = connection.execute(query, [count, table]).fetchall()
    if not unbroken:
        return pl.Series("id", [], dtype=pl.Int64)
    return pl.concat(
        [pl.int_range(first, last + 1, eager=True, dtype=pl.Int64) for first, last in unbroken]
    ).alias("id")

"""Reads: a query's rows as plain tuples, over the connection of the present transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection


def rows(query: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a SELECT, in its order."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())

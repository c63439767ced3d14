"""Reading bank files and matching take turns, because each looks at what the other changes."""

from django.db import connection

_LOCK = 7_000_001


def wait_for_turn() -> None:
    """Waits until nobody else reads or matches; the turn ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])

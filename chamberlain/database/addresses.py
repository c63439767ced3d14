"""Which database the program talks to.

`DATABASE_URL` names the city's own PostgreSQL as the office's role, `DATABASE_OWNER_URL` the
same database as the role that owns the tables (only migrations use it). Without `DATABASE_URL`
the private server of `server` is started.
"""

import os
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from chamberlain.database import roles, server
from chamberlain.kernel.errors import Refused

DATABASE_NAME = "chamberlain"


@cache
def connection_settings() -> dict[str, dict[str, Any]]:
    """Django's `DATABASES`: `default` is the office's role, `owner` the owner's."""
    url = os.environ.get("DATABASE_URL")
    if url:
        office = settings_of(url)
        owner = settings_of(os.environ.get("DATABASE_OWNER_URL", url))
    else:
        socket = server.start()
        name = os.environ.get("CHAMBERLAIN_DATABASE", DATABASE_NAME)
        office = _private(socket, name, roles.OFFICE)
        owner = _private(socket, name, roles.OWNER)
    owner["TEST"] = {"MIRROR": "default"}
    return {"default": office, "owner": owner}


def settings_of(url: str) -> dict[str, Any]:
    """A `postgresql://user:password@host:port/name?option=value` address as Django's settings."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise Refused(
            "DATABASE_URL is not a PostgreSQL address; write it as "
            "postgresql://role:password@host:5432/database."
        )
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    return _settings(
        NAME=unquote(parts.path.strip("/")),
        USER=unquote(parts.username or ""),
        PASSWORD=unquote(parts.password or ""),
        HOST=host,
        PORT=str(parts.port or options.pop("port", "")),
        OPTIONS=options,
    )


def _private(socket: str, name: str, role: str) -> dict[str, Any]:
    return _settings(NAME=name, USER=role, PASSWORD="", HOST=socket, PORT="", OPTIONS={})


def _settings(**given: Any) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        **given,
    }

"""Where a benchmark works: how large the run is, and databases of its own."""

import os
from dataclasses import dataclass, field
from typing import Any

import psycopg

ACCOUNTS = 1_000_000
ACCOUNTS_QUICK = 100_000


@dataclass
class Room:
    """The surroundings of one benchmark, which runs in a process of its own.

    quick: a short run, a tenth of the accounts.
    """

    quick: bool
    _made: list[str] = field(default_factory=list)
    _twins: list[str] = field(default_factory=list)

    @property
    def accounts(self) -> int:
        """How many accounts the city of this run has."""
        return ACCOUNTS_QUICK if self.quick else ACCOUNTS

    def database(self) -> str:
        """Makes a fresh migrated database and points Django at it; returns its name.

        Processes started after this inherit it. The room removes it in the end.
        """
        from chamberlain.database import setup

        name = f"chamberlain_bench_{os.getpid()}_{len(self._made)}"
        os.environ["CHAMBERLAIN_DATABASE"] = name
        self._made.append(name)
        setup.prepare_private_server(name)
        _point_django_at(name)
        setup.migrate()
        return name

    def twin(self) -> str:
        """Makes a copy of the newest database as it is now; returns its name."""
        from django.db import connections

        from chamberlain.database import setup

        connections.close_all()
        name = f"{self._made[-1]}_twin{len(self._twins) or ''}"
        setup.copy_private_database(self._made[-1], name)
        self._twins.append(name)
        return name

    def connect(self, *, owner: bool = False, database: str = "") -> psycopg.Connection[Any]:
        """A connection to the newest database or another, as the office or as the owner."""
        from chamberlain.database import roles, server

        role = roles.OWNER if owner else roles.OFFICE
        return psycopg.connect(host=server.start(), user=role, dbname=database or self._made[-1])

    def close(self) -> None:
        """Removes the databases that were made."""
        if not self._made:
            return
        from django.db import connections

        from chamberlain.database import setup

        connections.close_all()
        for name in [*self._twins, *self._made]:
            setup.drop_private_database(name)


def _point_django_at(name: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chamberlain.settings")
    import django
    from django.conf import settings
    from django.db import connections

    django.setup()
    from chamberlain.ledger import chart

    chart.forget()
    for alias in ("default", "owner"):
        connections[alias].close()
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name

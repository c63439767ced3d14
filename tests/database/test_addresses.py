"""A city names its own PostgreSQL by an address."""

import pytest

from chamberlain.database.addresses import settings_of
from chamberlain.kernel.errors import Refused


def test_an_address_says_role_password_host_port_database_and_options() -> None:
    found = settings_of("postgresql://office:p%40ss@db.city.example:5433/revenue?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["HOST"]) == (
        "office",
        "p@ss",
        "db.city.example",
    )
    assert (found["PORT"], found["NAME"]) == ("5433", "revenue")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_a_socket_folder_may_stand_for_the_host() -> None:
    found = settings_of("postgresql://office@/revenue?host=/run/postgresql")
    assert found["HOST"] == "/run/postgresql"
    assert found["OPTIONS"] == {}


@pytest.mark.parametrize("address", ["mysql://a/b", "revenue", "postgresql://host", ""])
def test_what_is_no_such_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(Refused, match="postgresql://role:password@host"):
        settings_of(address)

"""Forms that register somebody new, sent twice: a double click, or a page that was sent again."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role
from chamberlain.registry import documents, operations
from chamberlain.registry.models import AccountHolding, Customer, Ownership
from tests.office import DAY, NOW
from tests.registry import papers
from tests.web.conftest import STORAGES
from tests.web.scenes import furnished_office
from tests.web.test_empty_office import client_of

pytestmark = pytest.mark.django_db
_KEY = re.compile(r'name="key" value="([^"]+)"')


@pytest.fixture(autouse=True)
def place(settings, tmp_path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    with override_settings(STORAGES=STORAGES):
        furnished_office()
        yield


@pytest.fixture
def clerk() -> Client:
    return client_of(Role.CLERK)


def test_a_double_click_moves_somebody_new_in_once(clerk: Client) -> None:
    bare = operations.register_property(
        program_actor(), "17-2", "902 W Adams St", "60607", "house", 1
    )
    address = f"/properties/{bare}/move-in/"
    [key] = _KEY.findall(clerk.get(address).content.decode())
    form = {"key": key, "on": DAY, "name": "Ida Wells", "kind": "person", "language": "en"}
    first, second = clerk.post(address, form), clerk.post(address, form)
    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert Customer.objects.filter(name="Ida Wells").count() == 1
    assert AccountHolding.objects.filter(property_id=bare).count() == 1


def test_a_double_click_records_a_new_owner_once(clerk: Client) -> None:
    house = papers.two_flat()
    deed = documents.keep_document(program_actor(), house, "deed", "deed.pdf", papers.pdf(), NOW)
    page = clerk.get(f"/documents/{deed}/").content.decode()
    [key] = _KEY.findall(page)
    form = {"key": key, "name": "Ida Wells", "kind": "person", "share": "50",
            "from_on": "2026-01-05", "replaces": "no"}  # fmt: skip
    answers = [clerk.post(f"/documents/{deed}/owner", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Customer.objects.filter(name="Ida Wells").count() == 1
    assert Ownership.objects.filter(customer__name="Ida Wells").count() == 1

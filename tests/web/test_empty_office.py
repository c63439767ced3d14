"""Pages of an office in which nothing happened yet, and addresses that somebody mistyped."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from chamberlain.identity.models import Role
from tests import office
from tests.web.conftest import STORAGES

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static_files() -> Iterator[None]:
    with override_settings(STORAGES=STORAGES):
        yield


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(office.make_user(f"a-{role.value}".replace("_", "-"), role))
    return client


@pytest.mark.parametrize(
    ("role", "address", "sentence"),
    [
        (Role.CLERK, "/accounts/", "The accounts that you open today stand here."),
        (Role.CLERK, "/bill-runs/", "No accounts were billed yet."),
        (Role.CLERK, "/bill-runs/worklist/", "Nothing waits for you."),
        (Role.CLERK, "/tariffs/", "No tariff is loaded yet"),
        (Role.AUDITOR, "/ledger/", "No business day was closed yet."),
        (Role.AUDITOR, "/ledger/accounts/", "chart of accounts is not loaded yet"),
        (Role.ADMINISTRATOR, "/tariffs/unverified/", "Every price is verified."),
        (Role.CLERK, "/", "No accounts were billed yet."),
        (Role.COORDINATOR, "/", "The city has no centers yet."),
    ],
)
def test_an_empty_list_says_what_will_stand_there(role: Role, address: str, sentence: str) -> None:
    answer = client_of(role).get(address)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/NOT-THERE/",
        "/accounts/NOT-THERE/usage.svg",
        "/bills/NOT-THERE/",
        "/bill-runs/999999/",
        "/tariffs/not-there/",
        "/tariffs/not-there/999999/",
        "/ledger/entries/999999/",
    ],
)
def test_what_is_not_there_is_a_page_with_a_sentence(address: str) -> None:
    answer = client_of(Role.ACCOUNTS_SUPERVISOR).get(address)
    assert answer.status_code == 404
    assert "There is no" in answer.content.decode()


def test_an_account_without_holder_bills_or_charges_still_has_its_pages() -> None:
    center = office.make_center()
    office.owe(office.open_day(center), "A-1")
    client = client_of(Role.CLERK)
    for part in ("", "bills/", "payments/", "usage/", "other/", "history/", "file/"):
        answer = client.get(f"/accounts/A-1/{part}?page=99&kind=nonsense")
        assert answer.status_code == 200, part
    assert "Nothing is owed on this account." in client.get("/accounts/A-1/").content.decode()
    assert client.get("/accounts/A-1/usage.svg").status_code == 200


def test_an_administrator_has_no_search_and_finds_nobody() -> None:
    client = client_of(Role.ADMINISTRATOR)
    assert b'id="search-results-q"' not in client.get("/").content
    assert client.post("/search", {"q": "Kowalski"}).status_code == 403


def test_a_run_cannot_be_planned_while_the_revenue_office_is_closed() -> None:
    center = office.make_center("RO")
    center.kind = "revenue_office"
    center.save()
    answer = client_of(Role.ACCOUNTS_SUPERVISOR).get("/bill-runs/plan/")
    assert "The revenue office has no open day" in answer.content.decode()


def test_charts_are_drawn_of_nothing_and_of_one_figure() -> None:
    from datetime import date

    from chamberlain.web import charts

    assert charts.usage_chart([], "thousand gallons").startswith(b"<svg")
    one = [("water", date(2025, 6, 1), 4.69)]
    assert charts.rate_chart(one, date(2026, 1, 1), "Dollars").startswith(b"<svg")

"""Accounts and charges over the API."""

import pytest

from chamberlain.identity.actors import program_actor
from chamberlain.ledger.models import BusinessDay
from chamberlain.registry import operations as registry
from chamberlain.registry.models import PropertyType
from tests import office
from tests.api.conftest import Caller, caller, make_token

pytestmark = pytest.mark.django_db


def make_account() -> str:
    """The number of Maria Kowalski's account, for her two-flat."""
    actor = program_actor()
    PropertyType.objects.get_or_create(code="two_flat", defaults={"name": "Two-flat"})
    customer_id = registry.register_customer(actor, "person", "Maria Kowalski")
    registry.add_contact(actor, customer_id, "phone", "312-555-0147")
    property_id = registry.register_property(
        actor, "14-31-329-021-0000", "2214 W Cortland St", "60647", "two_flat", 2
    )
    registry.open_account(actor, customer_id, property_id, office.DAY, "1004-220-817")
    return "1004-220-817"


def test_an_account_shows_holder_property_and_balance(call: Caller) -> None:
    number = make_account()
    account = call("GET", f"/accounts/{number}").body
    assert account["customer"] == "Maria Kowalski"
    assert account["address"] == "2214 W Cortland St"
    assert (account["owed_cents"], account["credit_cents"]) == (0, 0)
    assert [contact["kind"] for contact in account["contacts"]] == ["phone"]
    assert "0147" in account["contacts"][0]["value"].replace("-", "")


def test_contacts_are_masked_without_their_scope() -> None:
    number = make_account()
    account = caller(make_token("account.view"))("GET", f"/accounts/{number}").body
    assert account["contacts"] == [{"kind": "phone", "value": "•••-•••-0147"}]


def test_an_account_is_found_by_name_with_a_typing_error(call: Caller) -> None:
    number = make_account()
    found = call("POST", "/accounts/search", {"text": "kowalsky"}).body
    assert [row["account"] for row in found] == [number]


def test_a_long_list_comes_in_pages(call: Caller, day: BusinessDay) -> None:
    owed = office.owe(day, "1001", *range(100, 107))
    seen: list[int] = []
    cursor = ""
    while True:
        page = call("GET", f"/accounts/1001/charges?limit=3&cursor={cursor}").body
        seen += [charge["charge_id"] for charge in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == owed.charge_ids


@pytest.mark.parametrize(
    "path", ["/accounts/9", "/accounts/9/charges", "/accounts/9/bills", "/charges/9", "/bills/9"]
)
def test_what_does_not_exist_is_said_so(call: Caller, path: str) -> None:
    answer = call("GET", path)
    assert answer.status == 404
    assert "There is no" in answer.problem()

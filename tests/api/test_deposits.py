"""Deposits over the API: what the rule asks, asked once, held, and not released too early."""

import pytest

from chamberlain.billing.deposits.models import Deposit
from tests.api.conftest import Caller, caller, make_token
from tests.billing.deposit_office import ASKED, deposit_home, pay
from tests.billing.final_office import Home

pytestmark = pytest.mark.django_db
KEY = "deposit-of-maria"


@pytest.fixture
def place() -> Home:
    return deposit_home()


def test_a_deposit_is_asked_once_and_held(place: Home, call: Caller) -> None:
    path = f"/accounts/{place.number}/deposits"
    before = call("GET", path).body
    assert (before["required_cents"], before["deposits"]) == (ASKED, [])
    first = call("POST", path, Idempotency_Key=KEY)
    second = call("POST", path, Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 200), first.body
    number = first.body["number"]
    assert call("GET", "/deposits?state=unpaid").body["items"][0]["number"] == number
    pay(place, Deposit.objects.get(), ASKED)
    held = call("GET", f"/deposits/{number}").body
    assert (held["held_cents"], held["unpaid_cents"]) == (ASKED, 0)
    assert held["waits"]
    refused = call("POST", f"/deposits/{number}/release")
    assert refused.status == 409
    assert refused.problem()
    assert call("POST", f"/deposits/{number}/cancel", {"reason": "Not needed"}).status == 409


def test_a_token_needs_the_scope(place: Home) -> None:
    viewer = caller(make_token("account.view"))
    path = f"/accounts/{place.number}/deposits"
    assert viewer("POST", path, Idempotency_Key=KEY).status == 403
    assert viewer("GET", "/deposits").status == 403
    assert viewer("GET", "/deposits/DEP-000009").status == 404
    assert not Deposit.objects.exists()

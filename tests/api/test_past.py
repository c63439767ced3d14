"""The balance of a past day over the API."""

import pytest

from chamberlain.ledger.models import BusinessDay
from tests import office
from tests.api.conftest import Caller, caller, make_token

pytestmark = pytest.mark.django_db


def test_a_past_day_s_balance_is_the_sum_of_what_made_it(call: Caller, day: BusinessDay) -> None:
    office.owe(day, "1001", 3000, 1500)
    sent = {"account": "1001", "cents": 5000, "channel": "lockbox", "reference": "LB 7741"}
    assert call("POST", "/payments", sent, Idempotency_Key="lockbox-0001").status == 201
    balance = call("GET", f"/accounts/1001/balance?on={office.DAY}").body
    assert (balance["owed_cents"], balance["credit_cents"]) == (0, 500)
    assert balance["balance_cents"] == -500
    first = call("GET", f"/accounts/1001/balance/moves?on={office.DAY}&limit=2").body
    rest = call("GET", f"/accounts/1001/balance/moves?on={office.DAY}&cursor={first['next']}").body
    moved = first["items"] + rest["items"]
    assert len(moved) == balance["moves"]
    assert moved[0]["balance_cents"] == -500
    assert sum(m["owed_cents"] - m["credit_cents"] for m in moved) == -500


def test_before_anything_was_posted_nothing_was_owed(call: Caller, day: BusinessDay) -> None:
    office.owe(day, "1001", 3000)
    balance = call("GET", "/accounts/1001/balance?on=2020-01-31").body
    assert (balance["balance_cents"], balance["moves"]) == (0, 0)


@pytest.mark.parametrize("tail", ["balance", "balance/moves"])
def test_what_cannot_be_told_is_refused_with_a_sentence(
    call: Caller, day: BusinessDay, tail: str
) -> None:
    office.owe(day, "1001", 3000)
    answer = call("GET", f"/accounts/1001/{tail}?on=9999-12-31")
    assert answer.status == 422
    assert "has not come yet" in answer.problem()
    assert answer.body["errors"][0]["place"] == "query.on"
    assert call("GET", f"/accounts/7777/{tail}?on=2026-03-02").status == 404
    assert call("GET", f"/accounts/1001/{tail}").status == 422
    without = caller(make_token("billing.view"))
    assert without("GET", f"/accounts/1001/{tail}?on=2026-03-02").status == 403

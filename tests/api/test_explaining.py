"""Explanations over the API: past balances, penalties, and parts that add up."""

import pytest

from tests.api.conftest import Caller, caller, make_token
from tests.web import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> scenes.Office:
    return scenes.furnished_office()


def test_the_parts_of_a_difference_add_up(place: scenes.Office, call: Caller) -> None:
    bills = call("GET", f"/accounts/{place.number}/bills").body["items"]
    why = call("GET", f"/bills/{bills[0]['number']}/why").body
    assert why["total_cents"] == bills[0]["total_cents"]
    assert why["comparisons"]
    for each in why["comparisons"]:
        assert sum(part["cents"] for part in each["parts"]) == each["change_cents"]
        assert each["before_cents"] + each["change_cents"] == why["total_cents"]
    assert call("GET", "/bills/none/why").status == 404


def test_the_balance_of_a_day_is_what_was_owed_then(place: scenes.Office, call: Caller) -> None:
    path = f"/accounts/{place.number}"
    now = call("GET", path).body
    on = call("GET", f"{path}/balance?on={place.day.day}").body
    assert on["owed_cents"] == now["owed_cents"] > 0
    assert call("GET", f"{path}/balance?on=2001-01-01").body["balance_cents"] == 0
    late = call("GET", f"{path}/balance?on=2999-01-01")
    assert late.status == 422
    assert late.body["errors"][0]["place"] == "query.on"
    assert call("GET", f"{path}/penalties").body == {"items": [], "next": None}


def test_a_token_without_the_scope_sees_none_of_it(place: scenes.Office) -> None:
    stranger = caller(make_token("tariff.view"))
    for what in ("balance?on=2026-01-01", "penalties"):
        assert stranger("GET", f"/accounts/{place.number}/{what}").status == 403
    assert stranger("GET", "/bills/1/why").status == 403

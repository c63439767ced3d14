"""Why a bill is this much, over the API."""

import pytest

from tests.api.conftest import Caller, caller, make_token
from tests.web import scenes

pytestmark = pytest.mark.django_db


def test_the_reasons_and_the_lines_add_up_to_the_change(call: Caller) -> None:
    scenes.furnished_office(bills=8)
    answer = call("GET", "/bills/88-203417/why")
    assert answer.status == 200
    assert [each["before"] for each in answer.body["comparisons"]] == ["88-203416", "88-203411"]
    for each in answer.body["comparisons"]:
        assert each["headline"]
        assert sum(part["cents"] for part in each["parts"]) == each["change_cents"]
        assert sum(line["change_cents"] for line in each["lines"]) == each["change_cents"]
        assert all(part["sentence"] for part in each["parts"] if part["cents"])


def test_a_first_bill_has_nothing_to_be_held_against(call: Caller) -> None:
    scenes.furnished_office(bills=8)
    assert call("GET", "/bills/88-203410/why").body["comparisons"] == []


def test_an_unknown_bill_is_not_found_and_the_scope_is_needed(call: Caller) -> None:
    assert call("GET", "/bills/9/why").status == 404
    assert caller(make_token("billing.view"))("GET", "/bills/9/why").status == 403


def test_every_bill_of_a_period_is_rated_again(call: Caller) -> None:
    number = scenes.furnished_office(bills=8).account.number
    answer = call("GET", f"/accounts/{number}/analysis?since=2024-01-01&until=2027-01-01")
    assert answer.status == 200
    assert len(answer.body["bills"]) == 8
    for bill in answer.body["bills"]:
        for line in bill["lines"]:
            assert line["variance_cents"] == line["billed_cents"] - line["rated_cents"]
    backwards = call("GET", f"/accounts/{number}/analysis?since=2026-01-01&until=2024-01-01")
    assert backwards.status == 422
    assert backwards.body["errors"][0]["place"] == "query.until"

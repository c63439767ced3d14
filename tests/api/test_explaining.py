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

"""Payment plans over the API: worked out, made once, approved by another, ended."""

import pytest

from chamberlain.billing.plans.models import Plan
from chamberlain.ledger.models import BusinessDay
from tests import office
from tests.api.conftest import Caller, caller, make_token
from tests.billing.plan_office import load_terms

pytestmark = pytest.mark.django_db
KEY = "plan-of-1001"
PATH = "/accounts/1001/plans"


@pytest.fixture
def owed(day: BusinessDay) -> office.Owed:
    load_terms()
    return office.owe(day, "1001", 8000, 4001)


def body(owed: office.Owed, **other: object) -> dict[str, object]:
    return {"charges": owed.charge_ids, "terms": "standard", "instalments": 4, **other}


def test_a_plan_is_worked_out_without_being_made(owed: office.Owed, call: Caller) -> None:
    offer = call("POST", "/accounts/1001/plan-offer", body(owed)).body
    assert offer["total_cents"] == 12001
    assert [each["cents"] for each in offer["instalments"]] == [3001, 3000, 3000, 3000]
    assert offer["approvers"] == []
    assert not Plan.objects.exists()


def test_a_plan_is_made_once_and_stands(owed: office.Owed, call: Caller) -> None:
    first = call("POST", PATH, body(owed), Idempotency_Key=KEY)
    second = call("POST", PATH, body(owed), Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 200), first.body
    assert first.body == second.body
    assert first.body["status"] == "in_force"
    assert first.body["open_cents"] == first.body["total_cents"] == 12001
    assert sum(each["cents"] for each in first.body["instalments"]) == 12001
    number = first.body["number"]
    assert call("GET", f"/plans/{number}").body == first.body
    assert [row["number"] for row in call("GET", PATH).body] == [number]

    other = call("POST", PATH, body(owed, instalments=3), Idempotency_Key=KEY)
    assert other.status == 422
    assert other.body["errors"][0]["place"] == "header.Idempotency-Key"

    ended = call("POST", f"/plans/{number}/withdraw", {"reason": "Paid in one"})
    assert (ended.body["status"], ended.body["sentence"]) == ("withdrawn", "Paid in one")
    refused = call("POST", f"/plans/{number}/ask-reinstatement", {"reason": "Please"})
    assert "not in default" in refused.problem()
    assert call("POST", f"/plans/{number}/reinstate").status in (404, 409)


def test_a_large_plan_waits_for_a_role_that_may_approve_it(day: BusinessDay, call: Caller) -> None:
    load_terms()
    owed = office.owe(day, "1001", 200_000)
    made = call("POST", PATH, body(owed), Idempotency_Key=KEY)
    assert made.body["status"] == "offered"
    number = made.body["number"]
    assert call("POST", f"/plans/{number}/approve").status == 403
    assert Plan.objects.get().status == "offered"


@pytest.mark.parametrize(
    ("bad", "status", "place"),
    [
        ({"instalments": 0}, 422, "body.instalments"),
        ({"instalments": 100}, 422, "body.instalments"),
        ({"terms": "nothing"}, 404, "body.terms"),
        ({"charges": [999]}, 422, "body.charges"),
    ],
)
def test_bad_input_is_refused_at_its_field(
    owed: office.Owed, call: Caller, bad: dict[str, object], status: int, place: str
) -> None:
    for path, headers in ((PATH, {"Idempotency_Key": KEY}), ("/accounts/1001/plan-offer", {})):
        answer = call("POST", path, body(owed, **bad), **headers)
        assert answer.status == status, answer.body
        assert [error["place"] for error in answer.body["errors"]] == [place]
    assert not Plan.objects.exists()


def test_a_token_without_the_scope_makes_no_plan(owed: office.Owed) -> None:
    viewer = caller(make_token("account.view"))
    assert viewer("POST", PATH, body(owed), Idempotency_Key=KEY).status == 403
    assert viewer("POST", "/plans/PP-000001/approve").status == 403
    assert viewer("GET", "/plans/PP-000001").status == 404
    assert not Plan.objects.exists()

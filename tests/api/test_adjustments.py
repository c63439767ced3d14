"""Adjustments over the API: asked once, decided by another whose role allows the amount."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from chamberlain.billing.adjusting.models import Adjustment
from chamberlain.identity import tokens
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role, RoleAssignment, User
from chamberlain.ledger.queries import balance
from tests import office
from tests.api.conftest import Caller, caller, make_token
from tests.billing.adjust_scenes import Adjusting, make_adjusting_office

pytestmark = pytest.mark.django_db
KEY = "adjustment-1"
PATH = "/accounts/1001/adjustments"
BODY = {"reason": "leak", "cents": 1000, "note": "The plumber's bill was seen"}


@pytest.fixture
def place() -> Adjusting:
    return make_adjusting_office()


@pytest.fixture
def owed(place: Adjusting) -> office.Owed:
    return office.owe(place.day, "1001", 3000, 1500)


def approver(role: Role | None) -> Caller:
    """Another program, which holds a role."""
    user = User.objects.create(username=f"second-{role}", is_program=True)
    now = timezone.now()
    if role:
        RoleAssignment.objects.create(
            user=user,
            role=role,
            period=DateRange(office.DAY, None),
            granted_by_id=program_actor().user_id,
        )
    end = now + timedelta(days=1)
    issued = tokens.issue_token(program_actor(), user.pk, "second", tokens.SCOPES, end, now)
    return caller(issued.secret)


def test_an_adjustment_is_asked_for_once_and_posted_by_another(
    owed: office.Owed, call: Caller
) -> None:
    first = call("POST", PATH, BODY, Idempotency_Key=KEY)
    second = call("POST", PATH, BODY, Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 200), first.body
    assert first.body == second.body
    number = first.body["number"]
    assert balance(owed.account_id).owed_cents == 4500
    assert [row["number"] for row in call("GET", "/adjustments").body["items"]] == [number]

    own = call("POST", f"/adjustments/{number}/approve")
    assert own.status == 403
    assert "another person" in own.problem()
    none = approver(None)("POST", f"/adjustments/{number}/approve")
    assert none.status == 403
    posted = approver(Role.COORDINATOR)("POST", f"/adjustments/{number}/approve")
    assert posted.body["status"] == "posted", posted.body
    assert balance(owed.account_id).owed_cents == 3500
    assert [row["number"] for row in call("GET", PATH).body["items"]] == [number]
    decided = call("GET", "/adjustments?which=decided").body["items"]
    assert [row["number"] for row in decided] == [number]


def test_what_was_posted_is_undone_by_an_entry(owed: office.Owed, call: Caller) -> None:
    number = call("POST", PATH, BODY, Idempotency_Key=KEY).body["number"]
    boss = approver(Role.COORDINATOR)
    boss("POST", f"/adjustments/{number}/approve")
    undone = boss("POST", f"/adjustments/{number}/reverse", {"note": "It was no leak"})
    assert undone.status == 200, undone.body
    assert undone.body["reversed_by_id"]
    assert balance(owed.account_id).owed_cents == 4500


def test_an_adjustment_is_refused_by_another_or_withdrawn_by_its_asker(
    owed: office.Owed, call: Caller
) -> None:
    number = call("POST", PATH, BODY, Idempotency_Key=KEY).body["number"]
    refused = approver(Role.COORDINATOR)(
        "POST", f"/adjustments/{number}/refuse", {"note": "No bill"}
    )
    assert (refused.body["status"], refused.body["decision"]) == ("refused", "No bill")
    number = call("POST", PATH, BODY, Idempotency_Key="adjustment-2").body["number"]
    assert call("POST", f"/adjustments/{number}/withdraw").body["status"] == "withdrawn"
    assert call("POST", f"/adjustments/{number}/withdraw").status == 409
    assert balance(owed.account_id).owed_cents == 4500


@pytest.mark.parametrize(
    ("bad", "status", "place_of_it"),
    [
        ({"cents": 0}, 422, "body.cents"),
        ({"cents": None}, 422, "body.cents"),
        ({"reason": "nothing"}, 404, "body.reason"),
        ({"note": " "}, 422, "body.note"),
        ({"other_account": "1001"}, 422, "body.other_account"),
        ({"cents": 900_000}, 409, "body.cents"),
    ],
)
def test_bad_input_is_refused_at_its_field(
    owed: office.Owed, call: Caller, bad: dict[str, Any], status: int, place_of_it: str
) -> None:
    answer = call("POST", PATH, {**BODY, **bad}, Idempotency_Key=KEY)
    assert [error["place"] for error in answer.body["errors"]] == [place_of_it], answer.body
    assert answer.status in (status, 422)
    assert not Adjustment.objects.exists()


def test_a_key_is_not_for_another_adjustment(owed: office.Owed, call: Caller) -> None:
    call("POST", PATH, BODY, Idempotency_Key=KEY)
    answer = call("POST", PATH, {**BODY, "cents": 500}, Idempotency_Key=KEY)
    assert answer.status == 409
    assert Adjustment.objects.count() == 1


def test_scopes_and_reasons(owed: office.Owed) -> None:
    viewer = caller(make_token("account.view"))
    assert viewer("POST", PATH, BODY, Idempotency_Key=KEY).status == 403
    assert viewer("GET", "/adjustments").status == 403
    assert viewer("POST", "/adjustments/A-1/approve").status == 403
    assert viewer("GET", "/adjustments/A-1").status == 404
    codes = {row["code"] for row in viewer("GET", "/adjustment-reasons").body}
    assert "leak" in codes
    assert "old" not in codes

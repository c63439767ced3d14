"""Rebills over the API: seen old against new, posted once, refused with the rule's sentence."""

from typing import Any

import pytest

from chamberlain.billing.models import Bill
from chamberlain.billing.rebilling.models import Rebill
from chamberlain.identity.actors import program_actor
from chamberlain.ledger.proof import prove
from tests.api.conftest import Caller, caller, make_token
from tests.billing.rebilling_scenes import number_of
from tests.billing.test_rebilling import WATER, billed_town, read_of
from tests.billing.town import Town

pytestmark = pytest.mark.django_db
KEY = "rebill-of-march"


@pytest.fixture
def town() -> Town:
    return billed_town(2)


def body(town: Town, **other: Any) -> dict[str, Any]:
    read = read_of(town.agreements[1].account_id)
    return {
        "from_on": "2026-01-01",
        "to_on": "2026-03-01",
        "reason": "read_wrong",
        "note": "The picture shows another number",
        "reads": [{"read_id": read.pk, "usage_thousandths": 1000}],
        **other,
    }


def path(town: Town) -> str:
    return f"/accounts/{number_of(town.agreements[1].account_id)}/rebills"


def test_a_rebill_is_drafted_seen_and_posted(town: Town, call: Caller) -> None:
    drafted = call("POST", path(town), body(town), Idempotency_Key=KEY)
    assert drafted.status == 201, drafted.body
    [bill] = drafted.body["bills"]
    assert bill["change_cents"] == drafted.body["difference_cents"] < 0
    assert sum(line["change_cents"] for line in bill["lines"]) == bill["change_cents"]
    assert bill["replaced_by"] == ""
    rebill_id = drafted.body["rebill_id"]

    posted = call("POST", f"/rebills/{rebill_id}/post")
    assert posted.status == 200, posted.body
    assert posted.body == {
        "rebill_id": rebill_id,
        "taken_back": 1,
        "made": 1,
        "difference_cents": bill["change_cents"],
    }
    assert Bill.objects.latest("pk").total_cents == bill["new_cents"]
    assert prove(program_actor()).differences == ()

    seen = call("GET", f"/rebills/{rebill_id}").body
    assert seen["status"] == "posted"
    assert seen["bills"][0]["replaced_by"]
    assert [row["rebill_id"] for row in call("GET", path(town)).body["items"]] == [rebill_id]

    again = call("POST", f"/rebills/{rebill_id}/post")
    assert again.status == 409
    assert again.problem()


def test_the_same_key_drafts_once_and_is_not_for_another_rebill(town: Town, call: Caller) -> None:
    first = call("POST", path(town), body(town), Idempotency_Key=KEY)
    second = call("POST", path(town), body(town), Idempotency_Key=KEY)
    other = call("POST", path(town), body(town, note="Something else"), Idempotency_Key=KEY)
    assert (first.status, second.status, other.status) == (201, 200, 422)
    reads = [{**body(town)["reads"][0], "usage_thousandths": 2000}]
    corrected = call("POST", path(town), body(town, reads=reads), Idempotency_Key=KEY)
    assert corrected.status == 422
    assert first.body == second.body
    assert other.body["errors"][0]["place"] == "header.Idempotency-Key"
    assert Rebill.objects.count() == 1


def test_a_bill_is_taken_back_by_another_than_who_asked(town: Town, call: Caller) -> None:
    bill = Bill.objects.filter(account_id=town.agreements[1].account_id).latest("pk")
    asked = body(town, reads=[], takes_back=[bill.number])
    rebill_id = call("POST", path(town), asked, Idempotency_Key=KEY).body["rebill_id"]
    assert call("POST", f"/rebills/{rebill_id}/post").status == 403
    assert call("POST", f"/rebills/{rebill_id}/ask").body["status"] == "asked"
    assert [row["rebill_id"] for row in call("GET", "/rebills").body["items"]] == [rebill_id]

    other = caller(make_token("bill.rebill", "bill.approve_rebill", "account.view"))
    assert other("POST", f"/rebills/{rebill_id}/post").body["difference_cents"] == -4 * WATER

    again = body(town, reads=[], bills_again=[bill.number])
    drafted = call("POST", path(town), again, Idempotency_Key="bill-it-again")
    assert drafted.body["bills"][0]["new_cents"] == 4 * WATER


def test_a_rebill_that_is_set_aside_posts_nothing(town: Town, call: Caller) -> None:
    rebill_id = call("POST", path(town), body(town), Idempotency_Key=KEY).body["rebill_id"]
    assert call("POST", f"/rebills/{rebill_id}/decline").body["status"] == "declined"
    assert Bill.objects.count() == 2


@pytest.mark.parametrize(
    ("bad", "status", "place"),
    [
        ({"to_on": "2025-12-01"}, 422, "body.to_on"),
        ({"reason": "nothing"}, 404, "body.reason"),
        ({"dwelling_units": 0}, 422, "body.dwelling_units"),
        ({"is_spread": True}, 422, "body.is_spread"),
        ({"tariff": "nothing"}, 404, "body.tariff"),
        ({"note": ""}, 422, "body.note"),
    ],
)
def test_bad_input_is_refused_at_its_field(
    town: Town, call: Caller, bad: dict[str, Any], status: int, place: str
) -> None:
    answer = call("POST", path(town), body(town, **bad), Idempotency_Key=KEY)
    assert answer.status == status, answer.body
    assert [error["place"] for error in answer.body["errors"]] == [place]
    assert not Rebill.objects.exists()


def test_a_token_without_the_scope_drafts_and_posts_nothing(town: Town, call: Caller) -> None:
    viewer = caller(make_token("account.view"))
    rebill_id = call("POST", path(town), body(town), Idempotency_Key=KEY).body["rebill_id"]
    assert viewer("POST", path(town), body(town), Idempotency_Key="other-key").status == 403
    for what in ("post", "ask", "decline"):
        assert viewer("POST", f"/rebills/{rebill_id}/{what}").status == 403
    assert viewer("GET", "/rebills").status == 403
    assert viewer("GET", "/rebills/999").status == 404
    assert caller(make_token("tariff.view"))("GET", f"/rebills/{rebill_id}").status == 403

"""Moving out over the API: the read, the final bill, the balance that goes on."""

import pytest

from chamberlain.identity.actors import program_actor
from chamberlain.ledger.proof import prove
from tests.api.conftest import Caller, caller, make_token
from tests.billing.final_office import Home, home

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Home:
    return home()


def leave(place: Home, call: Caller, **other: object) -> dict[str, object]:
    body = {"left_on": "2026-04-01", "next_account": place.next_number, **other}
    answer = call("POST", f"/accounts/{place.number}/move-out", body)
    assert answer.status == 200, answer.body
    return answer.body


def test_who_moves_out_is_read_and_billed_and_the_balance_goes_on(
    place: Home, call: Caller
) -> None:
    to = {"address": "18 Cedar Court, Evanston IL", "postal_code": "60201"}
    made = leave(place, call, forwarding=to)
    assert (made["state"], made["next_account"]) == ("to_read", place.next_number)
    assert leave(place, call)["move_out_id"] == made["move_out_id"]
    path = f"/move-outs/{made['move_out_id']}"
    [order] = made["reads"]
    refused = call("POST", f"{path}/reads/999", {})
    assert refused.status == 404
    read = call("POST", f"{path}/reads/{order['order_id']}", {})
    assert (read.body["state"], read.body["reads"][0]["quality"]) == ("to_bill", "estimate")
    [bill] = read.body["would_bill"]
    assert sum(line["cents"] for line in bill["lines"]) == bill["cents"] > 0
    billed = call("POST", f"{path}/bill")
    assert (billed.body["cents"], billed.body["state"]) == (bill["cents"], "billed")
    assert len(billed.body["bills"]) == 1
    assert call("POST", f"{path}/bill").status == 409
    carried = call("POST", f"{path}/carry", {}).body["adjustments"]
    assert len(carried) == 1
    assert call("GET", f"/adjustments/{carried[0]}").body["status"] == "asked"
    assert [row["state"] for row in call("GET", f"/accounts/{place.number}/move-outs").body] == [
        "billed"
    ]
    assert prove(program_actor()).differences == ()


def test_lists_are_for_those_who_work_on_them(place: Home, call: Caller) -> None:
    made = leave(place, call)
    [row] = call("GET", "/move-outs?state=to_read").body["items"]
    assert row["move_out_id"] == made["move_out_id"]
    assert call("GET", "/move-outs").body == {"items": [], "next": None}
    viewer = caller(make_token("account.view"))
    assert viewer("GET", "/move-outs").status == 403
    assert viewer("GET", f"/move-outs/{made['move_out_id']}").status == 403
    assert call("GET", "/move-outs/999").status == 404

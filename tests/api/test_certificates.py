"""Full payment certificates over the API: from the application to the deed, by two programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chamberlain.billing.certificates.models import Application
from chamberlain.identity.actors import program_actor
from chamberlain.ledger.proof import prove
from tests.api.conftest import Caller, caller, make_token
from tests.billing import certificates_office
from tests.billing.certificates_office import Desk

pytestmark = pytest.mark.django_db
PATH = "/certificates/applications"
KEY = "certificate-of-maria"


@pytest.fixture
def desk() -> Desk:
    return certificates_office.make_desk()


@pytest.fixture
def issuer() -> Caller:
    """Another program, which may issue."""
    return caller(make_token())


def body(desk: Desk, **other: Any) -> dict[str, Any]:
    return {
        "account": desk.place.number,
        "role": "buyer",
        "applicant": "Jan Novak",
        "phone": "312 555 0177",
        "seller": "Maria Kowalski",
        "buyer": "Jan Novak",
        "closing_on": str(timezone.localdate() + timedelta(days=20)),
        **other,
    }


def test_a_certificate_from_the_application_to_the_deed(
    desk: Desk, call: Caller, issuer: Caller
) -> None:
    today = timezone.localdate()
    made = call("POST", PATH, body(desk), Idempotency_Key=KEY)
    assert made.status == 201, made.body
    number = made.body["number"]
    assert call("POST", PATH, body(desk), Idempotency_Key=KEY).status == 200
    other = call("POST", PATH, body(desk, buyer="Somebody"), Idempotency_Key=KEY)
    assert other.status == 422

    accepted = call("POST", f"{PATH}/{number}/accept", {"government_id": True})
    assert accepted.body["fee_cents"] == 5000
    [order] = accepted.body["reads"]
    read = {"read_on": str(today), "register": order["last_register"] + 3}
    taken = call("POST", f"{PATH}/{number}/reads/{order['order_id']}", read)
    assert taken.status == 200, taken.body
    payoff = taken.body["payoff"]
    lines = [line["cents"] for bill in payoff["bills"] for line in bill["lines"]]
    penalties = [each["cents"] for each in payoff["penalties"]]
    assert sum(lines) + sum(penalties) == payoff["new_cents"] > 0
    assert payoff["to_pay_cents"] == payoff["open_cents"] + payoff["new_cents"]

    set_ = call("POST", f"{PATH}/{number}/payoff")
    assert set_.body["payoff"]["open_cents"] == payoff["to_pay_cents"]
    refused = issuer("POST", f"{PATH}/{number}/issue")
    assert "still open" in refused.problem()
    open_charges = set_.body["payoff"]["open_charges"]
    items = [{"charge_id": c["charge_id"], "cents": c["open_cents"]} for c in open_charges]
    paid = {
        "account": desk.place.number,
        "cents": payoff["to_pay_cents"],
        "channel": "lockbox",
        "reference": "LB 1",
        "items": items,
    }
    assert call("POST", "/payments", paid, Idempotency_Key="payoff-of-maria").status == 201
    assert "another person" in call("POST", f"{PATH}/{number}/issue").problem()
    issued = issuer("POST", f"{PATH}/{number}/issue")
    [certificate] = issued.body["certificates"]
    assert certificate["paid_cents"] == 5000 + payoff["new_cents"]
    assert not certificate["is_replaced"]
    again = issuer("POST", f"{PATH}/{number}/reissue", {"reason": "It was lost"})
    assert [each["is_replaced"] for each in again.body["certificates"]] == [False, True]

    deed = {"deed": "26-100", "owned_from": str(today), "buyer": {"name": "Jan Novak"}}
    owned = call("POST", f"{PATH}/{number}/deed", deed)
    assert owned.status == 200, owned.body
    assert owned.body["buyer_account"]
    assert prove(program_actor()).differences == ()


def test_what_is_missing_is_named_at_its_field(desk: Desk, call: Caller) -> None:
    answer = call("POST", PATH, body(desk, role="attorney"), Idempotency_Key=KEY)
    assert answer.status == 422
    assert [error["place"] for error in answer.body["errors"]] == ["body.attorney_card"]
    assert not Application.objects.exists()


def test_applications_under_way_are_listed_with_a_masked_telephone(
    desk: Desk, call: Caller
) -> None:
    number = call("POST", PATH, body(desk), Idempotency_Key=KEY).body["number"]
    viewer = caller(make_token("account.view"))
    [row] = viewer("GET", PATH).body["items"]
    assert (row["number"], row["phone"], row["misses"]) == (number, "•••", False)
    [same] = call("GET", f"/accounts/{desk.place.number}/certificates").body
    assert same["phone"] == "312 555 0177"
    assert viewer("POST", f"{PATH}/{number}/accept", {"government_id": True}).status == 403
    assert viewer("POST", PATH, body(desk), Idempotency_Key="another-key").status == 403

    moved = {"closing_on": str(timezone.localdate() + timedelta(days=30))}
    assert call("POST", f"{PATH}/{number}/move", moved).body["closing_on"] == moved["closing_on"]
    ended = call("POST", f"{PATH}/{number}/withdraw", {"reason": "The sale fell through"})
    assert (ended.body["stage"], ended.body["payoff"]) == ("withdrawn", None)
    assert viewer("GET", PATH).body["items"] == []


def test_a_read_of_another_application_is_refused(desk: Desk, call: Caller) -> None:
    number = call("POST", PATH, body(desk), Idempotency_Key=KEY).body["number"]
    read = {"read_on": str(timezone.localdate()), "register": 5}
    answer = call("POST", f"{PATH}/{number}/reads/999", read)
    assert "no such order" in answer.problem()
    review = call("POST", f"{PATH}/{number}/review", {"review": "Looked through"})
    assert "not at this step" in review.problem()

"""Properties over the API: the record, who moves, and documents with what they prove."""

import base64
from datetime import date
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from chamberlain.identity.actors import program_actor
from chamberlain.registry.models import Document
from chamberlain.registry.operations import register_property
from tests.api.conftest import Caller, caller, make_token
from tests.registry import papers

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings: LazySettings, tmp_path: Any) -> int:
    settings.MEDIA_ROOT = tmp_path
    return papers.two_flat()


def content(data: bytes) -> str:
    return base64.b64encode(data).decode()


def move_in(house: int, call: Caller, name: str = "Ada Brenner", **other: Any) -> Any:
    body = {"on": str(timezone.localdate()), "customer": {"name": name}, **other}
    return call("POST", f"/properties/{house}/move-in", body, Idempotency_Key="ada-moves-in")


def test_who_moves_in_gets_an_account_once(house: int, call: Caller) -> None:
    made = move_in(house, call)
    assert made.status == 201, made.body
    assert move_in(house, call).body == made.body
    seen = call("GET", f"/accounts/{made.body['account']}/property").body
    assert (seen["property_id"], seen["dwelling_units"]) == (house, 2)
    [account] = seen["accounts"]
    assert (account["customer_name"], account["until"]) == ("Ada Brenner", None)
    neither = call(
        "POST",
        f"/properties/{house}/move-in",
        {"on": "2026-01-01", "customer": {}},
        Idempotency_Key="nobody-moves-in",
    )
    assert "one of the two" in neither.problem()


def test_service_is_transferred_to_another_property(house: int, call: Caller) -> None:
    number = move_in(house, call, on="2026-01-01").body["account"]
    register_property(
        program_actor(), "14-20-100-002-0000", "4417 N Kedzie Ave", "60625", "two_flat", 2
    )
    body = {"to_property": "14-20-100-002-0000", "out_on": "2026-03-01", "in_on": "2026-03-01"}
    moved = call("POST", f"/accounts/{number}/transfer", body)
    assert moved.status == 200, moved.body
    assert moved.body["bills_after"] == []
    [leaving] = call("GET", f"/accounts/{number}/move-outs").body
    assert (leaving["left_on"], leaving["next_account"]) == ("2026-03-01", moved.body["account"])
    assert call("GET", f"/accounts/{moved.body['account']}/property").body["parcel_number"] == (
        "14-20-100-002-0000"
    )


def test_a_deed_comes_in_and_proves_an_owner(house: int, call: Caller) -> None:
    path = f"/properties/{house}/documents"
    body = {"kind": "deed", "name": "deed.pdf", "content": content(papers.pdf())}
    kept = call("POST", path, body)
    assert kept.status == 201, kept.body
    assert call("POST", path, body).status == 409
    assert [row["name"] for row in call("GET", "/documents/waiting").body["items"]] == ["deed.pdf"]
    document = kept.body["document_id"]
    owner = {"from_on": "2026-02-01", "customer": {"name": "Irene Castellanos"}}
    found = call("POST", f"/documents/{document}/owner", owner, Idempotency_Key="irene-owns-it")
    assert [each["owner"] for each in found.body] == ["Irene Castellanos"]
    call("POST", f"/documents/{document}/owner", owner, Idempotency_Key="irene-owns-it")
    [owned] = call("GET", f"/properties/{house}").body["owners"]
    assert (owned["share_basis_points"], owned["since"]) == (10_000, str(date(2026, 2, 1)))


def test_a_found_type_is_decided_by_another(house: int, call: Caller) -> None:
    body = {"kind": "tax_bill", "name": "tax.pdf", "content": content(papers.pdf())}
    kept = call("POST", f"/properties/{house}/documents", body)
    assert kept.status == 201, kept.body
    document = kept.body["document_id"]
    use = {"from_on": "2026-02-01", "property_type": "apartments", "dwelling_units": 6}
    [found] = call("POST", f"/documents/{document}/use", use).body
    path = f"/documents/findings/{found['finding_id']}/decide"
    own = call("POST", path, {"is_right": True})
    assert own.status == 403, own.body
    other = caller(make_token())
    assert other("POST", path, {"is_right": True}).body["state"] == "applied"
    seen = call("GET", f"/properties/{house}").body
    assert (seen["type_code"], seen["dwelling_units"]) == ("apartments", 6)
    assert [each["state"] for each in call("GET", f"/documents/{document}/findings").body] == [
        "applied"
    ]


@pytest.mark.parametrize("data", [papers.picture(), b"not a file at all"])
def test_what_is_not_what_its_name_says_is_refused(house: int, call: Caller, data: bytes) -> None:
    body = {"kind": "deed", "name": "deed.pdf", "content": content(data)}
    assert "choose the right file" in call("POST", f"/properties/{house}/documents", body).problem()
    bad = call("POST", f"/properties/{house}/documents", {**body, "content": "%%%%%%%%%"})
    assert "base64" in bad.problem()
    assert not Document.objects.exists()


def test_documents_need_their_scope(house: int) -> None:
    viewer = caller(make_token("account.view"))
    assert viewer("GET", f"/properties/{house}").status == 200
    assert viewer("GET", f"/properties/{house}/documents").status == 403
    assert viewer("GET", "/documents/waiting").status == 403
    assert viewer("GET", "/properties/999").status == 404

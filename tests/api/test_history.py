"""The history of an account over the API: one timeline, narrowed, and only what one may see."""

import pytest

from tests.api.conftest import Caller, caller, make_token
from tests.web import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture
def path() -> str:
    return f"/accounts/{scenes.furnished_office().number}/history"


def test_the_timeline_is_told_page_by_page(path: str, call: Caller) -> None:
    first = call("GET", f"{path}?limit=5").body
    assert len(first["items"]) == 5
    rest = call("GET", f"{path}?limit=200&cursor={first['next']}").body
    everything = call("GET", f"{path}?limit=200").body["items"]
    assert first["items"] + rest["items"] == everything
    days = [event["day"] for event in everything]
    assert {event["kind"] for event in everything} >= {"bill", "payment", "read", "change"}
    bills = call("GET", f"{path}?kind=bill").body["items"]
    assert {event["about"] for event in bills} == {"bill"}
    assert call("GET", f"/bills/{bills[0]['key']}").body["total_cents"] == bills[0]["cents"]
    narrowed = call("GET", f"{path}?since={min(days)}&until={min(days)}").body["items"]
    assert {event["day"] for event in narrowed} == {min(days)}


def test_changes_need_their_scope(path: str) -> None:
    viewer = caller(make_token("account.view"))
    assert viewer("GET", f"{path}?kind=change").body["items"] == []
    assert caller(make_token("billing.view"))("GET", path).status == 403


def test_days_in_the_wrong_order_are_refused(path: str, call: Caller) -> None:
    answer = call("GET", f"{path}?since=2026-02-01&until=2026-01-01")
    assert answer.status == 422
    assert call("GET", f"{path}?kind=nothing").status == 422

"""What if over the API: the page's figures, and nothing posted."""

import pytest

from chamberlain.api import what_if
from chamberlain.ledger.models import Entry
from tests.api.conftest import Caller, caller, make_token
from tests.office import DAY
from tests.web import scenes

pytestmark = pytest.mark.django_db
BODY = {
    "tariff": "chicago-metered",
    "since": "2025-01-01",
    "until": str(DAY),
    "component": "water",
    "change_percent": "10",
}


@pytest.fixture
def place() -> scenes.Office:
    return scenes.furnished_office()


def test_a_dearer_rate_is_imagined_for_the_city_and_for_one(
    place: scenes.Office, call: Caller
) -> None:
    entries = Entry.objects.count()
    found = call("POST", "/what-if", BODY)
    assert found.status == 200, found.body
    [row] = found.body["classes"]
    assert (row["change_cents"], found.body["winners"], found.body["losers"]) == (2940, 0, 1)
    assert [each["account"] for each in found.body["largest_increases"]] == [place.number]
    assert sum(band["change_cents"] for band in found.body["bands"]) == 2940
    one = call("POST", "/what-if", {**BODY, "account": place.number})
    assert one.body["classes"] == found.body["classes"]
    assert Entry.objects.count() == entries


@pytest.mark.parametrize(
    ("bad", "status", "place_of"),
    [
        ({"change_percent": None}, 422, "body.other_tariff"),
        ({"component": ""}, 422, "body.component"),
        ({"until": "2024-01-01"}, 422, "body.until"),
        ({"account": "12"}, 404, ""),
        ({"change_percent": "1e99"}, 422, "body.change_percent"),
    ],
)
def test_what_makes_no_sense_is_refused(
    place: scenes.Office, call: Caller, bad: dict[str, object], status: int, place_of: str
) -> None:
    answer = call("POST", "/what-if", {**BODY, **bad})
    assert answer.status == status, answer.body
    if place_of:
        assert [error["place"] for error in answer.body["errors"]] == [place_of]


def test_a_city_that_is_too_large_for_one_request_is_sampled(
    place: scenes.Office, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "_MOST_ACCOUNTS", 1)
    refused = call("POST", "/what-if", {**BODY, "every": 1})
    assert refused.status == 422
    assert "every 2 or more" in refused.problem()
    assert call("POST", "/what-if", {**BODY, "every": 2}).body["every"] == 2
    assert call("POST", "/what-if", {**BODY, "account": place.number}).status == 200


def test_a_token_needs_the_scope(place: scenes.Office) -> None:
    assert caller(make_token("account.view"))("POST", "/what-if", BODY).status == 403

"""Letters over the API: one kept as sent, many planned and started."""

from typing import Any

import pytest
from django.conf import LazySettings

from chamberlain.casework.letters.models import Batch, Letter
from chamberlain.casework.letters.operations import load_templates
from chamberlain.identity.actors import program_actor
from tests.api.conftest import Caller, caller, make_token
from tests.casework.test_letters import BALANCE
from tests.office import NOW
from tests.web import scenes

pytestmark = pytest.mark.django_db
KEY = "letter-to-maria"


@pytest.fixture
def place(settings: LazySettings, tmp_path: Any) -> scenes.Office:
    settings.MEDIA_ROOT = tmp_path
    made = scenes.furnished_office()
    load_templates(program_actor(), [BALANCE], NOW)
    return made


def test_a_letter_is_written_once_and_kept_to_the_byte(place: scenes.Office, call: Caller) -> None:
    assert [row["code"] for row in call("GET", "/letters/templates").body] == ["balance"]
    path = f"/accounts/{place.number}/letters"
    body = {"template": "balance", "free": "Thank you."}
    first = call("POST", path, body, Idempotency_Key=KEY)
    second = call("POST", path, body, Idempotency_Key=KEY)
    assert (first.status, second.status) == (201, 200), first.body
    number = first.body["number"]
    assert "Thank you." in first.body["text"]
    pdf = call("GET", f"/letters/{number}/document.pdf")
    assert pdf.content.startswith(b"%PDF")
    viewer = caller(make_token("account.view"))
    [seen] = viewer("GET", path).body["items"]
    assert set(seen["addressed_to"]) == {"•••"}
    assert viewer("GET", f"/letters/{number}/document.pdf").status == 403
    assert viewer("POST", path, body, Idempotency_Key="another-key").status == 403
    unknown = call("POST", path, {"template": "nothing"}, Idempotency_Key="third-key")
    assert unknown.status == 404
    assert Letter.objects.count() == 1


def test_letters_to_many_are_planned_once_started_and_stopped(
    place: scenes.Office, call: Caller
) -> None:
    body = {"template": "balance", "accounts": [place.number]}
    made = call("POST", "/letters/batches", body, Idempotency_Key=KEY)
    assert made.status == 201, made.body
    assert call("POST", "/letters/batches", body, Idempotency_Key=KEY).status == 200
    batch = made.body["batch_id"]
    assert (made.body["status"], made.body["accounts"]) == ("planned", 1)
    assert call("POST", f"/letters/batches/{batch}/start").body["status"] == "running"
    call("POST", f"/letters/batches/{batch}/stop")
    assert Batch.objects.get().stop_requested
    assert call("GET", f"/letters/batches/{batch}").body["letters"] == 0
    neither = call("POST", "/letters/batches", {"template": "balance"}, Idempotency_Key="k2-of-it")
    assert "one of the two" in neither.problem()
    viewer = caller(make_token("account.view"))
    assert viewer("GET", f"/letters/batches/{batch}").status == 403


def test_who_is_past_due_is_written_to(place: scenes.Office, call: Caller) -> None:
    body = {"template": "balance", "past_due_days": 30, "past_due_cents": 100}
    made = call("POST", "/letters/batches", body, Idempotency_Key=KEY)
    assert made.status == 201, made.body
    assert made.body["accounts"] >= 1

"""Who may call, and what a caller is told who may not."""

from datetime import UTC, datetime

import pytest

from chamberlain.identity import tokens
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import ApiToken
from tests.api.conftest import Caller, caller, make_token

pytestmark = pytest.mark.django_db


def test_a_token_says_what_it_may_do(call: Caller) -> None:
    answer = caller(make_token("account.view", "payment.post"))("GET", "/token")
    assert answer.status == 200
    assert answer.body["scopes"] == ["account.view", "payment.post"]
    assert datetime.fromisoformat(answer.body["expires_at"]) > datetime.now(UTC)


@pytest.mark.parametrize("token", ["", "chb_wrong", "chb_" + "x" * 500])
def test_without_a_good_token_nothing_is_told(token: str) -> None:
    answer = caller(token)("GET", "/accounts/1001")
    assert answer.status == 401
    assert answer.problem()
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_ends_at_once() -> None:
    secret = make_token()
    call = caller(secret)
    assert call("GET", "/token").status == 200
    tokens.revoke_token(program_actor(), ApiToken.objects.get().pk, datetime.now(UTC))
    assert call("GET", "/token").status == 401


def test_guessing_tokens_has_to_wait(call: Caller) -> None:
    guess = caller("chb_wrong")
    assert [guess("GET", "/token").status for _ in range(20)] == [401] * 20
    answer = guess("GET", "/token")
    assert answer.status == 429
    assert "wait a minute" in answer.problem()
    assert answer.headers["Retry-After"] == "60"


def test_a_signed_in_browser_is_no_token(client: object) -> None:
    from tests import office

    client.force_login(office.make_user("robin"))  # type: ignore[attr-defined]
    assert client.get("/api/v1/token").status_code == 401  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/accounts/1001", "account.view"),
        ("GET", "/accounts/1001/charges", "account.view"),
        ("GET", "/accounts/1001/bills", "account.view"),
        ("GET", "/charges/1", "account.view"),
        ("GET", "/bills/1", "account.view"),
        ("GET", "/bills/1/pdf", "contact.view"),
        ("GET", "/payments/1", "account.view"),
        ("GET", "/bill-runs", "billing.view"),
        ("GET", "/bill-runs/1", "billing.view"),
        ("GET", "/bill-runs/1/holds", "billing.view"),
        ("POST", "/bill-runs/1/start", "bill_run.start"),
        ("POST", "/bill-runs/1/stop", "bill_run.stop"),
    ],
)
def test_each_address_needs_its_scope(method: str, path: str, scope: str) -> None:
    others = tokens.SCOPES - {scope}
    answer = caller(make_token(*others))(method, path)
    assert answer.status == 403
    answer.problem()


# What is no operation is a problem document too.


def test_an_unknown_address_is_a_problem(call: Caller) -> None:
    for path in ("/nothing", "/accounts", "/charges/abc/def"):
        answer = call("GET", path)
        assert answer.status == 404, path
        answer.problem()


def test_a_wrong_method_is_a_problem_that_names_the_right_one(call: Caller) -> None:
    answer = call("DELETE", "/bill-runs/1")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET"
    answer.problem()


def test_a_body_of_another_kind_is_a_problem(call: Caller) -> None:
    answer = call("POST", "/payments", "<payment/>", Content_Type="text/xml")
    assert answer.status == 415
    answer.problem()


@pytest.mark.parametrize("text", ["{", "[" * 20_000, '{"cents": NaN', "\x00"])
def test_a_body_that_cannot_be_read_is_a_problem(call: Caller, text: str) -> None:
    answer = call("POST", "/payments", text, Idempotency_Key="abcdefgh")
    assert answer.status == 400
    assert "not JSON" in answer.problem()


def test_an_unknown_query_parameter_is_a_problem(call: Caller) -> None:
    answer = call("GET", "/bill-runs?limt=5")
    assert answer.status == 422
    assert answer.body["errors"][0]["place"] == "query.limt"


def test_characters_that_no_database_keeps_are_refused(call: Caller) -> None:
    for text in ("a\x00b", "\ud800"):
        answer = call("POST", "/accounts/search", {"text": text})
        assert answer.status == 422, answer.content
    assert call("GET", "/accounts/%00").status == 422

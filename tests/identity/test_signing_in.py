"""Signing in with a password: lockout, sessions, the second factor, duties before work."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from chamberlain.identity import operations
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import Role, User
from tests import office

pytestmark = pytest.mark.django_db
PASSWORD = "seven harbors of the north"
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def plain_static_files() -> object:
    with override_settings(
        STORAGES={
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }
    ):
        yield


def make_person(username: str = "robin", role: Role | None = Role.CLERK) -> User:
    user = office.make_user(username, role)
    user.set_password(PASSWORD)
    user.save()
    return user


def try_to_sign_in(client: Client, username: str, password: str) -> str:
    """What the page says, in one line; empty when signed in."""
    answer = client.post("/sign-in/login/", {"login": username, "password": password})
    if answer.status_code == 302:
        return ""
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def test_passwords_are_kept_as_argon2id_digests_that_cost_memory() -> None:
    digest = make_person().password
    assert digest.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")


def test_a_user_signs_in_and_the_session_has_a_new_key() -> None:
    make_person()
    client = Client()
    client.get("/sign-in/login/")
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    assert try_to_sign_in(client, "robin", PASSWORD) == ""
    assert client.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


def test_after_five_failures_even_the_right_password_waits() -> None:
    make_person()
    client = Client()
    for _ in range(5):
        assert "is not right" in try_to_sign_in(client, "robin", "wrong")
    assert "too many failed attempts" in try_to_sign_in(client, "robin", PASSWORD)
    assert "_auth_user_id" not in client.session


def test_the_answers_do_not_tell_whether_there_is_such_a_user() -> None:
    make_person()
    said = {
        name: [try_to_sign_in(Client(REMOTE_ADDR=address), name, "wrong") for _ in range(6)]
        for name, address in (("robin", "10.0.0.1"), ("nobody", "10.0.0.2"))
    }
    assert [text.replace("nobody", "robin") for text in said["nobody"]] == said["robin"]


def test_failures_at_one_address_are_counted_over_all_names() -> None:
    client = Client(REMOTE_ADDR="10.0.0.3")
    for i in range(10):
        try_to_sign_in(client, f"name{i}", "wrong")
    assert "too many failed attempts" in try_to_sign_in(client, "another", "wrong")


def test_an_hour_without_work_ends_the_session() -> None:
    make_person()
    client = Client()
    try_to_sign_in(client, "robin", PASSWORD)
    kept = Session.objects.get(pk=client.session.session_key)
    assert kept.expire_date - datetime.now(UTC) <= timedelta(minutes=60)
    assert client.get("/sign-in/logout/").status_code == 200
    Session.objects.update(expire_date=datetime.now(UTC) - timedelta(seconds=1))
    assert client.get("/sign-in/logout/").status_code == 302


def test_deactivating_a_user_ends_the_open_session() -> None:
    user = make_person()
    client = Client()
    try_to_sign_in(client, "robin", PASSWORD)
    office.make_user("ada", Role.ADMINISTRATOR)
    operations.deactivate_user(program_actor(), user.pk, office.DAY)
    assert client.get("/sign-in/logout/").status_code == 302


def test_a_password_that_another_person_chose_is_changed_first() -> None:
    user = make_person()
    operations.set_password(program_actor(), user.pk, "given by the office 1", NOW)
    client = Client()
    try_to_sign_in(client, "robin", "given by the office 1")
    assert client.get("/accounts/").headers["Location"] == "/sign-in/password/change/"
    client.post(
        "/sign-in/password/change/",
        {"oldpassword": "given by the office 1", "password1": PASSWORD, "password2": PASSWORD},
    )
    user.refresh_from_db()
    assert not user.must_change_password
    assert user.check_password(PASSWORD)


def test_pages_of_a_web_shop_are_closed() -> None:
    for path in ("signup/", "email/", "password/reset/", "3rdparty/", "3rdparty/signup/"):
        assert Client().get(f"/sign-in/{path}").status_code == 404, path


def code_now(secret: str) -> str:
    """What the person's phone shows."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def set_up_second_factor(client: Client) -> str:
    client.post("/sign-in/reauthenticate/", {"password": PASSWORD})
    page = client.get("/sign-in/2fa/totp/activate/").content.decode()
    found = re.search(r"secret=([A-Z2-7]+)", page) or re.search(r'value="([A-Z2-7]{32})"', page)
    assert found, page
    secret = found.group(1)
    answer = client.post("/sign-in/2fa/totp/activate/", {"code": code_now(secret)})
    assert answer.status_code == 302
    return secret


def test_with_a_second_factor_the_password_alone_is_not_enough() -> None:
    user = make_person()
    first = Client()
    try_to_sign_in(first, "robin", PASSWORD)
    secret = set_up_second_factor(first)
    codes = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()

    client = Client()
    answer = client.post("/sign-in/login/", {"login": "robin", "password": PASSWORD})
    assert answer.headers["Location"] == "/sign-in/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    wrong = client.post("/sign-in/2fa/authenticate/", {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    client.post("/sign-in/2fa/authenticate/", {"code": codes[0]})
    assert client.session["_auth_user_id"] == str(user.pk)
    assert secret not in str(Session.objects.values_list("session_data", flat=True))


@override_settings(MFA_REQUIRED_ROLES=frozenset({"administrator"}))
def test_the_city_can_ask_a_second_factor_of_a_role() -> None:
    make_person("ada", Role.ADMINISTRATOR)
    make_person("robin", Role.CLERK)
    client = Client()
    try_to_sign_in(client, "ada", PASSWORD)
    assert client.get("/users/").headers["Location"] == "/sign-in/2fa/totp/activate/"
    set_up_second_factor(client)
    assert client.get("/sign-in/logout/").status_code == 200
    assert client.get("/users/").status_code != 302
    clerk = Client()
    try_to_sign_in(clerk, "robin", PASSWORD)
    assert clerk.get("/users/").status_code != 302

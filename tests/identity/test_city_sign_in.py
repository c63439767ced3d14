"""The city's own sign-in, over OpenID Connect with a real provider on loopback."""

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings

from chamberlain.identity.models import Role, User
from tests import office
from tests.identity.city_sign_in import CLIENT_ID, CLIENT_SECRET, CitySignIn, city_sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[CitySignIn]:
    with city_sign_in() as city:
        app = {
            "provider_id": "city",
            "name": "City sign-in",
            "client_id": CLIENT_ID,
            "secret": CLIENT_SECRET,
            "settings": {"server_url": city.issuer, "oauth_pkce_enabled": True},
        }
        with override_settings(
            SOCIALACCOUNT_PROVIDERS={"openid_connect": {"APPS": [app]}},
            STORAGES={
                **settings.STORAGES,
                "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
            },
        ):
            yield city


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """The test follows by itself."""


def at_the_provider(address: str) -> str:
    """Where the provider sends the browser back to."""
    try:
        build_opener(_Stay).open(address)
    except Exception as answer:
        return str(answer.headers["Location"])  # type: ignore[attr-defined]
    raise AssertionError("the provider did not send the browser back")


def sign_in(client: Client, provider: CitySignIn, **claims: object) -> HttpResponse:
    """All steps, as a browser goes through them."""
    provider.person = {"sub": "248289761001", **claims}
    asked = client.post("/sign-in/oidc/city/login/?process=login")
    assert asked.status_code == 302, asked.content
    back = urlsplit(at_the_provider(asked.headers["Location"]))
    return client.get(f"{back.path}?{back.query}")  # type: ignore[return-value]


def test_the_city_names_a_user_by_username(provider: CitySignIn) -> None:
    user = office.make_user("robin", Role.CLERK)
    client = Client()
    answer = sign_in(client, provider, preferred_username="Robin")
    assert answer.status_code == 302, answer.content
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_city_names_a_user_by_a_verified_email(provider: CitySignIn) -> None:
    user = office.make_user("robin", Role.CLERK)
    User.objects.filter(pk=user.pk).update(email="robin@city.example")
    client = Client()
    sign_in(client, provider, email="Robin@city.example", email_verified=True)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_second_time_the_subject_is_enough(provider: CitySignIn) -> None:
    user = office.make_user("robin", Role.CLERK)
    sign_in(Client(), provider, preferred_username="robin")
    client = Client()
    sign_in(client, provider, preferred_username="renamed")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert SocialAccount.objects.filter(user=user).count() == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "stranger"},
        {"email": "robin@city.example", "email_verified": False},
        {},
        {"preferred_username": "chamberlain"},
        {"preferred_username": "gone"},
    ],
)
def test_an_unknown_person_is_told_what_to_do(
    provider: CitySignIn, claims: dict[str, object]
) -> None:
    office.make_user("robin", Role.CLERK)
    User.objects.filter(username="robin").update(email="robin@city.example")
    office.make_user("gone", Role.CLERK)
    User.objects.filter(username="gone").update(is_active=False)
    client = Client()
    before = User.objects.count()
    answer = sign_in(client, provider, **claims)
    assert answer.status_code == 403
    assert "Ask an administrator of Chamberlain" in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == before


def test_an_answer_with_another_state_is_refused(provider: CitySignIn) -> None:
    office.make_user("robin", Role.CLERK)
    provider.person = {"sub": "1", "preferred_username": "robin"}
    asked = Client().post("/sign-in/oidc/city/login/?process=login")
    back = urlsplit(at_the_provider(asked.headers["Location"]))
    other = Client()
    answer = other.get(f"{back.path}?{back.query}")
    assert "_auth_user_id" not in other.session
    assert "did not work" in answer.content.decode()


def test_a_city_whose_sign_in_is_down_leaves_the_password(provider: CitySignIn) -> None:
    client = Client()
    page = client.get("/sign-in/login/").content.decode()
    assert "City sign-in" in page
    provider.shutdown()
    provider.server_close()
    answer = client.post("/sign-in/oidc/city/login/?process=login")
    assert "The city&#x27;s sign-in did not work" in answer.content.decode().replace("'", "&#x27;")


def test_the_provider_is_set_up_from_the_environment() -> None:
    code = (
        "from chamberlain import settings as s; "
        "app = s.SOCIALACCOUNT_PROVIDERS['openid_connect']['APPS'][0]; "
        "print(app['client_id'], app['settings']['server_url'], "
        "s.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'][1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "CHAMBERLAIN_OIDC_ISSUER": "https://id.city.example/realms/staff",
            "CHAMBERLAIN_OIDC_CLIENT_ID": "revenue",
            "DATABASE_URL": "postgresql://office@localhost/city",
            "CHAMBERLAIN_SECRET_KEY": "not a real one",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        "revenue",
        "https://id.city.example/realms/staff",
        "https://id.city.example",
    ]

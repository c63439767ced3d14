"""Every page from the outside: who lacks its permission is refused, and no page lacks one."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver

from chamberlain.api import application
from chamberlain.identity.models import Role
from chamberlain.identity.permissions import PERMISSIONS
from tests import office
from tests.web.conftest import STORAGES

pytestmark = pytest.mark.django_db

# For residents and whoever signs in: guarded by codes, keys and sessions of their own.
PUBLIC = (
    "sign-in/",
    "my-account/",
    "card-payments/notices/",
    "certificates/progress/",
    "certificates/apply/",
    "certificates/verify/",
)
SAMPLES = {
    "int": "1",
    "slug": "x-1",
    "str": "x",
    "path": "x",
    "uuid": "12345678-1234-5678-1234-567812345678",
}
REFUSED, WRONG_METHOD = 403, 405


def walked(resolver: Any, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield path, each
        else:
            yield from walked(each, path)


def permission_of(page: Any) -> str | None:
    """The permission that `needs` asks for; None where a page has no guard."""
    while page is not None:
        if hasattr(page, "permission"):
            return str(page.permission)
        page = getattr(page, "__wrapped__", None)
    return None


def address(pattern: URLPattern, path: str) -> str:
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().removeprefix("string")
        sample = SAMPLES[{"": "str"}.get(kind, kind)]
        for written in (f"<{kind}:{name}>", f"<str:{name}>", f"<{name}>"):
            path = path.replace(written, sample)
    return f"/{path}"


OFFICE = [
    (path, pattern)
    for path, pattern in walked(get_resolver())
    if not path.startswith(("api/", *PUBLIC))
]


def test_every_page_of_the_office_asks_who_may_see_it() -> None:
    unguarded = [path for path, pattern in OFFICE if permission_of(pattern.callback) is None]
    assert unguarded == []
    assert len(OFFICE) > 200
    named = {permission_of(pattern.callback) for _, pattern in OFFICE} - {""}
    assert named <= set(PERMISSIONS)


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_a_role_is_refused_every_page_that_is_not_for_it(role: Role) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(office.make_user(f"a-{role.value}".replace("_", "-"), role))
    let_in, refused = [], 0
    with override_settings(STORAGES=STORAGES):
        for path, pattern in OFFICE:
            permission = permission_of(pattern.callback)
            if not permission or role in PERMISSIONS[permission]:
                continue
            url = address(pattern, path)
            answers = [client.get(url).status_code, client.post(url, {}).status_code]
            if not set(answers) <= {REFUSED, WRONG_METHOD} or REFUSED not in answers:
                let_in.append((url, permission, answers))
            refused += 1
    assert let_in == []
    assert refused > 0


def test_who_is_not_signed_in_sees_nothing_of_the_office() -> None:
    client = Client(raise_request_exception=False)
    shown = []
    with override_settings(STORAGES=STORAGES):
        for path, pattern in OFFICE:
            url = address(pattern, path)
            for answer in (client.get(url), client.post(url, {})):
                to_sign_in = answer.status_code == 302 and "/sign-in/" in answer["Location"]
                if not to_sign_in and answer.status_code != WRONG_METHOD:
                    shown.append((url, answer.status_code))
    assert shown == []


def test_no_address_of_the_api_answers_without_a_token() -> None:
    client = Client(raise_request_exception=False)
    answered, asked = [], 0
    for path, operations in application.api.get_openapi_schema()["paths"].items():
        for method in operations:
            url = path.replace("{", "").replace("}", "")
            answer = getattr(client, method)(url, {}, content_type="application/json")
            asked += 1
            if answer.status_code != 401:
                answered.append((method, path, answer.status_code))
    assert answered == []
    assert asked > 100

"""Late penalties of an account over the API."""

import pytest

from tests.api.conftest import caller, make_token
from tests.web import scenes

pytestmark = pytest.mark.django_db


def test_an_account_without_penalties_lists_none_and_a_stranger_sees_nothing() -> None:
    place = scenes.furnished_office()
    path = f"/accounts/{place.number}/penalties"
    assert caller(make_token("account.view"))("GET", path).body == {"items": [], "next": None}
    assert caller(make_token("tariff.view"))("GET", path).status == 403

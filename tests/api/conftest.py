"""A program that calls the API with its token."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from chamberlain.identity import operations, tokens
from chamberlain.identity.actors import program_actor
from chamberlain.identity.models import ApiToken, Center
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from tests import office

Caller = Callable[..., "Answer"]


class Answer:
    """An answer: its status, its JSON and its headers."""

    def __init__(self, response: HttpResponse) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.content = response.content
        is_json = "json" in response.headers.get("Content-Type", "")
        self.body: Any = response.json() if is_json else None  # type: ignore[attr-defined]

    def problem(self) -> str:
        """The sentence of a problem document that keeps to RFC 9457."""
        assert self.headers["Content-Type"] == "application/problem+json", self.content
        assert set(self.body) == {"type", "title", "status", "detail", "instance", "errors"}
        assert self.body["status"] == self.status
        assert self.body["instance"] == self.headers["X-Reference"]
        return str(self.body["detail"])


def make_token(*scopes: str) -> str:
    """A token of a program of its own; with no scopes named, with all."""
    actor = program_actor()
    name = f"caller {ApiToken.objects.count()}"
    user_id = operations.create_user(actor, name.replace(" ", "-"), name.title(), is_program=True)
    now = timezone.now()
    return tokens.issue_token(
        actor, user_id, name, scopes or tokens.SCOPES, now + timedelta(days=1), now
    ).secret


def caller(token: str) -> Caller:
    """Calls the API with a token."""
    client = Client()

    def call(method: str, path: str, body: Any = None, **headers: str) -> Answer:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        media_type = given.pop("Content-Type", "application/json" if text else "")
        response = client.generic(method, f"/api/v1{path}", text, media_type, headers=given)
        return Answer(response)

    return call


@pytest.fixture
def call() -> Caller:
    """A caller with every scope."""
    return caller(make_token())


@pytest.fixture
def revenue_office() -> Center:
    """The revenue office with its accounts; its day is opened by `day`."""
    center = office.make_center("REV")
    Center.objects.filter(pk=center.pk).update(kind=Center.Kind.REVENUE_OFFICE)
    return center


@pytest.fixture
def day(revenue_office: Center) -> BusinessDay:
    """The revenue office's open day."""
    chart.ensure_basic_chart()
    return office.open_day(revenue_office)

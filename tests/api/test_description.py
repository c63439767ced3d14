"""The API keeps to its own description: Schemathesis sends what the description allows, and what
it does not allow, and holds every answer against it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from django.test import override_settings
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from chamberlain.identity.models import Center
from chamberlain.wsgi import application
from tests import office
from tests.api.conftest import caller, make_token

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture
def headers(db: None) -> Iterator[dict[str, str]]:
    """The token of a small office; wrong ones are part of what is tried, so any number may be.

    As Django's own test client does, the end of a request leaves the test's connection open.
    """
    center = office.make_center("REV")
    Center.objects.filter(pk=center.pk).update(kind=Center.Kind.REVENUE_OFFICE)
    office.owe(office.open_day(center), "1001", 3000, 1500)
    around_requests = (signals.request_started, signals.request_finished)
    for signal in around_requests:
        signal.disconnect(close_old_connections)
    with override_settings(API_BAD_TOKENS_A_MINUTE=10**6):
        yield {"Authorization": f"Bearer {make_token()}"}
    for signal in around_requests:
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, headers: dict[str, str]) -> None:
    """A body of the right form may still break a rule of the office (422 with that rule's type),
    but what the description allows is never called malformed."""
    answer = case.call(headers=headers)
    case.validate_response(answer, headers=headers, excluded_checks=[positive_data_acceptance])
    if case.meta.generation.mode == GenerationMode.POSITIVE and answer.status_code == 422:
        assert answer.json()["type"] != "urn:chamberlain:problem:bad-fields", (
            answer.json()["errors"],
            answer.request.body,
        )


@pytest.mark.django_db
def test_the_description_names_the_problems_of_every_operation() -> None:
    description = caller("")("GET", "/openapi.json").body
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            problems = {
                status
                for status, answer in operation["responses"].items()
                if "application/problem+json" in answer.get("content", {})
            }
            assert problems >= {"401", "403", "404", "409", "422", "429", "500"}, (method, path)
            assert operation["summary"]
            assert operation["description"]

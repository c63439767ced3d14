"""A citation that is contested while the night works on it."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from chamberlain.revenue.citations import contesting, queries
from chamberlain.revenue.citations.nightly import work_on_citations
from tests.office import DAY, NOW
from tests.revenue.citation_office import CitationOffice, cite, make_citation_office


@pytest.fixture
def office(own_database: str) -> CitationOffice:
    return make_citation_office()


def in_the_background(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.mark.parametrize("days", [7, 25])
def test_what_is_contested_in_that_moment_is_neither_noticed_nor_doubled(office, days):
    number = cite(office, days)
    with transaction.atomic():
        contesting.contest(office.clerk, number, "The meter was broken", DAY, NOW)
        thread, results = in_the_background(
            lambda: work_on_citations(office.supervisor, DAY, office.day.pk, NOW)
        )
        thread.join(timeout=2)
        assert thread.is_alive(), "the night did not wait"
    thread.join(timeout=30)
    assert [(night.doubled, night.noticed) for night in results] == [(0, 0)]
    assert queries.citation(number).stage == "contested"

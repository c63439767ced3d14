"""Tries at the public pages are counted, also those that come at the same moment."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import RequestFactory

from chamberlain.web import attempts


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_tries_are_counted_by_network(address, network, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    assert attempts.network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network


@pytest.mark.django_db
def test_a_count_ends_with_its_window_and_is_not_drawn_out_by_more_tries(monkeypatch):
    cache.clear()
    now = [time.time()]
    monkeypatch.setattr(attempts.time, "time", lambda: now[0])
    for _ in range(attempts.ATTEMPTS):
        assert not attempts.is_tried_too_often("enter", "A-1")
    assert attempts.is_tried_too_often("enter", "A-1")
    assert not attempts.is_tried_too_often("enter", "A-2")
    now[0] += attempts.WINDOW_SECONDS + 1
    assert not attempts.is_tried_too_often("enter", "A-1")


def test_tries_at_the_same_moment_are_all_counted(own_database):
    def one(_: int) -> bool:
        try:
            return attempts.is_tried_too_often("enter", "A-1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        over = list(pool.map(one, range(24)))
    assert sum(over) == 24 - attempts.ATTEMPTS
    connection.close()

"""The adapter against a provider that speaks real HTTP, and notices that come at once."""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

import pytest
from django.db import connections
from django.test import override_settings

from chamberlain.billing.access.queries import held_by_number
from chamberlain.card_provider.pages import payment_page
from chamberlain.card_provider.server import CardProvider
from chamberlain.cashiering.hosted import tasks
from chamberlain.cashiering.hosted.models import Intent, Notice
from chamberlain.cashiering.hosted.operations import hear
from chamberlain.cashiering.hosted.provider import Asked, NotReached, Told
from chamberlain.cashiering.hosted.providers import city_provider, is_set_up
from chamberlain.cashiering.hosted.signed_json import SignedJson
from chamberlain.cli.serving import start_card_provider
from chamberlain.ledger.models import Entry
from tests.cashiering.hosted_office import SECRET, load_terms, sent_intent
from tests.office import DAY, NOW
from tests.web.scenes import furnished_office

ASKED = Asked(
    "CP-1", 5_000, "USD", "Bill <1>", "es", "http://127.0.0.1:9/back", "http://127.0.0.1:9/n"
)


@pytest.fixture
def server() -> Iterator[CardProvider]:
    made = CardProvider(0, SECRET)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def adapter(server: CardProvider) -> SignedJson:
    return SignedJson(server.address, SECRET)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def post_card(url: str, **typed: str) -> int:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        return int(opener.open(url, urlencode(typed).encode()).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_page_is_asked_for_paid_and_told_of(adapter, server):
    session = adapter.create_session(ASKED)
    assert adapter.create_session(ASKED) == session
    page = urllib.request.urlopen(session.page_url).read().decode()
    assert 'lang="es"' in page
    assert "Bill &lt;1&gt;" in page
    told = adapter.fetch(session.session_id)
    assert told == Told("", session.session_id, "CP-1", "open", 5_000, "USD", "")
    assert post_card(session.page_url, do="pay", card="1234") == 422
    assert post_card(session.page_url, do="pay", card="4242 4242 4242 4242") == 303
    paid = adapter.fetch(session.session_id)
    assert paid.status == "paid"
    assert paid.payment.startswith("DP-")
    assert post_card(session.page_url, do="pay", card="4000000000000002") == 303
    assert adapter.fetch(session.session_id) == paid
    assert "ya se usó" in payment_page(server.sessions.by_id[session.session_id])


def test_turning_back_is_no_payment(adapter):
    session = adapter.create_session(ASKED)
    assert post_card(session.page_url, do="back") == 303
    assert adapter.fetch(session.session_id).status == "failed"


def test_who_does_not_know_the_secret_gets_nothing(adapter):
    stranger = replace(adapter, secret="another")
    with pytest.raises(NotReached):
        stranger.create_session(ASKED)
    session = adapter.create_session(ASKED)
    with pytest.raises(NotReached):
        stranger.fetch(session.session_id)
    with pytest.raises(NotReached):
        adapter.fetch("../sessions")
    with pytest.raises(NotReached):
        adapter.create_session(replace(ASKED, reference="CP-2", cents=0))
    assert post_card(f"{adapter.address}/pay/none", do="back") == 404


@pytest.mark.parametrize(
    "answer",
    [b"[]", b"no json", b'{"id": "x", "url": "http://elsewhere/pay"}', b'{"url": "ORIGIN/pay"}'],
)
def test_a_provider_that_answers_otherwise_than_agreed_is_not_trusted(answer):
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = answer.replace(b"ORIGIN", f"http://127.0.0.1:{made.server_address[1]}".encode())
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """A test's output is its failures."""

    made = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=made.handle_request, daemon=True).start()
    with pytest.raises(NotReached):
        SignedJson(f"http://127.0.0.1:{made.server_address[1]}", SECRET).create_session(ASKED)
    made.server_close()


def test_the_demonstrations_provider_is_started_with_the_pages(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.delenv("CHAMBERLAIN_CARD_PROVIDER_URL", raising=False)
    address = f"http://127.0.0.1:{port}"
    with override_settings(IS_DEMO=True, CARD_PROVIDER_URL=address, CARD_PROVIDER_SECRET=SECRET):
        process = start_card_provider()
        assert process is not None
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                try:
                    assert city_provider().create_session(ASKED).page_url.startswith(address)
                    break
                except NotReached:
                    time.sleep(0.1)
            else:
                raise AssertionError("the provider did not start")
            assert start_card_provider() is None
        finally:
            process.terminate()
            process.wait()
    with override_settings(IS_DEMO=False):
        assert start_card_provider() is None


@pytest.mark.django_db
def test_without_a_provider_nothing_is_looked_after():
    with override_settings(CARD_PROVIDER_URL=""):
        assert not is_set_up()
        with pytest.raises(NotReached):
            city_provider()
        tasks.look_after_payments(0)
    with override_settings(CARD_PROVIDER_URL="http://127.0.0.1:1", CARD_PROVIDER_SECRET=SECRET):
        tasks.look_after_payments(0)


def test_notices_that_come_at_the_same_moment_post_once(own_database):
    load_terms()
    place = furnished_office()
    held = held_by_number(place.number, DAY)
    assert held is not None
    intent = sent_intent(held)
    before = Entry.objects.count()

    def told(event: str) -> str:
        try:
            return hear(
                Told(event, str(intent.session_id), intent.reference, "paid", 5_000, "USD", "P-1"),
                NOW,
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(told, ["e1", "e2", "e1", "e1", "e3", "e2", "e1", "e4"]))
    assert sorted(set(outcomes)) == ["nothing_new", "posted"]
    assert outcomes.count("posted") == 1
    assert Entry.objects.count() == before + 1
    assert Intent.objects.get().status == "posted"
    assert Notice.objects.count() == 4

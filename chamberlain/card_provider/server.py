"""The provider's addresses: `/v1/sessions` for the office, `/pay/ID` for the payer."""

import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from chamberlain.card_provider.pages import payment_page
from chamberlain.card_provider.sessions import Session, Sessions

SECRET = "CHAMBERLAIN_CARD_PROVIDER_SECRET"
_LARGEST_BODY = 16_384


class CardProvider(ThreadingHTTPServer):
    """The provider on loopback."""

    daemon_threads = True

    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.sessions = Sessions(secret)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: CardProvider

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: an address names a payment."""

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY))
        if self.path == "/v1/sessions":
            self._create(body)
        elif session := self._session("/pay/"):
            self._pay(session, body)
        else:
            self._answer(404, "text/plain", "There is nothing here.")

    def do_GET(self) -> None:
        if session := self._session("/pay/"):
            self._answer(200, "text/html", payment_page(session))
        elif (session := self._session("/v1/sessions/")) and self._is_office():
            self._json(200, session.told())
        else:
            self._answer(404, "text/plain", "There is nothing here.")

    def _create(self, body: bytes) -> None:
        if not self._is_office():
            return self._json(401, {})
        try:
            session = self.server.sessions.create(json.loads(body))
        except (ValueError, KeyError, TypeError):
            return self._json(422, {})
        url = f"{self.server.address}/pay/{session.id}"
        return self._json(201, {"id": session.id, "url": url})

    def _pay(self, session: Session, body: bytes) -> None:
        typed = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if session.status == "open":
            card = "".join(filter(str.isdigit, typed.get("card", "")))
            if typed.get("do") == "back":
                self.server.sessions.give_up(session)
            elif not self.server.sessions.pay(session, card):
                self._answer(422, "text/html", payment_page(session, is_wrong=True))
                return
        self.send_response(303)
        self.send_header("Location", session.return_url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _session(self, prefix: str) -> Session | None:
        if not self.path.startswith(prefix):
            return None
        return self.server.sessions.by_id.get(self.path.removeprefix(prefix))

    def _is_office(self) -> bool:
        said = self.headers.get("Authorization", "")
        return hmac.compare_digest(said.encode(), f"Bearer {self.server.sessions.secret}".encode())

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(value))

    def _answer(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)


def _end_with(parent: int) -> None:
    """Ends the process once whoever started it is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main() -> None:
    """Runs the provider on the port that is named, with the secret from the environment."""
    server = CardProvider(int(sys.argv[1]), os.environ[SECRET])
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()

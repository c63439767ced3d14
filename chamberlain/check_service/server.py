"""`POST /v1/verifications`: whether a check is thought to be good."""

import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "CHAMBERLAIN_CHECK_SERVICE_SECRET"
ANSWERS = {"13": ("decline", "04"), "77": ("refer", "11")}
"""What is answered by the last two digits of the account; others are accepted."""

REFERRED_FROM = 500_000
"""Checks from so many cents on are referred."""

SILENT = "99"
"""An account that ends so gets no answer for a while, as from a service that is down."""

_SILENT_SECONDS = 6.0
_LARGEST_BODY = 4_096


class CheckService(ThreadingHTTPServer):
    """The service on loopback."""

    daemon_threads = True

    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.secret = secret
        self.known: dict[str, dict[str, str]] = {}
        self.lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, asked: dict[str, Any]) -> dict[str, str]:
        """What is said of a check; the same reference gets the same. Raises KeyError, TypeError."""
        with self.lock:
            known = self.known.get(str(asked["reference"]))
            if known is None:
                said, code = ANSWERS.get(str(asked["account"])[-2:], ("accept", "00"))
                if said == "accept" and int(asked["amount"]) >= REFERRED_FROM:
                    said, code = "refer", "12"
                known = {"answer": said, "code": code, "reference": f"CV{len(self.known) + 1:07d}"}
                self.known[str(asked["reference"])] = known
            return known


class _Handler(BaseHTTPRequestHandler):
    server: CheckService

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a request names somebody's bank account."""

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY))
        said = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(said, f"Bearer {self.server.secret}".encode()):
            return self._json(401, {})
        if self.path != "/v1/verifications":
            return self._json(404, {})
        try:
            asked = json.loads(body)
            if str(asked["account"]).endswith(SILENT):
                time.sleep(_SILENT_SECONDS)
            return self._json(200, self.server.answer(asked))
        except (ValueError, KeyError, TypeError):
            return self._json(422, {})

    def _json(self, status: int, value: dict[str, str]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _end_with(parent: int) -> None:
    """Ends the process once whoever started it is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main() -> None:
    """Runs the service on the port that is named, with the secret from the environment."""
    server = CheckService(int(sys.argv[1]), os.environ[SECRET])
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()

"""Pages for one payment each, kept in memory, and the notices that tell how they ended."""

import hmac
import json
import logging
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

CARDS = {
    "4242424242424242": ("paid", 0.0),
    "4000000000000002": ("failed", 0.0),
    "4000000000000077": ("paid", 8.0),
}
"""What each made-up card does, and after how many seconds the notice is sent."""

_RETRIES_AFTER = (0.0, 1.0, 5.0, 30.0, 120.0)
log = logging.getLogger("card_provider")


@dataclass
class Session:
    """A page for one payment. amount: in the smallest unit of the currency."""

    id: str
    reference: str
    amount: int
    currency: str
    description: str
    language: str
    return_url: str
    notice_url: str
    status: str = "open"
    payment: str = ""

    def told(self) -> dict[str, Any]:
        """What the provider tells of it."""
        return {
            "id": self.id,
            "reference": self.reference,
            "status": self.status,
            "amount": self.amount,
            "currency": self.currency,
            "payment": self.payment,
        }


@dataclass
class Sessions:
    """All pages of the provider, and the secret that it signs with."""

    secret: str
    by_id: dict[str, Session] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, asked: dict[str, Any]) -> Session:
        """A page; the same reference gets the same one. Raises KeyError or ValueError."""
        amount = asked["amount"]
        if not isinstance(amount, int) or amount <= 0:
            raise ValueError("amount")
        with self.lock:
            for known in self.by_id.values():
                if known.reference == asked["reference"]:
                    return known
            made = Session(
                id=secrets.token_urlsafe(18),
                reference=str(asked["reference"]),
                amount=amount,
                currency=str(asked["currency"]),
                description=str(asked.get("description", "")),
                language=str(asked.get("language", "en")),
                return_url=str(asked["return_url"]),
                notice_url=str(asked["notice_url"]),
            )
            self.by_id[made.id] = made
            return made

    def pay(self, session: Session, card: str) -> bool:
        """Pays with a card; False when no such card exists. A page that ended stays as it is."""
        if card not in CARDS:
            return False
        status, delay = CARDS[card]
        self._start(lambda: self._end(session, status, delay))
        if delay == 0:
            # What the payer sees next is right; the notice may still be on its way.
            self._settle(session, status)
        return True

    def give_up(self, session: Session) -> None:
        """The payer turns back without paying."""
        self._settle(session, "failed")
        self._start(lambda: self._end(session, "failed", 0.0))

    @staticmethod
    def _start(what: Callable[[], None]) -> None:
        threading.Thread(target=what, daemon=True).start()

    def _settle(self, session: Session, status: str) -> None:
        with self.lock:
            if session.status == "open":
                session.status = status
                if status == "paid":
                    session.payment = f"DP-{secrets.token_hex(6).upper()}"

    def _end(self, session: Session, status: str, delay: float) -> None:
        time.sleep(delay)
        self._settle(session, status)
        body = json.dumps({"id": f"ev_{secrets.token_hex(12)}", "session": session.told()}).encode()
        for pause in _RETRIES_AFTER:
            time.sleep(pause)
            if self.send(session.notice_url, body):
                return
        log.warning("a notice was not taken")

    def send(self, url: str, body: bytes) -> bool:
        """Sends a notice, signed now; whether it was taken."""
        seconds = str(int(time.time()))
        digest = hmac.new(self.secret.encode(), f"{seconds}.".encode() + body, sha256)
        request = urllib.request.Request(
            url,
            body,
            {
                "Content-Type": "application/json",
                "Signature": f"t={seconds},v1={digest.hexdigest()}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

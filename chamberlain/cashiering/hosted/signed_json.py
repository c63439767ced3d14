"""A provider that takes JSON over HTTP and signs its notices with a shared secret.

A notice carries `Signature: t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA256 of `SECONDS.BODY`.
One whose time is more than five minutes away is refused, so that a notice that somebody recorded
cannot be sent again later; within the five minutes the number of the event is known.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from chamberlain.cashiering.hosted.provider import (
    FAILED,
    OPEN,
    PAID,
    Asked,
    NotGenuine,
    NotReached,
    Session,
    Told,
)

TOLERANCE_SECONDS = 300
_TIMEOUT_SECONDS = 5
_LARGEST_BODY = 16_384


@dataclass(frozen=True, slots=True)
class SignedJson:
    """The provider at an address, with the secret that both know."""

    address: str
    secret: str

    @property
    def origin(self) -> str:
        """Scheme, host and port of the provider's page."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    def create_session(self, asked: Asked) -> Session:
        """Asks for a page. Raises NotReached."""
        answer = self._call(
            "POST",
            "/v1/sessions",
            {
                "reference": asked.reference,
                "amount": asked.cents,
                "currency": asked.currency,
                "description": asked.description,
                "language": asked.language,
                "return_url": asked.return_url,
                "notice_url": asked.notice_url,
            },
        )
        page_url = str(answer.get("url", ""))
        if not page_url.startswith(self.origin + "/") or not answer.get("id"):
            raise _not_reached()
        return Session(str(answer["id"])[:80], page_url)

    def fetch(self, session_id: str) -> Told:
        """How the payment stands. Raises NotReached."""
        return self._told(self._call("GET", f"/v1/sessions/{quote(session_id, safe='')}"), "")

    def read_notice(self, signature: str, body: bytes, now: datetime) -> Told:
        """A notice whose signature and time hold. Raises NotGenuine."""
        fields = dict(part.partition("=")[::2] for part in signature.split(","))
        seconds, given = fields.get("t", ""), fields.get("v1", "")
        signed = f"{seconds}.".encode() + body
        right = hmac.new(self.secret.encode(), signed, sha256).hexdigest()
        if len(body) > _LARGEST_BODY or not hmac.compare_digest(right.encode(), given.encode()):
            raise NotGenuine("The notice is not signed with the shared secret.")
        if not seconds.isascii() or not seconds.isdigit():
            raise NotGenuine("The notice has no time; sign it with the time it is sent.")
        if abs(now.timestamp() - int(seconds)) > TOLERANCE_SECONDS:
            raise NotGenuine("The notice was signed more than five minutes away from now.")
        try:
            notice = json.loads(body)
            return self._told(notice["session"], str(notice["id"])[:80])
        except (ValueError, KeyError, TypeError, NotReached):
            raise NotGenuine("The notice is signed, but not written as agreed.") from None

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = requests.request(
                method,
                self.address.rstrip("/") + path,
                json=body,
                headers={"Authorization": f"Bearer {self.secret}"},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, ValueError):
            raise _not_reached() from None
        if not isinstance(found, dict):
            raise _not_reached()
        return found

    @staticmethod
    def _told(session: Any, event_id: str) -> Told:
        try:
            told = Told(
                event_id=event_id,
                session_id=str(session["id"])[:80],
                reference=str(session["reference"])[:80],
                status=session["status"],
                cents=session["amount"],
                currency=str(session["currency"])[:8],
                payment=str(session.get("payment") or "")[:40],
            )
        except (KeyError, TypeError, AttributeError):
            raise _not_reached() from None
        is_whole = isinstance(told.cents, int) and not isinstance(told.cents, bool)
        is_named = told.status != PAID or told.payment.strip() != ""
        if told.status not in (PAID, FAILED, OPEN) or not is_whole or not is_named:
            raise _not_reached()
        return told


def _not_reached() -> NotReached:
    return NotReached(
        "The payment provider cannot be reached now. Nothing was charged; try again later."
    )

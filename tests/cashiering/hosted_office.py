"""A resident with a bill, the city's terms, and a provider as it speaks on the wire."""

import hmac
import json
from datetime import date, datetime
from hashlib import sha256

from chamberlain.billing.access.codes import bill_code
from chamberlain.billing.access.operations import enter
from chamberlain.billing.access.queries import Held
from chamberlain.billing.access.terms import Terms, load_resident_terms
from chamberlain.cashiering.hosted.models import Intent
from chamberlain.cashiering.hosted.operations import CURRENCY
from chamberlain.cashiering.hosted.signed_json import SignedJson
from chamberlain.identity.actors import program_actor
from tests.office import DAY, NOW
from tests.web.scenes import Office

SECRET = "a secret that both know"
PROVIDER = SignedJson("http://127.0.0.1:1", SECRET)
TERMS = Terms(date(2020, 1, 1), 12, 500, 500_000, "chosen for the tests", False)


def load_terms() -> None:
    """The city's terms of the public pages."""
    load_resident_terms(program_actor(), [TERMS])


def resident_of(place: Office) -> Held:
    """The holder of the office's account, let in by the code of the last bill."""
    last = place.bills[-1]
    held = enter(place.number, bill_code(last.pk, last.number), "test", DAY, NOW)
    assert held is not None
    return held


def sent_intent(held: Held, cents: int = 5_000, key: str = "pay-1") -> Intent:
    """A payment that waits at the provider."""
    return Intent.objects.create(
        reference=f"CP-{key}",
        account_id=held.account_id,
        held_since=held.since,
        cents=cents,
        currency=CURRENCY,
        status="sent",
        session_id=f"session {key}",
        page_url="http://127.0.0.1:1/pay/x",
        created_at=NOW,
        changed_at=NOW,
        idempotency_key=key,
    )


def notice(intent: Intent, event_id: str = "event-1", **other: object) -> bytes:
    """The body of a notice as the provider writes it."""
    session = {
        "id": intent.session_id,
        "reference": intent.reference,
        "status": "paid",
        "amount": intent.cents,
        "currency": "USD",
        "payment": "PAY-1",
    } | other
    return json.dumps({"id": event_id, "session": session}).encode()


def signed(body: bytes, at: datetime = NOW, secret: str = SECRET) -> str:
    """The signature of a body."""
    seconds = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, sha256)
    return f"t={seconds},v1={digest.hexdigest()}"

"""What every call that moves money needs: a key that is its sender's own, and an open day."""

import hashlib

from chamberlain.identity.actors import Actor
from chamberlain.identity.queries import revenue_office
from chamberlain.ledger.payments import KeyUsedBefore
from chamberlain.ledger.posting import DayClosed
from chamberlain.ledger.queries import open_day


def own_key(actor: Actor, idempotency_key: str) -> str:
    """The sender's key as the tables keep it: 64 characters, another one for each sender."""
    return f"api:{hashlib.sha256(f'{actor.user_id}:{idempotency_key}'.encode()).hexdigest()}"[:64]


def refuse_other_body(is_same: bool) -> None:
    """Raises KeyUsedBefore when a key comes again with another body."""
    if not is_same:
        raise KeyUsedBefore(
            "This idempotency key was used for something else; send a new key.",
            field="Idempotency-Key",
        )


def posting_day_id() -> int:
    """The revenue office's open business day. Raises DayClosed when none is open."""
    day = open_day(revenue_office().center_id)
    if day is None:
        raise DayClosed("The revenue office has no open business day; open one and send it again.")
    return int(day.pk)

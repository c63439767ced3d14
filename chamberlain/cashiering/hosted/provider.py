"""What the program asks of a payment provider, whoever it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chamberlain.kernel.errors import Invalid, Refused

PAID = "paid"
FAILED = "failed"
OPEN = "open"


class NotReached(Refused):
    """The provider did not answer, or not as agreed. Nothing was charged."""

    status = 503


class NotGenuine(Invalid):
    """A notice that the provider did not sign, or signed too long ago."""

    status = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for. cents > 0; return_url: where the payer comes back to."""

    reference: str
    cents: int
    currency: str
    description: str
    language: str
    return_url: str
    notice_url: str


@dataclass(frozen=True, slots=True)
class Session:
    """The provider's page for one payment."""

    session_id: str
    page_url: str


@dataclass(frozen=True, slots=True)
class Told:
    """How a payment stands, as the provider says it. status: PAID, FAILED or OPEN.

    event_id: of a notice; "" for an answer to our own question. payment: the provider's number.
    """

    event_id: str
    session_id: str
    reference: str
    status: str
    cents: int
    currency: str
    payment: str


class Provider(Protocol):
    """A payment provider with a page of its own. `origin` is where that page is."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the provider's page."""

    def create_session(self, asked: Asked) -> Session:
        """Asks for a page. The same reference gets the same page. Raises NotReached."""

    def read_notice(self, signature: str, body: bytes, now: datetime) -> Told:
        """A notice whose signature and time hold. Raises NotGenuine."""

    def fetch(self, session_id: str) -> Told:
        """How the payment stands. Raises NotReached."""

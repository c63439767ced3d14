"""Penalties that fall due until a closing."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.identity.actors import Actor
from chamberlain.ledger.models import BusinessDay


@dataclass(frozen=True, slots=True)
class LatePenalty:
    """A penalty that will have fallen due: for which document, when, how much."""

    document: str
    falls_on: date
    cents: int


def late_until(account_id: int, closing_on: date) -> tuple[LatePenalty, ...]:
    return ()


def raise_late(
    actor: Actor, account_id: int, closing_on: date, day: BusinessDay, now: datetime
) -> list[int]:
    return []

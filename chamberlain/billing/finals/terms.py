"""The city's terms of final bills: loaded from its file, looked up by day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction

from chamberlain.billing.finals.models import FinalTerms
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms from a day on; see `models.FinalTerms`."""

    starts_on: date
    due_days: int
    usage_days: int
    charges_reason: str
    credit_reason: str
    source: str
    is_verified: bool


def load_final_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Brings the terms to what the city's file says. Harmless when they are so."""
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        for each in terms:
            columns = asdict(each)
            FinalTerms.objects.update_or_create(
                starts_on=columns.pop("starts_on"), defaults=columns
            )


def terms_on(day: date) -> FinalTerms:
    """The terms in force on a day. Raises NotFound."""
    found = FinalTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if found is None:
        raise NotFound("The city has no terms of final bills; load the city's files.")
    return found

"""The city's terms of estimates: loaded from its file, looked up by day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction

from chamberlain.billing.estimating.models import EstimateTerms
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class NewTerms:
    """Terms from a day on; see `models.EstimateTerms`."""

    starts_on: date
    in_row: int
    covered_percent: int
    class_days: int
    class_services: int
    true_up_reason: str
    source: str
    is_verified: bool


def load_estimate_terms(actor: Actor, terms: Sequence[NewTerms]) -> None:
    """Brings the terms to what the city's file says. Harmless when they are so."""
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        for each in terms:
            columns = asdict(each)
            EstimateTerms.objects.update_or_create(
                starts_on=columns.pop("starts_on"), defaults=columns
            )


def terms_on(day: date) -> EstimateTerms:
    """The terms in force on a day. Raises NotFound."""
    found = EstimateTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if found is None:
        raise NotFound("The city has no terms of estimates; load the city's files.")
    return found

"""The city's terms by property type: loaded from its file."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction

from chamberlain.billing.property_terms.models import PropertyTerms
from chamberlain.identity.actors import Actor, acting


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one type and range of dwelling units; see `models.PropertyTerms`."""

    property_type: str
    least_units: int
    most_units: int | None
    starts_on: date
    rate_class: str
    metered_tariff: str
    metered_months: int | None
    unmetered_tariff: str
    unmetered_months: int | None
    exemptions: tuple[str, ...]
    source: str
    is_verified: bool


def load_property_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Brings the terms to what the city's file says. Harmless when they are so."""
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        for each in terms:
            columns = asdict(each)
            columns["exemptions"] = list(each.exemptions)
            PropertyTerms.objects.update_or_create(
                property_type_id=columns.pop("property_type"),
                least_units=columns.pop("least_units"),
                starts_on=columns.pop("starts_on"),
                defaults=columns,
            )

"""The city's rules of citations: loading them, and those of a day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound
from chamberlain.revenue.citations.models import CitationTerms


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules from a day on; see `models.CitationTerms`."""

    starts_on: date
    notice_days: int
    doubles_days: int
    collection_days: int
    boot_count: int
    boot_old_count: int
    boot_old_days: int
    boot_fee: str
    tow_fee: str
    storage_days: int
    storage_fee: str
    storage_fee_after: str
    source: str
    is_verified: bool


def load_citation_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Puts the city's rules in place; those of days that are not named stay."""
    actor.require("city.load")
    with acting(actor):
        for each in terms:
            values = asdict(each)
            CitationTerms.objects.update_or_create(
                starts_on=values.pop("starts_on"), defaults=values
            )


def terms_on(day: date) -> Terms:
    """The rules of a day. Raises NotFound when the city has none."""
    row = CitationTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if row is None:
        raise NotFound("The city has no rules of citations on this day; load citations.yaml.")
    return Terms(*(getattr(row, field.name) for field in fields(Terms)))

"""The city's rules of checks: loading them, and those of a day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from chamberlain.cashiering.checks.models import CheckTerms
from chamberlain.identity.actors import Actor, acting


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules from a day on; see `models.CheckTerms`."""

    starts_on: date
    verify_from_cents: int
    unreachable_up_to_cents: int
    endorsement: str
    source: str
    is_verified: bool
    returned_fee: str = ""


def load_check_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Puts the city's rules in place; those of days that are not named stay."""
    actor.require("city.load")
    with acting(actor):
        for each in terms:
            fields = asdict(each)
            CheckTerms.objects.update_or_create(starts_on=fields.pop("starts_on"), defaults=fields)


def terms_on(day: date) -> Terms | None:
    """The rules of a day; None when the city has none."""
    row = CheckTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if row is None:
        return None
    return Terms(
        row.starts_on,
        row.verify_from_cents,
        row.unreachable_up_to_cents,
        row.endorsement,
        row.source,
        row.is_verified,
        row.returned_fee,
    )

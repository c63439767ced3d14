"""The city's terms of the public pages: loading them, and those of a day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from chamberlain.billing.access.models import ResidentTerms
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds from a day on. code_months: codes of bills issued since then let in."""

    starts_on: date
    code_months: int
    smallest_payment_cents: int
    largest_payment_cents: int
    source: str
    is_verified: bool


class NotOffered(Refused):
    """The city has no public pages of accounts on that day."""


def load_resident_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Puts the city's terms in place; those of days that are not named stay."""
    actor.require("city.load")
    for each in terms:
        fields = asdict(each)
        ResidentTerms.objects.update_or_create(starts_on=fields.pop("starts_on"), defaults=fields)


def terms_on(day: date) -> Terms:
    """The terms of a day. Raises NotOffered when the city loaded none."""
    row = ResidentTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if row is None:
        raise NotOffered("The city has no public pages of accounts; ask the revenue office.")
    return Terms(
        row.starts_on,
        row.code_months,
        row.smallest_payment_cents,
        row.largest_payment_cents,
        row.source,
        row.is_verified,
    )

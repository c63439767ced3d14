"""The city's rules of matching: how far to look, and what is posted without a person."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from chamberlain.identity.actors import Actor, acting
from chamberlain.reconciliation.models import MatchingTerms


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules from a day on.

    within_days: how long a deposit is looked for. tolerance_cents: a difference that one person may
    accept. confidence, up_to_cents: a match is posted by itself when it is at least so sure and
    its lines are at most that much.
    """

    starts_on: date
    within_days: int
    tolerance_cents: int
    confidence: int
    up_to_cents: int
    source: str
    is_verified: bool


DEFAULT = Terms(date.min, 7, 0, 80, 10**15, "the program's own", is_verified=False)


def load_matching_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Puts the city's rules in place; those of days that are not named stay."""
    actor.require("city.load")
    with acting(actor):
        for each in terms:
            fields = asdict(each)
            MatchingTerms.objects.update_or_create(
                starts_on=fields.pop("starts_on"), defaults=fields
            )


def terms_on(day: date) -> Terms:
    """The rules of a day; the program's own when the city has none."""
    row = MatchingTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if row is None:
        return DEFAULT
    return Terms(
        row.starts_on,
        row.within_days,
        row.tolerance_cents,
        row.confidence,
        row.up_to_cents,
        row.source,
        row.is_verified,
    )

"""The city's terms of full payment certificates: loaded from its file, looked up by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from chamberlain.billing.certificates.models import CertificateTerms
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger import chart

STEPS = ("accept", "read", "review", "payoff", "payment", "issue")


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms from a day on.

    exemptions: (code, name) of those from the transfer tax, which spare the fee. step_days:
    calendar days that each of STEPS usually takes.
    """

    starts_on: date
    fee_kind: str
    fee_cents: int
    covered_kinds: tuple[str, ...]
    valid_days: int
    usage_days: int
    step_days: tuple[tuple[str, int], ...]
    exemptions: tuple[tuple[str, str], ...]
    source: str
    is_verified: bool


def load_certificate_terms(actor: Actor, terms: Sequence[Terms]) -> None:
    """Brings the terms to what the city's file says. Harmless when they are so.

    Terms that applications were made under are never removed. Raises NotFound for an unknown
    charge kind.
    """
    actor.require("city.load")
    kinds = chart.charge_kinds()
    with acting(actor), transaction.atomic():
        for each in terms:
            missing = sorted({each.fee_kind, *each.covered_kinds} - set(kinds))
            if missing:
                raise NotFound(f"Certificates name the charge kind {missing[0]}; add it.")
            CertificateTerms.objects.update_or_create(
                starts_on=each.starts_on,
                defaults={
                    "fee_kind_id": kinds[each.fee_kind].id,
                    "fee_cents": each.fee_cents,
                    "covered_kinds": list(each.covered_kinds),
                    "valid_days": each.valid_days,
                    "usage_days": each.usage_days,
                    "step_days": dict(each.step_days),
                    "exemptions": dict(each.exemptions),
                    "source": each.source,
                    "is_verified": each.is_verified,
                },
            )


def terms_row(day: date) -> CertificateTerms:
    """The terms in force on a day. Raises NotFound."""
    found = CertificateTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if found is None:
        raise NotFound(
            f"The city has no terms for certificates on {day:%B %-d, %Y}; load its files first."
        )
    return found

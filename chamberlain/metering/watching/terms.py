"""What the city watches for: loaded from its file, and as values for the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound
from chamberlain.metering.watching import models


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's severity and thresholds. `rules` says what each figure means."""

    code: str
    severity: int
    holds_bill: bool
    figures: Mapping[str, int]
    except_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What is watched from a day on; see `models.Terms` for meanings."""

    starts_on: date
    look_back_days: int
    usual_days: int
    rules: tuple[Rule, ...]
    source: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """How an entry may be closed; see `models.Resolution`."""

    code: str
    name: str
    verifies_reads: bool
    source: str
    is_verified: bool


def load_watching(actor: Actor, terms: Sequence[Terms], resolutions: Sequence[Resolution]) -> None:
    """Brings terms and resolutions to what the city's file says. Harmless when they are so.

    A resolution that the file has no more is not offered any longer; entries keep it.
    """
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        for each in terms:
            _load_terms(each)
        for one in resolutions:
            models.Resolution.objects.update_or_create(
                code=one.code,
                defaults={
                    "name": one.name,
                    "verifies_reads": one.verifies_reads,
                    "source": one.source,
                    "is_verified": one.is_verified,
                    "is_offered": True,
                },
            )
        if resolutions:
            kept = [one.code for one in resolutions]
            models.Resolution.objects.exclude(code__in=kept).update(is_offered=False)


def _load_terms(terms: Terms) -> None:
    row, _ = models.Terms.objects.update_or_create(
        starts_on=terms.starts_on,
        defaults={
            "look_back_days": terms.look_back_days,
            "usual_days": terms.usual_days,
            "source": terms.source,
            "is_verified": terms.is_verified,
        },
    )
    for rule in terms.rules:
        models.Rule.objects.update_or_create(
            terms=row,
            code=rule.code,
            defaults={
                "severity": rule.severity,
                "holds_bill": rule.holds_bill,
                "except_types": list(rule.except_types),
                "figures": dict(rule.figures),
            },
        )
    row.rules.exclude(code__in=[rule.code for rule in terms.rules]).delete()


def terms_on(day: date) -> Terms:
    """The terms in force on a day. Raises NotFound."""
    row = models.Terms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if row is None:
        raise NotFound(
            f"The city has no rules for watching usage on {day:%B %-d, %Y}; load its watching.yaml."
        )
    rules = tuple(
        Rule(each.code, each.severity, each.holds_bill, each.figures, tuple(each.except_types))
        for each in row.rules.order_by("code")
    )
    return Terms(
        row.starts_on, row.look_back_days, row.usual_days, rules, row.source, row.is_verified
    )


def resolutions() -> list[Resolution]:
    """The resolutions that are offered, by name."""
    return [
        Resolution(row.code, row.name, row.verifies_reads, row.source, row.is_verified)
        for row in models.Resolution.objects.filter(is_offered=True).order_by("name")
    ]

"""The city's rule of deposits: loaded from its file, looked up by day, applied to an account."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

import polars as pl
from django.db import transaction

from chamberlain.billing.deposits.accruing import RATES
from chamberlain.billing.deposits.models import DepositRate, DepositTerms
from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger import chart

Holders = Literal["any", "owner", "tenant"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """Who pays a deposit, and how much; property_types: all when empty."""

    property_types: tuple[str, ...]
    holders: Holders
    cents: int
    is_per_unit: bool

    def fits(self, property_type: str, *, is_owner: bool) -> bool:
        """Whether it is about such a property and holder."""
        return (not self.property_types or property_type in self.property_types) and (
            self.holders == "any" or (self.holders == "owner") == is_owner
        )

    def amount(self, units: int) -> int:
        """What is asked for, in cents."""
        return self.cents * max(units, 1) if self.is_per_unit else self.cents


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms from a day on; see `models.DepositTerms`."""

    starts_on: date
    due_days: int
    release_months: int
    grace_days: int
    year_days: int
    requirements: tuple[Requirement, ...]
    source: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """Interest a year from a day on; see `models.DepositRate`."""

    starts_on: date
    rate_micros: int
    source: str
    is_verified: bool


def load_deposit_terms(
    actor: Actor, terms: Sequence[Terms], rates: Sequence[Rate], name: str, priority: int
) -> None:
    """Brings terms and rates to what the city's file says, and makes the ledger's accounts.

    name, priority: of the charge kind. Harmless when all is so. Without terms nothing is made.
    """
    actor.require("city.load")
    if not terms:
        return
    with acting(actor), transaction.atomic():
        chart.ensure_deposit_accounts(name, priority)
        for each in terms:
            columns = asdict(each)
            DepositTerms.objects.update_or_create(
                starts_on=columns.pop("starts_on"), defaults=columns
            )
        for rate in rates:
            columns = asdict(rate)
            DepositRate.objects.update_or_create(
                starts_on=columns.pop("starts_on"), defaults=columns
            )


def terms_on(day: date) -> Terms:
    """The terms in force on a day. Raises NotFound."""
    found = DepositTerms.objects.filter(starts_on__lte=day).order_by("-starts_on").first()
    if found is None:
        raise NotFound("The city has no terms of deposits on this day; load the city's files.")
    requirements = tuple(
        Requirement(
            tuple(each["property_types"]), each["holders"], each["cents"], each["is_per_unit"]
        )
        for each in found.requirements
    )
    return Terms(
        found.starts_on,
        found.due_days,
        found.release_months,
        found.grace_days,
        found.year_days,
        requirements,
        found.source,
        found.is_verified,
    )


def rates() -> pl.DataFrame:
    """The rates of interest, as `accruing.RATES`."""
    found = DepositRate.objects.order_by("starts_on").values_list("starts_on", "rate_micros")
    return pl.DataFrame(list(found), schema=RATES, orient="row")

"""Loads a city's files into the office. Loading again what is loaded changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from chamberlain.billing.plans.terms import Approval, Terms, load_plan_terms
from chamberlain.cashiering.models import Till
from chamberlain.cities.schema import (
    CenterTerms,
    City,
    FeeTermsFile,
    PlanTermsFile,
    PlanVersion,
    read_city,
)
from chamberlain.identity.actors import Actor, acting
from chamberlain.identity.models import Center
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger import chart
from chamberlain.registry.models import PropertyType
from chamberlain.revenue.operations import FeeTerms, load_fee
from chamberlain.tariffs.operations import load_tariffs

CITIES = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class LoadedCity:
    """What a city's files brought, and which of their figures nobody has verified."""

    name: str
    centers: int
    property_types: int
    charge_kinds: int
    fees: int
    tariffs: int
    unverified: tuple[str, ...]


def city_folder(code: str) -> Path:
    """The folder of a city that comes with the program; raises NotFound."""
    known = sorted(path.parent.name for path in CITIES.glob("*/city.yaml"))
    if code not in known:
        raise NotFound(f"There is no city “{code[:40]}”; use one of {', '.join(known)}.")
    return CITIES / code


def load_city(actor: Actor, folder: Path, now: datetime) -> LoadedCity:
    """Loads a city: centers with their ledger accounts and tills, property types, charge kinds,
    fees, terms of payment plans and tariffs.

    All of the files are checked before anything is written. Raises BadFile with every fault.
    """
    actor.require("city.load")
    city = read_city(folder)
    with acting(actor), transaction.atomic():
        chart.ensure_basic_chart()
        for kind in city.city.charge_kinds:
            chart.ensure_charge_kind(kind.code, kind.name, kind.priority)
        for kind_of_property in city.city.property_types:
            PropertyType.objects.update_or_create(
                code=kind_of_property.code, defaults={"name": kind_of_property.name}
            )
        for terms in city.city.centers:
            _load_center(city, terms)
        for fee in city.fees.fees:
            load_fee(actor, _fee_terms(fee))
        load_plan_terms(actor, [_plan_terms(p, v) for p in city.plans.plans for v in p.versions])
        path = folder / "tariffs.yaml"
        loaded = load_tariffs(actor, path, now) if path.exists() else []
    return LoadedCity(
        name=city.city.name,
        centers=len(city.city.centers),
        property_types=len(city.city.property_types),
        charge_kinds=len(city.city.charge_kinds),
        fees=len(city.fees.fees),
        tariffs=len(loaded),
        unverified=tuple(unverified(city)),
    )


def unverified(city: City) -> list[str]:
    """Each figure of a city's files that nobody has verified, in words with its source."""
    found = [
        f"{center.name}: address ({center.source})"
        for center in city.city.centers
        if not center.verified
    ]
    found += [
        f"{fee.name}: price from {price.starts_on} ({price.source})"
        for fee in city.fees.fees
        for price in fee.prices
        if not price.verified
    ]
    found += [
        f"{plan.name}: terms from {version.starts_on} ({version.source})"
        for plan in city.plans.plans
        for version in plan.versions
        if not version.verified
    ]
    if city.policies is not None:
        late, billing, drawer = (
            city.policies.late_payment, city.policies.billing, city.policies.drawer,
        )  # fmt: skip
        rules = [
            ("Late payment", late.source, late.verified),
            ("Billing", billing.source, billing.verified),
            ("Drawer", drawer.source, drawer.verified),
        ]
        found += [f"{name} ({source})" for name, source, verified in rules if not verified]
    return found


def _load_center(city: City, terms: CenterTerms) -> None:
    center, _ = Center.objects.update_or_create(
        code=terms.code,
        defaults={
            "name": terms.name,
            "kind": terms.kind,
            "address": terms.address,
            "phone": terms.phone,
        },
    )
    chart.ensure_center_accounts(center, list(city.city.tenders))
    limit = city.policies.drawer.cash_limit_cents if city.policies else None
    for number in range(1, terms.tills + 1):
        Till.objects.get_or_create(
            code=f"{terms.code}-{number}",
            defaults={"center": center, **({"cash_limit_cents": limit} if limit else {})},
        )


def _fee_terms(fee: FeeTermsFile) -> FeeTerms:
    return FeeTerms(
        code=fee.code,
        kind=fee.kind,
        name=fee.name,
        charge_kind=fee.charge_kind,
        prices=tuple((p.starts_on, p.cents, p.source, p.verified) for p in fee.prices),
        term_months=fee.term_months,
        due_days=fee.due_days,
    )


def _plan_terms(plan: PlanTermsFile, version: PlanVersion) -> Terms:
    return Terms(
        code=plan.code,
        name=plan.name,
        starts_on=version.starts_on,
        ends_on=version.ends_on,
        charge_kinds=version.charge_kinds,
        down_payment_basis_points=int(version.down_payment_percent * 100),
        longest_instalments=version.longest_instalments,
        longer_instalments=version.longer_instalments,
        longer_above_cents=version.longer_above_cents,
        interval_months=version.interval_months,
        smallest_plan_cents=version.smallest_plan_cents,
        smallest_instalment_cents=version.smallest_instalment_cents,
        grace_days=version.grace_days,
        needs_new_bills_paid=version.needs_new_bills_paid,
        reinstatements=version.reinstatements,
        reinstatement_days=version.reinstatement_days,
        approvals=tuple(
            Approval(step.up_to_cents, tuple(str(role) for role in step.roles))
            for step in version.approvals
        ),
        source=version.source,
        is_verified=version.verified,
    )

"""Loads a city's files into the office. Loading again what is loaded changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from chamberlain.billing.access.terms import load_resident_terms
from chamberlain.billing.adjusting.reasons import Reason, load_reasons
from chamberlain.billing.approving import Approval
from chamberlain.billing.certificates import terms as certificates
from chamberlain.billing.deposits.terms import load_deposit_terms
from chamberlain.billing.estimating.terms import load_estimate_terms
from chamberlain.billing.finals import terms as final_bills
from chamberlain.billing.penalties.policy import Policy, load_late_policies
from chamberlain.billing.plans.terms import Terms, load_plan_terms
from chamberlain.billing.property_terms.terms import load_property_terms
from chamberlain.billing.rebilling.operations import ReasonTerms, RuleTerms, load_rules
from chamberlain.casework.letters.operations import load_templates
from chamberlain.cashiering.checks.terms import load_check_terms
from chamberlain.cashiering.models import Till
from chamberlain.cashiering.stock.terms import load_kinds
from chamberlain.cities.schema import (
    AdjustmentApproval,
    AdjustmentReasonFile,
    CenterTerms,
    City,
    FeeTermsFile,
    LatePayment,
    PlanApproval,
    PlanTermsFile,
    PlanVersion,
    read_city,
)
from chamberlain.identity.actors import Actor, acting
from chamberlain.identity.models import Center
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger import chart
from chamberlain.metering.routes.cycles import load_cycles
from chamberlain.metering.watching.terms import load_watching
from chamberlain.reconciliation.general_ledger.operations import load_mapping
from chamberlain.reconciliation.terms import load_matching_terms
from chamberlain.registry.models import PropertyType
from chamberlain.revenue.citations.terms import load_citation_terms
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
    fees, terms of payment plans, reasons for adjustments, the late policy and tariffs.

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
                code=kind_of_property.code,
                defaults=kind_of_property.model_dump(exclude={"code", "verified"}),
            )
        for terms in city.city.centers:
            _load_center(city, terms)
        for fee in city.fees.fees:
            load_fee(actor, _fee_terms(fee))
        load_plan_terms(actor, [_plan_terms(p, v) for p in city.plans.plans for v in p.versions])
        final_bills.load_final_terms(actor, _final_terms(city))
        load_rules(actor, _rebill_limits(city), _rebill_reasons(city))
        load_reasons(actor, [_reason(each) for each in city.adjustments.reasons])
        if city.policies:
            load_late_policies(actor, [_late_policy(city.policies.late_payment)])
        certificates.load_certificate_terms(actor, _certificate_terms(city))
        calendar = city.city.calendar
        load_cycles(
            actor,
            [each.terms() for each in city.reads.cycles],
            calendar.country,
            calendar.subdivision,
            calendar.closed_days,
        )
        load_templates(actor, city.letters.templates(), now)
        load_estimate_terms(actor, [each.terms() for each in city.reads.estimates])
        load_watching(
            actor,
            [each.terms() for each in city.watching.watching],
            [each.resolution() for each in city.watching.resolutions],
        )
        load_deposit_terms(
            actor,
            [each.terms() for each in city.deposits.deposits],
            [each.rate() for each in city.deposits.interest],
            city.deposits.name,
            city.deposits.priority,
        )
        load_resident_terms(actor, [each.terms() for each in city.resident.resident])
        load_property_terms(actor, city.property_terms.terms())
        load_kinds(actor, [kind.terms() for kind in city.stock.stock])
        load_check_terms(actor, [each.terms() for each in city.checks.checks])
        load_citation_terms(actor, [each.terms() for each in city.citations.citations])
        load_mapping(actor, city.general_ledger.mapping())
        load_matching_terms(actor, [each.terms() for each in city.reconciliation.matching])
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
    figures: list[tuple[str, bool]] = [
        *((f"{each.name}: address ({each.source})", each.verified) for each in city.city.centers),
        *(
            (f"{each.name}: dwelling units that it may have", each.verified)
            for each in city.city.property_types
        ),
        *(
            (f"{fee.name}: price from {each.starts_on} ({each.source})", each.verified)
            for fee in city.fees.fees
            for each in fee.prices
        ),
        *(
            (
                f"Full payment certificates: terms from {each.starts_on} ({each.source})",
                each.verified,
            )
            for each in city.certificates.certificates
        ),
        *(
            (f"Final bills: terms from {each.starts_on} ({each.source})", each.verified)
            for each in city.finals.final_bills
        ),
        *(
            (f"{plan.name}: terms from {each.starts_on} ({each.source})", each.verified)
            for plan in city.plans.plans
            for each in plan.versions
        ),
        *(
            (f"Rebilling: limits from {each.starts_on} ({each.source})", each.verified)
            for each in city.rebilling.limits
        ),
        *(
            (f"Rebilling: {each.name} ({each.source})", each.verified)
            for each in city.rebilling.reasons
        ),
        *(
            (f"{each.name}: who approves how much ({each.source})", each.verified)
            for each in city.adjustments.reasons
        ),
        *city.reads.figures(),
        *city.letters.figures(),
        *city.resident.figures(),
        *city.deposits.figures(),
        *city.stock.figures(),
        *city.checks.figures(),
        *city.citations.figures(),
        *city.general_ledger.figures(),
        *city.reconciliation.figures(),
        *city.property_terms.figures(),
        *city.watching.figures(),
    ]
    if city.policies is not None:
        rules = (
            ("Late payment", city.policies.late_payment),
            ("Billing", city.policies.billing),
            ("Drawer", city.policies.drawer),
        )
        figures += [(f"{name} ({rule.source})", rule.verified) for name, rule in rules]
    return [text for text, is_verified in figures if not is_verified]


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


def _final_terms(city: City) -> list[final_bills.Terms]:
    return [
        final_bills.Terms(
            each.starts_on,
            each.due_days,
            each.usage_days,
            each.charges_reason,
            each.credit_reason,
            each.source,
            each.verified,
        )
        for each in city.finals.final_bills
    ]


def _rebill_limits(city: City) -> list[RuleTerms]:
    return [
        RuleTerms(
            each.starts_on,
            each.charge_months,
            each.credit_months,
            each.approval_cents,
            each.due_days,
            each.source,
            each.verified,
        )
        for each in city.rebilling.limits
    ]


def _rebill_reasons(city: City) -> list[ReasonTerms]:
    return [
        ReasonTerms(each.code, each.name, each.beyond_limit, each.source, each.verified)
        for each in city.rebilling.reasons
    ]


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
        approvals=_approvals(version.approvals),
        source=version.source,
        is_verified=version.verified,
    )


def _approvals(steps: Sequence[PlanApproval | AdjustmentApproval]) -> tuple[Approval, ...]:
    return tuple(Approval(step.up_to_cents, tuple(str(r) for r in step.roles)) for step in steps)


def _reason(reason: AdjustmentReasonFile) -> Reason:
    return Reason(
        code=reason.code,
        kind=reason.kind.value,
        name=reason.name,
        starts_on=reason.starts_on,
        ends_on=reason.ends_on,
        charge_kinds=reason.charge_kinds,
        largest_credit_cents=reason.largest_credit_cents,
        needs_nothing_owed=reason.needs_nothing_owed,
        untouched_months=reason.untouched_months,
        approvals=_approvals(reason.approvals),
        source=reason.source,
        is_verified=reason.verified,
    )


def _late_policy(late: LatePayment) -> Policy:
    return Policy(
        starts_on=late.starts_on,
        rate_micros=int(late.percent_per_month * 10_000),
        grace_days=late.grace_days,
        days_after_dispute=late.days_after_dispute,
        charge_kinds=late.charge_kinds,
        penalty_kind=late.penalty_kind,
        exempt=late.exempt,
        source=late.source,
        is_verified=late.verified,
    )


def _certificate_terms(city: City) -> list[certificates.Terms]:
    fees = {fee.code: fee for fee in city.fees.fees}
    return [
        certificates.Terms(
            starts_on=each.starts_on,
            fee_kind=fees[each.fee].charge_kind,
            fee_cents=max(
                (price.starts_on, price.cents)
                for price in fees[each.fee].prices
                if price.starts_on <= each.starts_on
            )[1],
            covered_kinds=each.covers,
            valid_days=each.valid_days,
            usage_days=each.usage_days,
            step_days=tuple(each.step_days.model_dump().items()),
            exemptions=tuple((one.code, one.name) for one in each.exemptions),
            source=each.source,
            is_verified=each.verified,
        )
        for each in city.certificates.certificates
    ]

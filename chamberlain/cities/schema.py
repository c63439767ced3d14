"""What a city's files must look like. Strict: every fault is listed with its place.

`city.yaml` holds the name, calendar, centers, property types and charge kinds; `policies.yaml`
the rules that are not rates; `fees.yaml` what is charged beside utilities, `plans.yaml` the
terms of payment plans. A folder may leave out the last three. docs/city-files.md describes every
field; a test compares the two.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from chamberlain.billing.adjusting.kinds import Kind
from chamberlain.cities.checks_file import ChecksFile
from chamberlain.cities.citations_file import CitationsFile
from chamberlain.cities.deposits_file import DepositsFile
from chamberlain.cities.fields import (
    Amount,
    CenterCode,
    Code,
    FeeCode,
    Name,
    Percent,
    Source,
    Strict,
    ZoneName,
)
from chamberlain.cities.general_ledger_file import GeneralLedgerFile
from chamberlain.cities.letters_file import LettersFile
from chamberlain.cities.property_terms_file import PropertyTermsFile
from chamberlain.cities.reads_file import ReadsFile
from chamberlain.cities.reconciliation_file import ReconciliationFile
from chamberlain.cities.resident_file import ResidentFile
from chamberlain.cities.stock_file import StockFile
from chamberlain.cities.watching_file import WatchingFile
from chamberlain.identity.models import Role
from chamberlain.kernel.errors import BadFile, BadRecord, Invalid

LARGEST_FILE_BYTES = 4 * 1024 * 1024


class Calendar(Strict):
    """Which days the city works."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    subdivision: str | None = None
    closed_days: tuple[date, ...] = ()


class CenterTerms(Strict):
    """A payment center with its number of tills, or the revenue office."""

    code: CenterCode
    name: Name
    kind: Literal["payment_center", "revenue_office"]
    address: Annotated[str, Field(max_length=160)] = ""
    phone: Annotated[str, Field(max_length=32)] = ""
    tills: Annotated[int, Field(ge=0, le=99)] = 0
    source: Source
    verified: bool


class PropertyTypeTerms(Strict):
    """A kind of property, how many dwelling units it may have, and the class it is billed under."""

    code: Code
    name: Name
    least_units: Annotated[int, Field(ge=0, le=9999)] = 0
    most_units: Annotated[int, Field(ge=0, le=9999)] | None = None
    rate_class: Annotated[str, Field(max_length=40)] = ""
    verified: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> "PropertyTypeTerms":
        if self.most_units is not None and self.most_units < self.least_units:
            raise ValueError(f"{self.code}: most_units is less than least_units")
        return self


class ChargeKindTerms(Strict):
    """What a charge is for; the lowest priority is paid first."""

    code: Code
    name: Name
    priority: Annotated[int, Field(ge=1, le=999)]


class CityTerms(Strict):
    """`city.yaml`."""

    name: Name
    time_zone: ZoneName
    calendar: Calendar
    centers: tuple[CenterTerms, ...]
    tenders: tuple[Literal["cash", "check", "money_order", "card"], ...]
    property_types: tuple[PropertyTypeTerms, ...]
    charge_kinds: tuple[ChargeKindTerms, ...]

    @model_validator(mode="after")
    def _once(self) -> "CityTerms":
        for field in ("centers", "property_types", "charge_kinds"):
            codes = [item.code for item in getattr(self, field)]
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{field}: the code {twice[0]} appears more than once")
        offices = [center.code for center in self.centers if center.kind == "revenue_office"]
        if len(offices) != 1:
            raise ValueError(f"centers: one must be the revenue office, and {len(offices)} are")
        return self


class PriceTerms(Strict):
    """What a fee costs from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    cents: Annotated[Amount, Field(alias="amount")]
    source: Source
    verified: bool


class FeeTermsFile(Strict):
    """A fee with its prices; without term_months it is paid once."""

    code: FeeCode
    kind: Literal["citation", "sticker", "business_license", "animal_license", "fee"]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    charge_kind: Code
    term_months: Annotated[int, Field(ge=1, le=120)] | None = None
    due_days: Annotated[int, Field(ge=0, le=365)] = 0
    prices: tuple[PriceTerms, ...]

    @model_validator(mode="after")
    def _priced(self) -> "FeeTermsFile":
        days = [price.starts_on for price in self.prices]
        if not days or len(set(days)) < len(days):
            raise ValueError("prices: a fee has one price from each of its days on, at least one")
        return self


class FeesFile(Strict):
    """`fees.yaml`."""

    fees: tuple[FeeTermsFile, ...]


class LatePayment(Strict):
    """The penalty on what is paid late, from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    percent_per_month: Percent
    grace_days: Annotated[int, Field(ge=0, le=365)]
    days_after_dispute: Annotated[int, Field(ge=0, le=365)] = 0
    charge_kinds: Annotated[tuple[Code, ...], Field(min_length=1)]
    penalty_kind: Code
    exempt: tuple[Code, ...] = ()
    source: Source
    verified: bool


class Billing(Strict):
    """When a bill is due, and the seasons of non-metered accounts by their first months."""

    due_days: Annotated[int, Field(ge=0, le=365)]
    source: Source
    verified: bool
    season_months: Annotated[int, Field(ge=1, le=12)]
    season_starts: tuple[Annotated[int, Field(ge=1, le=12)], ...]
    season_source: Source


class Drawer(Strict):
    """How much cash a till may hold."""

    cash_limit_cents: Annotated[Amount, Field(alias="cash_limit")]
    source: Source
    verified: bool


class PoliciesFile(Strict):
    """`policies.yaml`."""

    late_payment: LatePayment
    billing: Billing
    drawer: Drawer


class PlanApproval(Strict):
    """Who approves plans up to an amount; without roles nobody else has to."""

    up_to_cents: Annotated[Amount, Field(alias="up_to")]
    roles: tuple[Role, ...]


class PlanVersion(Strict):
    """What a kind of plan allows from a day on, until the first day without it."""

    starts_on: Annotated[date, Field(alias="from")]
    ends_on: Annotated[date | None, Field(alias="until")] = None
    down_payment_percent: Percent
    longest_instalments: Annotated[int, Field(ge=1, le=120)]
    longer_instalments: Annotated[int, Field(ge=1, le=120)] | None = None
    longer_above_cents: Annotated[Amount | None, Field(alias="longer_above")] = None
    interval_months: Annotated[int, Field(ge=1, le=12)]
    smallest_plan_cents: Annotated[Amount, Field(alias="smallest_plan")]
    smallest_instalment_cents: Annotated[Amount, Field(alias="smallest_instalment")]
    grace_days: Annotated[int, Field(ge=0, le=90)]
    needs_new_bills_paid: bool
    charge_kinds: tuple[Code, ...]
    approvals: tuple[PlanApproval, ...]
    reinstatements: Annotated[int, Field(ge=0, le=12)]
    reinstatement_days: Annotated[int, Field(ge=0, le=90)]
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _sound(self) -> "PlanVersion":
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise ValueError("until: give a day after the first")
        if self.down_payment_percent == 100 or (self.down_payment_percent * 100) % 1:
            raise ValueError("down_payment_percent: below 100, with at most two decimals")
        if (self.longer_instalments is None) != (self.longer_above_cents is None):
            raise ValueError("longer_instalments and longer_above: give both or none")
        steps = [step.up_to_cents for step in self.approvals]
        if not steps or not self.charge_kinds:
            raise ValueError("approvals and charge_kinds: give at least one of each")
        if steps != sorted(set(steps)):
            raise ValueError("approvals: each step goes up to a larger amount than the one before")
        return self


class PlanTermsFile(Strict):
    """A kind of payment plan with its dated versions."""

    code: Code
    name: Name
    versions: tuple[PlanVersion, ...]

    @model_validator(mode="after")
    def _dated(self) -> "PlanTermsFile":
        days = [version.starts_on for version in self.versions]
        if not days or len(set(days)) < len(days):
            raise ValueError("versions: a plan has one version from each of its days, at least one")
        return self


class PlansFile(Strict):
    """`plans.yaml`."""

    plans: tuple[PlanTermsFile, ...]


class AdjustmentApproval(Strict):
    """Who approves adjustments up to an amount; another person than the one who asked."""

    up_to_cents: Annotated[Amount, Field(alias="up_to")]
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]


class AdjustmentReasonFile(Strict):
    """Why an account may be adjusted, and who approves how much."""

    code: Code
    kind: Kind
    name: Name
    starts_on: Annotated[date, Field(alias="from")]
    ends_on: Annotated[date | None, Field(alias="until")] = None
    charge_kinds: tuple[Code, ...] = ()
    largest_credit_cents: Annotated[Amount, Field(alias="largest_credit")] = 0
    needs_nothing_owed: bool = False
    untouched_months: Annotated[int, Field(ge=1, le=600)] | None = None
    approvals: Annotated[tuple[AdjustmentApproval, ...], Field(min_length=1)]
    source: Source
    verified: bool

    @model_validator(mode="after")
    def _sound(self) -> "AdjustmentReasonFile":
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise ValueError("until: give a day after the first")
        steps = [step.up_to_cents for step in self.approvals]
        if steps != sorted(set(steps)):
            raise ValueError("approvals: each step goes up to a larger amount than the one before")
        return self


class AdjustmentsFile(Strict):
    """`adjustments.yaml`."""

    reasons: tuple[AdjustmentReasonFile, ...]

    @model_validator(mode="after")
    def _once(self) -> "AdjustmentsFile":
        keys = [(reason.code, reason.starts_on) for reason in self.reasons]
        twice = sorted({code for code, day in keys if keys.count((code, day)) > 1})
        if twice:
            raise ValueError(f"reasons: {twice[0]} begins twice on the same day")
        return self


class RebillLimit(Strict):
    """How far back bills are set right from a day on, and from which amount two people do it."""

    starts_on: Annotated[date, Field(alias="from")]
    charge_months: Annotated[int, Field(ge=0, le=600)]
    credit_months: Annotated[int, Field(ge=0, le=600)]
    approval_cents: Annotated[Amount, Field(alias="approval")]
    due_days: Annotated[int, Field(ge=0, le=365)]
    source: Source
    verified: bool


class RebillReason(Strict):
    """Why bills are set right; beyond_limit: it may reach further back."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=120)]
    beyond_limit: bool = False
    source: Source
    verified: bool


class RebillingFile(Strict):
    """`rebilling.yaml`."""

    limits: tuple[RebillLimit, ...]
    reasons: tuple[RebillReason, ...]

    @model_validator(mode="after")
    def _once(self) -> "RebillingFile":
        days = [limit.starts_on for limit in self.limits]
        codes = [reason.code for reason in self.reasons]
        if len(set(days)) < len(days) or len(set(codes)) < len(codes):
            raise ValueError("a day or a code appears more than once")
        return self


class FinalBillTerms(Strict):
    """Terms of final bills from a day on."""

    starts_on: Annotated[date, Field(alias="from")]
    due_days: Annotated[int, Field(ge=0, le=365)]
    usage_days: Annotated[int, Field(ge=30, le=1100)]
    charges_reason: Code
    credit_reason: Code
    source: Source
    verified: bool


class FinalsFile(Strict):
    """`finals.yaml`."""

    final_bills: tuple[FinalBillTerms, ...]


class CertificateSteps(Strict):
    """Calendar days that each step to a certificate usually takes."""

    accept: Annotated[int, Field(ge=0, le=90)]
    read: Annotated[int, Field(ge=0, le=90)]
    review: Annotated[int, Field(ge=0, le=90)]
    payoff: Annotated[int, Field(ge=0, le=90)]
    payment: Annotated[int, Field(ge=0, le=90)]
    issue: Annotated[int, Field(ge=0, le=90)]


class TransferExemption(Strict):
    """An exemption from the transfer tax, which spares the fee of a certificate."""

    code: Code
    name: Name


class CertificateTermsFile(Strict):
    """Full payment certificates from a day on; the fee's price stands in `fees.yaml`."""

    starts_on: Annotated[date, Field(alias="from")]
    fee: FeeCode
    covers: Annotated[tuple[Code, ...], Field(min_length=1)]
    valid_days: Annotated[int, Field(ge=1, le=366)]
    usage_days: Annotated[int, Field(ge=1, le=1100)]
    step_days: CertificateSteps
    exemptions: tuple[TransferExemption, ...] = ()
    source: Source
    verified: bool


class CertificatesFile(Strict):
    """`certificates.yaml`."""

    certificates: tuple[CertificateTermsFile, ...]

    def faults(self, fees: FeesFile, kinds: set[str]) -> list[BadRecord]:
        """What does not fit the city's charge kinds and the prices of its fees."""
        found = []
        starts = sorted(terms.starts_on for terms in self.certificates)
        prices = {fee.code: [price.starts_on for price in fee.prices] for fee in fees.fees}
        for i, terms in enumerate(self.certificates):
            place = f"certificates.yaml certificates.{i}"
            found += [
                BadRecord(f"{place}.covers", f"city.yaml has no {kind}")
                for kind in terms.covers
                if kind not in kinds
            ]
            until = min((day for day in starts if day > terms.starts_on), default=date.max)
            days = prices.get(terms.fee, [])
            if not any(day <= terms.starts_on for day in days):
                found.append(BadRecord(f"{place}.fee", f"fees.yaml has no price of {terms.fee}"))
            elif changed := [day for day in days if terms.starts_on < day < until]:
                found.append(
                    BadRecord(f"{place}.fee", f"its price changes on {changed[0]}; begin terms")
                )
        return found


class City(Strict):
    """A city's folder, checked."""

    city: CityTerms
    policies: PoliciesFile | None
    fees: FeesFile
    rebilling: RebillingFile = RebillingFile(limits=(), reasons=())
    plans: PlansFile = PlansFile(plans=())
    finals: FinalsFile = FinalsFile(final_bills=())
    adjustments: AdjustmentsFile = AdjustmentsFile(reasons=())
    certificates: CertificatesFile = CertificatesFile(certificates=())
    watching: WatchingFile = WatchingFile()
    reads: ReadsFile = ReadsFile()
    letters: LettersFile = LettersFile()
    resident: ResidentFile = ResidentFile()
    deposits: DepositsFile = DepositsFile()
    property_terms: PropertyTermsFile = PropertyTermsFile()
    stock: StockFile = StockFile()
    checks: ChecksFile = ChecksFile()
    citations: CitationsFile = CitationsFile()
    general_ledger: GeneralLedgerFile = GeneralLedgerFile()
    reconciliation: ReconciliationFile = ReconciliationFile()


T = TypeVar("T", bound=BaseModel)


def read_city(folder: Path) -> City:
    """Reads and checks a city's folder. Raises BadFile with every fault of all of its files."""
    faults: list[BadRecord] = []
    city = _read(folder / "city.yaml", CityTerms, faults)
    policies = _read(folder / "policies.yaml", PoliciesFile, faults, needed=False)
    fees = _read(folder / "fees.yaml", FeesFile, faults, needed=False) or FeesFile(fees=())
    plans = _read(folder / "plans.yaml", PlansFile, faults, needed=False) or PlansFile(plans=())
    adjustments = _read(
        folder / "adjustments.yaml", AdjustmentsFile, faults, needed=False
    ) or AdjustmentsFile(reasons=())
    rebilling = _read(folder / "rebilling.yaml", RebillingFile, faults, needed=False)
    finals = _read(folder / "finals.yaml", FinalsFile, faults, needed=False)
    certificates = _read(folder / "certificates.yaml", CertificatesFile, faults, needed=False)
    watching = _read(folder / "watching.yaml", WatchingFile, faults, needed=False)
    letters = _read(folder / "letters.yaml", LettersFile, faults, needed=False)
    reads = _read(folder / "reads.yaml", ReadsFile, faults, needed=False) or ReadsFile()
    deposits = _read(folder / "deposits.yaml", DepositsFile, faults, needed=False)
    terms = _read(folder / "property_terms.yaml", PropertyTermsFile, faults, needed=False)
    resident = _read(folder / "resident.yaml", ResidentFile, faults, needed=False)
    stock = _read(folder / "stock.yaml", StockFile, faults, needed=False)
    checks = _read(folder / "checks.yaml", ChecksFile, faults, needed=False)
    citations = _read(folder / "citations.yaml", CitationsFile, faults, needed=False)
    books = _read(folder / "general_ledger.yaml", GeneralLedgerFile, faults, needed=False)
    matching = _read(folder / "reconciliation.yaml", ReconciliationFile, faults, needed=False)
    if not fees.fees:  # what names fees makes no sense without them
        certificates = stock = checks = citations = None
    whole = (
        None
        if city is None
        else City(
            city=city,
            policies=policies,
            fees=fees,
            plans=plans,
            adjustments=adjustments,
            rebilling=rebilling or RebillingFile(limits=(), reasons=()),
            finals=finals or FinalsFile(final_bills=()),
            certificates=certificates or CertificatesFile(certificates=()),
            watching=watching or WatchingFile(),
            reads=reads,
            letters=letters or LettersFile(),
            resident=resident or ResidentFile(),
            deposits=deposits or DepositsFile(),
            property_terms=terms or PropertyTermsFile(),
            stock=stock or StockFile(),
            checks=checks or ChecksFile(),
            citations=citations or CitationsFile(),
            general_ledger=books or GeneralLedgerFile(),
            reconciliation=matching or ReconciliationFile(),
        )
    )
    if whole:
        faults += [*_unknown_charge_kinds(whole), *_faults_between(whole)]
    if faults or whole is None:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise BadFile(
            f"The city in {folder.name} was not loaded: {faults[0]}{more}; correct the file.",
            faults,
        )
    return whole


def _unknown_charge_kinds(city: City) -> list[BadRecord]:
    """Charge kinds that a file names and the city does not have."""
    kinds = {kind.code for kind in city.city.charge_kinds}
    named = [
        (f"adjustments.yaml reasons.{i}.charge_kinds", reason.charge_kinds)
        for i, reason in enumerate(city.adjustments.reasons)
    ]
    if city.policies:
        late = city.policies.late_payment
        named.append(("policies.yaml late_payment.charge_kinds", late.charge_kinds))
        named.append(("policies.yaml late_payment.penalty_kind", (late.penalty_kind,)))
    named += [
        (f"plans.yaml plans.{i}.versions.{j}.charge_kinds", version.charge_kinds)
        for i, plan in enumerate(city.plans.plans)
        for j, version in enumerate(plan.versions)
    ]
    named += [
        (f"fees.yaml fees.{i}.charge_kind", (fee.charge_kind,))
        for i, fee in enumerate(city.fees.fees)
    ]
    return [
        BadRecord(place, f"city.yaml has no {kind}")
        for place, codes in named
        for kind in codes
        if kind not in kinds
    ]


def _faults_between(city: City) -> list[BadRecord]:
    """What does not fit between the other files of a city."""
    kinds = {kind.code for kind in city.city.charge_kinds}
    types = {each.code for each in city.city.property_types}
    reasons = {reason.code for reason in city.adjustments.reasons}
    return [
        *city.certificates.faults(city.fees, kinds),
        *city.watching.faults(types),
        *city.deposits.faults(types),
        *city.stock.faults({fee.code for fee in city.fees.fees}),
        *city.checks.faults({fee.code for fee in city.fees.fees}),
        *city.citations.faults({fee.code for fee in city.fees.fees}),
        *city.property_terms.faults(types),
        *city.reads.faults({each.code for each in city.rebilling.reasons}),
        *(
            BadRecord(f"finals.yaml final_bills.{i}", f"adjustments.yaml has no {code}")
            for i, terms in enumerate(city.finals.final_bills)
            for code in (terms.charges_reason, terms.credit_reason)
            if code not in reasons
        ),
    ]


def _read(path: Path, model: type[T], faults: list[BadRecord], *, needed: bool = True) -> T | None:
    if not path.exists():
        if needed:
            faults.append(BadRecord(path.name, "the file is missing"))
        return None
    try:
        return model.model_validate(_content(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name} line {mark.line + 1}" if mark else path.name
        faults.append(BadRecord(place, getattr(error, "problem", None) or "is not YAML"))
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            faults.append(BadRecord(f"{path.name} {place}".strip(), _said(fault)))
    return None


def _content(path: Path) -> Any:
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise Invalid(f"{path.name} is larger than a city's file can be.")
    return yaml.safe_load(path.read_bytes())


def _said(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]

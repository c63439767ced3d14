"""Why a bill is as much as it is."""

from dataclasses import asdict
from datetime import date

from django.http import HttpRequest
from ninja import Router, Schema

from chamberlain.api.fields import Day, Number
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.comparing.analysis import BillAnalysed, analysis
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.comparing.words import Comparison
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Bills"])


class PartOut(Schema):
    """A reason, in words, and the cents that it changed the bill by."""

    name: str
    label: str
    cents: int
    sentence: str


class ComparedLineOut(Schema):
    """A printed line of both bills."""

    label: str
    before_cents: int
    cents: int
    change_cents: int


class ComparisonOut(Schema):
    """A bill against an earlier one; the parts add up to `change_cents`, as do the lines."""

    name: str
    before: str
    change_cents: int
    headline: str
    parts: list[PartOut]
    lines: list[ComparedLineOut]


class OwingReasonOut(Schema):
    """A reason why the balance changed, in words and cents."""

    name: str
    label: str
    cents: int
    sentence: str


class OwingOut(Schema):
    """`before_cents`, the reasons and `bill_cents` add up to `now_cents`: owed less credit.

    since, on: the ends of the day before that had a bill, and of the day of this bill.
    """

    since: date
    on: date
    before_cents: int
    reasons: list[OwingReasonOut]
    bill_cents: int
    now_cents: int


class WhyOut(Schema):
    """A bill against the one before and the same time last year; none for a first bill.

    owing: how what is owed with it came about; null for the first bill of an account.
    """

    bill: str
    account: str
    total_cents: int
    comparisons: list[ComparisonOut]
    owing: OwingOut | None


@router.get("/bills/{number}/why", response=WhyOut, summary="Why a bill is this much")
def why_this_much(request: HttpRequest, number: Number) -> WhyOut:
    """The change from earlier bills, split into reasons whose cents add up to it."""
    actor_of_request(request).require("account.view")
    found = why(number)
    return WhyOut(
        bill=found.bill.number,
        account=found.bill.account_number,
        total_cents=found.bill.total_cents,
        comparisons=[_comparison(each) for each in found.comparisons],
        owing=None if found.owing is None else OwingOut(**asdict(found.owing)),
    )


def _comparison(found: Comparison) -> ComparisonOut:
    return ComparisonOut(
        name=found.name,
        before=found.before.number,
        change_cents=found.change_cents,
        headline=found.headline,
        parts=[
            PartOut(name=p.name, label=p.label, cents=p.cents, sentence=p.sentence)
            for p in found.parts
        ],
        lines=[
            ComparedLineOut(
                label=line.label,
                before_cents=line.before_cents,
                cents=line.cents,
                change_cents=line.change_cents,
            )
            for line in found.lines
        ],
    )


class SimilarOut(Schema):
    """Usage a day of similar accounts, in thousandths: the middle half and the middle."""

    low: int
    middle: int
    high: int
    accounts: int


class LineAnalysedOut(Schema):
    """A printed line as billed and as its read and rates give it."""

    label: str
    billed_cents: int
    rated_cents: int
    variance_cents: int


class BillAnalysedOut(Schema):
    """A bill rated again. `refusal` says why it cannot be rated again, or is empty."""

    bill: str
    from_on: date
    to_on: date
    days: int
    usage_thousandths: int
    daily_thousandths: int
    unit: str | None
    variance_cents: int
    refusal: str
    lines: list[LineAnalysedOut]
    similar: SimilarOut | None


class AnalysisOut(Schema):
    """The bills of an account that end in a period, the oldest first."""

    account: str
    bills: list[BillAnalysedOut]


@router.get("/accounts/{number}/analysis", response=AnalysisOut, summary="Billing analysis")
def analysed(request: HttpRequest, number: Number, since: Day, until: Day) -> AnalysisOut:
    """Every bill that ends in the period, rated again from its read; `until` itself is left out."""
    actor_of_request(request).require("account.view")
    found = analysis(account_id_of(number), since, until)
    return AnalysisOut(account=number, bills=[_analysed(each) for each in found.bills])


def _analysed(each: BillAnalysed) -> BillAnalysedOut:
    return BillAnalysedOut(
        bill=each.bill.number,
        from_on=each.bill.from_on,
        to_on=each.bill.to_on,
        days=each.days,
        usage_thousandths=each.usage_thousandths,
        daily_thousandths=each.daily_thousandths,
        unit=each.bill.unit,
        variance_cents=each.variance_cents,
        refusal=each.refusal,
        lines=[
            LineAnalysedOut(
                label=line.label,
                billed_cents=line.billed_cents,
                rated_cents=line.rated_cents,
                variance_cents=line.variance_cents,
            )
            for line in each.lines
        ],
        similar=SimilarOut(**asdict(each.similar)) if each.similar else None,
    )

"""Why a bill is as much as it is."""

from django.http import HttpRequest
from ninja import Router, Schema

from chamberlain.api.fields import Number
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.comparing.words import Comparison

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


class WhyOut(Schema):
    """A bill against the one before and the same time last year; none for a first bill."""

    bill: str
    account: str
    total_cents: int
    comparisons: list[ComparisonOut]


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

"""What bills would have come to under another tariff, rate or exemption; nothing is posted."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from chamberlain.api.fields import AccountNumber, Body, Code, Day, shown
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.what_if import running
from chamberlain.billing.what_if.results import Extreme
from chamberlain.billing.what_if.running import Scope
from chamberlain.billing.what_if.scenarios import Scenario
from chamberlain.kernel.errors import Invalid

router = Router(tags=["What if"])

_ACCOUNTS_AT_ONCE = 20_000
_MOST_ACCOUNTS = 100_000

Exact = Annotated[
    str, Field(strict=True, pattern=r"^-?[0-9]{1,6}(\.[0-9]{1,4})?$", description="In quotes")
]


class WhatIfIn(Body):
    """Bills of a tariff that end from `since` up to and with `until`, and what is imagined.

    `every` looks at every so many-th account; left out, at about 20,000 of a large city.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "tariff": "chicago-metered",
                "since": "2026-01-01",
                "until": "2026-12-31",
                "component": "water",
                "change_percent": "5",
            }
        },
    )

    tariff: Code
    since: Day
    until: Day
    account: AccountNumber | Literal[""] = ""
    other_tariff: Code | Literal[""] = ""
    component: Code | Literal[""] = ""
    change_percent: Exact | None = None
    new_rate: Exact | None = None
    exempt_percent: Exact | None = None
    rate_class: Code | Literal[""] = ""
    every: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class ClassOut(Schema):
    """A rate class: accounts, bills, and cents as billed and as imagined."""

    rate_class: str
    accounts: int
    bills: int
    before_cents: int
    after_cents: int
    change_cents: int


class BandOut(Schema):
    """Accounts whose bills change by an amount within the band, and their change in all."""

    label: str
    accounts: int
    change_cents: int


class ExtremeOut(Schema):
    """An account that gains or loses most."""

    account: str
    rate_class: str
    before_cents: int
    after_cents: int
    change_cents: int


class NotRatedOut(Schema):
    """Bills that the imagined tariff cannot rate; they are in no sum."""

    reason: str
    bills: int


class ResultOut(Schema):
    """Revenue by class, how many accounts change by how much, who gains and loses most."""

    every: int
    classes: list[ClassOut]
    bands: list[BandOut]
    winners: int
    losers: int
    unchanged: int
    largest_savings: list[ExtremeOut]
    largest_increases: list[ExtremeOut]
    not_rated: list[NotRatedOut]


@router.post("/what-if", response=ResultOut, summary="Imagine another tariff")
def what_if(request: HttpRequest, body: WhatIfIn) -> ResultOut:
    """What the bills would have come to, for one account or the city. Nothing is changed."""
    actor = actor_of_request(request)
    actor.require("billing.view")
    scenario = Scenario(
        tariff=body.tariff,
        other_tariff=body.other_tariff,
        component=body.component,
        change_percent=_exact(body.change_percent),
        new_rate=_exact(body.new_rate),
        exempt_percent=_exact(body.exempt_percent),
        rate_class=body.rate_class,
    )
    scenario.refuse_nothing()
    every = body.every or running.sampling(body.tariff, _ACCOUNTS_AT_ONCE)
    least = running.sampling(body.tariff, _MOST_ACCOUNTS)
    if every < least and not body.account:
        raise Invalid(
            f"The city is too large to be looked at whole in one request; send every {least} or "
            "more, or use chamberlain what-if, which looks at all.",
            field="every",
        )
    scope = Scope(body.since, _day_after(body.until), body.account, 1 if body.account else every)
    found = running.what_if(actor, scenario, scope)
    extremes = (*found.largest_savings, *found.largest_increases)
    numbers = running.account_numbers([each.account_id for each in extremes])
    return ResultOut(
        every=found.every,
        classes=[shown(ClassOut, each) for each in found.classes],
        bands=[shown(BandOut, each) for each in found.bands],
        winners=found.winners,
        losers=found.losers,
        unchanged=found.unchanged,
        largest_savings=[_extreme(each, numbers) for each in found.largest_savings],
        largest_increases=[_extreme(each, numbers) for each in found.largest_increases],
        not_rated=[NotRatedOut(reason=reason, bills=bills) for reason, bills in found.not_rated],
    )


def _exact(number: str | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def _day_after(day: date) -> date:
    return day + timedelta(days=1)


def _extreme(each: Extreme, numbers: dict[int, str]) -> ExtremeOut:
    return shown(ExtremeOut, each, account=numbers[each.account_id])

"""What an account owed on a past day, its penalties, and why a bill is what it is."""

from datetime import date

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from chamberlain.api.fields import Cursor, Day, Limit, Number, Page, offset_of, page_of, shown
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.comparing.queries import why
from chamberlain.billing.penalties.queries import penalties_of_account
from chamberlain.kernel.errors import Invalid
from chamberlain.ledger import past
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Explanations"])


class PastBalanceOut(Schema):
    """What was owed and in credit at the end of a business day, by how many transfers."""

    on: date
    owed_cents: int
    credit_cents: int
    balance_cents: int
    moves: int


class PenaltyOut(Schema):
    """A penalty; `open_cents` is what was open of its cause on the day it fell due."""

    charge_id: int
    caused_by_id: int
    caused_by: str
    document: str
    falls_on: date
    open_cents: int
    cents: int
    is_reversed: bool


class PartOut(Schema):
    """A reason, in words, and the cents that it changed the bill by."""

    name: str
    label: str
    cents: int
    sentence: str


class ComparisonOut(Schema):
    """A bill against an earlier one; the parts add up to `change_cents`."""

    name: str
    before: str
    before_cents: int
    change_cents: int
    headline: str
    parts: list[PartOut]


class WhyOut(Schema):
    """A bill and what it is compared to; nothing for the first bill of a service."""

    number: str
    total_cents: int
    comparisons: list[ComparisonOut]


@router.get("/accounts/{number}/balance", response=PastBalanceOut, summary="Balance on a past day")
def balance(request: HttpRequest, number: Number, on: Day) -> PastBalanceOut:
    """What the account owed, and had in credit, at the end of a business day."""
    actor_of_request(request).require("account.view")
    account_id = account_id_of(number)
    if on > timezone.localdate():
        raise Invalid("That day has not come yet; give today or a day before.", field="on")
    return shown(PastBalanceOut, past.past_balance(account_id, on))


@router.get(
    "/accounts/{number}/penalties", response=Page[PenaltyOut], summary="Penalties of an account"
)
def penalties(
    request: HttpRequest, number: Number, limit: Limit = 50, cursor: Cursor = ""
) -> Page[PenaltyOut]:
    """Late penalties of an account with what caused them, the latest first."""
    actor_of_request(request).require("account.view")
    start = offset_of(cursor)
    found = penalties_of_account(account_id_of(number))[start : start + limit + 1]
    rows, following = page_of(found, start, limit)
    return Page(items=[shown(PenaltyOut, row) for row in rows], next=following)


@router.get("/bills/{number}/why", response=WhyOut, summary="Why a bill is what it is")
def explanation(request: HttpRequest, number: Number) -> WhyOut:
    """A bill against the one before and against the same time last year, in parts that add up."""
    actor_of_request(request).require("account.view")
    found = why(number)
    comparisons = [
        ComparisonOut(
            name=str(each.name),
            before=each.before.number,
            before_cents=each.before.total_cents,
            change_cents=each.change_cents,
            headline=each.headline,
            parts=[shown(PartOut, part) for part in each.parts],
        )
        for each in found.comparisons
    ]
    return WhyOut(
        number=found.bill.number, total_cents=found.bill.total_cents, comparisons=comparisons
    )

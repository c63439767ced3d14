"""Late penalties of an account."""

from datetime import date

from django.http import HttpRequest
from ninja import Router, Schema

from chamberlain.api.fields import Cursor, Limit, Number, Page, offset_of, page_of, shown
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing.penalties.queries import penalties_of_account
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Explanations"])


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

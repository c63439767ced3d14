"""What an account owed on a past day, and what made it so."""

from datetime import date, datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from chamberlain.api.fields import Cursor, Day, Limit, Number, Page, offset_of, page_of
from chamberlain.api.tokens import actor_of_request
from chamberlain.kernel.errors import Invalid
from chamberlain.ledger import past
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Accounts and charges"])


class PastBalanceOut(Schema):
    """What was owed and in credit at the end of a business day; below zero is credit."""

    account: str
    on: date
    owed_cents: int
    credit_cents: int
    balance_cents: int
    moves: int


class MoveOut(Schema):
    """A transfer: what it changed of what is owed and in credit, and the balance after it."""

    transfer_id: int
    entry_id: int
    day: date
    posted_at: datetime
    kind: str
    document: str
    what: str
    actor: str
    owed_cents: int
    credit_cents: int
    balance_cents: int


@router.get("/accounts/{number}/balance", response=PastBalanceOut, summary="Balance on a past day")
def past_balance(request: HttpRequest, number: Number, on: Day) -> PastBalanceOut:
    """What the account owed, and had in credit, at the end of the day."""
    actor_of_request(request).require("account.view")
    found = past.past_balance(account_id_of(number), _come(on))
    return PastBalanceOut(
        account=number,
        on=found.on,
        owed_cents=found.owed_cents,
        credit_cents=found.credit_cents,
        balance_cents=found.balance_cents,
        moves=found.moves,
    )


@router.get(
    "/accounts/{number}/balance/moves",
    response=Page[MoveOut],
    summary="What made the balance of a past day",
)
def moves(
    request: HttpRequest, number: Number, on: Day, limit: Limit = 50, cursor: Cursor = ""
) -> Page[MoveOut]:
    """The transfers up to the end of the day, the newest first, each with its balance."""
    actor_of_request(request).require("account.view")
    start = offset_of(cursor)
    found = past.moves_until(account_id_of(number), _come(on), limit + 1, start)
    rows, following = page_of(found, start, limit)
    return Page(items=[_move(row) for row in rows], next=following)


def _come(on: date) -> date:
    if on > timezone.localdate():
        raise Invalid(f"{on} has not come yet; give today or a day before.", field="on")
    return on


def _move(row: past.Move) -> MoveOut:
    return MoveOut(
        transfer_id=row.transfer_id,
        entry_id=row.entry_id,
        day=row.day,
        posted_at=row.posted_at,
        kind=row.kind,
        document=row.document,
        what=row.what,
        actor=row.actor,
        owed_cents=row.owed_cents,
        credit_cents=row.credit_cents,
        balance_cents=row.balance_cents,
    )

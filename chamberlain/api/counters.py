"""What other systems ask of the counters: where stock is, and the journals of closed days."""

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema

from chamberlain.api.fields import Day, shown
from chamberlain.api.tokens import actor_of_request
from chamberlain.cashiering.stock import queries as stock
from chamberlain.reconciliation.general_ledger import queries as journals

router = Router(tags=["Counters"])
KindCode = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,24}$")]
ItemNumber = Annotated[str, Path(pattern=r"^[A-Za-z0-9\-]{1,20}$")]
JournalNumber = Annotated[str, Path(pattern=r"^J-[0-9]{6,10}$")]


class StockOut(Schema):
    """How much of a kind lies at a place, and the numbers in words."""

    kind_code: str
    kind: str
    place: str
    role: str
    count: int
    numbers: str
    is_low: bool


class StockMoveOut(Schema):
    """A move of numbers from a place to another."""

    numbers: str
    count: int
    source: str
    target: str
    moved_by: str
    second: str
    moved_at: datetime
    reason: str


class ItemOut(Schema):
    """A number as it is printed, and every move of it, the first one first."""

    number: str
    moves: list[StockMoveOut]


class JournalLineOut(Schema):
    """What an account was debited and credited with. account: of the general ledger."""

    account: str
    code: str
    name: str
    debit_cents: int
    credit_cents: int


class JournalOut(Schema):
    """The journal of a center's closed day."""

    number: str
    day: date
    center: str
    lines: list[JournalLineOut]


@router.get("/stock", response=list[StockOut], summary="Numbered stock")
def in_stock(request: HttpRequest) -> list[StockOut]:
    """What lies in the city's store, in safes and tills and is under way."""
    actor_of_request(request).require("stock.view")
    return [shown(StockOut, row) for row in stock.stock()]


@router.get("/stock/{kind}/{number}", response=ItemOut, summary="A number's way")
def item(request: HttpRequest, kind: KindCode, number: ItemNumber) -> ItemOut:
    """Every move of one number."""
    actor_of_request(request).require("stock.view")
    printed, moves = stock.way_of_number(kind, number)
    return ItemOut(number=printed, moves=[shown(StockMoveOut, each) for each in moves])


@router.get("/journals", response=list[str], summary="Journals of some days")
def journals_between(
    request: HttpRequest, since: Annotated[Day, Query()], until: Annotated[Day, Query()]
) -> list[str]:
    """The numbers of the journals of business days, both ends among them."""
    actor_of_request(request).require("reconciliation.view")
    return journals.journals_between(since, until)


@router.get("/journals/{number}", response=JournalOut, summary="A journal")
def journal(request: HttpRequest, number: JournalNumber) -> JournalOut:
    """A closed day as the general ledger gets it; the same each time."""
    actor_of_request(request).require("reconciliation.view")
    day = journals.journal(number)
    return JournalOut(
        number=day.journal,
        day=day.day,
        center=day.center,
        lines=[shown(JournalLineOut, line) for line in journals.lines([number])],
    )

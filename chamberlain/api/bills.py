"""Bills, with their lines and as PDF."""

from dataclasses import asdict
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from chamberlain.api.fields import Cursor, Limit, Number, Page, offset_of, page_of
from chamberlain.api.tokens import actor_of_request
from chamberlain.billing import queries
from chamberlain.billing.documents import bill_pdf
from chamberlain.ledger.queries import account_id_of

router = Router(tags=["Bills"])
PDF = {
    "responses": {
        200: {
            "description": "The bill as PDF/UA-1",
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


class BillOut(Schema):
    """A bill. It is never changed: one that was wrong is reversed and replaced."""

    number: str
    account: str
    from_on: date
    to_on: date
    issued_on: date
    due_on: date
    total_cents: int
    previous_balance_cents: int
    open_cents: int
    is_reversed: bool
    tariff: str
    rate_class: str
    usage_thousandths: int | None
    unit: str | None
    read_quality: str | None
    bill_run_id: int | None


class LineOut(Schema):
    """A printed line: what, how much of it, at which rate, and its source."""

    position: int
    code: str
    label: str
    formula: str
    source: str
    cents: int
    open_cents: int
    quantity_thousandths: int
    unit: str
    rate_micros: int | None
    days: int
    steps: list[dict[str, Any]]
    charge_id: int | None


class BillWithLines(BillOut):
    """A bill with its printed lines."""

    lines: list[LineOut]


@router.get("/accounts/{number}/bills", response=Page[BillOut], summary="Bills of an account")
def bills_of_account(
    request: HttpRequest, number: Number, limit: Limit = 50, cursor: Cursor = ""
) -> Page[BillOut]:
    """Bills of an account, the newest first."""
    actor_of_request(request).require("account.view")
    start = offset_of(cursor)
    found = queries.bills_of_account(account_id_of(number), limit + 1, start)
    rows, following = page_of(found, start, limit)
    return Page(items=[_bill(row) for row in rows], next=following)


@router.get("/bills/{number}", response=BillWithLines, summary="A bill")
def bill(request: HttpRequest, number: Number) -> BillWithLines:
    """A bill with its lines."""
    actor_of_request(request).require("account.view")
    found = queries.bill(number)
    lines = [LineOut(**asdict(line)) for line in queries.lines_of_bill(found.bill_id)]
    return BillWithLines(**_bill(found).model_dump(), lines=lines)


@router.get("/bills/{number}/pdf", response={200: None}, openapi_extra=PDF, summary="A bill as PDF")
def bill_as_pdf(request: HttpRequest, number: Number) -> HttpResponse:
    """The bill as it is printed; it shows the holder's name and address."""
    actor = actor_of_request(request)
    actor.require("account.view")
    actor.require("contact.view")
    found = queries.bill(number)
    answer = HttpResponse(bill_pdf([found.bill_id]), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="bill-{found.number}.pdf"'
    return answer


def _bill(row: queries.BillRow) -> BillOut:
    return BillOut(
        number=row.number,
        account=row.account_number,
        from_on=row.from_on,
        to_on=row.to_on,
        issued_on=row.issued_on,
        due_on=row.due_on,
        total_cents=row.total_cents,
        previous_balance_cents=row.previous_balance_cents,
        open_cents=row.open_cents,
        is_reversed=row.is_reversed,
        tariff=row.tariff_code,
        rate_class=row.rate_class,
        usage_thousandths=row.usage_thousandths,
        unit=row.unit,
        read_quality=row.quality,
        bill_run_id=row.run_id,
    )

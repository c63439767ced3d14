"""Bills as PDF/UA-1, one or many to a file, by Typst."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from chamberlain.billing import queries
from chamberlain.billing.access.codes import bill_code
from chamberlain.billing.comparing.made_from import counted_by_meter
from chamberlain.billing.estimating.queries import how_estimated
from chamberlain.billing.explanation import (
    explain_line,
    plain,
    quantity_in_words,
    unit_in_words,
)
from chamberlain.billing.plans.queries import BilledInstalment, instalments_with_bills
from chamberlain.billing.queries import BillRow, LineRow
from chamberlain.kernel import paper
from chamberlain.kernel.money import show_cents
from chamberlain.kernel.periods import day_in_words
from chamberlain.metering.parts import PartRow

TEMPLATE = Path(__file__).parent / "templates" / "bill.typ"
_HISTORY = 7


def bill_pdf(bill_ids: Sequence[int]) -> bytes:
    """The bills as one PDF/UA-1 file, each on a page of its own, in the order given."""
    return paper.pdf(TEMPLATE, bill_data(bill_ids))


def bill_data(bill_ids: Sequence[int]) -> dict[str, Any]:
    """What the template prints, as text: figures are formatted here, never reckoned there."""
    found = {bill.bill_id: bill for bill in queries.bills_by_id(bill_ids)}
    bills = [found[bill_id] for bill_id in bill_ids if bill_id in found]
    lines = queries.lines_of_bills([bill.bill_id for bill in bills])
    history = _usage_before([bill.bill_id for bill in bills])
    instalments = instalments_with_bills([bill.bill_id for bill in bills])
    estimated = how_estimated([bill.bill_id for bill in bills])
    counted = counted_by_meter([bill.bill_id for bill in bills])
    title = f"Bill {bills[0].number}" if len(bills) == 1 else f"{len(bills)} bills"
    return {
        "city": settings.CITY_NAME,
        "title": title,
        "bills": [
            _page(bill, lines[bill.bill_id], history.get(bill.bill_id, []))
            | {
                "usage": _usage(
                    bill, estimated.get(bill.bill_id, ""), counted.get(bill.bill_id, [])
                )
            }
            | {"plan": _plan(instalments.get(bill.bill_id, []))}
            for bill in bills
        ],
    }


def _page(
    bill: BillRow, lines: Sequence[LineRow], usage: list[tuple[date, int, str]]
) -> dict[str, Any]:
    return {
        "number": bill.number,
        "account": bill.account_number,
        "code": bill_code(bill.bill_id, bill.number),
        "holder": bill.mail_to or bill.holder,
        "address": bill.mail_address or bill.address,
        "place": bill.address if bill.mail_address else "",
        "from_on": day_in_words(bill.from_on),
        "last_on": day_in_words(bill.to_on),
        "days": (bill.to_on - bill.from_on).days,
        "issued_on": day_in_words(bill.issued_on),
        "due_on": day_in_words(bill.due_on),
        "tariff": bill.tariff_name,
        "total": show_cents(bill.total_cents),
        "previous": _previous(bill),
        "lines": [
            {"label": line.label, "explained": explain_line(line), "amount": show_cents(line.cents)}
            for line in lines
        ],
        "usage_history": [
            {"label": f"{day:%b %y}", "amount": max(0, thousandths)}
            for day, thousandths, _ in usage
        ],
        "usage_alt": _chart_in_words(usage),
    }


def _chart_in_words(usage: Sequence[tuple[date, int, str]]) -> str:
    """The chart of usage for who cannot see it: bars in one unit name it once."""
    units = {unit for _, _, unit in usage}
    if len(units) == 1:
        bars = "; ".join(f"{day:%B %Y} {plain(amount)}" for day, amount, _ in usage)
        return f"Bar chart of usage by bill in {unit_in_words(units.pop())}: {bars}"
    bars = "; ".join(f"{day:%B %Y} {quantity_in_words(n, unit)}" for day, n, unit in usage)
    return f"Bar chart of usage by bill: {bars}"


def _usage(bill: BillRow, how: str, parts: Sequence[PartRow]) -> str:
    if bill.usage_thousandths is None or bill.unit is None:
        return "Not metered"
    used = f"Used {quantity_in_words(bill.usage_thousandths, bill.unit)}"
    if bill.quality == "estimate":
        used = f"{used} (estimated). {how}".rstrip()
    if not parts:
        return used
    return f"{used.rstrip('.')}. {'; '.join(map(_counted, parts))}."


def _counted(part: PartRow) -> str:
    """What one meter counted of a read that several did."""
    subtracted = ", subtracted" if part.role == "deduct" else ""
    quantity = quantity_in_words(abs(part.usage_thousandths), part.unit)
    return (
        f"Meter {part.meter} from {part.register_before} to {part.register_after}: "
        f"{quantity}{subtracted}"
    )


def _previous(bill: BillRow) -> str:
    before = bill.previous_balance_cents
    if before == 0:
        return "Nothing was owed from before this bill."
    total = show_cents(before + bill.total_cents)
    if before > 0:
        return f"From before this bill {show_cents(before)} is owed; in all that is {total}."
    return f"Your credit of {show_cents(-before)} was used for this bill; {total} is left to pay."


def _plan(instalments: Sequence[BilledInstalment]) -> str:
    if not instalments:
        return ""
    due = "; ".join(
        f"{show_cents(each.cents)} by {day_in_words(each.due_on)}" for each in instalments
    )
    number = instalments[0].plan_number
    return f"To be paid under your payment plan {number} until the next bill: {due}."


def _usage_before(bill_ids: list[int]) -> dict[int, list[tuple[date, int, str]]]:
    """Usage of the last bills up to each bill, for its chart, the oldest first."""
    query = """
        SELECT b.id, u.to_on, u.usage_thousandths, u.unit FROM billing_bill b
        CROSS JOIN LATERAL (
            SELECT r.to_on, r.usage_thousandths, r.unit, r.id
            FROM billing_bill o JOIN metering_read r ON r.id = o.read_id
            WHERE o.account_id = b.account_id AND o.agreement_id = b.agreement_id
                AND o.replaces_id IS NULL AND r.to_on <= b.to_on
            ORDER BY r.to_on DESC, r.id DESC LIMIT %s) u
        WHERE b.id = ANY(%s) AND b.read_id IS NOT NULL ORDER BY b.id, u.to_on, u.id
    """
    found: dict[int, list[tuple[date, int, str]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [_HISTORY, bill_ids])
        for bill_id, day, thousandths, unit in cursor.fetchall():
            found.setdefault(bill_id, []).append((day, thousandths, unit))
    return found

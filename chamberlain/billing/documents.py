"""Bills as PDF/UA-1, one or many to a file, by Typst."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import translation

from chamberlain.billing import bill_words, queries
from chamberlain.billing.access.codes import bill_code
from chamberlain.billing.bill_words import ENGLISH
from chamberlain.billing.comparing.made_from import counted_by_meter
from chamberlain.billing.comparing.words import day_said
from chamberlain.billing.estimating.queries import how_estimated
from chamberlain.billing.explanation import explain_line
from chamberlain.billing.plans.queries import instalments_with_bills
from chamberlain.billing.queries import BillRow, LineRow
from chamberlain.kernel import paper
from chamberlain.kernel.money import show_cents

TEMPLATE = Path(__file__).parent / "templates" / "bill.typ"
_HISTORY = 7


def bill_pdf(bill_ids: Sequence[int], language: str = "") -> bytes:
    """The bills as one PDF/UA-1 file, each on a page of its own, in the order given.

    language: of all of them; "" for that of each holder, where the program speaks it.
    """
    return paper.pdf(TEMPLATE, bill_data(bill_ids, language))


def bill_data(bill_ids: Sequence[int], language: str = "") -> dict[str, Any]:
    """What the template prints, as text: figures are formatted here, never reckoned there."""
    found = {bill.bill_id: bill for bill in queries.bills_by_id(bill_ids)}
    ids = [bill_id for bill_id in bill_ids if bill_id in found]
    lines = queries.lines_of_bills(ids)
    history = _usage_before(ids)
    instalments = instalments_with_bills(ids)
    counted = counted_by_meter(ids)
    spoken = dict.fromkeys(ids, language) if language else bill_words.languages_of(ids)
    pages: dict[int, dict[str, Any]] = {}
    words = {}
    for code in sorted({spoken.get(bill_id, ENGLISH) for bill_id in ids}):
        own = [bill_id for bill_id in ids if spoken.get(bill_id, ENGLISH) == code]
        with translation.override(code):
            estimated = how_estimated(own)
            words[code] = bill_words.labels()
            for bill_id in own:
                bill = found[bill_id]
                how, parts = estimated.get(bill_id, ""), counted.get(bill_id, [])
                pages[bill_id] = _page(bill, lines[bill_id], history.get(bill_id, [])) | {
                    "language": code,
                    "usage": bill_words.usage_said(bill, how, parts),
                    "plan": bill_words.plan_said(instalments.get(bill_id, [])),
                }
    for code, _name in settings.LANGUAGES:
        if code not in words:
            with translation.override(code):
                words[code] = bill_words.labels()
    title = f"Bill {found[ids[0]].number}" if len(ids) == 1 else f"{len(ids)} bills"
    return {
        "city": settings.CITY_NAME,
        "title": title,
        "languages": [code for code, _name in settings.LANGUAGES],
        "words": words,
        "bills": [pages[bill_id] for bill_id in ids],
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
        "from_on": day_said(bill.from_on),
        "last_on": day_said(bill.to_on - timedelta(days=1)),
        "days": (bill.to_on - bill.from_on).days,
        "issued_on": day_said(bill.issued_on),
        "due_on": day_said(bill.due_on),
        "tariff": bill.tariff_name,
        "total": show_cents(bill.total_cents),
        "previous": bill_words.previous_said(bill),
        "lines": [
            {
                "label": bill_words.label_said(line.label),
                "explained": explain_line(line),
                "amount": show_cents(line.cents),
            }
            for line in lines
        ],
        "usage_history": [
            {"label": bill_words.month_said(day), "amount": max(0, thousandths)}
            for day, thousandths, _unit in usage
        ],
        "usage_alt": bill_words.chart_said(usage),
    }


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

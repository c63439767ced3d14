"""The way of a payment on paper, for the customer: no names of staff, no account of a bank."""

from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from chamberlain.kernel.money import show_cents
from chamberlain.kernel.paper import pdf
from chamberlain.reconciliation.tracing import PaymentWay, TenderWay

_TEMPLATE = Path(__file__).parent / "documents" / "way.typ"
_TENDERS = {"cash": "Cash", "check": "Check", "money_order": "Money order", "card": "Card"}


def way_pdf(way: PaymentWay, today: date) -> bytes:
    """What became of a payment as PDF/UA-1."""
    content = {
        "title": f"What became of the payment {way.receipt.number}",
        "city": str(settings.CITY_NAME),
        "center": f"{way.receipt.center_name}, {way.receipt.center_address}",
        "steps": steps(way),
        "lines": [
            [line.account_number, line.kind_name, line.document, show_cents(line.cents)]
            for line in way.receipt.lines
        ],
        "total": show_cents(way.receipt.total_cents),
        "tenders": [
            [
                f"{_TENDERS[each.tender.kind]} {each.tender.reference}".strip(),
                show_cents(each.tender.cents),
                _to_the_bank(each),
            ]
            for each in way.tenders
        ],
        "today": _day(today),
    }
    return pdf(_TEMPLATE, content)


def steps(way: PaymentWay) -> list[str]:
    """What happened, in sentences, in the order of time."""
    taken = timezone.localtime(way.receipt.taken_at)
    told = [
        f"Taken on {_day(taken.date())} at {taken:%-I:%M %p} at {way.receipt.center_name}, "
        f"till {way.receipt.till}: {show_cents(way.receipt.tendered_cents)} was handed over and "
        f"{show_cents(way.receipt.change_cents)} was given back as change."
    ]
    if way.receipt.is_voided and way.void_day:
        told.append(
            f"Voided on {_day(way.void_day)}: {way.receipt.void_reason}. What it had settled is "
            "open again, and the money was given back."
        )
        return told
    if way.moved_by:
        told.append(f"Moved to another account afterwards by adjustment {way.moved_by}.")
    if way.day_closed_at:
        told.append(f"The day was closed and sealed on {_moment(way.day_closed_at)}.")
    if way.signed_at:
        told.append(
            f"Receipts, deposits and bank of the day were signed as agreeing on "
            f"{_moment(way.signed_at)}."
        )
    return told


def _to_the_bank(way: TenderWay) -> str:
    if not way.deposits:
        return "Not deposited yet"
    return "; ".join(
        f"Deposit {deposit.number}, at the bank on {_day(deposit.value_on)}"
        if deposit.value_on
        else f"Deposit {deposit.number}, on its way to the bank"
        for deposit in way.deposits
    )


def _day(day: date) -> str:
    return f"{day:%B %-d, %Y}"


def _moment(when: datetime) -> str:
    return _day(timezone.localtime(when).date())

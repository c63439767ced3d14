"""The daily reconciliation on paper (PDF/UA-1), of a center or of the city."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from chamberlain.kernel.money import show_cents
from chamberlain.kernel.paper import pdf
from chamberlain.reconciliation.daily import (
    CenterPart,
    CityDay,
    Source,
    signed_in_words,
    total,
)
from chamberlain.reconciliation.listings import TenderFigures
from chamberlain.reconciliation.queries import Difference

_TEMPLATE = Path(__file__).parent / "documents" / "daily.typ"
_TENDERS = {"cash": "Cash", "check": "Checks", "money_order": "Money orders", "card": "Cards"}


def center_pdf(part: CenterPart, now: datetime) -> bytes:
    """A center's day."""
    view = part.view
    return _pdf(
        f"Reconciliation of {view.center_name}, {view.day:%B %-d, %Y}",
        view.differences,
        part.tenders,
        part.sources,
        [[view.center_name, part.state.capitalize(), signed_in_words(part)]],
        now,
        note=view.note,
    )


def city_pdf(day: CityDay, now: datetime) -> bytes:
    """The whole city's day."""
    return _pdf(
        f"Reconciliation of all centers, {day.day:%B %-d, %Y}",
        day.differences,
        day.tenders,
        day.sources,
        [
            [part.view.center_name, part.state.capitalize(), signed_in_words(part)]
            for part in day.centers
        ],
        now,
        channels=[[c.name, str(c.payments), show_cents(c.cents)] for c in day.channels],
    )


def _pdf(
    title: str,
    differences: tuple[Difference, ...],
    tenders: tuple[TenderFigures, ...],
    sources: tuple[Source, ...],
    centers: list[list[str]],
    now: datetime,
    note: str = "",
    channels: list[list[str]] | None = None,
) -> bytes:
    content = {
        "title": title,
        "city": str(settings.CITY_NAME),
        "differences": [[row.sentence, show_cents(row.cents)] for row in differences],
        "tenders": [_tender(row) for row in tenders],
        "total": total(tenders),
        "sources": [[row.name, str(row.lines), show_cents(row.cents)] for row in sources],
        "channels": channels or [],
        "centers": centers,
        "note": note,
        "made": f"{timezone.localtime(now):%B %-d, %Y, %-I:%M %p}",
    }
    return pdf(_TEMPLATE, content)


def _tender(row: TenderFigures) -> list[str]:
    counted = "not counted" if row.counted_cents is None else show_cents(row.counted_cents)
    return [
        _TENDERS[row.tender_kind] + (" (differs)" if row.differs else ""),
        show_cents(row.receipts_cents),
        counted,
        show_cents(row.deposited_cents),
        show_cents(row.bank_cents),
    ]

"""The daily reconciliation of a center or of the city: differences first, then the figures."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.cashiering.days import day_of_center
from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.models import BusinessDay
from chamberlain.reconciliation.listings import TenderFigures, figures_by_tender
from chamberlain.reconciliation.models import Reopening
from chamberlain.reconciliation.queries import Difference, ReconciliationView, reconciliation


@dataclass(frozen=True, slots=True)
class Source:
    """What was paid for: a revenue source, how many lines and how much."""

    name: str
    lines: int
    cents: int


@dataclass(frozen=True, slots=True)
class Channel:
    """Money of the day that no counter took."""

    name: str
    payments: int
    cents: int


@dataclass(frozen=True, slots=True)
class CenterPart:
    """A center's part of a day."""

    view: ReconciliationView
    tenders: tuple[TenderFigures, ...]
    sources: tuple[Source, ...]

    @property
    def state(self) -> str:
        """`open`, `to prepare`, `to sign` or `signed`."""
        if not self.view.is_closed:
            return "open"
        if self.view.prepared_at is None:
            return "to prepare"
        return "signed" if self.view.signed_at else "to sign"


@dataclass(frozen=True, slots=True)
class CityDay:
    """All centers on a day. differences: each with its center's name before it."""

    day: date
    centers: tuple[CenterPart, ...]
    tenders: tuple[TenderFigures, ...]
    sources: tuple[Source, ...]
    channels: tuple[Channel, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class ReopeningRow:
    """A signature that was taken off, and why."""

    signed_by: str
    signed_at: datetime
    reason: str
    reopened_by: str
    reopened_at: datetime


_CHANNELS = """
    SELECT a.code, count(DISTINCT e.id), sum(t.cents)::bigint
    FROM ledger_businessday d
    JOIN ledger_entry e ON e.business_day_id = d.id AND e.kind = 'payment'
    JOIN ledger_transfer t ON t.entry_id = e.id
    JOIN ledger_ledgeraccount a ON a.id = t.debit_id AND a.code LIKE '1040-%%'
    WHERE d.day = %s GROUP BY a.code ORDER BY a.code
"""


def center_part(business_day_id: int) -> CenterPart:
    """A center's day. Raises NotFound."""
    day = day_of_center(business_day_id)
    return CenterPart(
        reconciliation(business_day_id),
        tuple(figures_by_tender(business_day_id)),
        tuple(Source(row.name, row.pieces, row.cents) for row in day.by_kind),
    )


def city_day(on: date) -> CityDay:
    """The whole city on a day. Raises NotFound when no center had that day."""
    ids = BusinessDay.objects.filter(day=on).order_by("center__name").values_list("pk", flat=True)
    parts = tuple(center_part(day_id) for day_id in ids)
    if not parts:
        raise NotFound(f"No center had {on:%B %-d, %Y} as a business day.")
    return CityDay(
        day=on,
        centers=parts,
        tenders=_all_tenders(parts),
        sources=_all_sources(parts),
        channels=tuple(
            Channel(chart.CHANNELS.get(code.removeprefix("1040-"), code), payments, cents)
            for code, payments, cents in rows(_CHANNELS, [on])
        ),
        differences=tuple(
            Difference(f"{part.view.center_name}: {each.sentence}", each.cents)
            for part in parts
            for each in part.view.differences
        ),
    )


def _all_tenders(parts: tuple[CenterPart, ...]) -> tuple[TenderFigures, ...]:
    found: dict[str, TenderFigures] = {}
    for row in (row for part in parts for row in part.tenders):
        before = found.get(row.tender_kind, TenderFigures(row.tender_kind, 0, None, 0, 0))
        counted = [c for c in (before.counted_cents, row.counted_cents) if c is not None]
        found[row.tender_kind] = TenderFigures(
            row.tender_kind,
            before.receipts_cents + row.receipts_cents,
            sum(counted) if counted else None,
            before.deposited_cents + row.deposited_cents,
            before.bank_cents + row.bank_cents,
        )
    return tuple(found.values())


def _all_sources(parts: tuple[CenterPart, ...]) -> tuple[Source, ...]:
    found: dict[str, tuple[int, int]] = {}
    for row in (row for part in parts for row in part.sources):
        lines, cents = found.get(row.name, (0, 0))
        found[row.name] = lines + row.lines, cents + row.cents
    made = (Source(name, lines, cents) for name, (lines, cents) in found.items())
    return tuple(sorted(made, key=lambda source: -source.cents))


def reopenings(business_day_id: int) -> list[ReopeningRow]:
    """The signatures that were taken off a day, the latest first."""
    found = Reopening.objects.filter(reconciliation__business_day_id=business_day_id)
    return [
        ReopeningRow(
            str(row.signed_by), row.signed_at, row.reason, str(row.reopened_by), row.reopened_at
        )
        for row in found.select_related("signed_by", "reopened_by").order_by("-pk")
    ]


def signed_in_words(part: CenterPart) -> str:
    """Who prepared and who signed a center's day, or what it waits for."""
    view = part.view
    if view.prepared_at is None:
        return "not prepared yet" if view.is_closed else "the day is open"
    prepared = f"prepared by {view.prepared_by}"
    return (
        f"{prepared}, signed by {view.signed_by}" if view.signed_at else f"{prepared}, not signed"
    )


def total(tenders: tuple[TenderFigures, ...]) -> str:
    """What was taken over these tenders, as money."""
    return show_cents(sum(row.receipts_cents for row in tenders))

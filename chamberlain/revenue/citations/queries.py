"""Citations as they are looked up: by number, by plate, by stage."""

from dataclasses import dataclass
from datetime import date, datetime

from chamberlain.database.rows import rows
from chamberlain.kernel.errors import NotFound
from chamberlain.revenue.citations.models import Boot, Citation, CitationEvent


@dataclass(frozen=True, slots=True)
class CitationRow:
    """A citation with what it comes to and what is open on it, in cents."""

    obligation_id: int
    number: str
    plate: str
    account_id: int
    account_number: str
    violation: str
    issued_on: date
    stage: str
    hearing_on: date | None
    cents: int
    open_cents: int

    @property
    def label(self) -> str:
        """The stage in words; a citation that nothing is open on is paid."""
        if self.stage != Citation.Stage.DISMISSED and self.open_cents == 0:
            return "Paid"
        return str(Citation.Stage(self.stage).label)


@dataclass(frozen=True, slots=True)
class EventRow:
    """A change of stage."""

    label: str
    on: date
    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class BootRow:
    """A boot that is on, or was."""

    boot_id: int
    plate: str
    account_number: str
    eligible: str
    place: str
    booted_on: date
    booted_by: str
    towed_on: date | None
    stored_until: date | None
    released_on: date | None


_ROWS = """
    SELECT o.id, o.number, c.plate, o.account_id, a.number, o.description, o.arose_on, c.stage,
        c.hearing_on, h.cents, h.open
    FROM citations_citation c
    JOIN revenue_obligation o ON o.id = c.obligation_id
    JOIN ledger_account a ON a.id = o.account_id
    JOIN LATERAL (SELECT coalesce(sum(x.cents), 0)::bigint AS cents,
            coalesce(sum(x.cents - coalesce(s.settled_cents, 0)), 0)::bigint AS open
        FROM revenue_obligationcharge y JOIN ledger_charge x ON x.id = y.charge_id
        LEFT JOIN ledger_settlement s ON s.charge_id = x.id WHERE y.obligation_id = o.id) h ON true
    WHERE {where} ORDER BY {order} LIMIT %(limit)s
"""


def citation(number: str) -> CitationRow:
    """A citation. Raises NotFound."""
    found = _rows("o.number = %(number)s", number=number.strip().upper(), limit=1)
    if not found:
        raise NotFound(f"There is no citation {number.strip()[:24]}; check the number.")
    return found[0]


def citations_of_plate(plate: str, limit: int = 200) -> list[CitationRow]:
    """The citations of a vehicle, the latest first."""
    return _rows("c.plate = %(plate)s", plate=plate, limit=limit)


def hearings(limit: int = 100) -> list[CitationRow]:
    """Citations that are contested: those without a day first, then by the day of the hearing."""
    return _rows(
        "c.stage IN ('contested', 'hearing')",
        order="c.hearing_on NULLS FIRST, o.id",
        limit=limit,
    )


def _rows(
    where: str, order: str = "o.arose_on DESC, o.id DESC", **params: object
) -> list[CitationRow]:
    return [CitationRow(*row) for row in rows(_ROWS.format(where=where, order=order), params)]


def events(obligation_id: int) -> list[EventRow]:
    """What happened to a citation, the first first."""
    found = CitationEvent.objects.filter(citation_id=obligation_id).select_related("by")
    return [
        EventRow(str(Citation.Stage(each.stage).label), each.on, each.at, str(each.by), each.note)
        for each in found.order_by("pk")
    ]


def by_stage() -> list[tuple[str, int, int]]:
    """Open citations by stage: its label, how many, and what is open on them in cents."""
    query = """
        SELECT c.stage, count(*), sum(h.open)::bigint
        FROM citations_citation c
        JOIN LATERAL (SELECT sum(x.cents - coalesce(s.settled_cents, 0)) AS open
            FROM revenue_obligationcharge y JOIN ledger_charge x ON x.id = y.charge_id
            LEFT JOIN ledger_settlement s ON s.charge_id = x.id
            WHERE y.obligation_id = c.obligation_id) h ON h.open > 0
        GROUP BY c.stage
    """
    found = {stage: (count, cents) for stage, count, cents in rows(query, [])}
    return [
        (str(stage.label), *found[stage.value]) for stage in Citation.Stage if stage.value in found
    ]


def boots(*, is_on: bool, limit: int = 100, plate: str = "") -> list[BootRow]:
    """Boots that are on vehicles now, the oldest first; else those that were, the latest first."""
    found = Boot.objects.filter(released_on__isnull=is_on).select_related("account", "booted_by")
    if plate:
        found = found.filter(plate=plate)
    return [
        BootRow(
            each.pk,
            each.plate,
            each.account.number,
            each.eligible,
            each.place,
            each.booted_on,
            str(each.booted_by),
            each.towed_on,
            each.stored_until,
            each.released_on,
        )
        for each in found.order_by("booted_on" if is_on else "-released_on")[:limit]
    ]

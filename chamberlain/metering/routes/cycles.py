"""How often routes are read, and on which days: loaded from the city's files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.calendar import BusinessCalendar
from chamberlain.kernel.errors import NotFound
from chamberlain.metering.routes.models import ReadCycle, WorkCalendar


@dataclass(frozen=True, slots=True)
class CycleTerms:
    """A cycle as the city's file gives it; see `models.ReadCycle`."""

    code: str
    name: str
    months: int
    first_month: int
    work_days: int
    early_days: int
    source: str
    is_verified: bool


def load_cycles(
    actor: Actor,
    cycles: Sequence[CycleTerms],
    country: str,
    subdivision: str | None,
    closed_days: Sequence[date],
) -> None:
    """Brings cycles and work days to what the city's files say. Harmless when they are so."""
    actor.require("city.load")
    with acting(actor), transaction.atomic():
        WorkCalendar.objects.update_or_create(
            country=country,
            defaults={"subdivision": subdivision or "", "closed_days": list(closed_days)},
        )
        for each in cycles:
            columns = asdict(each)
            ReadCycle.objects.update_or_create(code=columns.pop("code"), defaults=columns)


def work_calendar() -> BusinessCalendar:
    """The days on which the city reads meters. Raises NotFound."""
    found = WorkCalendar.objects.order_by("pk").first()
    if found is None:
        raise NotFound("The city's work days are not loaded; load the city's files.")
    return BusinessCalendar(
        country=found.country,
        subdivision=found.subdivision or None,
        closed_days=frozenset(found.closed_days),
    )

"""Citations of the demonstration: a vehicle that may be booted, one contested, a night's work."""

from datetime import date, datetime, timedelta

from django.db import transaction

from chamberlain.cities.demonstration.desk import OWES, first_of
from chamberlain.identity.actors import actor_named, program_actor
from chamberlain.identity.queries import revenue_office
from chamberlain.ledger.queries import open_day
from chamberlain.revenue.citations.contesting import contest
from chamberlain.revenue.citations.nightly import work_on_citations
from chamberlain.revenue.models import Obligation
from chamberlain.revenue.operations import Posting, issue_citation

PLATE = "KX 79 612"
_AGO = (20, 45, 70, 120, 400)
_VIOLATION = "citation.expired_meter_central"


def enter_citations(today: date, now: datetime) -> None:
    """Enters citations of one vehicle, contests the latest, and does the night's work; once."""
    day = open_day(revenue_office().center_id)
    numbers = [f"D{place + 1:05d}" for place in range(len(_AGO))]
    owners = first_of(OWES, [], 1)
    if day is None or not owners or Obligation.objects.filter(number=numbers[0]).exists():
        return
    clerk = actor_named("clara", today)
    with transaction.atomic():
        for number, ago in zip(numbers, _AGO, strict=True):
            issue_citation(
                clerk, owners[0].account_id, number, _VIOLATION, PLATE,
                today - timedelta(days=ago), Posting(day.pk, now),
            )  # fmt: skip
        contest(clerk, numbers[0], "The meter took no card", today, now, today + timedelta(days=9))
    work_on_citations(program_actor(), today, day.pk, now)

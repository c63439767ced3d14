"""The night's job of citations."""

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.identity.actors import program_actor
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import open_day
from chamberlain.revenue.citations.nightly import work_on_citations


@app.periodic(cron="15 2 * * *")
@app.task(name="citations.work", queue="billing", lock="citations.work", pass_context=False)
def work_on_citations_by_night(timestamp: int) -> None:
    """Does the night's work on citations on the revenue office's open day.

    timestamp: of the schedule. Raises NotFound when no day is open; the next night makes up for
    it.
    """
    day = open_day(revenue_office().center_id)
    if day is None:
        raise NotFound(
            "The revenue office has no open day, so no citation was looked at; open one."
        )
    work_on_citations(program_actor(), timezone.localdate(), day.pk, timezone.now())

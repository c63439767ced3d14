"""The night's job of deposits."""

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.billing.deposits.operations import release_due
from chamberlain.identity.actors import program_actor
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import open_day


@app.periodic(cron="45 2 * * *")
@app.task(name="deposits.release", queue="billing", lock="deposits.release", pass_context=False)
def release_deposits_by_night(timestamp: int) -> None:
    """Releases the deposits whose term is over, on the revenue office's open day.

    timestamp: of the schedule. Raises NotFound when no day is open; the next night makes up for
    it.
    """
    day = open_day(revenue_office().center_id)
    if day is None:
        raise NotFound("The revenue office has no open day, so no deposit was released; open one.")
    release_due(program_actor(), day.pk, timezone.now())

"""The night's job of late penalties."""

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.billing.penalties.operations import raise_penalties
from chamberlain.identity.actors import program_actor
from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import open_day


@app.periodic(cron="30 2 * * *")
@app.task(name="penalties.raise", queue="billing", lock="penalties.raise", pass_context=False)
def raise_penalties_by_night(timestamp: int) -> None:
    """Raises what fell due before today on the revenue office's open day.

    timestamp: of the schedule. Raises NotFound when no day is open; the next night makes up for
    it.
    """
    day = open_day(revenue_office().center_id)
    if day is None:
        raise NotFound("The revenue office has no open day, so no penalties were raised; open one.")
    raise_penalties(program_actor(), timezone.localdate(), day.pk, timezone.now())

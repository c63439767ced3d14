"""The night's job of reads that imports put aside because they are below an estimate."""

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.identity.actors import program_actor
from chamberlain.metering.routes.low_reads import settle_low_reads


@app.periodic(cron="15 2 * * *")
@app.task(name="routes.low_reads", queue="billing", lock="routes.low_reads", pass_context=False)
def settle_low_reads_by_night(timestamp: int) -> None:
    """Records them, so that they can be trued up. timestamp: of the schedule."""
    settle_low_reads(program_actor(), timezone.now())

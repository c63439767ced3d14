"""What is done by itself about payments on the provider's page."""

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.cashiering.hosted.operations import look_after
from chamberlain.cashiering.hosted.providers import city_provider, is_set_up
from chamberlain.identity.actors import program_actor


@app.periodic(cron="*/10 * * * *")
@app.task(name="hosted.look_after", queue="cashiering", lock="hosted.look_after")
def look_after_payments(timestamp: int) -> None:
    """Posts what waits and asks after what was not heard of. timestamp: of the schedule."""
    if is_set_up():
        look_after(program_actor(), city_provider(), timezone.now())

"""The night's job of payment plans."""

from django.utils import timezone
from procrastinate.contrib.django import app

from chamberlain.billing.plans.review import review_plans
from chamberlain.identity.actors import program_actor


@app.periodic(cron="15 2 * * *")
@app.task(name="plans.review", queue="billing", lock="plans.review", pass_context=False)
def review_plans_by_night(timestamp: int) -> None:
    """Ends the plans in force that are in default or paid off. timestamp: of the schedule."""
    review_plans(program_actor(), timezone.localdate())

"""Background jobs of billing: each a thin call."""

from procrastinate.contrib.django import app

from chamberlain.billing.running import run


@app.task(name="billing.run", queue="billing", lock="billing.run")
def run_bill_run(run_id: int, workers: int = 1) -> None:
    """Runs the chunks of a planned run that are not posted yet."""
    run(run_id, workers=workers)


def defer_bill_run(run_id: int, workers: int = 1) -> None:
    """Hands a planned run to the workers, in the caller's transaction."""
    run_bill_run.defer(run_id=run_id, workers=workers)

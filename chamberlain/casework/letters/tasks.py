"""Background jobs of letters: each a thin call."""

from procrastinate.contrib.django import app

from chamberlain.casework.letters.batches import run_batch
from chamberlain.identity.actors import program_actor


@app.task(name="letters.batch", queue="billing", lock="letters.batch")
def run_letters(batch_id: int, workers: int = 1) -> None:
    """Writes what is left of a batch."""
    run_batch(program_actor(), batch_id, workers=workers)


def defer_letters(batch_id: int, workers: int = 1) -> None:
    """Hands a batch to the workers, in the caller's transaction."""
    run_letters.defer(batch_id=batch_id, workers=workers)

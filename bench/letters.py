"""Letters to many, each a file that is kept as sent, against the compiler alone on their words."""

import os
import tempfile
import time
from datetime import UTC, date, datetime

from bench import city
from bench.figures import Figure
from bench.room import Room

_LETTERS = 2000
_LETTERS_QUICK = 300
_CODE = "past_due"


def measure(room: Room) -> list[Figure]:
    """Letters a second from the database to the kept file; the limit compiles words made before."""
    letters = _LETTERS_QUICK if room.quick else _LETTERS
    room.database()  # sets Django up, which the imports below need
    from django.test import override_settings

    from chamberlain.casework.letters import batches
    from chamberlain.casework.letters.merging import recipients
    from chamberlain.casework.letters.operations import template_in_use, words_of
    from chamberlain.identity.actors import program_actor

    built = city.build(room, accounts=2 * letters)
    _bill_everyone(built)
    day, now, actor = date(2099, 1, 1), datetime.now(UTC), program_actor()
    ids = [1 + i for i in range(2 * letters)]
    # The compiler remembers what it compiled, so each side gets accounts of its own.
    template = template_in_use(_CODE, "en", day)
    prepared = [words_of(template, to, "") for to in recipients(ids[::2], day)]
    prepared[0].pdf("LT-0000000")
    started = time.perf_counter()
    for words in prepared:
        words.pdf(words.to.values["account_number"])
    limit = time.perf_counter() - started
    chosen = batches.Chosen(tuple(ids[1::2]), "Every second account")
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("CHAMBERLAIN_VAR")) as folder,
        override_settings(MEDIA_ROOT=folder),
    ):
        batch_id = batches.ask_batch(actor, _CODE, "", chosen, day, now, "benchmark")
        started = time.perf_counter()
        done = batches.run_batch(actor, batch_id)
        seconds = time.perf_counter() - started
    if done.letters != letters:
        raise AssertionError(f"{done.letters} letters were written, not {letters}")
    return [
        Figure(
            "letters",
            round(letters / seconds, 1),
            "letters/s",
            "Typst alone compiling the same words",
            round(letters / limit, 1),
            round(limit / seconds, 3),
        )
    ]


def _bill_everyone(built: city.City) -> None:
    from chamberlain.billing.operations import RunPlan, plan_bill_run
    from chamberlain.billing.running import run
    from chamberlain.identity.actors import program_actor

    plan = RunPlan(
        "Benchmark", built.tariff_code, built.business_day_id, date(2026, 12, 1), date(2099, 1, 1)
    )
    run(plan_bill_run(program_actor(), plan, datetime.now(UTC), "benchmark"))

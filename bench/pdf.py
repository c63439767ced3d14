"""Bills as PDF in batch, against the compiler alone on the same pages."""

import time
from datetime import UTC, date, datetime

from bench import city
from bench.figures import Figure
from bench.room import Room

_PAGES = 1000
_PAGES_QUICK = 200
_BATCH = 100


def measure(room: Room) -> list[Figure]:
    """Bills a second from the database to the file; the limit compiles data made before."""
    pages = _PAGES_QUICK if room.quick else _PAGES
    room.database()  # sets Django up, which the imports below need
    from chamberlain.billing import documents, queries
    from chamberlain.billing.operations import RunPlan, plan_bill_run
    from chamberlain.billing.running import run
    from chamberlain.identity.actors import program_actor
    from chamberlain.kernel import paper

    built = city.build(room, accounts=2 * pages)
    plan = RunPlan(
        "Benchmark", built.tariff_code, built.business_day_id, date(2100, 1, 1), date(2099, 1, 1)
    )
    run_id = plan_bill_run(program_actor(), plan, datetime.now(UTC), "benchmark")
    run(run_id)
    ids = queries.bill_ids_of_run(run_id, 2 * pages)
    batches = [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
    # The compiler remembers what it compiled, so each side gets bills of its own, in turn.
    theirs, ours = batches[::2], batches[1::2]
    documents.bill_pdf(batches[0][:1])
    prepared = [documents.bill_data(batch) for batch in theirs]
    started = time.perf_counter()
    for data in prepared:
        paper.pdf(documents.TEMPLATE, data)
    limit = time.perf_counter() - started
    started = time.perf_counter()
    for batch in ours:
        documents.bill_pdf(batch)
    seconds = time.perf_counter() - started
    return [
        Figure(
            "pdf",
            round(pages / seconds, 1),
            "bills/s",
            "Typst alone compiling the same pages",
            round(pages / limit, 1),
            round(limit / seconds, 3),
        )
    ]

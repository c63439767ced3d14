"""A million receipts matched with a hundred thousand lines of the bank, beside a plain join.

Nine lines of ten name the batch of their ten receipts and are their sum; of the rest half name one
receipt of their own amount, and half name nothing and have an amount that is there once. The plain
join of the same tables: the lines' words with the receipts' batches, the amounts with the amounts
within the days, in Polars, eager, on the same cores. It sums nothing, looks for no second
possibility and gives no reason.
"""

import resource
import time
from datetime import date

import polars as pl

from bench.figures import Figure
from bench.room import Room

WITHIN_DAYS = 7
REPEATS = 5
RECEIPTS_OF_A_LINE = 10


def measure(room: Room) -> list[Figure]:
    """Seconds, the ratio to the plain join, and the most memory held."""
    from chamberlain.reconciliation.matching.rules import match

    receipts = room.accounts
    deposits, lines = _tables(receipts)
    ours, plain = [], []
    groups = 0
    for _ in range(REPEATS):
        started = time.perf_counter()
        found = match(deposits, lines, WITHIN_DAYS)
        ours.append(time.perf_counter() - started)
        groups = found.groups.height
        started = time.perf_counter()
        _plain_join(deposits, lines)
        plain.append(time.perf_counter() - started)
    if groups != lines.height:
        raise RuntimeError(f"{groups} of {lines.height} lines were matched")
    best, limit = min(ours), min(plain)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(
            "match",
            round(best, 3),
            f"s for {receipts} receipts",
            "a plain Polars join of the same tables",
            round(limit, 3),
            round(limit / best, 3),
        ),
        Figure("match_memory", round(held), "MB held at most", "2 GB", 2048, round(2048 / held, 2)),
    ]


def _tables(receipts: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    from chamberlain.reconciliation.matching.pairs import DEPOSITS, LINES

    number = pl.int_range(receipts, eager=True).alias("n")
    batch = pl.col("n") // RECEIPTS_OF_A_LINE
    alone = batch % 10 == 9
    rows = pl.DataFrame([number]).select(
        "n",
        batch.alias("batch"),
        alone.alias("alone"),
        cents=pl.when(alone)
        .then(10_000_000 + pl.col("n"))
        .otherwise(100 + (pl.col("n") * 7919) % 50_000),
        day=pl.lit(date(2026, 1, 5)) + pl.duration(days=batch % 60),
    )
    deposits = rows.select(
        deposit_id="n",
        cents="cents",
        day="day",
        number=pl.format("DCH-{}-{}", batch % 60, "n"),
        bag_number=pl.when("alone")
        .then(pl.format("S{}", "n"))
        .otherwise(pl.format("B{}", "batch")),
        center=pl.format("C{}", batch % 5),
    ).cast(pl.Schema(DEPOSITS))
    together = rows.filter(~pl.col("alone")).group_by("batch", maintain_order=True)
    first = rows.filter("alone").filter(pl.col("n") % RECEIPTS_OF_A_LINE == 0)
    lines = pl.concat(
        [
            together.agg(pl.col("cents").sum(), pl.col("day").first()).select(
                line_id="batch",
                cents="cents",
                value_on=pl.col("day") + pl.duration(days=1),
                text=pl.format("CARD SETTLEMENT B{} CITY OF", "batch"),
            ),
            first.select(
                line_id="batch",
                cents="cents",
                value_on=pl.col("day") + pl.duration(days=2),
                text=pl.when(pl.col("batch") % 20 == 9)
                .then(pl.format("DEPOSIT S{} CITY OF", "n"))
                .otherwise(pl.lit("DEPOSIT CITY OF")),
            ),
        ]
    ).cast(pl.Schema(LINES))
    return deposits, lines.sort("line_id")


def _plain_join(deposits: pl.DataFrame, lines: pl.DataFrame) -> None:
    words = lines.with_columns(word=pl.col("text").str.split(" ")).explode("word")
    by_name = deposits.join(words, left_on="bag_number", right_on="word")
    by_amount = deposits.join(lines, on="cents").filter(
        (pl.col("value_on") - pl.col("day")).dt.total_days().is_between(0, WITHIN_DAYS)
    )
    if by_name.is_empty() or by_amount.is_empty():
        raise RuntimeError("the plain join found nothing")

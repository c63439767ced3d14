"""How the made-up customers pay: most in full and soon, some late, some in part, some never."""

from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg
from django.db import connection

from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.allocation import allocate, left_over
from chamberlain.ledger.payments import PAYMENT
from chamberlain.ledger.posting import EntryFrames, post_frames

CHANNEL = "lockbox"

# Up to these shares of the customers pay soon, late, in part; the rest stop at some time.
_SOON, _LATE, _IN_PART = 0.80, 0.90, 0.95
_FORGETS = 0.03
_ROUNDS_UP = 0.005
_STOP_DAYS = 5 * 365

_OPEN_SQL = """
    SELECT c.id, c.account_id, c.cents - coalesce(s.settled_cents, 0), k.priority, c.due_on,
        k.receivable_id
    FROM ledger_charge c
    JOIN ledger_chargekind k ON k.id = c.kind_id
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE c.id > %s AND c.cents > coalesce(s.settled_cents, 0)
        AND c.account_id IN (SELECT id FROM ledger_account WHERE number LIKE 'CH-%%')
"""
_OPEN = {
    "charge_id": pl.Int64,
    "account_id": pl.Int64,
    "open_cents": pl.Int64,
    "priority": pl.Int64,
    "due_on": pl.Date,
    "receivable_id": pl.Int64,
}


class Books:
    """What is open on the made-up accounts, kept beside the ledger so that it is read once."""

    def __init__(self, seed: int, stopping_from: date) -> None:
        first, count = _accounts()
        self._first = first
        self._habit = np.random.default_rng([seed, 7]).random(count)
        self._stopping_from = stopping_from
        self._open = pl.DataFrame(schema=_OPEN)
        self._last_id = 0

    def pay(
        self,
        actor: Actor,
        random: np.random.Generator,
        business_day_id: int,
        day: date,
        pays: str,
        now: datetime,
    ) -> int:
        """Posts the payments of a day, each an entry of the lockbox; returns how many.

        pays: `soon` or `late`, the customers whose day it is. Runs in the caller's transaction.
        """
        database = connection.connection
        self._read_new(database)
        payments = self._payments(random, day, pays)
        if payments.is_empty():
            return 0
        settled = allocate(payments, self._open).join(
            self._open.select("charge_id", "receivable_id"), on="charge_id", maintain_order="left"
        )
        credit = left_over(payments, settled)
        frames = _frames(database, actor, business_day_id, day, now, settled, credit)
        post_frames(database, frames)
        self._settle(settled)
        return payments.height

    def _read_new(self, database: psycopg.Connection[Any]) -> None:
        new = read_frame(database, _OPEN_SQL, _OPEN, [self._last_id])
        if not new.is_empty():
            self._last_id = max(self._last_id, *new["charge_id"].sort().tail(1).to_list())
            self._open = pl.concat([self._open, new])

    def _payments(self, random: np.random.Generator, day: date, pays: str) -> pl.DataFrame:
        owed = (
            self._open.group_by("account_id")
            .agg(owed=pl.col("open_cents").sum())
            .sort("account_id")
        )
        account_ids = owed["account_id"].to_numpy()
        days = (day - self._stopping_from).days
        share = pl.Series(_percent_paid(random, self._habit[account_ids - self._first], days, pays))
        rounds_up = pl.Series(random.random(owed.height) < _ROUNDS_UP) & (share == 100)
        exact = pl.col("owed") * share // 100
        return (
            owed.with_columns(
                cents=exact + pl.when(rounds_up).then(1000 - exact % 1000).otherwise(0)
            )
            .filter(pl.col("cents") > 0)
            .select("account_id", "cents")
        )

    def _settle(self, settled: pl.DataFrame) -> None:
        self._open = (
            self._open.join(settled.select("charge_id", paid="cents"), on="charge_id", how="left")
            .with_columns(open_cents=pl.col("open_cents") - pl.col("paid").fill_null(0))
            .filter(pl.col("open_cents") > 0)
            .drop("paid")
        )


def _accounts() -> tuple[int, int]:
    """The first id of the made-up accounts, and how far their ids reach."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM ledger_account WHERE number LIKE 'CH-%'")
        first, last = cursor.fetchone()
    return int(first), int(last) - int(first) + 1


def _percent_paid(
    random: np.random.Generator, habit: npt.NDArray[np.float64], days: int, pays: str
) -> npt.NDArray[np.int64]:
    """The percent of what is owed that each account pays so many days after the past began."""
    draw = random.random(len(habit))
    is_soon, is_late = habit < _SOON, (habit >= _SOON) & (habit < _LATE)
    is_in_part = (habit >= _LATE) & (habit < _IN_PART)
    # The rest stop paying one after the other through the years, those with the highest first.
    stops_after = (1 - habit) / (1 - _IN_PART) * _STOP_DAYS
    still_pays = (habit >= _IN_PART) & (days < stops_after)
    if pays == "soon":
        pays_all = (is_soon & (draw > _FORGETS)) | still_pays
        some = np.where(is_in_part, 50 + (draw * 45).astype(np.int64), 0)
    else:
        pays_all = is_soon | is_late | (is_in_part & (draw > 0.6)) | still_pays
        some = np.zeros(len(habit), dtype=np.int64)
    return np.asarray(np.where(pays_all, 100, some), dtype=np.int64)


def _frames(
    database: psycopg.Connection[Any],
    actor: Actor,
    business_day_id: int,
    day: date,
    now: datetime,
    settled: pl.DataFrame,
    credit: pl.DataFrame,
) -> EntryFrames:
    payers = settled.select("account_id").unique(maintain_order=True)
    payers = payers.with_columns(entry_id=next_ids(database, "ledger_entry", payers.height))
    entries = payers.with_row_index("n", offset=1).select(
        id="entry_id",
        business_day_id=pl.lit(business_day_id),
        kind=pl.lit(PAYMENT),
        actor_id=pl.lit(actor.user_id),
        posted_at=pl.lit(now.isoformat()),
        document=pl.format(
            "LB{}-{}", pl.lit(f"{day:%y%m%d}"), pl.col("n").cast(pl.String).str.zfill(5)
        ),
        reason=pl.lit("on account"),
        reverses_id=pl.lit(None, dtype=pl.Int64),
        idempotency_key=pl.lit(None, dtype=pl.String),
    )
    debit_id = chart.ledger_account_id(chart.clearing_code(CHANNEL))
    settling = settled.select(
        "account_id", "cents", "charge_id", credit_id="receivable_id", effect=pl.lit("settle")
    )
    crediting = credit.select(
        "account_id",
        "cents",
        charge_id=pl.lit(None, dtype=pl.Int64),
        credit_id=pl.lit(chart.ledger_account_id(chart.CREDITS), dtype=pl.Int64),
        effect=pl.lit("none"),
    )
    transfers = (
        pl.concat([settling, crediting])
        .join(payers, on="account_id")
        .select(
            "entry_id",
            "credit_id",
            "cents",
            "effect",
            "account_id",
            "charge_id",
            debit_id=pl.lit(debit_id),
        )
    )
    return EntryFrames(entries, pl.DataFrame(), transfers)

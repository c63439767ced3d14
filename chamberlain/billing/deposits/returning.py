"""Deposits go back: used for what is owed, or released as credit; one or a million."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

import polars as pl
from django.db import connection

from chamberlain.billing.deposits import terms as city
from chamberlain.billing.deposits.accruing import interest
from chamberlain.billing.deposits.models import Deposit
from chamberlain.billing.deposits.standing import events_of, standing_of
from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.allocation import allocate
from chamberlain.ledger.models import BusinessDay
from chamberlain.ledger.posting import NO_CHARGES, EntryFrames, post_frames, sentences
from chamberlain.ledger.queries import open_charges_frame

ENTRY_KIND = "deposit"


class Way(StrEnum):
    """How a deposit goes back: to what is owed and then to credit, or to credit alone."""

    APPLY = "Applied to the final bill"
    RELEASE = "Released after its term"


def close_deposits(
    actor: Actor, deposit_ids: Sequence[int], way: Way, day: BusinessDay, now: datetime
) -> dict[int, int]:
    """Gives open deposits back with their interest; returns cents by deposit id.

    What was not paid of them is not asked for any more. The caller checked that they may be
    closed, holds their accounts' locks and is in a transaction. Raises DayClosed.
    """
    if not deposit_ids:
        return {}
    found = with_interest(deposit_ids, day.day)
    entries = found.with_columns(
        entry_id=next_ids(connection.connection, "ledger_entry", found.height)
    )
    settled = _settled(entries) if way is Way.APPLY else _NOTHING_SETTLED
    used = settled.group_by("account_id").agg(used_cents=pl.col("cents").sum())
    entries = entries.join(used, on="account_id", how="left", maintain_order="left").with_columns(
        pl.col("used_cents").fill_null(0)
    )
    with sentences():
        post_frames(
            connection.connection,
            EntryFrames(
                entries.select(
                    id="entry_id",
                    business_day_id=pl.lit(day.pk),
                    kind=pl.lit(ENTRY_KIND),
                    actor_id=pl.lit(actor.user_id),
                    posted_at=pl.lit(now.isoformat()),
                    document="number",
                    reason=pl.lit(way.value),
                    reverses_id=pl.lit(None, pl.Int64),
                    idempotency_key=pl.col("number") + " closed",
                ),
                NO_CHARGES,
                _transfers(entries, settled),
            ),
        )
        _move(entries, day.day)
    Deposit.objects.filter(pk__in=list(deposit_ids)).update(closed_on=day.day)
    return dict(entries.select("deposit_id", "back_cents").iter_rows())


_NOTHING_SETTLED = pl.DataFrame(
    schema={"account_id": pl.Int64, "charge_id": pl.Int64, "cents": pl.Int64}
)


def with_interest(deposit_ids: Sequence[int], until: date) -> pl.DataFrame:
    """STANDING with interest_cents and back_cents, all that goes back."""
    borne = interest(events_of(deposit_ids), city.rates(), until, city.terms_on(until).year_days)
    return (
        standing_of(deposit_ids)
        .join(borne, on="deposit_id", how="left", maintain_order="left")
        .with_columns(pl.col("interest_cents").fill_null(0))
        .with_columns(back_cents=pl.col("held_cents") + pl.col("interest_cents"))
    )


def _settled(entries: pl.DataFrame) -> pl.DataFrame:
    """What of the accounts' open charges the deposits settle, in the order of payment."""
    owed = open_charges_frame(entries["account_id"].to_list()).filter(
        ~pl.col("charge_id").is_in(entries["charge_id"].drop_nulls().to_list())
    )
    back = entries.filter(pl.col("back_cents") > 0).select("account_id", cents="back_cents")
    return allocate(back, owed) if back.height and owed.height else _NOTHING_SETTLED


def _transfers(entries: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    kind = chart.charge_kinds()[chart.DEPOSIT_KIND]
    held = pl.lit(kind.revenue_id)
    none = pl.lit(None, pl.Int64)
    accounts = entries.select("account_id", "entry_id")
    parts = [
        _leg(
            entries.with_columns(cents="interest_cents"),
            pl.lit(chart.ledger_account_id(chart.DEPOSIT_INTEREST)),
            held,
            "none",
            none,
        ),
        _leg(
            entries.with_columns(cents="unpaid_cents"),
            held,
            pl.lit(kind.receivable_id),
            "settle",
            pl.col("charge_id"),
        ),
        _leg(
            settled.join(accounts, on="account_id").join(
                _receivables(settled["charge_id"].to_list()), on="charge_id"
            ),
            held,
            pl.col("receivable_id"),
            "settle",
            pl.col("charge_id"),
        ),
        _leg(
            entries.with_columns(cents=pl.col("back_cents") - pl.col("used_cents")),
            held,
            pl.lit(chart.ledger_account_id(chart.CREDITS)),
            "none",
            none,
        ),
    ]
    return pl.concat(parts, how="vertical_relaxed")


def _leg(
    rows: pl.DataFrame, debit: pl.Expr, credit: pl.Expr, effect: str, charge: pl.Expr
) -> pl.DataFrame:
    return rows.filter(pl.col("cents") > 0).select(
        "entry_id",
        debit_id=debit,
        credit_id=credit,
        cents="cents",
        effect=pl.lit(effect),
        account_id="account_id",
        charge_id=charge,
    )


def _receivables(charge_ids: Sequence[int]) -> pl.DataFrame:
    query = """SELECT c.id, k.receivable_id FROM ledger_charge c
        JOIN ledger_chargekind k ON k.id = c.kind_id WHERE c.id = ANY(%(ids)s)"""
    schema = {"charge_id": pl.Int64, "receivable_id": pl.Int64}
    return read_frame(connection.connection, query, schema, {"ids": list(charge_ids)})


def _move(entries: pl.DataFrame, on: date) -> None:
    """Writes the movements of closed deposits by COPY."""
    columns = {
        "interest": pl.col("interest_cents"),
        "canceled": -pl.col("unpaid_cents"),
        "applied": -pl.col("used_cents"),
        "released": pl.col("used_cents") - pl.col("back_cents"),
    }
    moved = pl.concat(
        entries.select(
            "deposit_id",
            "entry_id",
            kind=pl.lit(kind),
            on=pl.lit(on),
            cents=cents,
        )
        for kind, cents in columns.items()
    ).filter(pl.col("cents") != 0)
    ids = next_ids(connection.connection, "deposits_depositmovement", moved.height)
    copy_frame(connection.connection, "deposits_depositmovement", moved.with_columns(id=ids))

"""The rows that take bills back, put others in their place and move what was paid: frames only.

For each bill taken back: what was paid on it becomes credit, and an entry reverses the one that
raised it. The credit settles the bill that replaces it first; what is over, and other credit of
the account, settles what is open on its bills in the order of any payment; the rest stays
credit. All of it is posted at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from chamberlain.billing.composing import Composed, Posting
from chamberlain.ledger.allocation import allocate
from chamberlain.ledger.chart import KindOfCharge
from chamberlain.ledger.posting import EntryFrames

OPEN = {
    "charge_id": pl.Int64,
    "account_id": pl.Int64,
    "kind_id": pl.Int64,
    "open_cents": pl.Int64,
    "due_on": pl.Date,
}
TRANSFERS = {
    "entry_id": pl.Int64,
    "debit_id": pl.Int64,
    "credit_id": pl.Int64,
    "cents": pl.Int64,
    "effect": pl.String,
    "account_id": pl.Int64,
    "charge_id": pl.Int64,
}
SETTLED = {
    "old_id": pl.Int64,
    "charge_id": pl.Int64,
    "account_id": pl.Int64,
    "kind_id": pl.Int64,
    "cents": pl.Int64,
}
_OPPOSITE = {"raise": "settle", "settle": "unsettle", "unsettle": "settle", "none": "none"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the books stand before anything is posted.

    settled: what is paid on each charge of the old bills (SETTLED, cents > 0). transfers: those
    of the old bills' entries (TRANSFERS). credits: account_id, cents (> 0). open_charges: what
    is open on the accounts' other bills (OPEN).
    """

    settled: pl.DataFrame
    transfers: pl.DataFrame
    credits: pl.DataFrame
    open_charges: pl.DataFrame


def replacing(
    old: pl.DataFrame,
    pairs: pl.DataFrame,
    composed: Composed,
    standing: Standing,
    kinds: Mapping[str, KindOfCharge],
    entry_ids: pl.Series,
    posting: Posting,
    reason: str,
) -> EntryFrames:
    """Every ledger row of a rebill, those of the new bills (`composed`) included.

    old: old_id, number, account_id, entry_id of the bills taken back. pairs: old_id and new_id of
    bills, one of which may be null. entry_ids: at least two for each old bill and one for each
    account of old and new bills. reason: at most 200 characters, kept with each entry.
    """
    by_id = _kinds_by_id(kinds)
    freed = old.join(standing.settled.select("old_id").unique(), on="old_id", how="semi")
    owed = old.filter(pl.col("entry_id").is_not_null())
    ids = entry_ids.to_list()
    freeing = freed.with_columns(new_entry=pl.Series(ids[: freed.height], dtype=pl.Int64))
    ids = ids[freed.height :]
    taking = owed.with_columns(new_entry=pl.Series(ids[: owed.height], dtype=pl.Int64))
    ids = ids[owed.height :]
    used = _used(pairs, composed, standing, by_id)
    documents = _documents(old, composed)
    using = (
        used.select("account_id")
        .unique(maintain_order=True)
        .join(documents, on="account_id", maintain_order="left")
    )
    using = using.with_columns(new_entry=pl.Series(ids[: using.height], dtype=pl.Int64))
    return EntryFrames(
        entries=pl.concat(
            [
                composed.ledger.entries.with_columns(reverses_id=pl.lit(None, dtype=pl.Int64)),
                _entries(freeing, "payments_to_credit", posting, reason),
                _entries(taking, "reverse_bill", posting, reason, reverses="entry_id"),
                _entries(using, "use_credit", posting, reason),
            ],
            how="diagonal_relaxed",
        ),
        charges=composed.ledger.charges,
        transfers=pl.concat(
            [
                composed.ledger.transfers.select(list(TRANSFERS)),
                _freeing(standing.settled, freeing, by_id, posting.credits_id),
                _taking(standing.transfers, taking),
                _using(used, using, by_id, posting.credits_id),
            ],
            how="vertical_relaxed",
        ),
    )


def _kinds_by_id(kinds: Mapping[str, KindOfCharge]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "kind_id": [kind.id for kind in kinds.values()],
            "receivable_id": [kind.receivable_id for kind in kinds.values()],
            "priority": [kind.priority for kind in kinds.values()],
        },
        schema={"kind_id": pl.Int64, "receivable_id": pl.Int64, "priority": pl.Int64},
    )


def _documents(old: pl.DataFrame, composed: Composed) -> pl.DataFrame:
    """The bill that the use of an account's credit is from: account_id, number."""
    return pl.concat(
        [composed.bills.select("account_id", "number"), old.select("account_id", "number")]
    ).unique("account_id", keep="first", maintain_order=True)


def _entries(
    rows: pl.DataFrame, kind: str, posting: Posting, reason: str, *, reverses: str = ""
) -> pl.DataFrame:
    reversed_id = pl.col(reverses) if reverses else pl.lit(None, dtype=pl.Int64)
    return rows.select(
        id="new_entry",
        document="number",
        business_day_id=pl.lit(posting.business_day_id),
        kind=pl.lit(kind),
        actor_id=pl.lit(posting.actor_id),
        posted_at=pl.lit(posting.posted_at.isoformat()),
        reason=pl.lit(reason),
        reverses_id=reversed_id,
    )


def _used(
    pairs: pl.DataFrame, composed: Composed, standing: Standing, by_id: pl.DataFrame
) -> pl.DataFrame:
    """What each charge gets of the credit: account_id, charge_id, kind_id, cents (> 0)."""
    fresh = _fresh_charges(composed, by_id)
    paid = standing.settled.group_by("old_id").agg(cents=pl.col("cents").sum())
    by_bill = (
        paid.join(pairs.drop_nulls(), on="old_id").group_by("new_id").agg(pl.col("cents").sum())
    )
    moved = allocate(
        by_bill.select("cents", account_id="new_id"),
        fresh.select("charge_id", "open_cents", "priority", "due_on", account_id="bill_id"),
    ).select("charge_id", first="cents")
    pool = _pool(standing, moved, fresh)
    left = (
        pl.concat(
            [
                fresh.select(list(OPEN)),
                standing.open_charges.select(list(OPEN)),
            ],
            how="vertical_relaxed",
        )
        .join(moved, on="charge_id", how="left")
        .with_columns(open_cents=pl.col("open_cents") - pl.col("first").fill_null(0))
        .filter(pl.col("open_cents") > 0)
        .join(by_id, on="kind_id")
    )
    rest = allocate(pool, left).select("charge_id", "cents")
    charges = pl.concat(
        [fresh.select(list(OPEN)), standing.open_charges.select(list(OPEN))], how="vertical_relaxed"
    )
    return (
        pl.concat([moved.select("charge_id", cents="first"), rest])
        .group_by("charge_id", maintain_order=True)
        .agg(pl.col("cents").sum())
        .join(charges.select("charge_id", "account_id", "kind_id"), on="charge_id")
        .sort("account_id", "charge_id")
    )


def _fresh_charges(composed: Composed, by_id: pl.DataFrame) -> pl.DataFrame:
    return (
        composed.ledger.charges.select(
            "account_id", "kind_id", "due_on", charge_id="id", open_cents="cents"
        )
        .join(
            composed.lines.filter(pl.col("charge_id").is_not_null()).select("charge_id", "bill_id"),
            on="charge_id",
        )
        .join(by_id, on="kind_id")
    )


def _pool(standing: Standing, moved: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Credit of each account after payments followed their bills: account_id, cents (> 0)."""
    spent = moved.join(fresh.select("charge_id", "account_id"), on="charge_id").select(
        "account_id", cents=-pl.col("first")
    )
    return (
        pl.concat(
            [
                standing.settled.select("account_id", "cents"),
                standing.credits.select("account_id", "cents"),
                spent,
            ]
        )
        .group_by("account_id")
        .agg(pl.col("cents").sum())
        .filter(pl.col("cents") > 0)
        .sort("account_id")
    )


def _freeing(
    settled: pl.DataFrame, freeing: pl.DataFrame, by_id: pl.DataFrame, credits_id: int
) -> pl.DataFrame:
    return (
        settled.join(freeing.select("old_id", entry_id="new_entry"), on="old_id")
        .join(by_id, on="kind_id")
        .select(
            "entry_id",
            pl.col("receivable_id").alias("debit_id"),
            pl.lit(credits_id, dtype=pl.Int64).alias("credit_id"),
            "cents",
            pl.lit("unsettle").alias("effect"),
            "account_id",
            "charge_id",
        )
    )


def _taking(transfers: pl.DataFrame, taking: pl.DataFrame) -> pl.DataFrame:
    return transfers.join(taking.select("entry_id", "new_entry"), on="entry_id").select(
        pl.col("new_entry").alias("entry_id"),
        pl.col("credit_id").alias("debit_id"),
        pl.col("debit_id").alias("credit_id"),
        "cents",
        pl.col("effect").replace_strict(_OPPOSITE, return_dtype=pl.String),
        "account_id",
        "charge_id",
    )


def _using(
    used: pl.DataFrame, using: pl.DataFrame, by_id: pl.DataFrame, credits_id: int
) -> pl.DataFrame:
    return (
        used.join(using.select("account_id", entry_id="new_entry"), on="account_id")
        .join(by_id, on="kind_id")
        .select(
            "entry_id",
            pl.lit(credits_id, dtype=pl.Int64).alias("debit_id"),
            pl.col("receivable_id").alias("credit_id"),
            "cents",
            pl.lit("settle").alias("effect"),
            "account_id",
            "charge_id",
        )
    )

"""From rated lines to bills, charges, entries and transfers: frames in, frames out.

A bill's total is the sum of its printed lines, each rounded once by the rating. Each line above
zero raises one charge; the bill's entry raises all of them. Where an account has credit from an
earlier overpayment, a second entry uses it for the new charges, in the order of any payment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from chamberlain.ledger.allocation import allocate
from chamberlain.ledger.chart import KindOfCharge
from chamberlain.ledger.posting import EntryFrames


@dataclass(frozen=True, slots=True)
class Posting:
    """Under which run, on which day, by whom and when bills are posted."""

    run_id: int | None
    business_day_id: int
    actor_id: int
    issued_on: date
    due_on: date
    posted_at: datetime
    credits_id: int


@dataclass(frozen=True, slots=True)
class Composed:
    """Everything that a chunk writes: rows of billing's tables and of the ledger's."""

    bills: pl.DataFrame
    lines: pl.DataFrame
    ledger: EntryFrames


def bill_numbers(ids: pl.Expr) -> pl.Expr:
    """Bill numbers: the id in nine digits and two check digits (ISO 7064, MOD 97-10)."""
    check = 98 - (ids * 100) % 97
    return pl.format("{}{}", ids.cast(pl.String).str.zfill(9), check.cast(pl.String).str.zfill(2))


def bills(
    candidates: pl.DataFrame,
    lines: pl.DataFrame,
    balances: pl.DataFrame,
    ids: pl.Series,
    posting: Posting,
) -> pl.DataFrame:
    """One bill for each row that has lines.

    candidates: row, agreement_id, account_id, read_id, from_on, to_on; lines: row, cents;
    balances: account_id, net_cents (owed less credit before); ids: fresh bill ids, at least one
    for each row. Returns the rows of the bill table, without entry_id, and `row`.
    """
    totals = lines.group_by("row", maintain_order=True).agg(total_cents=pl.col("cents").sum())
    billed = candidates.select(
        "row", "agreement_id", "account_id", "read_id", "from_on", "to_on"
    ).join(totals, on="row", maintain_order="left")
    earlier = pl.col("total_cents").cum_sum().over("account_id") - pl.col("total_cents")
    return (
        billed.with_columns(id=ids.head(billed.height))
        .join(balances, on="account_id", how="left", maintain_order="left")
        .with_columns(
            number=bill_numbers(pl.col("id")),
            run_id=pl.lit(posting.run_id, dtype=pl.Int64),
            issued_on=pl.lit(posting.issued_on),
            due_on=pl.lit(posting.due_on),
            previous_balance_cents=pl.col("net_cents").fill_null(0) + earlier,
        )
        .drop("net_cents")
    )


def compose(
    billed: pl.DataFrame,
    lines: pl.DataFrame,
    charge_ids: pl.Series,
    entry_ids: pl.Series,
    kinds: Mapping[str, KindOfCharge],
    posting: Posting,
) -> Composed:
    """The rows that post bills. Ids are fresh: as many charge ids as lines above zero, as many
    entry ids as bills.
    """
    owing = billed.select("row", "id", "account_id", "number", "total_cents").with_columns(
        entry_id=entry_ids
    )
    printed = lines.join(
        owing.select("row", "account_id", "entry_id", bill_id="id", document="number"),
        on="row",
        maintain_order="left",
    ).with_columns(is_owed=pl.col("cents") > 0)
    positions = pl.col("is_owed").cast(pl.Int64).cum_sum() - 1
    printed = printed.with_columns(
        charge_id=pl.when("is_owed").then(
            pl.lit(charge_ids).gather(positions.clip(0))
            if charge_ids.len()
            else pl.lit(None, dtype=pl.Int64)
        )
    )
    owed = _with_kinds(printed.filter("is_owed"), kinds)
    return Composed(
        bills=billed.drop("row").with_columns(
            entry_id=pl.when(pl.col("total_cents") > 0).then(entry_ids)
        ),
        lines=printed.select(
            "bill_id",
            "position",
            "component_id",
            "charge_id",
            "cents",
            "quantity_thousandths",
            "unit",
            "rate_micros",
            "days",
            "steps",
        ),
        ledger=_ledger_rows(owing.filter(pl.col("total_cents") > 0), owed, posting),
    )


def _with_kinds(owed: pl.DataFrame, kinds: Mapping[str, KindOfCharge]) -> pl.DataFrame:
    table = pl.DataFrame(
        {
            "charge_kind": list(kinds),
            "kind_id": [kind.id for kind in kinds.values()],
            "receivable_id": [kind.receivable_id for kind in kinds.values()],
            "revenue_id": [kind.revenue_id for kind in kinds.values()],
            "priority": [kind.priority for kind in kinds.values()],
        }
    )
    return owed.join(table, on="charge_kind", how="left", maintain_order="left")


def _ledger_rows(owing: pl.DataFrame, owed: pl.DataFrame, posting: Posting) -> EntryFrames:
    return EntryFrames(
        entries=_entries(owing.select(id="entry_id", document="number"), "bill", posting),
        charges=owed.select(
            "account_id",
            "kind_id",
            "entry_id",
            "cents",
            "document",
            id="charge_id",
            raised_on=pl.lit(posting.issued_on),
            due_on=pl.lit(posting.due_on),
        ),
        transfers=owed.select(
            "entry_id",
            "cents",
            "account_id",
            "charge_id",
            debit_id="receivable_id",
            credit_id="revenue_id",
            effect=pl.lit("raise"),
        ),
    )


def _entries(entries: pl.DataFrame, kind: str, posting: Posting) -> pl.DataFrame:
    return entries.with_columns(
        business_day_id=pl.lit(posting.business_day_id),
        kind=pl.lit(kind),
        actor_id=pl.lit(posting.actor_id),
        posted_at=pl.lit(posting.posted_at.isoformat()),
        reason=pl.lit(""),
    )


def use_credits(
    credits: pl.DataFrame,
    composed: Composed,
    kinds: Mapping[str, KindOfCharge],
    entry_ids: pl.Series,
    posting: Posting,
) -> EntryFrames:
    """The entries that pay new charges from credit.

    credits: account_id, cents (> 0). entry_ids: at least one for each row of credits.
    """
    by_id = {kind.id: kind for kind in kinds.values()}
    charges = composed.ledger.charges
    known = list(by_id)
    priorities = [by_id[k].priority for k in known]
    receivables = [by_id[k].receivable_id for k in known]
    open_charges = charges.select(
        "account_id",
        "due_on",
        "document",
        "kind_id",
        charge_id="id",
        open_cents="cents",
        priority=pl.col("kind_id").replace_strict(known, priorities, return_dtype=pl.Int64),
    )
    settled = allocate(credits, open_charges).join(
        open_charges.select("charge_id", "document", "kind_id"),
        on="charge_id",
        maintain_order="left",
    )
    entries = settled.group_by("account_id", maintain_order=True).agg(
        document=pl.col("document").first()
    )
    entries = entries.with_columns(id=entry_ids.head(entries.height))
    return EntryFrames(
        entries=_entries(entries.select("id", "document"), "use_credit", posting),
        charges=charges.clear(),
        transfers=settled.join(
            entries.select("account_id", entry_id="id"), on="account_id", maintain_order="left"
        ).select(
            "entry_id",
            "cents",
            "account_id",
            "charge_id",
            debit_id=pl.lit(posting.credits_id),
            credit_id=pl.col("kind_id").replace_strict(known, receivables, return_dtype=pl.Int64),
            effect=pl.lit("settle"),
        ),
    )

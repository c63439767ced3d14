"""Posts what differs, for one account or for a chunk of the city, in the caller's transaction."""

from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from chamberlain.billing import composing
from chamberlain.billing import posting as bill_posting
from chamberlain.billing.composing import Composed, Posting
from chamberlain.billing.penalties.reversing import (
    partly_waived,
    penalty_entries_of,
    reverse_entries,
)
from chamberlain.billing.rebilling import replacing
from chamberlain.billing.rebilling.recomputing import Recomputed
from chamberlain.billing.rebilling.replacing import Standing
from chamberlain.identity.actors import Actor
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.kernel.money import show_cents
from chamberlain.ledger import chart
from chamberlain.ledger.forgiven import forgiven
from chamberlain.ledger.posting import post_frames


@dataclass(frozen=True, slots=True)
class Replaced:
    """Bills taken back, bills made, and what the new ones come to beyond the old, in cents."""

    taken_back: int
    made: int
    difference_cents: int


class NotProven(AssertionError):
    """What was posted does not add up; nothing of it was kept."""


_SETTLED_SQL = """
    SELECT l.bill_id, l.charge_id, c.account_id, c.kind_id, s.settled_cents
    FROM billing_billline l
    JOIN ledger_settlement s ON s.charge_id = l.charge_id AND s.settled_cents > 0
    JOIN ledger_charge c ON c.id = l.charge_id
    WHERE l.charge_id = ANY(%s) ORDER BY l.charge_id
"""

_TRANSFERS_SQL = """
    SELECT entry_id, debit_id, credit_id, cents, effect, account_id, charge_id
    FROM ledger_transfer WHERE entry_id = ANY(%s) ORDER BY id
"""

_CREDITS_SQL = """
    SELECT account_id, credit_cents FROM ledger_balance
    WHERE credit_cents > 0 AND account_id = ANY(%s) ORDER BY account_id
"""

_OPEN_SQL = """
    SELECT c.id, c.account_id, c.kind_id, c.cents - coalesce(s.settled_cents, 0), c.due_on
    FROM ledger_charge c
    JOIN billing_billline l ON l.charge_id = c.id AND NOT l.bill_id = ANY(%s)
    LEFT JOIN ledger_settlement s ON s.charge_id = c.id
    WHERE c.account_id = ANY(%s) AND c.cents > coalesce(s.settled_cents, 0) ORDER BY c.id
"""


def settled_charges(found: Recomputed) -> list[int]:
    """Charges of the bills that are taken back of which something is settled."""
    return _charges(found, pl.col("settled_cents") > 0)


def penalized_charges(found: Recomputed) -> list[int]:
    """Charges of the bills that are taken back that caused a late penalty."""
    return _charges(found, pl.col("is_penalized"))


def not_to_be_taken_back(found: Recomputed) -> dict[int, str]:
    """Charges that an adjustment settled, whole or in their penalty, without money: by id, the
    sentence that says what has to be taken back first."""
    said = {
        charge: f"{adjustment} settled {show_cents(cents)} of this bill without money; take that "
        "adjustment back first."
        for charge, (adjustment, cents) in forgiven(settled_charges(found)).items()
    }
    for charge, adjustment in partly_waived(penalized_charges(found)).items():
        said[charge] = (
            f"{adjustment} waived a part of a late penalty that these bills caused; take that "
            "adjustment back first."
        )
    return said


def _charges(found: Recomputed, which: pl.Expr) -> list[int]:
    return found.old_lines.filter(which)["charge_id"].drop_nulls().to_list()


def replace_bills(
    actor: Actor,
    database: psycopg.Connection[Any],
    found: Recomputed,
    posting: Posting,
    reason: str,
) -> Replaced:
    """Takes back the old bills with the penalties that they caused, posts the new ones and moves
    what was paid.

    The caller holds the balances of the accounts and turns the ledger's refusals into sentences.
    """
    if found.pairs.is_empty():
        return Replaced(0, 0, 0)
    kinds = chart.charge_kinds()
    penalties = penalty_entries_of(penalized_charges(found))
    reverse_entries(actor, penalties, posting.business_day_id, posting.posted_at, reason)
    rows = _with_ids(database, found.new)
    composed = _composed(database, found, rows, posting, kinds)
    pairs = found.pairs.join(
        composed.bills.select(new_id="id").with_columns(row=rows["row"]), on="row", how="left"
    ).select("old_id", "new_id")
    accounts = pl.concat([found.old["account_id"], found.new["account_id"]]).unique()
    entry_ids = next_ids(database, "ledger_entry", 2 * found.old.height + accounts.len())
    old = found.old.select("old_id", "number", "account_id", "entry_id")
    ledger = replacing.replacing(
        old,
        pairs,
        composed,
        _standing(database, found, accounts),
        kinds,
        entry_ids,
        posting,
        reason,
    )
    post_frames(database, ledger)
    replaces = pairs.filter(pl.col("new_id").is_not_null()).select(
        id="new_id", replaces_id="old_id"
    )
    copy_frame(
        database,
        "billing_bill",
        composed.bills.join(replaces, on="id", how="left", maintain_order="left"),
    )
    copy_frame(database, "billing_billline", composed.lines)
    made, taken = int(composed.bills["total_cents"].sum()), int(old_total(found))
    _prove(database, found, composed, made)
    return Replaced(old["entry_id"].count(), composed.bills.height, made - taken)


def old_total(found: Recomputed) -> int:
    """What the bills that are taken back came to, in cents."""
    return int(found.old["total_cents"].sum())


def _with_ids(database: psycopg.Connection[Any], new: pl.DataFrame) -> pl.DataFrame:
    return new.with_columns(bill_id=next_ids(database, "billing_bill", new.height))


def _composed(
    database: psycopg.Connection[Any],
    found: Recomputed,
    rows: pl.DataFrame,
    posting: Posting,
    kinds: dict[str, chart.KindOfCharge],
) -> Composed:
    billed = composing.bills(
        rows, found.lines, _balances(database, found), rows["bill_id"], posting
    )
    return bill_posting.compose(database, billed, found.lines, kinds, posting)


def _balances(database: psycopg.Connection[Any], found: Recomputed) -> pl.DataFrame:
    """What accounts owe less their credit once the old bills are taken back."""
    accounts = found.new["account_id"].unique().to_list()
    present = bill_posting.balances_of(database, accounts)
    taken = found.old.select("account_id", net_cents=-pl.col("total_cents"))
    return (
        pl.concat([present, taken.join(present, on="account_id", how="semi")])
        .group_by("account_id")
        .agg(pl.col("net_cents").sum())
    )


def _standing(
    database: psycopg.Connection[Any], found: Recomputed, accounts: pl.Series
) -> Standing:
    stands = found.old.filter(pl.col("entry_id").is_not_null())
    old, entries = stands["old_id"].to_list(), stands["entry_id"].to_list()
    settled = _settled(database, found)
    credits = read_frame(
        database,
        _CREDITS_SQL,
        {"account_id": pl.Int64, "cents": pl.Int64},
        [accounts.sort().to_list()],
    )
    with_credit = pl.concat([settled["account_id"], credits["account_id"]]).unique().sort()
    return Standing(
        settled=settled,
        transfers=read_frame(database, _TRANSFERS_SQL, replacing.TRANSFERS, [entries]),
        credits=credits,
        open_charges=_open_charges(database, old, with_credit.to_list()),
    )


def _open_charges(
    database: psycopg.Connection[Any], old: list[int], with_credit: list[int]
) -> pl.DataFrame:
    """What is open on other bills of accounts that have something to pay it with."""
    if not with_credit:
        return pl.DataFrame(schema=replacing.OPEN)
    return read_frame(database, _OPEN_SQL, replacing.OPEN, [old, with_credit])


def _settled(database: psycopg.Connection[Any], found: Recomputed) -> pl.DataFrame:
    charges = settled_charges(found)
    if not charges:
        return pl.DataFrame(schema=replacing.SETTLED)
    return read_frame(database, _SETTLED_SQL, replacing.SETTLED, [charges])


_PROOFS = (
    "SELECT sum(total_cents) FROM billing_bill WHERE id = ANY(%s)",
    "SELECT sum(cents) FROM billing_billline WHERE bill_id = ANY(%s)",
)
_SETTLED_NOW_SQL = "SELECT sum(settled_cents) FROM ledger_settlement WHERE charge_id = ANY(%s)"


def _prove(
    database: psycopg.Connection[Any], found: Recomputed, composed: Composed, made_cents: int
) -> None:
    """Bills and lines add up to what was made, and nothing is open on what was taken back."""
    made = composed.bills["id"].to_list()
    # Fresh rows have no statistics yet; without this the planner reads whole tables for them.
    database.execute("SET LOCAL enable_seqscan = off")
    sums = [_sum(database, query, made) for query in _PROOFS]
    charged = found.old_lines.filter(pl.col("charge_id").is_not_null())
    settled = _sum(database, _SETTLED_NOW_SQL, charged["charge_id"].to_list())
    left_open = int(charged["cents"].sum()) - settled
    database.execute("SET LOCAL enable_seqscan = on")
    if sums != [made_cents] * 2 or left_open:
        raise NotProven(f"new bills and lines are {sums}, not {made_cents}; {left_open} left open")


def _sum(database: psycopg.Connection[Any], query: str, ids: list[int]) -> int:
    row = database.execute(query, [ids]).fetchone()
    return int(row[0] or 0) if row else 0

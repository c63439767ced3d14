"""How bills get into the books: numbered, composed, written by COPY, and the credit used for them.

A chunk of a bill run, a rebill, a final bill and a payoff all do it so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from chamberlain.billing import composing
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.ledger import chart
from chamberlain.ledger.posting import post_frames

_BALANCES_SQL = """
    SELECT account_id, owed_cents - credit_cents FROM ledger_balance WHERE account_id = ANY(%s)
"""
_CREDITS_SQL = """
    SELECT account_id, credit_cents FROM ledger_balance
    WHERE credit_cents > 0 AND account_id = ANY(%s) ORDER BY account_id
"""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """What an account is to be billed for: usages as `rating.rate` takes them, with agreement_id,
    account_id and read_id; and their printed lines (columns LINES)."""

    usages: pl.DataFrame
    lines: pl.DataFrame

    @property
    def cents(self) -> int:
        """What all of the lines come to."""
        return int(self.lines["cents"].sum())


def balances_of(database: psycopg.Connection[Any], account_ids: Sequence[int]) -> pl.DataFrame:
    """What accounts owe less their credit: account_id, net_cents (Int64)."""
    schema = {"account_id": pl.Int64, "net_cents": pl.Int64}
    return read_frame(database, _BALANCES_SQL, schema, [list(account_ids)])


def compose(
    database: psycopg.Connection[Any],
    billed: pl.DataFrame,
    lines: pl.DataFrame,
    kinds: Mapping[str, chart.KindOfCharge],
    posting: composing.Posting,
) -> composing.Composed:
    """Composes bills (`composing.bills`) and their lines with ids drawn for charges and entries."""
    return composing.compose(
        billed,
        lines,
        next_ids(database, "ledger_charge", int((lines["cents"] > 0).sum())),
        next_ids(database, "ledger_entry", billed.height),
        kinds,
        posting,
    )


def compose_unbilled(
    database: psycopg.Connection[Any],
    due: Unbilled,
    kinds: Mapping[str, chart.KindOfCharge],
    posting: composing.Posting,
) -> composing.Composed:
    """Composes bills of what one account is to be billed for."""
    balances = balances_of(database, due.usages["account_id"].unique().to_list())
    ids = next_ids(database, "billing_bill", due.usages.height)
    billed = composing.bills(due.usages, due.lines, balances, ids, posting)
    return compose(database, billed, due.lines, kinds, posting)


def write(database: psycopg.Connection[Any], composed: composing.Composed) -> None:
    """Writes composed bills with their charges and transfers, in the caller's transaction."""
    post_frames(database, composed.ledger)
    copy_frame(database, "billing_bill", composed.bills)
    copy_frame(database, "billing_billline", composed.lines)


def use_credit(
    database: psycopg.Connection[Any],
    composed: composing.Composed,
    kinds: Mapping[str, chart.KindOfCharge],
    posting: composing.Posting,
) -> None:
    """Uses the credit that the bills' accounts have for what the bills raised."""
    accounts = composed.bills["account_id"].unique().to_list()
    schema = {"account_id": pl.Int64, "cents": pl.Int64}
    credits = read_frame(database, _CREDITS_SQL, schema, [accounts])
    if credits.height and composed.ledger.charges.height:
        ids = next_ids(database, "ledger_entry", credits.height)
        post_frames(database, composing.use_credits(credits, composed, kinds, ids, posting))

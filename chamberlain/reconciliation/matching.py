"""Which line of the bank is which deposit.

A deposit leaves the center in a bag with a number; days later a credit of its amount is on the
bank's statement, with or without that number. For example, with a week to look ahead:

    deposit  day    amount   bag     line  value on  amount   text         found
    1        3/02   $500.00  B77     11    3/03      $500.00  BAG B77      1 = 11: amount and bag
    2        3/02   $120.00  B78     12    3/04      $120.00  DEPOSIT      2 = 12: the only one
    3        3/02   $300.00  B79     13    3/03      $300.00  DEPOSIT      3: 13 or 14, a person
    4        3/03   $300.00  B80     14    3/04      $300.00  DEPOSIT      4: 13 or 14  decides
    5        3/02   $90.00   B81     15    3/03      $80.00   BAG B81      5: 15 differs by $10.00

An equal amount within the days is always needed. First come pairs whose line names the bag or the
deposit's number, when they name each other only; then, among what is left and names nothing else,
pairs that are each other's only possibility. Everything else is listed and never guessed.
"""

import re
from dataclasses import dataclass

import polars as pl

_WORDS = re.compile(r"[^A-Z0-9-]+")

DEPOSITS: dict[str, type[pl.DataType]] = {
    "deposit_id": pl.Int64,
    "cents": pl.Int64,
    "day": pl.Date,
    "number": pl.String,
    "bag_number": pl.String,
}
LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "line_id": pl.Int64,
    "cents": pl.Int64,
    "value_on": pl.Date,
    "words": pl.List(pl.String),
}


@dataclass(frozen=True, slots=True)
class Matches:
    """found: deposit_id, line_id, is_named (Boolean), days (Int64, from deposit to bank).
    ambiguous: deposit_id, line_id of every possibility. differing: deposit_id, line_id where the
    line names the deposit and the amount is another.
    """

    found: pl.DataFrame
    ambiguous: pl.DataFrame
    differing: pl.DataFrame


def words_of(*texts: str) -> list[str]:
    """The words of a line by which a bag can be named, capitals, without leading zeros."""
    return sorted({_bare(word) for text in texts for word in _WORDS.split(text.upper()) if word})


def _bare(word: str) -> str:
    return word.lstrip("0") or word


def match(deposits: pl.DataFrame, lines: pl.DataFrame, within_days: int) -> Matches:
    """Pairs deposits with bank lines. Frames as DEPOSITS and LINES; ids are unique."""
    names = pl.concat(
        [
            deposits.select("deposit_id", word=pl.col(column).map_elements(_name, pl.String))
            for column in ("number", "bag_number")
        ]
    ).unique()
    named = (
        lines.select("line_id", word="words")
        .explode("word")
        .join(names, on="word")
        .select("deposit_id", "line_id")
        .unique()
    )
    pairs = (
        deposits.join(lines, on="cents")
        .with_columns(days=(pl.col("value_on") - pl.col("day")).dt.total_days())
        .filter(pl.col("days").is_between(0, within_days))
        .select("deposit_id", "line_id", "days")
    )
    by_name = _only(pairs.join(named, on=["deposit_id", "line_id"], how="semi"))
    left = pairs.join(by_name, on="deposit_id", how="anti").join(by_name, on="line_id", how="anti")
    unnamed = left.join(named, on="deposit_id", how="anti").join(named, on="line_id", how="anti")
    by_amount = _only(unnamed)
    found = pl.concat(
        [
            by_name.with_columns(is_named=pl.lit(True)),
            by_amount.with_columns(is_named=pl.lit(False)),
        ]
    )
    taken = found.select("deposit_id", "line_id")
    return Matches(
        found=found.sort("deposit_id"),
        ambiguous=left.join(taken, on="deposit_id", how="anti")
        .join(taken, on="line_id", how="anti")
        .select("deposit_id", "line_id")
        .sort("deposit_id", "line_id"),
        differing=named.join(
            deposits.join(lines, on="cents").select("deposit_id", "line_id"),
            on=["deposit_id", "line_id"],
            how="anti",
        )
        .join(taken, on="deposit_id", how="anti")
        .join(taken, on="line_id", how="anti")
        .sort("deposit_id", "line_id"),
    )


def _name(text: str) -> str:
    return _bare(text.upper())


def _only(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs in which each side has no other possibility."""
    return pairs.filter((pl.len().over("deposit_id") == 1) & (pl.len().over("line_id") == 1))

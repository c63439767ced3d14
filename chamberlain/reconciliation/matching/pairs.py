"""Which single line of the bank is which single deposit.

A deposit leaves the center in a bag with a number; days later a credit of its amount is on the
bank's statement, with or without that number. For example, with a week to look ahead:

    deposit  day    amount   bag     line  value on  amount   text         found
    1        3/02   $500.00  B77     11    3/03      $500.00  BAG B77      1 = 11: amount and bag
    2        3/02   $120.00  B78     12    3/04      $120.00  DEPOSIT      2 = 12: the only one
    3        3/02   $300.00  B79     13    3/03      $300.00  DEPOSIT      3: 13 or 14, a person
    4        3/03   $300.00  B80     14    3/04      $300.00  DEPOSIT      4: 13 or 14  decides
    5        3/02   $90.00   B81     15    3/03      $80.00   BAG B81      5: 15 differs by $10.00

An equal amount within the days is always needed here. First come pairs whose line names the bag or
the deposit's number, when they name each other only; then, among what is left and names nothing
else, pairs that are each other's only possibility. Everything else is listed and never guessed.
"""

from dataclasses import dataclass

import polars as pl

# A deposit: number and bag_number in capitals, center its code. A line: text is all that names it,
# references included.
DEPOSITS: dict[str, type[pl.DataType]] = {
    "deposit_id": pl.Int64,
    "cents": pl.Int64,
    "day": pl.Date,
    "number": pl.String,
    "bag_number": pl.String,
    "center": pl.String,
}
LINES: dict[str, type[pl.DataType]] = {
    "line_id": pl.Int64,
    "cents": pl.Int64,
    "value_on": pl.Date,
    "text": pl.String,
}
_WORD = r"[A-Z0-9-]+"
_OTHER = r"[^A-Z0-9 -]"


@dataclass(frozen=True, slots=True)
class Pairs:
    """found: deposit_id, line_id, is_named (Boolean), days (Int64, from deposit to bank).

    ambiguous: deposit_id, line_id of every possibility. differing: deposit_id, line_id where the
    line names the deposit and the amount is another.
    """

    found: pl.DataFrame
    ambiguous: pl.DataFrame
    differing: pl.DataFrame


def names(deposits: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Which line names which deposit, by its number or its bag, once each, in deposits' order.

    deposit_id, line_id, cents (of the deposit), line_cents, days (Int64, from deposit to line). A
    name is a whole word of the line; capitals and leading zeros make no difference.
    """
    words = _words(lines)
    by_bag = _named_by("bag_number", deposits, words)
    by_number = _named_by("number", deposits, words.filter(pl.col("word").str.contains("-")))
    if by_number.is_empty():
        return by_bag
    pair = ["deposit_id", "line_id"]
    both = pl.concat([by_bag.join(by_number, on=pair, how="anti"), by_number])
    return both.sort("deposit_id", maintain_order=True)


def _words(lines: pl.DataFrame) -> pl.DataFrame:
    """line_id, value_on, line_cents and each word of its text, bare.

    Half of a match's time went here once, so what no line needs is not done for all of them.
    """
    text = lines["text"].str.to_uppercase()
    is_plain = not text.str.contains(_OTHER).any()
    parted = text.str.split(" ") if is_plain else text.str.extract_all(_WORD)
    words = (
        lines.select("line_id", "value_on", line_cents="cents")
        .with_columns(parted.alias("word"))
        .explode("word")
        .drop_nulls("word")
    )
    return words.with_columns(_bare(words["word"]))


def _named_by(column: str, deposits: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    if words.is_empty():
        deposits = deposits.clear()
    found = (
        deposits.lazy()
        .select("deposit_id", "cents", "day")
        .with_columns(_bare(deposits[column]).alias("word"))
        .join(words.lazy().filter(pl.col("word") != ""), on="word", maintain_order="left")
        .select(
            "deposit_id",
            "line_id",
            "cents",
            "line_cents",
            days=(pl.col("value_on") - pl.col("day")).dt.total_days(),
        )
        .collect()
    )
    deposit_ids, line_ids = found["deposit_id"], found["line_id"]
    if ((deposit_ids == deposit_ids.shift(1)) & (line_ids == line_ids.shift(1))).any():
        return found.unique(["deposit_id", "line_id"], maintain_order=True)  # said twice in a line
    return found


def _bare(words: pl.Series) -> pl.Series:
    """Without leading zeros, but never without anything."""
    if not words.str.starts_with("0").any():
        return words
    bare = words.str.strip_chars_start("0")
    return bare.set(bare == "", None).fill_null(words)


def one_to_one(
    deposits: pl.DataFrame, lines: pl.DataFrame, named: pl.DataFrame, within_days: int
) -> Pairs:
    """Pairs deposits with bank lines. Frames as DEPOSITS, LINES and `names`; ids are unique."""
    pairs = (
        deposits.lazy()
        .join(lines.lazy(), on="cents")
        .with_columns(days=(pl.col("value_on") - pl.col("day")).dt.total_days())
        .filter(pl.col("days").is_between(0, within_days))
        .select("deposit_id", "line_id", "days")
        .collect()
    )
    is_equal = pl.col("cents") == pl.col("line_cents")
    in_time = pl.col("days").is_between(0, within_days)
    by_name = _only(named.filter(is_equal & in_time).select("deposit_id", "line_id", "days"))
    left = _apart(pairs, by_name)
    by_amount = _only(_apart(left, _touching(named, left)))
    found = pl.concat(
        [
            by_name.with_columns(is_named=pl.lit(True)),
            by_amount.with_columns(is_named=pl.lit(False)),
        ]
    )
    unequal = named.filter(~is_equal).select("deposit_id", "line_id")
    return Pairs(
        found=found.sort("deposit_id"),
        ambiguous=_apart(left, found).select("deposit_id", "line_id").sort("deposit_id", "line_id"),
        differing=_apart(unequal, found),
    )


def _apart(pairs: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Pairs that share neither side with one of the others."""
    if pairs.is_empty() or others.is_empty():
        return pairs
    return pairs.join(others, on="deposit_id", how="anti").join(others, on="line_id", how="anti")


def _touching(named: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """What of `named` shares a side with one of the pairs."""
    if pairs.is_empty():
        return named.clear()
    return pl.concat(
        [
            named.join(pairs, on="deposit_id", how="semi"),
            named.join(pairs, on="line_id", how="semi"),
        ]
    )


def _only(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs in which each side has no other possibility."""
    if pairs.is_empty():
        return pairs
    return pairs.filter((pl.len().over("deposit_id") == 1) & (pl.len().over("line_id") == 1))

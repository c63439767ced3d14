"""What a scenario comes to: revenue by class, how many change by how much, who gains and loses."""

from dataclasses import dataclass

import polars as pl

ACCOUNTS = {
    "account_id": pl.Int64(),
    "rate_class": pl.String(),
    "bills": pl.Int64(),
    "before_cents": pl.Int64(),
    "after_cents": pl.Int64(),
}
_EDGES = (500, 2_000, 5_000, 10_000, 50_000)
"""Cents that divide the changes of an account, on either side of none."""
EXTREMES = 10


@dataclass(frozen=True, slots=True)
class ClassResult:
    """A rate class: accounts, bills, and cents as billed and as imagined."""

    rate_class: str
    accounts: int
    bills: int
    before_cents: int
    after_cents: int

    @property
    def change_cents(self) -> int:
        """Imagined less billed."""
        return self.after_cents - self.before_cents


@dataclass(frozen=True, slots=True)
class Band:
    """Accounts whose bills change by an amount within the band, and their change in all."""

    label: str
    accounts: int
    change_cents: int


@dataclass(frozen=True, slots=True)
class Extreme:
    """An account that gains or loses most."""

    account_id: int
    rate_class: str
    before_cents: int
    after_cents: int

    @property
    def change_cents(self) -> int:
        """Imagined less billed."""
        return self.after_cents - self.before_cents


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario's result. winners pay less, losers more.

    not_rated: bills that the imagined tariff cannot rate, by reason; they are left out of all.
    every: 1 for all accounts, else every so many-th was looked at.
    """

    classes: tuple[ClassResult, ...]
    bands: tuple[Band, ...]
    winners: int
    losers: int
    unchanged: int
    largest_savings: tuple[Extreme, ...]
    largest_increases: tuple[Extreme, ...]
    not_rated: tuple[tuple[str, int], ...]
    every: int

    @property
    def total(self) -> ClassResult:
        """All classes together."""
        return ClassResult(
            "",
            sum(each.accounts for each in self.classes),
            sum(each.bills for each in self.classes),
            sum(each.before_cents for each in self.classes),
            sum(each.after_cents for each in self.classes),
        )


def summarize(accounts: pl.DataFrame, not_rated: dict[str, int], every: int = 1) -> Result:
    """Results over accounts.

    accounts: columns ACCOUNTS, one row for each account and class. not_rated: bills by sentence.
    """
    changed = accounts.with_columns(change=pl.col("after_cents") - pl.col("before_cents"))
    by_account = changed.group_by("account_id").agg(
        pl.col("rate_class").min(), pl.col("before_cents", "after_cents", "change").sum()
    )
    change = by_account["change"]
    return Result(
        classes=tuple(_classes(changed)),
        bands=tuple(_bands(by_account)),
        winners=int((change < 0).sum()),
        losers=int((change > 0).sum()),
        unchanged=int((change == 0).sum()),
        largest_savings=tuple(_extremes(by_account.filter(change < 0), descending=False)),
        largest_increases=tuple(_extremes(by_account.filter(change > 0), descending=True)),
        not_rated=tuple(sorted(not_rated.items(), key=lambda item: (-item[1], item[0]))),
        every=every,
    )


def _classes(changed: pl.DataFrame) -> list[ClassResult]:
    sums = changed.group_by("rate_class").agg(
        pl.col("account_id").n_unique(), pl.col("bills", "before_cents", "after_cents").sum()
    )
    return [ClassResult(*row) for row in sums.sort("before_cents", descending=True).iter_rows()]


def _bands(by_account: pl.DataFrame) -> list[Band]:
    """Bands from the largest savings to the largest increases, empty ones at the ends left out."""
    change = pl.col("change")
    number = sum((change.abs() > edge).cast(pl.Int64) for edge in _EDGES) + 1
    sums = by_account.select(
        "change", band=pl.when(change == 0).then(0).otherwise(change.sign() * number)
    )
    counts = {
        int(band): (int(accounts), int(cents))
        for band, accounts, cents in sums.group_by("band")
        .agg(pl.len(), pl.col("change").sum().alias("cents"))
        .iter_rows()
    }
    if not counts:
        return []
    bands = range(min(*counts, 0), max(*counts, 0) + 1)
    return [Band(_label(band), *counts.get(band, (0, 0))) for band in bands]


def _label(band: int) -> str:
    """`−$5 to −$20` for the second band of savings."""
    if band == 0:
        return "No change"
    sign = "−" if band < 0 else "+"
    ends = [0, *(edge // 100 for edge in _EDGES)]
    place = abs(band) - 1
    if place == len(_EDGES):
        return f"{sign}${ends[-1]:,} or more"
    if place == 0:
        return f"{sign}${ends[1]} or less"
    return f"{sign}${ends[place]:,} to {sign}${ends[place + 1]:,}"


def _extremes(part: pl.DataFrame, *, descending: bool) -> list[Extreme]:
    ordered = part.sort(["change", "account_id"], descending=[descending, False]).head(EXTREMES)
    columns = ordered.select("account_id", "rate_class", "before_cents", "after_cents")
    return [Extreme(*row) for row in columns.iter_rows()]

"""Runs a scenario over the bills of a tariff: read in bulk, rated together, never posted.

Accounts are taken in ranges, so that the memory of a range is all that a city of any size needs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db import connection

from chamberlain.billing.candidates import shared_by_days
from chamberlain.billing.comparing.made_from import TERMS, TERMS_SQL
from chamberlain.billing.what_if.results import ACCOUNTS, Result, summarize
from chamberlain.billing.what_if.scenarios import Scenario, imagined_schedule, imagined_usages
from chamberlain.database.rows import rows as _rows
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.frames import read_frame
from chamberlain.ledger.queries import account_id_of
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

ACCOUNTS_AT_ONCE = 100_000
Progress = Callable[[int, int], None]
BILLS = {"account_id": pl.Int64, "before_cents": pl.Int64, **TERMS}
_BILLS = f"""
    SELECT b.account_id, b.total_cents, {TERMS_SQL}
    WHERE g.tariff_id = %s AND b.to_on > %s AND b.to_on <= %s
        AND b.account_id BETWEEN %s AND %s AND b.account_id %% %s = 0
        AND (b.entry_id IS NULL OR b.entry_id NOT IN (
            SELECT e.reverses_id FROM ledger_entry e WHERE e.reverses_id IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which bills: those that end in the closed-open period.

    account: the number of one, "" for the whole city. every: looks at every so many-th account.
    """

    from_on: date
    to_on: date
    account: str = ""
    every: int = 1

    def __post_init__(self) -> None:
        if self.to_on <= self.from_on:
            raise Invalid(
                f"The period ends on {self.to_on}, not after its start on {self.from_on}; "
                "give a later end.",
                field="until",
            )


def what_if(
    actor: Actor, scenario: Scenario, scope: Scope, progress: Progress | None = None
) -> Result:
    """What the bills of a tariff would have come to. Nothing is written.

    progress: is told how many ranges of accounts are done, and of how many. Raises Invalid for a
    scenario that the tariff does not allow, NotFound for an unknown tariff or account,
    NotPermitted without `billing.view`.
    """
    actor.require("billing.view")
    tariff_id = tariffs.tariff_row(scenario.tariff).tariff_id
    schedule = imagined_schedule(
        tariffs.schedule_by_code(scenario.other_tariff or scenario.tariff), scenario
    )
    ranges = list(_ranges(tariff_id, scope))
    found: list[pl.DataFrame] = []
    not_rated: dict[str, int] = {}
    for number, (first, last) in enumerate(ranges, 1):
        params = [
            tariff_id, scope.from_on, scope.to_on, first, last, 1 if scope.account else scope.every
        ]  # fmt: skip
        accounts, refused = imagine(schedule, _bills(params), scenario)
        found.append(accounts)
        for sentence, bills in refused.items():
            not_rated[sentence] = not_rated.get(sentence, 0) + bills
        if progress is not None:
            progress(number, len(ranges))
    return summarize(
        pl.concat([pl.DataFrame(schema=ACCOUNTS), *found]),
        not_rated,
        1 if scope.account else scope.every,
    )


def sampling(tariff: str, accounts_most: int) -> int:
    """Every how many-th account to look at, so that at most about so many are."""
    query = """SELECT count(*) FROM billing_serviceagreement g JOIN tariffs_tariff t
        ON t.id = g.tariff_id WHERE t.code = %s"""
    return 1 + int(_rows(query, [tariff])[0][0]) // accounts_most


def rate_classes() -> list[str]:
    """The rate classes of all agreements."""
    query = "SELECT DISTINCT rate_class FROM billing_serviceagreement ORDER BY 1"
    return [str(row[0]) for row in _rows(query, [])]


def account_numbers(account_ids: list[int]) -> dict[int, str]:
    """The numbers of accounts by their ids."""
    query = "SELECT id, number FROM ledger_account WHERE id = ANY(%s)"
    return {int(row[0]): str(row[1]) for row in _rows(query, [account_ids])}


def imagine(
    schedule: Schedule | OwrsSchedule, bills: pl.DataFrame, scenario: Scenario
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Bills rated by the imagined tariff.

    bills: account_id, before_cents and the columns USAGES without `row`. Returns columns
    ACCOUNTS, one row for each account and class, and how many bills cannot be rated, by sentence;
    those are in neither sum.
    """
    rows = bills.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    rated = rate(schedule, imagined_usages(rows.select(USAGES.keys()), scenario), explained=False)
    after = rated.lines.group_by("row").agg(after_cents=pl.col("cents").sum())
    kept = rows.select("row", "account_id", "rate_class", "before_cents")
    if rated.refusals.height:
        kept = kept.join(rated.refusals.select("row"), on="row", how="anti")
    accounts = (
        kept.join(after, on="row", how="left")
        .group_by("account_id", "rate_class")
        .agg(
            bills=pl.len().cast(pl.Int64),
            before_cents=pl.col("before_cents").sum(),
            after_cents=pl.col("after_cents").fill_null(0).sum(),
        )
    )
    refused = rated.refusals.group_by("sentence").len()
    return accounts.select(ACCOUNTS.keys()), {str(s): int(n) for s, n in refused.iter_rows()}


def _bills(params: list[object]) -> pl.DataFrame:
    connection.ensure_connection()
    frame = shared_by_days(read_frame(connection.connection, _BILLS, BILLS, params))
    return frame.with_columns(exemptions=pl.col("exemptions").str.split(","))


def _ranges(tariff_id: int, scope: Scope) -> Iterator[tuple[int, int]]:
    """Ranges of account ids that hold all accounts of the scope."""
    if scope.account:
        account_id = account_id_of(scope.account)
        yield account_id, account_id
        return
    query = (
        "SELECT min(account_id), max(account_id) FROM billing_serviceagreement WHERE tariff_id = %s"
    )
    [(least, most)] = _rows(query, [tariff_id])
    if least is None:
        return
    width = ACCOUNTS_AT_ONCE * scope.every
    for first in range(int(least), int(most) + 1, width):
        yield first, min(first + width - 1, int(most))

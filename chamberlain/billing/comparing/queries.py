"""Why a bill is this much, for the page and the letter."""

from dataclasses import dataclass

import polars as pl
from django.utils.translation import gettext_noop

from chamberlain.billing import queries
from chamberlain.billing.comparing.made_from import billed_lines, compared_with, made_from
from chamberlain.billing.comparing.owing import Owing, owing
from chamberlain.billing.comparing.splitting import PAIRS, split_differences
from chamberlain.billing.comparing.words import Comparison, comparison
from chamberlain.billing.queries import BillRow
from chamberlain.tariffs import queries as tariffs

BEFORE = gettext_noop("The bill before")
YEAR_BEFORE = gettext_noop("The same time last year")


@dataclass(frozen=True, slots=True)
class Why:
    """A bill with what it is compared to, and how what is owed came about.

    No comparison for the first bill of a service, and no owing for the first of an account.
    """

    bill: BillRow
    comparisons: tuple[Comparison, ...]
    owing: Owing | None = None


def why(bill_number: str) -> Why:
    """This bill against the bill before and against the same time last year.

    Where both are the same bill it is compared once. Raises NotFound.
    """
    bill = queries.bill(bill_number)
    other = compared_with(bill.bill_id)
    named = {other.year_before_id: YEAR_BEFORE, other.before_id: BEFORE}
    earlier = {found: named[found] for found in (other.before_id, other.year_before_id) if found}
    owed = owing(bill)
    if not earlier:
        return Why(bill, (), owed)
    ids = [bill.bill_id, *earlier]
    schedule = tariffs.schedule_by_code(bill.tariff_code)
    labels = {line.component_id: line.label for line in tariffs.components_of(bill.tariff_code)}
    sides = made_from(ids)
    pairs = pl.DataFrame(
        {"pair": range(len(earlier)), "bill_id": bill.bill_id, "before_id": list(earlier)},
        schema=PAIRS,
    )
    split = split_differences(schedule, sides, billed_lines(ids), pairs)
    by_id = {side["bill_id"]: side for side in sides.to_dicts()}
    rows = {row.bill_id: row for row in queries.bills_by_id(list(earlier))}
    return Why(
        bill,
        tuple(
            comparison(
                name,
                bill,
                rows[before_id],
                by_id,
                split.filter(pl.col("pair") == pair),
                labels,
                schedule,
            )
            for pair, (before_id, name) in enumerate(earlier.items())
        ),
        owed,
    )

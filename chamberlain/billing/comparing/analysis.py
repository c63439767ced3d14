"""An account's bills of a period held against their reads and rates, and against its neighbours.

Source of the duty: detailed billing analysis of the Supervisor of Customer Accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from chamberlain.billing import queries
from chamberlain.billing.comparing.made_from import STANDING, billed_lines, made_from
from chamberlain.billing.comparing.splitting import LINES
from chamberlain.billing.queries import BillRow
from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.errors import Invalid
from chamberlain.tariffs import queries as tariffs
from chamberlain.tariffs.owrs_rating import OwrsSchedule
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

BILLS_MAX = 400
NEIGHBOURS = 250
"""How many similar accounts are looked at on either side of this one."""
NEIGHBOURS_LEAST = 5
"""With fewer, a middle value would tell what a single neighbour used."""
RECOMPUTED = {
    "bill_id": pl.Int64(),
    "component_id": pl.Int64(),
    "billed_cents": pl.Int64(),
    "rated_cents": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class Similar:
    """Usage a day of similar accounts in a month, in thousandths: middle half and middle."""

    low: int
    middle: int
    high: int
    accounts: int


@dataclass(frozen=True, slots=True)
class LineAnalysed:
    """A printed line as billed and as its read and rates give it, in cents."""

    label: str
    billed_cents: int
    rated_cents: int

    @property
    def variance_cents(self) -> int:
        """Billed less rated."""
        return self.billed_cents - self.rated_cents


@dataclass(frozen=True, slots=True)
class BillAnalysed:
    """A bill of the period. refusal: why it cannot be rated again, or "".

    usage_thousandths: the bill's share of its read; daily_thousandths: of it a day, rounded.
    """

    bill: BillRow
    days: int
    usage_thousandths: int
    daily_thousandths: int
    lines: tuple[LineAnalysed, ...]
    refusal: str
    similar: Similar | None

    @property
    def rated_cents(self) -> int:
        """What its read and rates give."""
        return sum(line.rated_cents for line in self.lines)

    @property
    def variance_cents(self) -> int:
        """Billed less rated; 0 where it could not be rated."""
        return 0 if self.refusal else self.bill.total_cents - self.rated_cents


@dataclass(frozen=True, slots=True)
class Analysis:
    """The bills of an account that end in a period, the oldest first; left_out: taken back."""

    from_on: date
    to_on: date
    bills: tuple[BillAnalysed, ...]
    left_out: int

    @property
    def billed_cents(self) -> int:
        """What the bills come to."""
        return sum(each.bill.total_cents for each in self.bills)

    @property
    def variance_cents(self) -> int:
        """The sum of the variances."""
        return sum(each.variance_cents for each in self.bills)

    @property
    def variances(self) -> int:
        """How many bills are not what their reads and rates give, or could not be rated."""
        return sum(bool(each.variance_cents or each.refusal) for each in self.bills)


def recompute(
    schedule: Schedule | OwrsSchedule, sides: pl.DataFrame, lines: pl.DataFrame
) -> tuple[pl.DataFrame, dict[int, str]]:
    """Bills rated again beside what was printed.

    sides: columns SIDES, one row for each bill; lines: columns LINES. Returns columns RECOMPUTED,
    a row for each line that a bill has either way, and sentences by id of bills that cannot be
    rated, whose rated_cents are 0.
    """
    usages = sides.rename({"bill_id": "row"}).select(USAGES.keys())
    rated = rate(schedule, usages, explained=False)
    again = rated.lines.select("component_id", bill_id="row", rated_cents="cents")
    billed = lines.select(LINES.keys()).rename({"cents": "billed_cents"})
    both = billed.join(again, on=["bill_id", "component_id"], how="full", coalesce=True)
    found = both.with_columns(pl.col("billed_cents", "rated_cents").fill_null(0))
    refusals = dict(rated.refusals.select("row", "sentence").iter_rows())
    return found.select(RECOMPUTED.keys()).sort("bill_id", "component_id"), refusals


def analysis(account_id: int, from_on: date, to_on: date) -> Analysis:
    """The bills that end in the closed-open period, each rated again.

    Raises Invalid for a period that ends before it starts or has too many bills.
    """
    if to_on <= from_on:
        raise Invalid(
            f"The period ends on {to_on}, not after its start on {from_on}; give a later end.",
            field="until",
        )
    ids, left_out = _bills_of_period(account_id, from_on, to_on)
    rows = {row.bill_id: row for row in queries.bills_by_id(ids)}
    sides, lines = made_from(ids), billed_lines(ids)
    found: list[BillAnalysed] = []
    for code in dict.fromkeys(row.tariff_code for row in rows.values()):
        own = [bill_id for bill_id in ids if rows[bill_id].tariff_code == code]
        found += _analysed(
            code,
            {bill_id: rows[bill_id] for bill_id in own},
            sides.filter(pl.col("bill_id").is_in(own)),
            lines.filter(pl.col("bill_id").is_in(own)),
        )
    found.sort(key=lambda each: (each.bill.to_on, each.bill.bill_id))
    return Analysis(from_on, to_on, tuple(found), left_out)


def _bills_of_period(account_id: int, from_on: date, to_on: date) -> tuple[list[int], int]:
    query = f"""SELECT b.id, {STANDING} FROM billing_bill b
        WHERE b.account_id = %s AND b.to_on > %s AND b.to_on <= %s ORDER BY b.to_on, b.id"""
    found = _rows(query, [account_id, from_on, to_on])
    if len(found) > BILLS_MAX:
        raise Invalid(
            f"The period has {len(found):,} bills, more than the {BILLS_MAX} that fit into one "
            "analysis; choose a shorter one.",
            field="until",
        )
    standing = [int(bill_id) for bill_id, stands in found if stands]
    return standing, len(found) - len(standing)


def _analysed(
    code: str, rows: dict[int, BillRow], sides: pl.DataFrame, lines: pl.DataFrame
) -> list[BillAnalysed]:
    recomputed, refusals = recompute(tariffs.schedule_by_code(code), sides, lines)
    labels = {line.component_id: line.label for line in tariffs.components_of(code)}
    similar = _similar_usage(list(rows))
    by_bill = recomputed.partition_by("bill_id", as_dict=True)
    return [
        _bill(
            rows[side["bill_id"]],
            side,
            [
                LineAnalysed(labels.get(component, "Line"), billed, rated)
                for _, component, billed, rated in by_bill[(side["bill_id"],)].iter_rows()
            ]
            if (side["bill_id"],) in by_bill
            else [],
            refusals.get(side["bill_id"], ""),
            similar.get(side["bill_id"]),
        )
        for side in sides.to_dicts()
    ]


def _bill(
    row: BillRow,
    side: dict[str, object],
    lines: list[LineAnalysed],
    refusal: str,
    similar: Similar | None,
) -> BillAnalysed:
    days = (row.to_on - row.from_on).days
    used = side["usage_thousandths"]
    assert isinstance(used, int)
    daily = (2 * used + days) // (2 * days)
    is_metered = side["unit"] is not None
    return BillAnalysed(
        row, days, used, daily, tuple(lines), refusal, similar if is_metered else None
    )


_SIMILAR = f"""
    WITH mine AS (SELECT b.id, b.account_id, b.to_on, r.unit, g.id AS agreement_id, g.tariff_id,
            g.rate_class, g.dwelling_units
        FROM billing_bill b JOIN billing_serviceagreement g ON g.id = b.agreement_id
        JOIN metering_read r ON r.id = b.read_id WHERE b.id = ANY(%(bills)s)),
    alike AS (SELECT DISTINCT tariff_id, rate_class, dwelling_units, account_id,
            min(agreement_id) OVER (PARTITION BY tariff_id, rate_class, dwelling_units) AS around
        FROM mine),
    near AS (SELECT a.tariff_id, a.rate_class, a.dwelling_units, n.id, n.account_id FROM alike a
        CROSS JOIN LATERAL (
            (SELECT g.id, g.account_id FROM billing_serviceagreement g
                WHERE g.id > a.around AND g.is_metered AND g.tariff_id = a.tariff_id
                AND g.rate_class = a.rate_class AND g.dwelling_units = a.dwelling_units
                AND g.account_id <> a.account_id ORDER BY g.id LIMIT %(many)s)
            UNION ALL
            (SELECT g.id, g.account_id FROM billing_serviceagreement g
                WHERE g.id < a.around AND g.is_metered AND g.tariff_id = a.tariff_id
                AND g.rate_class = a.rate_class AND g.dwelling_units = a.dwelling_units
                AND g.account_id <> a.account_id ORDER BY g.id DESC LIMIT %(many)s)) n),
    used AS (SELECT n.tariff_id, n.rate_class, n.dwelling_units, n.account_id, r.unit,
            date_trunc('month', b.to_on - 1)::date AS month,
            (2 * r.usage_thousandths + (r.to_on - r.from_on)) / (2 * (r.to_on - r.from_on)) AS daily
        FROM near n JOIN billing_bill b ON b.account_id = n.account_id AND b.agreement_id = n.id
        JOIN metering_read r ON r.id = b.read_id
        WHERE b.to_on BETWEEN (SELECT min(to_on) FROM mine) - 31
            AND (SELECT max(to_on) FROM mine) + 31 AND {STANDING})
    SELECT m.id, percentile_disc(0.25) WITHIN GROUP (ORDER BY u.daily),
        percentile_disc(0.5) WITHIN GROUP (ORDER BY u.daily),
        percentile_disc(0.75) WITHIN GROUP (ORDER BY u.daily), count(DISTINCT u.account_id)
    FROM mine m JOIN used u ON u.tariff_id = m.tariff_id AND u.rate_class = m.rate_class
        AND u.dwelling_units = m.dwelling_units AND u.unit = m.unit
        AND u.month = date_trunc('month', m.to_on - 1)::date
    GROUP BY m.id HAVING count(DISTINCT u.account_id) >= %(least)s
"""


def _similar_usage(bill_ids: Sequence[int]) -> dict[int, Similar]:
    """Usage a day of accounts of the same tariff, class and dwelling units, whose bills end in
    the same month, by bill id. Those around the account in the order of agreements are taken."""
    values = {"bills": list(bill_ids), "many": NEIGHBOURS, "least": NEIGHBOURS_LEAST}
    return {
        int(bill_id): Similar(int(low), int(middle), int(high), int(accounts))
        for bill_id, low, middle, high, accounts in _rows(_SIMILAR, values)
    }

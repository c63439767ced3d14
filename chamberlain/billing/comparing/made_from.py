"""What bills were made from, and which bills they are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from django.db import connection

from chamberlain.billing.candidates import shared_by_days
from chamberlain.billing.comparing.splitting import LINES, SIDES
from chamberlain.database.rows import rows as _rows
from chamberlain.kernel.frames import read_frame
from chamberlain.kernel.periods import add_months
from chamberlain.metering.parts import PartRow, parts_of_reads

YEAR_MONTHS = 12
YEAR_TOLERANCE_DAYS = 45

STANDING = """NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)"""
"""A bill that nobody took back."""

TERMS = {
    "rate_class": pl.String,
    "meter_size": pl.String,
    "dwelling_units": pl.Int64,
    "exemptions": pl.String,
    "attributes": pl.String,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "read_id": pl.Int64,
    "days_before": pl.Int64,
    "days_of_read": pl.Int64,
    "usage_thousandths": pl.Int64,
    "unit": pl.String,
}
TERMS_SQL = """
    g.rate_class, g.meter_size, g.dwelling_units,
        nullif(array_to_string(g.exemptions, ','), ''), nullif(g.attributes::text, '{}'),
        b.from_on, b.to_on, r.id, coalesce(b.from_on - r.from_on, 0),
        coalesce(r.to_on - r.from_on, 1), coalesce(r.usage_thousandths, 0), r.unit
    FROM billing_bill b
    JOIN billing_serviceagreement g ON g.id = b.agreement_id
    LEFT JOIN metering_read r ON r.id = b.read_id
"""
"""What a bill b was made from: columns TERMS, behind whatever else is selected."""

_MADE_FROM_SCHEMA = {"bill_id": pl.Int64, **TERMS}


@dataclass(frozen=True, slots=True)
class Compared:
    """The bills that a bill is compared with; None where there is none."""

    before_id: int | None
    year_before_id: int | None


def made_from(bill_ids: Sequence[int]) -> pl.DataFrame:
    """What bills were made from, in their order: columns SIDES.

    A bill that covers a part of its read has the share of the usage that its days had.
    """
    return made_from_where("b.id = ANY(%s) ORDER BY b.id", [list(bill_ids)])


def made_from_where(where: str, params: Sequence[object]) -> pl.DataFrame:
    """`made_from` of the bills that a condition of billing's own queries picks."""
    connection.ensure_connection()
    query = f"SELECT b.id, {TERMS_SQL} WHERE {where}"
    return usable(read_frame(connection.connection, query, _MADE_FROM_SCHEMA, params))


def usable(frame: pl.DataFrame) -> pl.DataFrame:
    """What TERMS_SQL selected, as rating takes it."""
    return (
        shared_by_days(frame)
        .with_columns(exemptions=pl.col("exemptions").str.split(","))
        .select(SIDES.keys())
    )


def counted_by_meter(bill_ids: Sequence[int]) -> dict[int, list[PartRow]]:
    """What each meter counted of the reads that bills were made from, by bill; bills whose usage
    one meter counted alone are left out."""
    query = "SELECT id, read_id FROM billing_bill WHERE id = ANY(%s) AND read_id IS NOT NULL"
    reads = dict(_rows(query, [list(bill_ids)]))
    by_read: dict[int | None, list[PartRow]] = {}
    for part in parts_of_reads(list(set(reads.values()))):
        by_read.setdefault(part.read_id, []).append(part)
    return {bill_id: by_read[read] for bill_id, read in reads.items() if read in by_read}


def billed_lines(bill_ids: Sequence[int]) -> pl.DataFrame:
    """What the printed lines of bills came to: columns LINES."""
    connection.ensure_connection()
    query = """SELECT bill_id, component_id, cents FROM billing_billline
        WHERE bill_id = ANY(%s) ORDER BY bill_id, position"""
    return read_frame(connection.connection, query, LINES, [list(bill_ids)])


def compared_with(bill_id: int) -> Compared:
    """The bill before, and the one for the same time a year before.

    Both are for the same service under the same tariff, and nobody took them back. A year before
    is the bill that ends nearest to the day twelve months before this one's end, at most
    YEAR_TOLERANCE_DAYS away.
    """
    query = f"""
        SELECT b.id, b.from_on, b.to_on, n.from_on, n.to_on FROM billing_bill n
        JOIN billing_serviceagreement m ON m.id = n.agreement_id
        JOIN billing_bill b ON b.account_id = n.account_id AND b.to_on <= n.from_on
        JOIN billing_serviceagreement g ON g.id = b.agreement_id
            AND g.service_point_id = m.service_point_id AND g.tariff_id = m.tariff_id
        WHERE n.id = %s AND {STANDING}
        ORDER BY b.to_on DESC, b.id DESC LIMIT 400
    """
    found = _rows(query, [bill_id])
    if not found:
        return Compared(None, None)
    year_before = add_months(found[0][4], -YEAR_MONTHS)

    def distance(to_on: date) -> int:
        return abs((to_on - year_before).days)

    nearest = min(found, key=lambda row: distance(row[2]))
    is_near = distance(nearest[2]) <= YEAR_TOLERANCE_DAYS
    return Compared(int(found[0][0]), int(nearest[0]) if is_near else None)

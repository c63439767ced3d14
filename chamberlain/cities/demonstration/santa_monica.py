"""Santa Monica: 218,067 real usages, each line of the file one read of its customer.

The file has a customer number, the usage in hundreds of cubic feet, the month and the class.
Names and addresses are not published; each customer is named by its number. A customer has one
account, and a service point with an agreement for each class of its usages. The usages were
billed by their utility, so the reads come in as verified. What the tariff does not know, the
class OTHER, gets its agreement too, and so ends on the worklist of the bill run.
"""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import psycopg
from django.db import connection, transaction

from chamberlain.cities.loading import city_folder
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.history import copy_recorded
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.ledger.models import Account
from chamberlain.registry.bulk import add_service_points, register_many
from chamberlain.tariffs.models import Tariff
from chamberlain.tariffs.operations import load_owrs

TARIFF = "santa-monica-2016-03-01"
TARIFF_FILE = "tariff_2016-03-01.owrs"
USAGE_FILE = "usage.csv.gz"
METER_SIZE = '1"'
BILLED_MONTHS = 2
_SOURCE = "Open Water Rate Specification, California Data Collaborative, Santa Monica (MIT)"

_PROPERTY_TYPES = {
    "RESIDENTIAL_SINGLE": "sm_single_family",
    "RESIDENTIAL_MULTI": "sm_multi_family",
    "COMMERCIAL": "sm_commercial",
    "INSTITUTIONAL": "sm_institutional",
    "IRRIGATION": "sm_irrigation",
    "OTHER": "sm_other",
}


def load_santa_monica(
    progress: Callable[[str], None] = lambda _: None, now: datetime | None = None
) -> int:
    """Loads tariff, customers, accounts, agreements and reads; returns the number of reads.

    Needs the city's files loaded. One transaction; when it was loaded before, nothing changes.
    progress: called with what is loaded next.
    """
    actor = program_actor()
    progress("Tariff of Santa Monica")
    tariff_id = _tariff(actor, now or datetime.now(UTC))
    usages = read_usages()
    if Account.objects.filter(number__startswith="SM-").exists():
        return usages.height
    with transaction.atomic():
        connection.ensure_connection()
        progress("Customers of Santa Monica")
        customers = _register(actor, usages)
        progress("Reads of Santa Monica")
        points = _agree(actor, usages, customers, tariff_id)
        _copy_reads(connection.connection, usages, points)
    return usages.height


def read_usages() -> pl.DataFrame:
    """The file's usages: line, cust_id, customer_class, used_on, usage_thousandths (of a ccf)."""
    content = gzip.decompress((city_folder("santa_monica") / USAGE_FILE).read_bytes())
    return (
        pl.read_csv(content, try_parse_dates=True)
        .with_row_index("line", offset=2)
        .select(
            pl.col("line").cast(pl.Int64),
            pl.col("cust_id").cast(pl.Int64),
            customer_class="cust_class",
            used_on=pl.col("usage_date").cast(pl.Date),
            usage_thousandths=pl.col("usage_ccf").cast(pl.Int64) * 1000,
        )
    )


def _tariff(actor: Actor, now: datetime) -> int:
    path = city_folder("santa_monica") / TARIFF_FILE
    name = "Santa Monica water, 1 March 2016"
    load_owrs(actor, path, TARIFF, name, "water", _SOURCE, now)
    return int(Tariff.objects.get(code=TARIFF).pk)


def _register(actor: Actor, usages: pl.DataFrame) -> pl.DataFrame:
    """One household for each customer number, with the class of its first line."""
    number = pl.col("cust_id").cast(pl.String).str.zfill(6)
    is_person = pl.col("customer_class").str.starts_with("RESIDENTIAL")
    households = (
        usages.sort("line")
        .group_by("cust_id", maintain_order=True)
        .agg(pl.col("customer_class").first(), opened_on=pl.col("used_on").min())
        .select(
            "cust_id",
            "opened_on",
            number=pl.format("SM-{}", number),
            kind=pl.when(is_person).then(pl.lit("person")).otherwise(pl.lit("organization")),
            name=pl.format("Customer {} of Santa Monica", number),
            phone=pl.lit(None, dtype=pl.String),
            email=pl.lit(None, dtype=pl.String),
            parcel_number=pl.format("SM-P-{}", number),
            address=pl.format("Service address of customer {}", number),
            postal_code=pl.lit("90401"),
            property_type=pl.col("customer_class").replace_strict(_PROPERTY_TYPES),
            dwelling_units=pl.lit(1, dtype=pl.Int64),
        )
    )
    return register_many(actor, households)


def _agree(
    actor: Actor, usages: pl.DataFrame, customers: pl.DataFrame, tariff_id: int
) -> pl.DataFrame:
    """A service point and an agreement for each class of each customer."""
    pairs = (
        usages.group_by("cust_id", "customer_class", maintain_order=True)
        .agg(since=pl.col("used_on").min())
        .join(customers.select("cust_id", "property_id", "account_id"), on="cust_id")
        .sort("account_id", "customer_class")
        .with_columns(
            code=pl.format(
                "SM-{}-{}",
                pl.col("cust_id").cast(pl.String).str.zfill(6),
                pl.col("customer_class").str.slice(0, 3)
                + pl.col("customer_class").str.extract(r"_(.)", 1).fill_null(""),
            )
        )
    )
    points = add_service_points(actor, pairs)
    agreements = points.select(
        "account_id",
        "service_point_id",
        tariff_id=pl.lit(tariff_id),
        rate_class="customer_class",
        is_metered=pl.lit(True),
        meter_size=pl.lit(METER_SIZE),
        dwelling_units=pl.lit(1),
        exemptions=pl.lit("{}"),
        attributes=pl.lit(json.dumps({"water_type": "potable"})),
        cycle_months=pl.lit(BILLED_MONTHS),
        period=pl.format("[{},)", pl.col("since").dt.to_string("%Y-%m-%d")),
    )
    ids = next_ids(connection.connection, "billing_serviceagreement", agreements.height)
    copy_recorded(actor, "billing_serviceagreement", agreements.with_columns(id=ids))
    return points


def _copy_reads(
    database: psycopg.Connection[object], usages: pl.DataFrame, points: pl.DataFrame
) -> None:
    reads = usages.join(
        points.select("cust_id", "customer_class", "service_point_id"),
        on=["cust_id", "customer_class"],
    ).select(
        "service_point_id",
        "usage_thousandths",
        from_on="used_on",
        to_on=pl.col("used_on").dt.offset_by(f"{BILLED_MONTHS}mo"),
        unit=pl.lit("ccf"),
        quality=pl.lit("actual"),
        is_verified=pl.lit(True),
        source=pl.format("{}:{}", pl.lit(USAGE_FILE), "line"),
    )
    ids = next_ids(database, "metering_read", reads.height)
    copy_frame(database, "metering_read", reads.with_columns(id=ids))

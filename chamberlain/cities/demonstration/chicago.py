"""A made-up Chicago under the real rates: accounts, meters, reads, agreements, then its history.

The same seed makes the same city. Its first part is one transaction; its history goes day by
day (see `history`), so that a generation that was killed goes on where it was.
"""

import json
from collections.abc import Callable
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from django.db import connection, transaction

from chamberlain.cities.demonstration import history, people, routes, usage
from chamberlain.identity.actors import Actor, program_actor
from chamberlain.identity.history import copy_recorded
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.kernel.periods import add_months
from chamberlain.ledger.models import Account
from chamberlain.registry.bulk import add_service_points, register_many
from chamberlain.tariffs.models import Tariff

SEED = 2016
ACCOUNTS = 20_000
PERIODS = 30
METERED = "chicago-metered"
NON_METERED = "chicago-non-metered"

_MAY_BE_UNMETERED = ("single_family", "two_flat", "three_flat")
_COMMERCIAL = ("commercial", "institutional")
_UNMETERED_SHARE = 0.385
_SENIORS = 0.05
_SIZES = {"apartments": '1-1/2"', "condominium": '2"', "commercial": '1"', "institutional": '2"'}

Progress = Callable[[str], None]


def generate_chicago(
    today: date,
    *,
    seed: int = SEED,
    accounts: int = ACCOUNTS,
    periods: int = PERIODS,
    progress: Progress = lambda _: None,
) -> int:
    """Makes the city of so many accounts with a history of so many two-month periods.

    Needs the city's files loaded. The history ends shortly before `today`. Made before, it
    changes nothing. progress: called with what is made next. Returns the number of accounts.
    """
    actor = program_actor()
    last_end = _last_end(today)
    if not Account.objects.filter(number__startswith="CH-").exists():
        with transaction.atomic():
            _make_city(actor, np.random.default_rng(seed), accounts, last_end, periods, progress)
    history.play(actor, history.Past(seed, last_end, periods, today), progress)
    return Account.objects.filter(number__startswith="CH-").count()


def _last_end(today: date) -> date:
    """The first of the last month whose bills are out: issued some days after it began."""
    first = today.replace(day=1)
    return first if (today - first).days >= 10 else add_months(first, -1)


def _make_city(
    actor: Actor,
    random: np.random.Generator,
    accounts: int,
    last_end: date,
    periods: int,
    progress: Progress,
) -> None:
    ends = usage.period_ends(last_end, periods)
    starts = [add_months(end, -usage.CYCLE_MONTHS) for end in ends]
    connection.ensure_connection()
    progress("Customers of Chicago")
    made = register_many(actor, people.households(random, accounts, starts))
    made = add_service_points(
        actor, made.with_columns(code=pl.format("SP-{}", pl.col("number").str.slice(3)))
    )
    may_lack = made["property_type"].is_in(list(_MAY_BE_UNMETERED)).to_numpy()
    lacks = may_lack & (random.random(accounts) < _UNMETERED_SHARE / 0.78)
    made = made.with_columns(
        is_metered=pl.Series(~lacks),
        exemptions=pl.Series(np.where(random.random(accounts) < _SENIORS, "{senior}", "{}")),
    )
    progress("Meters and reads of Chicago")
    metered = _install(actor, made.filter("is_metered"))
    routes.make_routes(actor, metered)
    usual = usage.daily_ccf(random, metered)
    reads = usage.reads(random, metered, usual, ends)
    ids = next_ids(connection.connection, "metering_read", reads.height)
    copy_frame(connection.connection, "metering_read", reads.with_columns(id=ids))
    progress("Agreements of Chicago")
    _agree(actor, _metered_agreements(metered, usual))
    _agree(actor, _unmetered_agreements(random, made.filter(~pl.col("is_metered"))))


def _install(actor: Actor, points: pl.DataFrame) -> pl.DataFrame:
    database = connection.connection
    meter_ids = next_ids(database, "metering_meter", points.height)
    points = points.with_columns(
        meter_id=meter_ids,
        meter_size=pl.col("property_type").replace_strict(_SIZES, default='5/8"'),
    )
    meters = points.select(
        id="meter_id",
        serial=pl.format("N{}", pl.col("number").str.slice(3)),
        size="meter_size",
        dials=pl.lit(usage.DIALS),
        unit=pl.lit("ccf"),
    )
    copy_recorded(actor, "metering_meter", meters)
    installed = points.select(
        "meter_id",
        "service_point_id",
        period=_since("opened_on"),
        register_at_start=pl.lit(0),
    )
    ids = next_ids(database, "metering_installation", points.height)
    copy_recorded(actor, "metering_installation", installed.with_columns(id=ids))
    return points


def _since(column: str) -> pl.Expr:
    return pl.format("[{},)", pl.col(column).dt.to_string("%Y-%m-%d"))


def _rate_class() -> pl.Expr:
    is_commercial = pl.col("property_type").is_in(list(_COMMERCIAL))
    return pl.when(is_commercial).then(pl.lit("commercial")).otherwise(pl.lit("residential"))


def _metered_agreements(metered: pl.DataFrame, usual: npt.NDArray[np.float64]) -> pl.DataFrame:
    return metered.select(
        "account_id",
        "service_point_id",
        "meter_size",
        "dwelling_units",
        "exemptions",
        tariff_id=pl.lit(Tariff.objects.get(code=METERED).pk),
        rate_class=_rate_class(),
        is_metered=pl.lit(True),
        attributes=pl.lit("{}"),
        normal_daily_thousandths=pl.Series(np.rint(usual * 1000).astype(np.int64)),
        cycle_months=pl.lit(usage.CYCLE_MONTHS),
        period=_since("opened_on"),
    )


def _unmetered_agreements(random: np.random.Generator, points: pl.DataFrame) -> pl.DataFrame:
    return points.select(
        "account_id",
        "service_point_id",
        "dwelling_units",
        "exemptions",
        tariff_id=pl.lit(Tariff.objects.get(code=NON_METERED).pk),
        rate_class=_rate_class(),
        is_metered=pl.lit(False),
        meter_size=pl.lit(""),
        attributes=pl.Series([json.dumps(_fixtures(random)) for _ in range(points.height)]),
        normal_daily_thousandths=pl.lit(None, dtype=pl.Int64),
        cycle_months=pl.lit(6),
        period=_since("opened_on"),
    )


def _fixtures(random: np.random.Generator) -> dict[str, str]:
    """How many of each fixture of the tariff a property has."""
    drawn = random.random(3)
    is_wide = drawn[0] < 0.3
    found = {"hose_frontage_30_to_50_ft" if is_wide else "hose_frontage_up_to_30_ft": "1"}
    if is_wide and drawn[1] < 0.3:
        found["hose_each_extra_25_ft"] = str(1 + int(drawn[1] * 10))
    if drawn[2] < 0.25:
        found["garden_up_to_3000_sq_ft"] = "1"
    if drawn[2] < 0.01:
        found["fountain_jet_to_1_16_inch"] = "1"
    return found


def _agree(actor: Actor, agreements: pl.DataFrame) -> None:
    ids = next_ids(connection.connection, "billing_serviceagreement", agreements.height)
    copy_recorded(actor, "billing_serviceagreement", agreements.with_columns(id=ids))

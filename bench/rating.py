"""The rating kernel alone: two million accounts, four tiers and a rate change inside the period.

The limit is the same arithmetic written by hand in NumPy for that one tariff: for each version
the usage through four tiers, weighted by the version's days, divided and rounded half up. Both
come to the same cents, which is checked before anything is reported.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.figures import Figure
from bench.room import Room
from chamberlain.tariffs.parsing import parse
from chamberlain.tariffs.rating import rate
from chamberlain.tariffs.schedule import Schedule
from chamberlain.tariffs.shapes import USAGES

ACCOUNTS = 2_000_000
ACCOUNTS_QUICK = 200_000
REPEATS = 5

Whole = npt.NDArray[np.int64]

CHANGE = date(2026, 3, 1)
ENDS = (8, 20, 45)
RATES_BEFORE = ("2.87", "4.29", "6.44", "10.07")
RATES_AFTER = ("3.01", "4.50", "6.76", "10.57")


@dataclass(frozen=True)
class Times:
    """Seconds of the fastest run of each."""

    numpy: float
    lines: float
    explained: float


def measure(room: Room) -> list[Figure]:
    """Accounts a second: printed lines without steps, and with the steps of every line."""
    accounts = ACCOUNTS_QUICK if room.quick else ACCOUNTS
    times = compare(accounts)
    return [
        _figure("rating", accounts, times.lines, times.numpy),
        _figure("rating_with_steps", accounts, times.explained, times.numpy),
    ]


def _figure(name: str, accounts: int, seconds: float, limit: float) -> Figure:
    return Figure(
        name=name,
        value=accounts / seconds,
        unit="accounts/s",
        limit="the same arithmetic by hand in NumPy",
        limit_value=accounts / limit,
        ratio=limit / seconds,
    )


def compare(accounts: int) -> Times:
    """Times of NumPy and of the kernel on the same accounts, after comparing their cents."""
    usages, schedule = make_usages(accounts), make_schedule()
    from_day, to_day = (
        usages[name].to_physical().cast(pl.Int64).to_numpy() for name in ("from_on", "to_on")
    )
    usage = usages["usage_thousandths"].to_numpy()
    expected = by_hand(from_day, to_day, usage)
    found = rate(schedule, usages, explained=False).lines["cents"].to_numpy()
    if not np.array_equal(expected, found):
        raise AssertionError("the kernel and the hand-written arithmetic differ")
    return Times(
        numpy=_fastest(lambda: by_hand(from_day, to_day, usage)),
        lines=_fastest(lambda: rate(schedule, usages, explained=False)),
        explained=_fastest(lambda: rate(schedule, usages)),
    )


def by_hand(from_day: Whole, to_day: Whole, usage: Whole) -> Whole:
    """Cents of each account, for this tariff only. Days since 1970, thousandths of a ccf."""
    days = to_day - from_day
    change = np.int64((CHANGE - date(1970, 1, 1)).days)
    before = np.clip(change - from_day, 0, days)
    total = _tiers(usage, RATES_BEFORE) * before + _tiers(usage, RATES_AFTER) * (days - before)
    # Thousandths of a unit times cents.
    whole = 1000 * days
    cents: Whole = (2 * total + whole) // (2 * whole)
    return cents


def _tiers(usage: Whole, rates: tuple[str, ...]) -> Whole:
    cents = [int(rate.replace(".", "")) for rate in rates]
    total = np.zeros_like(usage)
    below = 0
    for end, each in zip((*ENDS, None), cents, strict=True):
        top = usage if end is None else np.minimum(usage, end * 1000)
        total += np.maximum(top - below, 0) * each
        below = (end or 0) * 1000
    return total


def make_schedule() -> Schedule:
    """Four tiers, whose rates change on CHANGE, by day."""
    versions = [
        {"effective": day, "tiers": [*_tier_terms(rates), {"rate": rates[-1]}]}
        for day, rates in (("2024-03-01", RATES_BEFORE), (str(CHANGE), RATES_AFTER))
    ]
    component = {
        "id": 1,
        "code": "water",
        "label": "Water",
        "charge_kind": "water",
        "formula": "Usage by tiers",
        "source": "A schedule made for measuring",
        "terms": {"type": "tiers", "unit": "ccf", "versions": versions},
    }
    return parse(
        {
            "code": "measured",
            "name": "Four tiers",
            "unit": "ccf",
            "proration": "by_day",
            "source": "A schedule made for measuring",
            "components": [component],
        }
    )


def _tier_terms(rates: tuple[str, ...]) -> list[dict[str, object]]:
    return [{"up_to": end, "rate": rate} for end, rate in zip(ENDS, rates[:-1], strict=True)]


def make_usages(accounts: int) -> pl.DataFrame:
    """Bimonthly reads in whole units, on one of 60 days each; a third spans the change."""
    random = np.random.default_rng(1837)
    change = (CHANGE - date(1970, 1, 1)).days
    # Reads of four months, of which those that begin in the two before the change span it.
    to_day = change + random.integers(-60, 120, accounts)
    from_day = to_day - random.integers(57, 64, accounts)
    usage = random.gamma(2.0, 9.0, accounts).astype(np.int64) * 1000
    return pl.DataFrame(_columns(accounts, from_day, to_day, usage), schema=USAGES)


def _columns(accounts: int, from_day: Whole, to_day: Whole, usage: Whole) -> dict[str, object]:
    return {
        "row": np.arange(accounts),
        "rate_class": pl.repeat("residential", accounts, eager=True),
        "meter_size": pl.repeat('5/8"', accounts, eager=True),
        "dwelling_units": pl.repeat(1, accounts, dtype=pl.Int64, eager=True),
        "exemptions": pl.repeat(None, accounts, dtype=pl.List(pl.String), eager=True),
        "attributes": pl.repeat(None, accounts, dtype=pl.String, eager=True),
        "from_on": pl.Series(from_day.astype(np.int32)).cast(pl.Date),
        "to_on": pl.Series(to_day.astype(np.int32)).cast(pl.Date),
        "usage_thousandths": usage,
        "unit": pl.repeat("ccf", accounts, eager=True),
    }


def _fastest(run: Callable[[], object]) -> float:
    found = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        found.append(time.perf_counter() - started)
    return min(found)

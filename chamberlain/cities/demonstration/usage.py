"""What the made-up accounts use: by property, by season, with leaks, empty homes and estimates."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from chamberlain.kernel.periods import add_months

CYCLE_MONTHS = 2
DIALS = 6

# Hundreds of cubic feet a day, for each property or each dwelling unit in it.
_DAILY_CCF = {
    "single_family": 0.27,
    "two_flat": 0.22,
    "three_flat": 0.20,
    "apartments": 0.16,
    "condominium": 0.15,
    "commercial": 0.9,
    "mixed_use": 0.35,
    "institutional": 1.8,
}
# By the calendar month in which a period ends: gardens in summer.
_SEASON = (0.86, 0.84, 0.85, 0.88, 0.95, 1.12, 1.30, 1.38, 1.28, 1.06, 0.92, 0.88)
_ABSURD_TIMES = 45
_NOT_READ = 0.001


def period_ends(last: date, periods: int) -> list[date]:
    """The days on which so many two-month periods end, the oldest first."""
    return [add_months(last, -CYCLE_MONTHS * i) for i in reversed(range(periods))]


def daily_ccf(random: np.random.Generator, metered: pl.DataFrame) -> npt.NDArray[np.float64]:
    """The usual usage of each account a day; metered: property_type, dwelling_units."""
    base = metered["property_type"].replace_strict(_DAILY_CCF).to_numpy()
    units = np.maximum(metered["dwelling_units"].to_numpy(), 1)
    return np.asarray(base * units * random.lognormal(0.0, 0.45, metered.height))


def reads(
    random: np.random.Generator,
    metered: pl.DataFrame,
    usual: npt.NDArray[np.float64],
    ends: Sequence[date],
) -> pl.DataFrame:
    """The reads of all accounts at the end of each period, as the table of reads takes them.

    metered: service_point_id, meter_id, opened_on. One in a hundred homes stands empty, some
    leak, some reads are estimates; in the last period a few are absurd and a few are missing,
    for the worklist of its bill run.
    """
    register = np.zeros(metered.height, dtype=np.int64)
    frames = []
    for number, to_on in enumerate(ends):
        from_on = add_months(to_on, -CYCLE_MONTHS)
        is_last = number == len(ends) - 1
        used = _used(random, usual, from_on, to_on, is_last)
        register = (register + used) % 10**DIALS
        frame = _frame(metered, from_on, to_on, used, register, _quality(random, len(used)))
        frames.append(
            frame.filter(pl.Series(random.random(len(used)) > 0.001)) if is_last else frame
        )
    return pl.concat(frames)


def _used(
    random: np.random.Generator,
    usual: npt.NDArray[np.float64],
    from_on: date,
    to_on: date,
    is_last: bool,
) -> npt.NDArray[np.int64]:
    count = len(usual)
    factor = _SEASON[from_on.month % 12] * random.lognormal(0.0, 0.2, count)
    drawn = random.random(count)
    factor = np.where(drawn < 0.01, 0.0, factor)
    factor = np.where(drawn > 0.996, factor * 4, factor)
    if is_last:
        factor = np.where((drawn > 0.5) & (drawn < 0.5006), _ABSURD_TIMES, factor)
    return np.rint(usual * (to_on - from_on).days * factor).astype(np.int64)


def _quality(random: np.random.Generator, count: int) -> list[str]:
    drawn = random.random(count)
    kinds = np.where(drawn < 0.03, "estimate", np.where(drawn < 0.035, "customer", "actual"))
    return list(kinds.tolist())


def _frame(
    metered: pl.DataFrame,
    from_on: date,
    to_on: date,
    used: npt.NDArray[Any],
    register: npt.NDArray[Any],
    quality: list[str],
) -> pl.DataFrame:
    return metered.select(
        "service_point_id",
        "meter_id",
        from_on=pl.lit(from_on),
        to_on=pl.lit(to_on),
        register=pl.Series(register),
        usage_thousandths=pl.Series(used) * 1000,
        unit=pl.lit("ccf"),
        quality=pl.Series(quality),
        is_verified=pl.lit(False),
        source=pl.format("chicago {}:{}", pl.lit(to_on.isoformat()), "meter_id"),
    )

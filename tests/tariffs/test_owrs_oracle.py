"""Random small tariffs, rated by the frame and by a slow, plain oracle row by row.

The oracle works in fractions from the drawn tariff itself; the file it is written to, with its
fields in any order, is all that the reader sees.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chamberlain.tariffs import owrs

SIZES = ('5/8"', '1"', '1|1/2"')
ZONES = ("1", "2")

prices = st.integers(0, 99_999).map(lambda n: f"{n / 10_000:.4f}")
shares = st.sampled_from(["40%", "100%", "101%", "125%", "150%", "200%"])


@dataclass(frozen=True)
class Town:
    """A drawn tariff: service by meter size; tiers by zone or for all; a factor on the bill."""

    service: dict[str, str]
    starts: dict[str, list[str]]
    prices: dict[str, list[str]]
    is_budget: bool
    gpcd: str
    factor: str
    suffix: str
    seed: int

    def text(self) -> str:
        fields = [
            ("service_charge", _table("meter_size", self.service)),
            (f"tier_starts{self.suffix}", self._tiers(self.starts)),
            (f"tier_prices{self.suffix}", self._tiers(self.prices)),
            ("commodity_charge", "Budget" if self.is_budget else "Tiered"),
            (f"gpcd{self.suffix}", self.gpcd),
            (f"indoor{self.suffix}", "hhsize*gpcd*(1/748)"),
            (f"outdoor{self.suffix}", "area*0.62/8"),
            (f"budget{self.suffix}", "indoor+outdoor"),
            ("bill", f"{self.factor}*(service_charge+commodity_charge)"),
        ]
        Random(self.seed).shuffle(fields)
        lines = [f"    {name}: {value}" for name, value in fields]
        head = "metadata: {utility_name: Town}\nrate_structure:\n  HOMES:\n"
        return head + "\n".join(lines) + "\n"

    def _tiers(self, lists: dict[str, list[str]]) -> str:
        if len(lists) == 1:
            return _list(next(iter(lists.values())))
        return _table("zone", {zone: _list(each) for zone, each in lists.items()})


def _list(entries: list[str]) -> str:
    return f"[{', '.join(entries)}]"


def _table(column: str, values: dict[str, str]) -> str:
    cases = ", ".join(f"{key}: {value}" for key, value in values.items())
    return f"{{depends_on: [{column}], values: {{{cases}}}}}"


def whole(amount: Fraction) -> int:
    """Rounded to units, a half to the even one."""
    below = floor(amount)
    rest = amount - below
    if rest == Fraction(1, 2):
        return below + below % 2
    return below + (rest > Fraction(1, 2))


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2)) if amount >= 0 else -floor(-amount + Fraction(1, 2))


def oracle(town: Town, row: dict[str, object]) -> tuple[Fraction, list[Fraction]]:
    usage = max(Fraction(str(row["usage_ccf"])), Fraction(0))
    zone = str(row["zone"])
    starts = town.starts.get(zone, town.starts.get("all", []))
    tier_prices = town.prices.get(zone, town.prices.get("all", []))
    indoor = Fraction(int(str(row["hhsize"]))) * Fraction(town.gpcd) / 748
    outdoor = Fraction(int(str(row["area"]))) * Fraction("0.62") / 8
    budget = whole(indoor) + whole(outdoor)
    commodity = Fraction(0)
    units: list[Fraction] = []
    used = Fraction(0)
    for tier, price in enumerate(tier_prices):
        if tier + 1 == len(tier_prices):
            upto = usage
        elif not town.is_budget:
            upto = Fraction(starts[tier + 1]) - 1
        elif starts[tier + 1] == "indoor":
            upto = Fraction(whole(indoor))
        elif starts[tier + 1] == "outdoor":
            upto = Fraction(whole(outdoor))
        elif starts[tier + 1].endswith("%"):
            upto = Fraction(whole(Fraction(starts[tier + 1][:-1]) / 100 * budget))
        else:
            upto = Fraction(whole(Fraction(starts[tier + 1])))
        here = max(min(usage, upto) - used, Fraction(0))
        units.append(here)
        used += here
        commodity += here * Fraction(price)
    service = Fraction(town.service[str(row["meter_size"])])
    return Fraction(town.factor) * (service + commodity), units


@st.composite
def towns(draw: st.DrawFn) -> Town:
    is_budget = draw(st.booleans())
    by_zone = draw(st.booleans())
    keys = ZONES if by_zone else ("all",)
    numbers = st.integers(0, 60).map(str)
    start = numbers | st.sampled_from(["indoor", "outdoor"]) | shares if is_budget else numbers
    starts, tier_prices = {}, {}
    for key in keys:
        count = draw(st.integers(2, 5))
        starts[key] = ["0", *(draw(start) for _ in range(count - 1))]
        tier_prices[key] = [draw(prices) for _ in range(count)]
    return Town(
        service={size: draw(prices) for size in SIZES},
        starts=starts,
        prices=tier_prices,
        is_budget=is_budget,
        gpcd=draw(st.integers(10, 3_000).map(lambda n: f"{n / 10:.1f}")),
        factor=draw(st.sampled_from(["1", "1.0117", "0.85", "1.01143"])),
        suffix=draw(st.sampled_from(["", "_commodity"])),
        seed=draw(st.integers(0, 999)),
    )


rows = st.fixed_dictionaries(
    {
        "usage_ccf": st.integers(-20, 400_000).map(lambda n: n / 1_000)
        | st.integers(-5, 400).map(float),
        "meter_size": st.sampled_from(SIZES),
        "zone": st.sampled_from(ZONES),
        "hhsize": st.integers(0, 9),
        "area": st.integers(0, 400),
    }
)


@settings(max_examples=150, deadline=None)
@given(towns(), st.lists(rows, min_size=1, max_size=12))
def test_the_frame_is_rated_as_the_oracle_rates_each_row(
    tmp_path_factory: pytest.TempPathFactory, town: Town, accounts: list[dict[str, object]]
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "random.owrs"
    path.write_text(town.text())
    schedule = owrs.read(path)
    frame = pl.DataFrame(accounts)
    exact = schedule.rate_exact("HOMES", frame)
    floats = schedule.rate("HOMES", frame, own_tiers=True)
    for number, account in enumerate(accounts):
        bill, units = oracle(town, account)
        assert exact["bill_cents"][number] == half_up(bill * 100)
        assert exact["bill_micros"][number] == half_up(bill * 1_000_000)
        for tier, here in enumerate(units, 1):
            assert exact[f"X{tier}_thousandths"][number] == here * 1_000
        if not near_a_tie(town, account):
            assert abs(floats["bill"][number] - float(bill)) < 0.000001
            assert (
                abs(sum(floats[f"X{t + 1}"][number] for t in range(len(units))) - float(sum(units)))
                < 0.000001
            )


def near_a_tie(town: Town, account: dict[str, object]) -> bool:
    """Whether a budget start lies at half a unit, where floats may round to the other side."""
    indoor = Fraction(int(str(account["hhsize"]))) * Fraction(town.gpcd) / 748
    outdoor = Fraction(int(str(account["area"]))) * Fraction("0.62") / 8
    budget = whole(indoor) + whole(outdoor)
    starts = [indoor, outdoor]
    for entries in town.starts.values():
        starts += [Fraction(each[:-1]) / 100 * budget for each in entries if each[-1] == "%"]
    return any(abs((start % 1) - Fraction(1, 2)) < Fraction(1, 10**9) for start in starts)


@settings(max_examples=30, deadline=None)
@given(towns(), st.lists(rows, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_a_row_is_rated_the_same_whatever_stands_beside_it(
    tmp_path_factory: pytest.TempPathFactory,
    town: Town,
    accounts: list[dict[str, object]],
    random: Random,
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "random.owrs"
    path.write_text(town.text())
    schedule = owrs.read(path)
    frame = pl.DataFrame(accounts)
    order = list(range(frame.height))
    random.shuffle(order)
    together = schedule.rate("HOMES", frame, own_tiers=True)
    assert schedule.rate("HOMES", frame[order], own_tiers=True).equals(together[order])
    assert schedule.rate("HOMES", frame[:1], own_tiers=True).equals(together[:1])

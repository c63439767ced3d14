"""Made-up customers: names, addresses, parcels and phones, the same for the same seed."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml

from chamberlain.kernel.errors import Invalid

_FILE = Path(__file__).with_name("people.yaml")
_AREA_CODES = (312, 773, 872)
_ORGANIZATIONS = 0.06
_FROM_THE_FIRST = 0.2
FIRST_NUMBER = 100_000
MOST_ACCOUNTS = 800_000

# What stands at an address: property type, share of all accounts, most dwelling units.
_PROPERTIES = (
    ("single_family", 0.46, 1),
    ("two_flat", 0.22, 2),
    ("three_flat", 0.10, 3),
    ("apartments", 0.10, 48),
    ("condominium", 0.04, 60),
    ("commercial", 0.05, 0),
    ("mixed_use", 0.02, 4),
    ("institutional", 0.01, 0),
)


def households(random: np.random.Generator, count: int, starts: Sequence[date]) -> pl.DataFrame:
    """So many households as `registry.bulk.register_many` takes them.

    starts: the first days of the periods; about a fifth of the accounts are there from the first
    on, the others come one after the other, none in the last half year. Phones are of the
    exchange 555, which no household has. Raises Invalid for more than MOST_ACCOUNTS, for which
    the parcel numbers do not suffice.
    """
    if not 1 <= count <= MOST_ACCOUNTS:
        raise Invalid(
            f"A demonstration city has 1 to {MOST_ACCOUNTS:,} accounts.", field="accounts"
        )
    lists = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    place = np.arange(count)
    kinds = random.choice(len(_PROPERTIES), count, p=[share for _, share, _ in _PROPERTIES])
    most = np.array([units for _, _, units in _PROPERTIES])[kinds]
    units = np.where(most <= 3, most, random.integers(4, np.maximum(most, 4) + 1))
    is_business = np.isin(kinds, (5, 7)) | (random.random(count) < _ORGANIZATIONS)
    return pl.DataFrame(
        {
            "number": [f"CH-{FIRST_NUMBER + i}" for i in place],
            "kind": np.where(is_business, "organization", "person").tolist(),
            "name": _names(random, lists, is_business),
            "phone": _phones(random, count),
            "email": [None if i % 3 else f"customer{FIRST_NUMBER + i}@example.org" for i in place],
            "parcel_number": [
                f"{13 + i // 160_000:02d}-{1 + i // 4000 % 40:02d}-{100 + i // 40 % 100:03d}"
                f"-{1 + i % 40:03d}-0000"
                for i in place
            ],
            "address": _addresses(random, lists["streets"], count),
            "postal_code": random.choice(lists["postal_codes"], count).tolist(),
            "property_type": [_PROPERTIES[kind][0] for kind in kinds],
            "dwelling_units": units.tolist(),
            "opened_on": _openings(random, count, starts),
        },
        schema_overrides={"email": pl.String},
    )


def _names(
    random: np.random.Generator, lists: dict[str, list[str]], is_business: npt.NDArray[np.bool_]
) -> list[str]:
    count = len(is_business)
    first = random.choice(lists["first_names"], count)
    last = random.choice(lists["last_names"], count, p=_falling(len(lists["last_names"])))
    word = random.choice(lists["organization_words"], count)
    kind = random.choice(lists["organization_kinds"], count)
    return [
        f"{word[i]} {kind[i]}" if is_business[i] else f"{first[i]} {last[i]}" for i in range(count)
    ]


def _openings(random: np.random.Generator, count: int, starts: Sequence[date]) -> list[date]:
    drawn = np.maximum(random.random(count) - _FROM_THE_FIRST, 0) / (1 - _FROM_THE_FIRST)
    return [starts[int(part**0.8 * max(len(starts) - 3, 1))] for part in drawn]


def _falling(count: int) -> npt.NDArray[np.float64]:
    """Shares that fall with the rank, as those of last names do."""
    weights = 1 / (np.arange(count) + 12.0)
    return np.asarray(weights / weights.sum())


def _phones(random: np.random.Generator, count: int) -> list[str]:
    areas = random.choice(_AREA_CODES, count)
    lines = random.integers(0, 10_000, count)
    return [f"{area}555{line:04d}" for area, line in zip(areas, lines, strict=True)]


def _addresses(random: np.random.Generator, streets: list[list[str]], count: int) -> list[str]:
    chosen = random.integers(0, len(streets), count)
    numbers = random.integers(100, 9_900, count)
    return [f"{n} {' '.join(streets[s])}" for n, s in zip(numbers, chosen, strict=True)]

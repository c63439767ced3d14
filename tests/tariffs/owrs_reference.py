"""Bills computed by the format's reference program, RateParser 0.1.0, held against ours.

RateParser groups the rows by the texts of their tier starts and prices, prices each group, and puts
the groups back beside the data in the order of those texts instead of the order of the data. Where
the tiers depend on a column, a row therefore carries the tier figures of another row, which our
rating rightly does not repeat. `in_reference_order` makes the same order, so that the figures
themselves can be compared.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

NEAR = 0.000001


@dataclass(frozen=True)
class ReferenceClass:
    owrs: str
    customer_class: str
    inputs: pl.DataFrame
    expected: dict[str, list[float | None]]


def read(path: Path) -> Iterator[ReferenceClass]:
    data = path.read_bytes()
    for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
        record = json.loads(line)
        inputs = pl.DataFrame(record["inputs"], strict=False)
        yield ReferenceClass(record["owrs"], record["class"], inputs, record["expected"])


def rows_that_differ(rated: pl.DataFrame, expected: dict[str, list[float | None]]) -> set[int]:
    found: set[int] = set()
    for column, values in expected.items():
        for row, (ours, theirs) in enumerate(zip(rated[column].to_list(), values, strict=True)):
            if ours is None or theirs is None:
                is_near = ours is theirs
            else:
                is_near = abs(ours - theirs) <= NEAR
            if not is_near:
                found.add(row)
    return found


def in_reference_order(path: Path, reference: ReferenceClass, rated: pl.DataFrame) -> pl.DataFrame:
    """Our tier figures in RateParser's order, and the bill with the commodity charge so moved."""
    fields = yaml.safe_load(path.read_text())["rate_structure"][reference.customer_class]
    starts = _texts("tier_starts", fields, reference.inputs)
    prices = _texts("tier_prices", fields, reference.inputs)
    order = sorted(range(rated.height), key=lambda row: (starts[row], prices[row], row))
    moved = [c for c in rated.columns if c[0] == "X" or c == "commodity_charge"]
    there = rated.with_columns([rated[column].gather(order) for column in moved])
    return there.with_columns(bill=pl.sql_expr(str(fields["bill"])))


def _texts(name: str, fields: dict[str, Any], inputs: pl.DataFrame) -> list[str]:
    value = fields.get(f"{name}_commodity", fields.get(name))
    if not isinstance(value, dict):
        return [_text(value)] * inputs.height
    columns = value["depends_on"]
    columns = columns if isinstance(columns, list) else [columns]
    values = {str(key): each for key, each in value["values"].items()}
    return [_text(values["|".join(map(str, row))]) for row in inputs.select(columns).rows()]


def _text(tiers: Any) -> str:
    entries = tiers if isinstance(tiers, list) else [tiers]
    return "\n".join(
        f"{entry:.15g}" if isinstance(entry, int | float) else entry for entry in entries
    )

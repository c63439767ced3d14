"""Bills computed by the format's reference program, RateParser 0.1.0, held against ours."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml

NEAR = 0.000001
SIZES_MAX = 8


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


def with_the_sizes_left_out(path: Path, reference: ReferenceClass) -> pl.DataFrame:
    """The data of a class as they were before rows without a bill were left out of the list.

    The published data hold at most eight meter sizes of a tariff, spread evenly over it, each with
    the same usages.
    """
    fields = yaml.safe_load(path.read_text())["rate_structure"][reference.customer_class]
    sizes = list(fields["tier_starts"]["values"])
    count = min(len(sizes), SIZES_MAX)
    picked = pl.DataFrame({"meter_size": [sizes[n * len(sizes) // count] for n in range(count)]})
    usages = reference.inputs.select(pl.col("usage_ccf").unique(maintain_order=True))
    return picked.join(usages, how="cross").select(reference.inputs.columns)

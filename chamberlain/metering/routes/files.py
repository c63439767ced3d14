"""Routes from a file: CSV in, a frame of stops and one sentence for each wrong line out.

The file has a heading with `route`, `cycle`, `work_day`, `sequence` and `service_point`, and if
wanted `name` (of the route) and `note` (of the stop). A route is replaced as a whole by what the
file says of it; routes that it does not name stay as they are.
"""

import csv
import io
from dataclasses import dataclass

import polars as pl

from chamberlain.kernel.errors import BadRecord, Invalid

LARGEST_BYTES = 100 * 1024 * 1024
NEEDED = ("route", "cycle", "work_day", "sequence", "service_point")
OPTIONAL = ("name", "note")
_LENGTHS = {"route": 24, "name": 80, "note": 120}


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The good lines of a file (line, NEEDED and OPTIONAL, typed) and a sentence for each bad."""

    stops: pl.DataFrame
    faults: tuple[BadRecord, ...]


def read_lines(content: bytes) -> pl.DataFrame:
    """All lines of a file as text: line, NEEDED, OPTIONAL, and fields (how many it had less the
    heading's). Raises Invalid when it is no such file at all.
    """
    if len(content) > LARGEST_BYTES:
        raise Invalid("The file is larger than 100 MB; split it.", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            "The file is not text in UTF-8; save it as CSV (UTF-8).", field="file"
        ) from None
    reader = csv.reader(io.StringIO(text.replace("\0", "\ufffd")))
    head = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in NEEDED if name not in head]
    if missing or len(set(head)) < len(head):
        wrong = f"{missing[0]} is missing" if missing else "a column is there twice"
        raise Invalid(
            f"The first line must name each of {', '.join(NEEDED)} once; {wrong}.", field="file"
        )
    places = {name: head.index(name) for name in (*NEEDED, *OPTIONAL) if name in head}
    rows = [(reader.line_num, fields) for fields in reader if fields]
    if not rows:
        raise Invalid("The file has no lines below its heading.", field="file")
    columns = {
        name: [
            fields[places[name]].strip() if name in places and places[name] < len(fields) else ""
            for _, fields in rows
        ]
        for name in (*NEEDED, *OPTIONAL)
    }
    return pl.DataFrame(
        {
            "line": [line for line, _ in rows],
            "fields": [len(fields) - len(head) for _, fields in rows],
            **columns,
        },
        schema={
            "line": pl.Int64,
            "fields": pl.Int64,
            **dict.fromkeys((*NEEDED, *OPTIONAL), pl.String),
        },
    )


def judged(lines: pl.DataFrame, cycles: pl.DataFrame, points: pl.DataFrame) -> ReadFile:
    """Which lines are stops, and what is wrong with the others: one sentence for each.

    lines: as `read_lines` gives them. cycles: cycle, cycle_id, work_days. points: service_point,
    service_point_id, on_route (code of the route that has it now, null for none).
    """
    typed = (
        lines.with_columns(work_day_number=_whole("work_day"), sequence_number=_whole("sequence"))
        .join(cycles, on="cycle", how="left", maintain_order="left")
        .join(points, on="service_point", how="left", maintain_order="left")
    )
    typed = typed.with_columns(
        first_cycle=pl.col("cycle").first().over("route"),
        first_work_day=pl.col("work_day_number").first().over("route"),
        is_again=pl.col("service_point").is_first_distinct().not_(),
        is_same_sequence=pl.struct("route", "sequence_number").is_first_distinct().not_(),
    )
    named = lines.select(on_route="route", is_replaced=pl.lit(True)).unique()
    typed = typed.join(named, on="on_route", how="left", maintain_order="left")
    found = typed.with_columns(fault=_fault())
    bad = found.filter(pl.col("fault").is_not_null())
    faults = tuple(
        BadRecord(f"line {line}", fault) for line, fault in bad.select("line", "fault").iter_rows()
    )
    good = found.filter(pl.col("fault").is_null()).select(
        "line",
        "route",
        "name",
        "cycle_id",
        "service_point_id",
        "service_point",
        "note",
        work_day="work_day_number",
        sequence="sequence_number",
    )
    return ReadFile(good, faults)


def _whole(name: str) -> pl.Expr:
    return (
        pl.when(pl.col(name).str.contains(r"^\d{1,9}$"))
        .then(pl.col(name))
        .cast(pl.Int64, strict=False)
    )


def _fault() -> pl.Expr:
    """The first thing that is wrong with a line, as a sentence; null when nothing is."""
    long = [
        (
            pl.col(name).str.len_chars() > most,
            pl.lit(f"The {name} has more than {most} characters; shorten it."),
        )
        for name, most in _LENGTHS.items()
    ]
    said: list[tuple[pl.Expr, pl.Expr]] = [
        (pl.col("fields") != 0, pl.lit("The line has not as many fields as the heading.")),
        (pl.col("route") == "", pl.lit("The line names no route.")),
        *long,
        (
            pl.col("cycle_id").is_null(),
            pl.format("There is no cycle “{}”; use one of the city's.",
                      pl.col("cycle").str.head(24)),
        ),
        (
            pl.col("work_day_number").is_null() | (pl.col("work_day_number") < 1),
            pl.format("“{}” is no work day; give 1 for the first of the month.",
                      pl.col("work_day").str.head(12)),
        ),
        (
            pl.col("work_day_number") > pl.col("work_days"),
            pl.format("Routes of this cycle are read on the first {} work days; {} is later.",
                      "work_days", "work_day_number"),
        ),
        (
            (pl.col("cycle") != pl.col("first_cycle"))
            | (pl.col("work_day_number") != pl.col("first_work_day")),
            pl.format("Route {} has another cycle or work day above; give it the same.", "route"),
        ),
        (
            pl.col("sequence_number").is_null() | (pl.col("sequence_number") < 1),
            pl.format("“{}” is no place in the order; give a whole number from 1.",
                      pl.col("sequence").str.head(12)),
        ),
        (
            pl.col("is_same_sequence"),
            pl.format("Route {} has a stop {} above already.", "route", "sequence"),
        ),
        (
            pl.col("service_point_id").is_null(),
            pl.format("There is no service point “{}”; add it to its property first.",
                      pl.col("service_point").str.head(24)),
        ),
        (
            pl.col("is_again"),
            pl.format("Service point {} is on a line above already.", "service_point"),
        ),
        (
            pl.col("on_route").is_not_null() & pl.col("is_replaced").is_null(),
            pl.format("Service point {} is on route {} already; give that route too.",
                      "service_point", "on_route"),
        ),
    ]  # fmt: skip
    return pl.coalesce([pl.when(is_wrong).then(sentence) for is_wrong, sentence in said])

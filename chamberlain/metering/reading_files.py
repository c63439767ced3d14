"""Files of reads: CSV or Parquet in, a frame of records and a list of malformed ones out.

A record has `meter` (serial number), `read_on` (2026-03-01), `register` (what the dials show),
and may have `quality` (actual, estimate, customer) and `verified` (true, false). The file is
read to its end: every record that is malformed is listed with its line and all its reasons.
"""

import csv
import io

import polars as pl

from chamberlain.kernel.errors import BadFile, BadRecord, Invalid

NEEDED = ("meter", "read_on", "register")
OPTIONAL = ("quality", "verified")
LARGEST_BYTES = 1 << 30
LARGEST_RECORDS = 10_000_000
QUALITIES = ("actual", "estimate", "customer")


def read_file(content: bytes, format: str) -> tuple[pl.DataFrame, list[BadRecord]]:
    """Records of a file, and the malformed ones.

    format: csv or parquet. Returns line, meter, read_on (Date), register (Int64), quality,
    is_verified (Boolean), the well-formed ones only, in the order of the file. Raises Invalid for
    another format or a file that is too large, BadFile when it is not such a file at all.
    """
    if len(content) > LARGEST_BYTES:
        raise Invalid("The file is larger than one gigabyte; split it.", field="file")
    if format == "csv":
        raw, faults = _csv(content)
    elif format == "parquet":
        raw, faults = _parquet(content), []
    else:
        raise Invalid(f"“{format}” is no format of reads; use csv or parquet.", field="format")
    if raw.height > LARGEST_RECORDS:
        raise Invalid("The file has more than ten million records; split it.", field="file")
    good, bad = _checked(raw)
    return good, sorted([*faults, *bad], key=lambda record: int(record.place.split()[-1]))


def _csv(content: bytes) -> tuple[pl.DataFrame, list[BadRecord]]:
    """The quick reader, unless a line has too many or too few fields: then line by line."""
    header = _header(content)
    text = dict.fromkeys(header, pl.String)
    try:
        frame = pl.read_csv(content, schema=text, encoding="utf8-lossy")
    except pl.exceptions.PolarsError:
        return _csv_by_lines(content, header)
    return _with_columns(frame.with_row_index("line", offset=2)), []


def _header(content: bytes) -> list[str]:
    first = content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode(errors="replace")
    names = [name.strip().lower() for name in next(csv.reader([first]), [])]
    _check_columns(names)
    return names


def _check_columns(names: list[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults = [BadRecord("line 1", f"the column {name} is missing") for name in missing]
    faults += [BadRecord("line 1", f"the column {name} appears twice") for name in twice]
    if faults:
        raise BadFile(
            f"This is not a file of reads: {faults[0].reason}; its first line names the columns "
            f"{', '.join(NEEDED)}.",
            faults,
        )


def _csv_by_lines(content: bytes, header: list[str]) -> tuple[pl.DataFrame, list[BadRecord]]:
    rows: list[tuple[int, list[str]]] = []
    faults: list[BadRecord] = []
    text = content.decode("utf-8-sig", errors="replace").replace("\x00", "\ufffd")
    reader = csv.reader(io.StringIO(text))
    next(reader)
    for fields in reader:
        if len(fields) == len(header):
            rows.append((reader.line_num, fields))
        elif fields:
            reason = f"has {len(fields)} fields where the first line names {len(header)}"
            faults.append(BadRecord(f"line {reader.line_num}", reason))
    columns = {name: [fields[i] for _, fields in rows] for i, name in enumerate(header)}
    frame = pl.DataFrame(
        {"line": [line for line, _ in rows], **columns},
        schema={"line": pl.Int64, **dict.fromkeys(header, pl.String)},
    )
    return _with_columns(frame), faults


def _parquet(content: bytes) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError):
        raise BadFile(
            "The file is not a Parquet file, or is damaged; write it again.",
            [BadRecord("line 1", "no Parquet file")],
        ) from None
    frame = frame.rename({name: name.strip().lower() for name in frame.columns})
    _check_columns(frame.columns)
    wanted = [name for name in (*NEEDED, *OPTIONAL) if name in frame.columns]
    nested = [name for name in wanted if frame[name].dtype.is_nested()]
    if nested:
        raise BadFile(
            f"The column {nested[0]} holds lists, not values; write the file again.",
            [BadRecord("line 1", f"the column {name} holds lists") for name in nested],
        )
    texts = frame.select(pl.col(wanted).cast(pl.String)).with_row_index("line", offset=1)
    return _with_columns(texts)


def _with_columns(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit("").alias(name) for name in OPTIONAL if name not in frame.columns]
    return frame.with_columns(missing).select(
        pl.col("line").cast(pl.Int64),
        pl.col(*NEEDED, *OPTIONAL).fill_null("").str.strip_chars(),
    )


def _checked(raw: pl.DataFrame) -> tuple[pl.DataFrame, list[BadRecord]]:
    """Well-formed records with their types, and a fault for each of the others."""
    typed = raw.with_columns(
        day=pl.col("read_on").str.to_date("%Y-%m-%d", strict=False),
        shown=pl.when(pl.col("register").str.contains(r"^\d{1,9}$"))
        .then(pl.col("register"))
        .cast(pl.Int64, strict=False),
        how=pl.when(pl.col("quality") == "")
        .then(pl.lit("actual"))
        .otherwise(pl.col("quality").str.to_lowercase()),
        is_verified=pl.col("verified").str.to_lowercase().is_in(["true", "1", "yes"]),
    )
    said = [
        (pl.col("meter") == "", "no meter"),
        (pl.col("meter").str.len_chars() > 32, "meter longer than 32 characters"),
        (pl.col("day").is_null(), "read_on is not a date such as 2026-03-01"),
        (pl.col("shown").is_null(), "register is not a whole number of at most nine digits"),
        (~pl.col("how").is_in(QUALITIES), "quality is not actual, estimate or customer"),
        (
            ~pl.col("verified")
            .str.to_lowercase()
            .is_in(["", "true", "false", "1", "0", "yes", "no"]),
            "verified is neither true nor false",
        ),
    ]
    reasons = pl.concat_list(
        [pl.when(is_bad).then(pl.lit(reason)) for is_bad, reason in said]
    ).list.drop_nulls()
    judged = typed.with_columns(reasons=reasons)
    bad = judged.filter(pl.col("reasons").list.len() > 0)
    faults = [
        BadRecord(f"line {line}", "; ".join(found))
        for line, found in bad.select("line", "reasons").iter_rows()
    ]
    good = judged.filter(pl.col("reasons").list.len() == 0).select(
        "line", "meter", "is_verified", read_on="day", register="shown", quality="how"
    )
    return good, faults

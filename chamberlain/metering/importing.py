"""The import of many reads at once: which follow from what is on file, and which do not.

Malformed records are faults of the file: with `keep_good` the others are kept, without it nothing
is. A well-formed record that cannot be a read (unknown meter, register too low, day not after
the last) is no fault of the file: it becomes an item of the metering worklist and holds back
nobody else. A usage that is only improbable is kept; the bill run holds its bill back.

A meter may appear several times in one file. Its records are taken in the order of their days;
a record that is put aside is passed over when the next one is judged, so records are judged in
rounds until a round puts none aside. Most files need one round. Meters that are read together
are judged together: each needs its record of the same day (see `summing`).
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from django.db import connection, transaction

from chamberlain.identity.actors import Actor, acting
from chamberlain.kernel.errors import BadFile, BadRecord
from chamberlain.kernel.frames import copy_frame, next_ids, read_frame
from chamberlain.metering.dials import usage_column
from chamberlain.metering.models import ReadException, ReadImport
from chamberlain.metering.reading_files import read_file
from chamberlain.metering.recording import THOUSAND, wait_for_imports
from chamberlain.metering.summing import (
    NO_SIDES,
    SIDES,
    SIDES_SQL,
    against_sides,
    parts_of,
    sides_of_records,
)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a file. faults: its malformed records; the file may have come before."""

    import_id: int
    reads: int
    exceptions: int
    faults: tuple[BadRecord, ...]
    came_before: bool = False


def import_reads(
    actor: Actor,
    file: Path | bytes,
    format: str,
    source_name: str,
    now: datetime,
    *,
    today: date,
    keep_good: bool = False,
) -> ImportResult:
    """Imports a file of reads (see `reading_files`). The same file again changes nothing.

    Raises BadFile with every malformed record unless `keep_good`; then nothing was kept. Raises
    Invalid for a wrong format or size.
    """
    actor.require("read.import")
    content = file if isinstance(file, bytes) else file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    before = _came_before(digest)
    if before:
        return before
    records, faults = read_file(content, format)
    if faults and not keep_good:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise BadFile(
            f"{source_name}: {faults[0]}{more}; nothing was imported. Correct the file.", faults
        )
    with acting(actor), transaction.atomic():
        wait_for_imports(alone=True)
        made, is_new = ReadImport.objects.get_or_create(
            digest=digest,
            defaults={
                "name": source_name[:120],
                "imported_at": now,
                "imported_by_id": actor.user_id,
            },
        )
        if not is_new:
            return _came_before(digest) or ImportResult(made.pk, made.reads, 0, ())
        kept, aside = _keep(connection.connection, records, digest, made.pk, today)
        made.reads = kept
        made.save(update_fields=["reads"])
    return ImportResult(made.pk, kept, aside, tuple(faults))


def _came_before(digest: str) -> ImportResult | None:
    found = ReadImport.objects.filter(digest=digest).first()
    if found is None:
        return None
    count = ReadException.objects.filter(read_import=found).count()
    return ImportResult(found.pk, found.reads, count, (), came_before=True)


_METERS_SQL = """
    SELECT m.serial, m.id, m.dials, m.unit, i.service_point_id,
        coalesce(r.to_on, lower(i.period)), coalesce(r.register, i.register_at_start),
        CASE WHEN w.from_on IS NOT NULL
            THEN least(w.from_on, coalesce(r.to_on, lower(i.period))) END,
        coalesce(w.to_on, lower(i.period)), coalesce(w.thousandths, 0)
    FROM (SELECT DISTINCT ON (meter_id) * FROM metering_installation
          WHERE upper(period) IS NULL ORDER BY meter_id, lower(period) DESC) i
    JOIN metering_meter m ON m.id = i.meter_id
    LEFT JOIN LATERAL (
        SELECT to_on, register FROM metering_read r
        WHERE r.service_point_id = i.service_point_id AND r.meter_id = i.meter_id
            AND r.register IS NOT NULL AND r.to_on > lower(i.period)
        ORDER BY r.to_on DESC LIMIT 1) r ON true
    LEFT JOIN (SELECT service_point_id, min(from_on) AS from_on, max(to_on) AS to_on,
            sum(CASE role WHEN 'deduct' THEN -usage_thousandths ELSE usage_thousandths END)::bigint
                AS thousandths
        FROM metering_readpart WHERE read_id IS NULL
        GROUP BY 1) w ON w.service_point_id = i.service_point_id
"""
_METERS = {
    "meter": pl.String,
    "meter_id": pl.Int64,
    "dials": pl.Int64,
    "unit": pl.String,
    "service_point_id": pl.Int64,
    "last_on": pl.Date,
    "last_register": pl.Int64,
    "since_on": pl.Date,
    "taken_out_on": pl.Date,
    "waiting_thousandths": pl.Int64,
}


def _keep(
    database: psycopg.Connection[Any],
    records: pl.DataFrame,
    digest: str,
    import_id: int,
    today: date,
) -> tuple[int, int]:
    meters = read_frame(database, _METERS_SQL, _METERS)
    sides = read_frame(database, SIDES_SQL, SIDES)
    of_mains, alone = sides_of_records(records, sides)
    known = (
        records.join(alone.select("line"), on="line", how="anti")
        .join(meters, on="meter", how="left")
        .sort("meter", "read_on", "line")
    )
    reads, aside = judged(known, today, of_mains)
    reads = reads.with_columns(id=next_ids(database, "metering_read", reads.height))
    unused = alone.join(
        reads.select("read_on", main="meter"), on=["main", "read_on"], how="anti"
    ).with_columns(code=pl.lit("read_alone"))
    aside = pl.concat([aside, _with_sentences(unused)], how="diagonal").sort("line")
    _copy_reads(database, reads, digest)
    _keep_parts(database, reads, of_mains)
    _copy_exceptions(database, aside, import_id)
    return reads.height, aside.height


def judged(
    records: pl.DataFrame, today: date, sides: pl.DataFrame = NO_SIDES
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which records are reads, and which are put aside.

    records: line, meter, read_on, register, meter_id (null when unknown), dials, last_on and
    last_register of the meter; since_on, taken_out_on and waiting_thousandths of parts that wait
    for the next read; sorted by meter and read_on. sides: see `summing`. Returns the reads with
    from_on, used (whole units of the meter) and usage_thousandths, and the rest with code and
    sentence.
    """
    first_faults = pl.coalesce(
        _fault(pl.col("meter_id").is_null(), "unknown_meter"),
        _fault(pl.col("read_on") > today, "in_the_future"),
        _fault(pl.col("register") >= pl.lit(10, dtype=pl.Int64).pow(pl.col("dials")), "dials"),
        _fault(pl.col("read_on") < pl.col("taken_out_on"), "before_it_was_taken_out"),
    )
    judging = records.with_columns(code=first_faults)
    aside = [judging.filter(pl.col("code").is_not_null())]
    left = judging.filter(pl.col("code").is_null())
    while True:
        left = against_sides(_against_the_one_before(left), sides)
        faulty = left.filter(pl.col("code").is_not_null())
        if faulty.is_empty():
            break
        first = faulty.unique("meter", keep="first", maintain_order=True)
        aside.append(first)
        left = left.join(first.select("line"), on="line", how="anti", maintain_order="left")
    return left.drop("code"), _with_sentences(pl.concat(aside, how="diagonal"))


def _fault(is_bad: pl.Expr, code: str) -> pl.Expr:
    return pl.when(is_bad).then(pl.lit(code))


def _against_the_one_before(left: pl.DataFrame) -> pl.DataFrame:
    shifted = left.with_columns(
        from_on=pl.col("read_on").shift().over("meter").fill_null(pl.col("last_on")),
        before=pl.col("register").shift().over("meter").fill_null(pl.col("last_register")),
    ).with_columns(used=usage_column(pl.col("before"), pl.col("register"), pl.col("dials")))
    is_first = pl.int_range(pl.len()).over("meter") == 0
    shifted = shifted.with_columns(
        counted_on="from_on",
        is_first=is_first,
        period_on=pl.when(is_first).then(pl.coalesce("since_on", "from_on")).otherwise("from_on"),
        usage_thousandths=pl.col("used") * THOUSAND
        + pl.when(is_first).then("waiting_thousandths").otherwise(0),
    )
    return shifted.with_columns(
        code=pl.coalesce(
            _fault(pl.col("read_on") <= pl.col("from_on"), "not_after_the_last"),
            _fault(pl.col("used").is_null(), "lower_than_before"),
        )
    )


_SENTENCES = {
    "unknown_meter": pl.format(
        "Meter {} is not installed anywhere; check the serial number or install it.", "meter"
    ),
    "in_the_future": pl.format("The day {} has not come yet; correct the date.", "read_on"),
    "dials": pl.format(
        "The {} dials of meter {} cannot show {}; read it again.", "dials", "meter", "register"
    ),
    "not_after_the_last": pl.format(
        "Meter {} was read on {} already; give a later day.", "meter", "from_on"
    ),
    "lower_than_before": pl.format(
        "Meter {} showed {} on {}, so {} is too low; read it again or exchange the meter.",
        "meter",
        "before",
        "from_on",
        "register",
    ),
    "before_it_was_taken_out": pl.format(
        "A meter was taken out before meter {} on {}; give that day or a later one.",
        "meter",
        "taken_out_on",
    ),
    "register_missing": pl.format(
        "Meter {} is read together with meter {}, which has no record of that day; read both.",
        "meter",
        "side",
    ),
    "side_dials": pl.format(
        "Meter {}, read together with meter {}, cannot show {}; read it again.",
        "side",
        "meter",
        "side_register",
    ),
    "side_lower": pl.format(
        "Meter {}, read together with meter {}, showed more than {} before; read it again.",
        "side",
        "meter",
        "side_register",
    ),
    "deduct_larger": pl.format(
        "The deduct meters behind meter {} counted more than it did; read all of them again.",
        "meter",
    ),
    "read_alone": pl.format(
        "Meter {} is read together with meter {}, of which no record of that day was kept; read "
        "both.",
        "meter",
        "main",
    ),
}
_WITH_SENTENCES = {
    "from_on": pl.Date,
    "before": pl.Int64,
    "dials": pl.Int64,
    "taken_out_on": pl.Date,
    "side": pl.String,
    "side_register": pl.Int64,
    "main": pl.String,
}


def _with_sentences(aside: pl.DataFrame) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in _WITH_SENTENCES.items()
        if name not in aside.columns
    ]
    sentence = pl.coalesce(
        [pl.when(pl.col("code") == code).then(text) for code, text in _SENTENCES.items()]
    )
    return aside.with_columns(missing).with_columns(sentence=sentence).sort("line")


def _copy_reads(database: psycopg.Connection[Any], reads: pl.DataFrame, digest: str) -> None:
    rows = reads.select(
        "id",
        "service_point_id",
        "meter_id",
        "register",
        "unit",
        "quality",
        "is_verified",
        "usage_thousandths",
        from_on="period_on",
        to_on="read_on",
        source=pl.format("{}:{}", pl.lit(digest[:16]), "line"),
    )
    copy_frame(database, "metering_read", rows)


def _keep_parts(
    database: psycopg.Connection[Any], reads: pl.DataFrame, sides: pl.DataFrame
) -> None:
    """Gives parts that waited their read, and writes what each meter counted of the new ones."""
    waited = reads.filter(pl.col("is_first") & pl.col("since_on").is_not_null())
    database.execute(
        """UPDATE metering_readpart p SET read_id = x.read_id
           FROM unnest(%s::bigint[], %s::bigint[]) AS x (read_id, point)
           WHERE p.service_point_id = x.point AND p.read_id IS NULL""",
        [waited["id"].to_list(), waited["service_point_id"].to_list()],
    )
    parts = parts_of(reads, sides)
    ids = next_ids(database, "metering_readpart", parts.height)
    copy_frame(database, "metering_readpart", parts.with_columns(id=ids))


def _copy_exceptions(
    database: psycopg.Connection[Any], aside: pl.DataFrame, import_id: int
) -> None:
    rows = aside.select(
        "line",
        "meter",
        "code",
        "sentence",
        read_on=pl.col("read_on").cast(pl.String),
        register=pl.col("register").cast(pl.String),
        read_import_id=pl.lit(import_id),
        resolution=pl.lit(""),
    )
    ids = next_ids(database, "metering_readexception", rows.height)
    copy_frame(database, "metering_readexception", rows.with_columns(id=ids))

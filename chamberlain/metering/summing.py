"""Meters that are read together, over a whole file of reads: the usage is their sum.

A compound meter has a register of its low flow, which is added; a deduct meter's usage is
subtracted. Each is judged with the record of the main meter of the same day:

    main   day      register   low flow of that day   deduct of that day   usage
    C1     Feb 1    140 (+40)  12 (+12)               7 (+7)               45
    C1     Mar 1    150 (+10)  15 (+3)                30 (+23)             put aside: deduct larger
"""

import polars as pl

from chamberlain.metering.dials import usage_column
from chamberlain.metering.recording import THOUSAND

SIDES_SQL = """
    SELECT s.id, s.service_point_id, s.role, e.id, e.serial, e.dials::bigint, m.serial,
        lower(s.period), coalesce(p.to_on, lower(s.period)),
        coalesce(p.register_after, s.register_at_start),
        EXISTS (SELECT 1 FROM metering_installation o
            WHERE o.meter_id = s.meter_id AND upper_inf(o.period))
    FROM metering_sidemeter s
    JOIN metering_meter e ON e.id = s.meter_id
    JOIN metering_installation i
        ON i.service_point_id = s.service_point_id AND upper_inf(i.period)
    JOIN metering_meter m ON m.id = i.meter_id
    LEFT JOIN LATERAL (SELECT to_on, register_after FROM metering_readpart p
        WHERE p.service_point_id = s.service_point_id AND p.meter_id = s.meter_id
            AND p.role = s.role AND p.to_on > lower(s.period)
        ORDER BY p.to_on DESC, p.id DESC LIMIT 1) p ON true
    WHERE upper_inf(s.period)
"""
SIDES = {
    "side_id": pl.Int64,
    "service_point_id": pl.Int64,
    "role": pl.String,
    "side_meter_id": pl.Int64,
    "side": pl.String,
    "side_dials": pl.Int64,
    "main": pl.String,
    "side_since": pl.Date,
    "side_last_on": pl.Date,
    "side_last_register": pl.Int64,
    "has_place": pl.String,
}
_OF_MAINS = {
    "line": pl.Int64,
    **{name: SIDES[name] for name in SIDES if name not in ("service_point_id", "main")},
    "side_register": pl.Int64,
}
NO_SIDES = pl.DataFrame(schema=_OF_MAINS)
_PARTS = [
    "read_id",
    "service_point_id",
    "meter_id",
    "role",
    "from_on",
    "to_on",
    "register_before",
    "register_after",
    "usage_thousandths",
]


def sides_of_records(
    records: pl.DataFrame, sides: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What side meters show beside each record of a main meter, and the records of side meters.

    records: line, meter, read_on, register. sides: columns SIDES. Returns for each main record
    and each side meter that was there before its day: line of the main record, the columns of the
    side meter and side_register (null when the file has none of that day); and the records of
    meters that stand nowhere else, with main.
    """
    if sides.is_empty():
        return NO_SIDES, records.clear().with_columns(main=pl.lit(None, dtype=pl.String))
    shown = (
        records.sort("line")
        .unique(["meter", "read_on"], keep="first", maintain_order=True)
        .select("read_on", side="meter", side_register="register")
    )
    of_mains = (
        records.join(sides, left_on="meter", right_on="main", maintain_order="left")
        .filter(pl.col("side_since") < pl.col("read_on"))
        .join(shown, on=["side", "read_on"], how="left", maintain_order="left")
        .select(list(_OF_MAINS))
    )
    without_place = sides.filter(pl.col("has_place") == "f").select("main", meter="side")
    return of_mains, records.join(without_place, on="meter", maintain_order="left")


def against_sides(left: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """Records of main meters with what was read beside them: usage_thousandths summed, and code,
    side and side_register where they do not fit together.

    left: line, meter, read_on, code (null so far), usage_thousandths. sides: what
    `sides_of_records` returned.
    """
    counted = _counted(left, sides)
    sums = counted.group_by("line", maintain_order=True).agg(
        pl.col("signed").sum(),
        beside=pl.col("code").drop_nulls().first(),
        at=pl.col("code").is_not_null().arg_max(),
        named=pl.col("side"),
        shown=pl.col("side_register"),
    )
    sums = sums.select(
        "line",
        "signed",
        "beside",
        side=pl.col("named").list.get(pl.col("at")),
        side_register=pl.col("shown").list.get(pl.col("at")),
    )
    joined = left.drop("side", "side_register", strict=False).join(
        sums, on="line", how="left", maintain_order="left"
    )
    usage = pl.col("usage_thousandths") + pl.col("signed").fill_null(0)
    return joined.with_columns(
        usage_thousandths=usage,
        code=pl.coalesce("code", "beside", pl.when(usage < 0).then(pl.lit("deduct_larger"))),
    ).drop("signed", "beside")


def _counted(left: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """Each side meter's records of the lines that are left, in the order of their days."""
    limit = pl.lit(10, dtype=pl.Int64).pow(pl.col("side_dials"))
    return (
        sides.join(left.select("line", "read_on", main_line="line"), on="line")
        .sort("side_id", "read_on", "line")
        .with_columns(
            side_from=pl.col("read_on").shift().over("side_id").fill_null(pl.col("side_last_on")),
            side_before=pl.col("side_register")
            .shift()
            .over("side_id")
            .fill_null(pl.col("side_last_register")),
        )
        .with_columns(
            side_used=usage_column(
                pl.col("side_before"), pl.col("side_register"), pl.col("side_dials")
            )
        )
        .with_columns(
            signed=pl.when(pl.col("role") == "deduct")
            .then(-pl.col("side_used"))
            .otherwise(pl.col("side_used"))
            * THOUSAND,
            code=pl.when(pl.col("side_register").is_null())
            .then(pl.lit("register_missing"))
            .when(pl.col("side_register") >= limit)
            .then(pl.lit("side_dials"))
            .when(pl.col("side_used").is_null())
            .then(pl.lit("side_lower")),
        )
    )


def parts_of(reads: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """What each meter counted of the reads that more than one meter counted: columns of
    `ReadPart` without its id."""
    counted = _counted(reads, sides)
    is_sum = pl.col("line").is_in(counted["line"].implode()) | (
        pl.col("is_first") & pl.col("since_on").is_not_null()
    )
    mains = reads.filter(is_sum).select(
        "service_point_id",
        "meter_id",
        read_id="id",
        role=pl.lit("main"),
        from_on="counted_on",
        to_on="read_on",
        register_before="before",
        register_after="register",
        usage_thousandths=pl.col("used") * THOUSAND,
    )
    beside = counted.join(
        reads.select("line", "service_point_id", read_id="id"), on="line", maintain_order="left"
    ).select(
        "read_id",
        "service_point_id",
        "role",
        meter_id="side_meter_id",
        from_on="side_from",
        to_on="read_on",
        register_before="side_before",
        register_after="side_register",
        usage_thousandths=pl.col("side_used") * THOUSAND,
    )
    return pl.concat([mains.select(_PARTS), beside.select(_PARTS)])

"""What a read is held against: the same days of last year, the own usual, its class, its streaks.

All of it is in gallons: whole thousandths (Int64), and whole thousandths a day. Every division is
rounded half up once. Estimates are no measurement: nothing is compared with them.

Frames of reads have: read_id, service_point_id, meter_id (null where none), from_on, to_on,
usage_thousandths, unit, register and dials (null where none), is_measured (no estimate),
is_verified, is_new (to be looked at).
"""

import polars as pl

from chamberlain.tariffs.units import CUBIC_INCHES, factor

READS = {
    "read_id": pl.Int64,
    "service_point_id": pl.Int64,
    "meter_id": pl.Int64,
    "from_on": pl.Date,
    "to_on": pl.Date,
    "usage_thousandths": pl.Int64,
    "unit": pl.String,
    "register": pl.Int64,
    "dials": pl.Int64,
    "is_measured": pl.Boolean,
    "is_verified": pl.Boolean,
    "is_new": pl.Boolean,
}
GALLONS = {unit: factor(unit, "gal").limit_denominator(10_000) for unit in CUBIC_INCHES}
"""Gallons in a unit; a denominator that large is exact for all but the kilolitre."""

POINT = "service_point_id"


def rounded(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """A quotient of whole numbers, rounded half up; the denominator is above zero."""
    return (2 * numerator + denominator) // (2 * denominator)


def in_gallons(reads: pl.DataFrame) -> pl.DataFrame:
    """The reads with `days`, `gallons` (thousandths) and `daily` (thousandths a day)."""
    units = pl.DataFrame(
        {
            "unit": list(GALLONS),
            "of": [each.numerator for each in GALLONS.values()],
            "to": [each.denominator for each in GALLONS.values()],
        }
    )
    return (
        reads.join(units, on="unit", how="left", maintain_order="left")
        .with_columns(
            days=(pl.col("to_on") - pl.col("from_on")).dt.total_days(),
            gallons=rounded(pl.col("usage_thousandths") * pl.col("of"), pl.col("to")),
        )
        .with_columns(daily=rounded(pl.col("gallons"), pl.col("days")))
        .drop("of", "to")
    )


def standing(reads: pl.DataFrame) -> pl.DataFrame:
    """The reads without those that a later one of the same meter took the place of.

    A corrected read stands beside the wrong one; of two for the same days the later id holds.
    """
    keyed = reads.with_columns(of_meter=pl.col("meter_id").fill_null(0)).sort(
        POINT, "of_meter", "from_on", "read_id"
    )
    until = pl.col("to_on").cum_max().shift().over(POINT, "of_meter")
    doubled = keyed.filter((pl.col("from_on") < until).fill_null(False)).select(POINT).unique()
    if doubled.is_empty():
        return reads
    among = keyed.join(doubled, on=POINT, how="semi")
    replaced = (
        among.join(
            among.select(POINT, "of_meter", "read_id", "from_on", "to_on"),
            on=[POINT, "of_meter"],
            suffix="_later",
        )
        .filter(
            (pl.col("read_id_later") > pl.col("read_id"))
            & (pl.col("from_on_later") < pl.col("to_on"))
            & (pl.col("to_on_later") > pl.col("from_on"))
        )
        .select("read_id")
    )
    return reads.join(replaced, on="read_id", how="anti")


def looked_at(reads: pl.DataFrame, usual_days: int) -> pl.DataFrame:
    """The new ones among standing reads in gallons, with what they are held against.

    Adds last_year (thousandths of a gallon a day on the same days of the year before; null unless
    half of those days were measured), usual (over the measured reads that lie within usual_days
    before), register_before (of the same meter, at its last measured read), and the streaks of
    `_streaks`.
    """
    ordered = reads.sort(POINT, "to_on", "read_id")
    read = pl.when("is_measured").then("register").forward_fill().shift()
    before = read.over(POINT, "meter_id")
    new = (
        _streaks(ordered)
        .with_columns(register_before=pl.when(pl.col("meter_id").is_not_null()).then(before))
        .filter("is_new")
    )
    compared = _compared(ordered)
    return new.join(_last_year(new, compared), on="read_id", how="left").join(
        usual_before(new.select("read_id", POINT, day="from_on"), compared, usual_days),
        on="read_id",
        how="left",
    )


def _compared(reads: pl.DataFrame) -> pl.DataFrame:
    """What others are held against: measured and not below zero."""
    return reads.filter(pl.col("is_measured") & (pl.col("gallons") >= 0)).select(
        POINT, "from_on", "to_on", "days", "gallons"
    )


def usual_before(asked: pl.DataFrame, compared: pl.DataFrame, usual_days: int) -> pl.DataFrame:
    """read_id and `usual`: gallons a day of the reads that lie within usual_days before `day`."""
    return (
        asked.join(compared, on=POINT)
        .filter(
            (pl.col("to_on") <= pl.col("day"))
            & (pl.col("from_on") >= pl.col("day") - pl.duration(days=usual_days))
        )
        .group_by("read_id")
        .agg(usual=rounded(pl.col("gallons").sum(), pl.col("days").sum()))
    )


def _last_year(new: pl.DataFrame, compared: pl.DataFrame) -> pl.DataFrame:
    """read_id and `last_year`; a read that overlaps those days counts by its days in them."""
    asked = new.select(
        "read_id",
        POINT,
        begun="from_on",
        since=pl.col("from_on").dt.offset_by("-1y"),
        until=pl.col("to_on").dt.offset_by("-1y"),
    )
    overlap = pl.min_horizontal("to_on", "until") - pl.max_horizontal("from_on", "since")
    return (
        asked.join(compared, on=POINT)
        .with_columns(common=overlap.dt.total_days())
        .filter((pl.col("common") > 0) & (pl.col("to_on") <= pl.col("begun")))
        .with_columns(share=rounded(pl.col("gallons") * pl.col("common"), pl.col("days")))
        .group_by("read_id")
        .agg(
            pl.col("share", "common").sum(),
            wanted=(pl.col("until") - pl.col("since")).dt.total_days().first(),
        )
        .filter(2 * pl.col("common") >= pl.col("wanted"))
        .select("read_id", last_year=rounded(pl.col("share"), pl.col("common")))
    )


def _streaks(ordered: pl.DataFrame) -> pl.DataFrame:
    """How many reads in a row, up to each, measured nothing or were estimated.

    Adds zero_reads and zero_days (of measured reads; estimates between them are passed over),
    daily_before (of the last measured use), estimates and estimated_since.
    """
    is_zero = pl.col("gallons") == 0
    measured = ordered.filter("is_measured").with_columns(
        streak=is_zero.rle_id().over(POINT),
        daily_before=pl.when(pl.col("gallons") > 0).then("daily").forward_fill().over(POINT),
    )
    zeros = measured.select(
        "read_id",
        "daily_before",
        zero_reads=pl.when(is_zero).then(pl.col("read_id").cum_count().over(POINT, "streak")),
        zero_days=pl.when(is_zero).then(pl.col("days").cum_sum().over(POINT, "streak")),
    )
    is_estimate = pl.col("is_measured").not_()
    estimated = ordered.with_columns(streak=is_estimate.rle_id().over(POINT)).select(
        "read_id",
        estimates=pl.when(is_estimate).then(pl.col("read_id").cum_count().over(POINT, "streak")),
        estimated_since=pl.col("from_on").first().over(POINT, "streak"),
    )
    return ordered.join(zeros, on="read_id", how="left", maintain_order="left").join(
        estimated, on="read_id", how="left", maintain_order="left"
    )


def steady(reads: pl.DataFrame, count: int, usual_days: int) -> pl.DataFrame:
    """New measured reads with the least and most gallons a day of the last `count` measured ones.

    reads: standing, in gallons. Returns read_id, least, most, and usual: what was usual before the
    first of them. Reads without so many before them are left out.
    """
    ordered = reads.filter("is_measured").sort(POINT, "to_on", "read_id")
    rolled = ordered.select(
        "read_id",
        POINT,
        "is_new",
        least=pl.col("daily").rolling_min(count).over(POINT),
        most=pl.col("daily").rolling_max(count).over(POINT),
        day=pl.col("from_on").shift(count - 1).over(POINT),
    ).filter(pl.col("is_new") & pl.col("least").is_not_null())
    before = usual_before(rolled.select("read_id", POINT, "day"), _compared(ordered), usual_days)
    return rolled.join(before, on="read_id").select("read_id", "least", "most", "usual")

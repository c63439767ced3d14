"""What a run does not bill, and the sentence that says why and what to do."""

import polars as pl

ABSURD_TIMES = 20

_ABSURD = (
    "The usage is more than {} times this account's usual; check the read, then mark it verified "
    "or correct it."
)
_NEGATIVE = (
    "The usage is negative; if an estimate before it was too high, true it up, else check the read "
    "and the meter, then correct it."
)
_WATCHED = " Look at its entry on the usage worklist."
NO_READ = "No read came for this cycle; get a read or enter an estimate."


def implausible(candidates: pl.DataFrame) -> pl.DataFrame:
    """Rows that must be looked at before they are billed.

    candidates: row, from_on, to_on, usage_thousandths, is_verified, normal_daily_thousandths
    (null when nothing is known about the account's usual usage).
    Returns row, code, sentence. Negative usage is always held; usage of more than ABSURD_TIMES
    the usual is held unless it was verified.
    """
    days = (pl.col("to_on") - pl.col("from_on")).dt.total_days()
    usual = pl.col("normal_daily_thousandths") * days
    absurd = (
        pl.col("is_verified").not_()
        & (usual > 0).fill_null(False)
        & (pl.col("usage_thousandths") > usual * ABSURD_TIMES).fill_null(False)
    )
    return (
        candidates.with_columns(
            code=pl.when(pl.col("usage_thousandths") < 0)
            .then(pl.lit("negative_usage"))
            .when(absurd)
            .then(pl.lit("absurd_usage"))
        )
        .filter(pl.col("code").is_not_null())
        .select(
            "row",
            "code",
            sentence=pl.col("code").replace_strict(
                {"negative_usage": _NEGATIVE, "absurd_usage": _ABSURD.format(ABSURD_TIMES)},
                return_dtype=pl.String,
            ),
        )
    )


def watched(candidates: pl.DataFrame, kept_back: pl.DataFrame) -> pl.DataFrame:
    """Rows whose read has an entry on the usage worklist that keeps its bill back.

    candidates: row, read_id. kept_back: read_id and sentence of such reads. Returns row, code,
    sentence.
    """
    return candidates.join(kept_back, on="read_id").select(
        "row",
        code=pl.lit("watched_usage"),
        sentence=pl.col("sentence") + _WATCHED,
    )
